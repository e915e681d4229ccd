"""The nondominated designs known, for a search by bounds with several objectives.

A design dominates another that it is no worse than in any objective, and better than in one. The
whole front of a lattice may be long, so fewer points may do: so many that for every design there is
one that it betters by no more than a factor 1 + epsilon in any objective (an epsilon-Pareto set:
Papadimitriou and Yannakakis (2000), On the approximability of trade-offs, FOCS; kept as an archive
as in Laumanns et al. (2002), Evolutionary Computation 10). Each point of such a set might still be
dominated by a design close by. Here none is: boxes that could dominate a point stay open, and so do
those that could better the best of any one objective. What ends the search is therefore a proof of
three things: every design is matched to within epsilon, no design dominates a point, and the ends
of the front are the optima of the objectives one by one.

No box is closed too early. A design in a closed box was matched by a point then known, and points
only give way to designs that dominate them; so it is still matched. A design taken in later is
either unmatched, and then so is all that dominates it; or it dominates a point, or betters the best
of an objective, and then so does all that dominates it: no such design was in a closed box.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, columns
from liminal_jax.optimization.search.branch_and_bound import MARGIN, UNKNOWN, AbstractIncumbents

BOXES, PAIRS = 4096, 16_384
"""Boxes held against the points in one go, and pairs of both: few enough to stay in the cache."""


class Front(AbstractIncumbents):
    """The nondominated designs known.

    Designs whose objectives are the same up to rounding stand for one another: one of them is kept.

    Attributes:
        objectives: How many there are.
        epsilon: Logarithm of the factor by which a design may better the point nearest to it.
    """

    def __init__(self, objectives: int, axes: int, epsilon: float):
        self.objectives = objectives
        self.epsilon = epsilon
        # Until a design is known there is a point that each of them dominates.
        self._gains = np.full((objectives, 1), UNKNOWN)
        self._indices = np.zeros((axes, 1), int)

    @property
    def gains(self) -> Float[np.ndarray, "objectives points"]:
        """Logarithms of the objectives of each point, ascending in the first objective."""
        return self._gains[:, self._order()]

    @property
    def indices(self) -> Int[np.ndarray, "axes points"]:
        """Indices of each point, in the same order."""
        return self._indices[:, self._order()]

    def _order(self) -> np.ndarray:
        known = np.flatnonzero(self._gains[0] > UNKNOWN)
        return known[np.argsort(self._gains[0, known], kind="stable")]

    def margin(
        self, boxes: Boxes, gains: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """By how much the best that a box may hold betters every point in some objective.

        Where that is at most epsilon it counts only if it may dominate a point, or better them all
        in one objective; then by at most epsilon.
        """
        del boxes
        margins = self._over_points(_unmatched, np.minimum, gains)
        if self.epsilon > MARGIN:
            matched = margins <= self.epsilon
            rest = columns(gains, matched)
            above = self._over_points(_above, np.maximum, rest)
            beyond = np.max(rest - self._gains.max(axis=1, keepdims=True), axis=0)
            margins[matched] = np.minimum(self.epsilon, np.maximum(above, beyond))
        return margins

    def _over_points(
        self,
        margin: Callable[[np.ndarray], np.ndarray],
        joined: np.ufunc,
        gains: Float[np.ndarray, "objectives boxes"],
    ) -> Float[np.ndarray, " boxes"]:
        """A margin of boxes over all points, some boxes and some points at a time."""
        found = np.full(gains.shape[1], -np.inf if joined is np.maximum else np.inf)
        for begin in range(0, gains.shape[1], BOXES):
            block = slice(begin, begin + BOXES)
            some = gains[:, None, block]
            size = max(1, PAIRS // some.shape[2])
            for first in range(0, self._gains.shape[1], size):
                better = some - self._gains[:, first : first + size, None]
                joined(found[block], margin(better), out=found[block])
        return found

    @override
    def offer(self, designs: Boxes, gains: Float[np.ndarray, "objectives boxes"]) -> None:
        wanted = np.flatnonzero(self.margin(designs, gains) > MARGIN)
        best_first = wanted[np.argsort(-gains[:, wanted].sum(axis=0), kind="stable")]
        for design in best_first:
            self._learn(designs.some(design[None]), gains[:, [design]])

    def _learn(self, design: Boxes, gains: Float[np.ndarray, "objectives 1"]) -> None:
        """Take note of one design, and forget those that it dominates."""
        if self.margin(design, gains)[0] <= MARGIN:
            return
        kept = np.any(self._gains > gains + MARGIN, axis=0)
        self._gains = np.concatenate([self._gains[:, kept], gains], axis=1)
        self._indices = np.concatenate([self._indices[:, kept], design.first], axis=1)


def _unmatched(better: Float[np.ndarray, "objectives points boxes"]) -> np.ndarray:
    """By how much a box betters, in some objective, the point that comes nearest to it."""
    return better.max(axis=0).min(axis=0)


def _above(better: Float[np.ndarray, "objectives points boxes"]) -> np.ndarray:
    """By how much a box betters, in some objective, a point that it may dominate."""
    dominated = better.min(axis=0) >= -MARGIN
    return np.where(dominated, better.max(axis=0), -np.inf).max(axis=0)
