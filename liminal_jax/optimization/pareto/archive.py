"""The archive of nondominated designs: incumbents of branch and bound with several objectives.

A design dominates another if it is no worse in any objective and better in one. The whole Pareto
front of a lattice may be long, so an epsilon-Pareto set may do: a set such that for every design
there is a point which that design beats by no more than a factor 1 + epsilon in any objective
(Papadimitriou and Yannakakis (2000), On the approximability of trade-offs, FOCS; as an archive:
Laumanns et al. (2002), Evolutionary Computation 10). In the literature a point of such a set may
itself be dominated by a design close by. Here none is: boxes that could dominate a point stay open,
and so do boxes that could beat the best value of one objective. The search therefore ends with a
proof of three things: every design is matched to within epsilon, no design dominates a point, and
the ends of the front are the optima of the single objectives.

Pruning is safe although the archive changes later. Let D be a design in a pruned box; it was
matched by a point of that time. A point leaves the archive only when a design that dominates it
enters, and dominance is transitive, so D stays matched. Nor can a design that enters later be
dominated by D. A design enters for one of three reasons: it is unmatched, it dominates a point, or
it beats the best value of an objective. In each case a design that dominates it would have had the
same property already, and its box would not have been pruned.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, columns
from liminal_jax.optimization.search.branch_and_bound import MARGIN, UNKNOWN, AbstractIncumbents

BOXES, PAIRS = 4096, 16_384
"""Boxes compared with the points at a time, and pairs of both: few enough to stay in the cache."""


class ParetoArchive(AbstractIncumbents):
    """The nondominated designs known.

    Of designs whose objectives are equal up to rounding, one is kept.

    Attributes:
        objectives: Number of objectives.
        epsilon: Logarithm of the factor by which a design may beat its nearest point.
    """

    def __init__(self, objectives: int, axes: int, epsilon: float):
        self.objectives = objectives
        self.epsilon = epsilon
        # A sentinel that every design dominates: the archive is never empty, so that the minima and
        # maxima over points are defined.
        self._scores = np.full((objectives, 1), UNKNOWN)
        self._indices = np.zeros((axes, 1), int)

    @property
    def scores(self) -> Float[np.ndarray, "objectives points"]:
        """Scores of each point, ascending in the first objective."""
        return self._scores[:, self._order()]

    @property
    def indices(self) -> Int[np.ndarray, "axes points"]:
        """Indices of each point, in the same order."""
        return self._indices[:, self._order()]

    def _order(self) -> np.ndarray:
        known = np.flatnonzero(self._scores[0] > UNKNOWN)
        return known[np.argsort(self._scores[0, known], kind="stable")]

    def margin(
        self, boxes: Boxes, scores: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """By how much the bound of a box beats every point in some objective, in logarithms.

        A box that is matched to within epsilon has a margin only if it may dominate a point, or
        beat the best value of an objective; its margin is then at most epsilon.
        """
        del boxes
        margins = self._over_points(_unmatched, np.minimum, scores)
        if self.epsilon > MARGIN:
            # For the third property of the set, and so that no point is dominated: see the module.
            matched = margins <= self.epsilon
            rest = columns(scores, matched)
            above = self._over_points(_above, np.maximum, rest)
            beyond = np.max(rest - self._scores.max(axis=1, keepdims=True), axis=0)
            margins[matched] = np.minimum(self.epsilon, np.maximum(above, beyond))
        return margins

    def _over_points(
        self,
        margin: Callable[[np.ndarray], np.ndarray],
        joined: np.ufunc,
        scores: Float[np.ndarray, "objectives boxes"],
    ) -> Float[np.ndarray, " boxes"]:
        """The extreme of a margin over all points, in blocks of boxes and points."""
        found = np.full(scores.shape[1], -np.inf if joined is np.maximum else np.inf)
        for begin in range(0, scores.shape[1], BOXES):
            block = slice(begin, begin + BOXES)
            some = scores[:, None, block]
            size = max(1, PAIRS // some.shape[2])
            for first in range(0, self._scores.shape[1], size):
                better = some - self._scores[:, first : first + size, None]
                joined(found[block], margin(better), out=found[block])
        return found

    @override
    def update(self, designs: Boxes, scores: Float[np.ndarray, "objectives boxes"]) -> None:
        # A design that dominates another has the larger sum of scores, so in this order no design
        # enters only to be removed by the next.
        wanted = np.flatnonzero(self.margin(designs, scores) > MARGIN)
        best_first = wanted[np.argsort(-scores[:, wanted].sum(axis=0), kind="stable")]
        for design in best_first:
            self._insert(designs.some(design[None]), scores[:, [design]])

    def _insert(self, design: Boxes, scores: Float[np.ndarray, "objectives 1"]) -> None:
        """Add a design if it is still wanted, and remove the points that it dominates."""
        if self.margin(design, scores)[0] <= MARGIN:
            return
        kept = np.any(self._scores > scores + MARGIN, axis=0)
        self._scores = np.concatenate([self._scores[:, kept], scores], axis=1)
        self._indices = np.concatenate([self._indices[:, kept], design.first], axis=1)


def _unmatched(better: Float[np.ndarray, "objectives points boxes"]) -> np.ndarray:
    """By how much a box beats, in some objective, its nearest point."""
    return better.max(axis=0).min(axis=0)


def _above(better: Float[np.ndarray, "objectives points boxes"]) -> np.ndarray:
    """By how much a box beats, in some objective, a point that it may dominate."""
    dominated = better.min(axis=0) >= -MARGIN
    return np.where(dominated, better.max(axis=0), -np.inf).max(axis=0)
