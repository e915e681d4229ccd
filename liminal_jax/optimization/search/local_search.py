"""Local search on the lattice: small moves uphill, on the exact model.

Designs are evaluated as boxes of one, thousands at once, which needs no compiling.
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
"""Merit of designs that exceed a limit, from which their violation is taken."""

MOST_MOVES = 200
"""A search that has not ended after so many moves is cut off; none has been seen to."""


@functools.cache
def steps_from(shape: tuple[int, ...]) -> np.ndarray:
    """Moves of one and two variables, and changes of the category, as rows of differences."""
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
    rows.setflags(write=False)  # Those who ask again get the same array.
    return rows


def neighbours(
    designs: Int[np.ndarray, "axes designs"], shape: tuple[int, ...]
) -> Int[np.ndarray, "axes near"]:
    """What one move leads to: each design itself first, one design after the other."""
    near = designs[:, :, None] + steps_from(shape).T[:, None, :]
    highest = np.asarray(shape)[:, None, None] - 1
    return np.clip(near, 0, highest).reshape(len(designs), -1)


class Evaluation(NamedTuple):
    """Designs that were looked at.

    Attributes:
        gains: Logarithm of each objective.
        feasible: Whether they meet the limits and can be judged.
        violation: Sum of the logarithms by which limits are exceeded.
    """

    gains: Float[np.ndarray, "objectives designs"]
    feasible: Bool[np.ndarray, " designs"]
    violation: Float[np.ndarray, " designs"]

    def merit(self, weights: Float[np.ndarray, "objectives designs"]) -> np.ndarray:
        """Orders designs: the feasible ones by a weighted sum, the others by violation."""
        weighted = np.sum(weights * self.gains, axis=0)
        return np.where(self.feasible, weighted, INFEASIBLE - self.violation)


class LocalSearch:
    """Looks at designs, and offers the feasible ones to the best known.

    Attributes:
        looked: Designs looked at.
    """

    def __init__(
        self,
        bounded: BoundedProblem,
        node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
        incumbents: AbstractIncumbents,
    ):
        """Begin.

        Args:
            bounded: The lattice; designs outside its start are passed over.
            node_bounds: What bounds of its results mean.
            incumbents: Take note of what is found.
        """
        self._ground = bounded
        self._promise = node_bounds
        self._incumbents = incumbents
        self.looked = 0

    def look(self, designs: Int[np.ndarray, "axes designs"]) -> Evaluation:
        """Evaluate designs, and offer those that will do."""
        boxes = points(designs, self._ground.bounds.trees)
        low, high = self._ground.bounds.over(boxes)
        promised = self._promise(low, high)
        feasible = promised.certain & np.isin(designs[0], self._ground.categories)
        self._incumbents.offer(boxes.some(feasible), columns(promised.gains, feasible))
        self.looked += len(boxes)
        violation = high[len(promised.gains) :]
        return Evaluation(promised.gains, feasible, np.sum(np.maximum(violation, 0.0), axis=0))

    def climb(
        self,
        starts: Int[np.ndarray, "axes designs"],
        weights: Float[np.ndarray, "objectives designs"],
    ) -> None:
        """Go uphill from some designs to where each ends.

        Args:
            starts: Where to begin.
            weights: Of each objective, for each start.
        """
        here, merits = starts, np.full(starts.shape[1], -np.inf)
        for _ in range(MOST_MOVES):
            near = neighbours(here, self._ground.shape)
            each = near.shape[1] // len(merits)
            worth = self.look(near).merit(np.repeat(weights, each, axis=1))
            rows = worth.reshape(-1, each)
            best = np.argmax(rows, axis=1) + np.arange(len(merits)) * each
            climbing = worth[best] > merits
            here = near[:, best[climbing]]
            weights, merits = weights[:, climbing], worth[best[climbing]]
            if not climbing.any():
                return
