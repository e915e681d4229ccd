"""Local search on the lattice: steepest ascent over a neighbourhood, on the exact model.

Designs are evaluated as boxes of a single design, thousands at once; nothing is compiled.
"""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.bounds.boxes import columns, points
from liminal_jax.optimization.search.branch_and_bound import AbstractIncumbents, NodeBounds
from liminal_jax.optimization.search.certificate import BoundedProblem

INFEASIBLE = -1e6
"""Merit from which the violation of an infeasible design is subtracted: below any score."""

MOST_MOVES = 200
"""Moves after which a search is cut off; none has been seen to reach it."""


@functools.cache
def steps_from(shape: tuple[int, ...]) -> np.ndarray:
    """The neighbourhood as rows of index differences.

    One variable by one or two steps, two variables by one step each, or another category; the row
    of zeros, the design itself, is the first.
    """
    axes = len(shape)
    unit = np.eye(axes, dtype=int)
    free = range(1, axes)
    singles = [sign * size * unit[axis] for axis in free for size in (1, 2) for sign in (-1, 1)]
    pairs = [
        left * unit[first] + right * unit[second]
        for first, second in itertools.combinations(free, 2)
        for left in (-1, 1)
        for right in (-1, 1)
    ]
    changes = [step * unit[0] for step in range(-shape[0] + 1, shape[0]) if step]
    rows = np.asarray([np.zeros(axes, dtype=int), *singles, *pairs, *changes])
    rows.setflags(write=False)  # The cache returns the same array to every caller.
    return rows


def neighbours(
    designs: Int[np.ndarray, "axes designs"], shape: tuple[int, ...]
) -> Int[np.ndarray, "axes near"]:
    """The neighbours of each design, one design after the other, each design itself first."""
    near = designs[:, :, None] + steps_from(shape).T[:, None, :]
    highest = np.asarray(shape)[:, None, None] - 1
    return np.clip(near, 0, highest).reshape(len(designs), -1)


class Evaluation(NamedTuple):
    """Outcomes of designs.

    Attributes:
        scores: Score of each objective.
        feasible: Whether a design meets the limits and no number that it needs is missing.
        violation: Sum of the positive log violations.
    """

    scores: Float[np.ndarray, "objectives designs"]
    feasible: Bool[np.ndarray, " designs"]
    violation: Float[np.ndarray, " designs"]

    def merit(self, weights: Float[np.ndarray, "objectives designs"]) -> np.ndarray:
        """Orders designs: the feasible ones by a weighted sum, the others by violation."""
        weighted = np.sum(weights * self.scores, axis=0)
        return np.where(self.feasible, weighted, INFEASIBLE - self.violation)


class LocalSearch:
    """A local search that updates incumbents with every feasible design it evaluates.

    Attributes:
        evaluations: Designs evaluated.
    """

    def __init__(
        self,
        bounded: BoundedProblem,
        node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
        incumbents: AbstractIncumbents,
    ):
        """Set up the search.

        Args:
            bounded: The problem; designs outside its start boxes are never feasible.
            node_bounds: Turns bounds of the model's results into bounds of nodes.
            incumbents: Updated in place.
        """
        self._bounded = bounded
        self._node_bounds = node_bounds
        self._incumbents = incumbents
        self.evaluations = 0

    def evaluate(self, designs: Int[np.ndarray, "axes designs"]) -> Evaluation:
        """Evaluate designs, and update the incumbents with the feasible ones."""
        boxes = points(designs, self._bounded.bounds.trees)
        low, high = self._bounded.bounds.over(boxes)
        bounds = self._node_bounds(low, high)
        feasible = bounds.certain & np.isin(designs[0], self._bounded.categories)
        self._incumbents.update(boxes.some(feasible), columns(bounds.scores, feasible))
        self.evaluations += len(boxes)
        violation = high[len(bounds.scores) :]
        return Evaluation(bounds.scores, feasible, np.sum(np.maximum(violation, 0.0), axis=0))

    def climb(self, starts: Int[np.ndarray, "axes designs"]) -> None:
        """Ascend from each start to a local optimum of the one objective.

        Args:
            starts: Indices of the designs to start from.
        """
        self.run(starts, np.ones((1, starts.shape[1])))

    def run(
        self,
        starts: Int[np.ndarray, "axes designs"],
        weights: Float[np.ndarray, "objectives designs"],
    ) -> None:
        """Ascend from each start to a local optimum of the weighted sum of scores.

        Args:
            starts: Indices of the designs to start from.
            weights: Weight of each objective, for each start.
        """
        here, merits = starts, np.full(starts.shape[1], -np.inf)
        for _ in range(MOST_MOVES):
            near = neighbours(here, self._bounded.shape)
            each = near.shape[1] // len(merits)
            merit_near = self.evaluate(near).merit(np.repeat(weights, each, axis=1))
            rows = merit_near.reshape(-1, each)
            best = np.argmax(rows, axis=1) + np.arange(len(merits)) * each
            climbing = merit_near[best] > merits
            here = near[:, best[climbing]]
            weights, merits = weights[:, climbing], merit_near[best[climbing]]
            if not climbing.any():
                return
