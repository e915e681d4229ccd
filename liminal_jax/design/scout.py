"""Good designs of several objectives before their proof, which ends the sooner for them.

From random designs uphill by weighted sums of the objectives; then from every nondominated design
to its neighbours, as long as that turns up new ones (Pareto local search: Paquete, Chiarandini and
Stuetzle (2004), Metaheuristics for Multiobjective Optimisation). Designs are evaluated as boxes of
one, thousands at once, which needs no compiling.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.bounds.boxes import Boxes, columns
from liminal_jax.design.branch import Promise
from liminal_jax.design.certify import Ground
from liminal_jax.design.front import Front
from liminal_jax.design.polish import INFEASIBLE, MOST_MOVES, moves

STARTS = 48
"""Random designs from which it goes uphill."""

AT_ONCE = 64
"""Designs whose neighbours are looked at in one go."""

MOST_DESIGNS = 500_000
"""Designs after which no more neighbours are looked at."""


class _Seen(NamedTuple):
    """Designs that were looked at.

    Attributes:
        gains: Logarithm of each objective.
        feasible: Whether they meet the limits and can be judged.
        violation: Sum of the logarithms by which limits are exceeded.
    """

    gains: Float[np.ndarray, "objectives designs"]
    feasible: Bool[np.ndarray, " designs"]
    violation: Float[np.ndarray, " designs"]


class Scout:
    """Looks at designs, and offers the feasible ones to a front."""

    def __init__(
        self, ground: Ground, promise: Callable[[np.ndarray, np.ndarray], Promise], front: Front
    ):
        """Begin.

        Args:
            ground: The lattice; designs outside its start are passed over.
            promise: What bounds of its results mean.
            front: Takes note of what is found.
        """
        self._ground = ground
        self._promise = promise
        self._front = front
        self._categories = ground.start.first[0]
        self._shape = np.asarray([len(tree.singles) for tree in ground.bounds.trees])
        self._moves = moves(tuple(self._shape.tolist()))
        self._looked = 0

    def search(self, seed: int = 0) -> None:
        """Climb from random designs, then walk along the front.

        Args:
            seed: Of the random designs.
        """
        if len(self._categories):
            self._climb(np.random.default_rng(seed))
            self._walk()

    def _look(self, designs: Int[np.ndarray, "axes designs"]) -> _Seen:
        """Evaluate designs, and offer those that will do."""
        trees = self._ground.bounds.trees
        nodes = [tree.singles[row] for tree, row in zip(trees, designs, strict=True)]
        boxes = Boxes(np.stack(nodes), trees)
        low, high = self._ground.bounds.over(boxes)
        promised = self._promise(low, high)
        feasible = promised.certain & np.isin(designs[0], self._categories)
        self._front.offer(boxes.some(feasible), columns(promised.gains, feasible))
        self._looked += len(boxes)
        excess = high[len(promised.gains) :]
        return _Seen(promised.gains, feasible, np.sum(np.maximum(excess, 0.0), axis=0))

    def _near(self, designs: Int[np.ndarray, "axes designs"]) -> Int[np.ndarray, "axes near"]:
        """Neighbours of some designs, each design itself among them; one design after the other."""
        near = designs[:, :, None] + self._moves.T[:, None, :]
        return np.clip(near, 0, self._shape[:, None, None] - 1).reshape(len(designs), -1)

    def _climb(self, draws: np.random.Generator) -> None:
        """Uphill from random designs, each by a weighted sum of its own, to where it ends."""
        here = draws.integers(0, self._shape[:, None], (len(self._shape), STARTS))
        here[0] = draws.choice(self._categories, STARTS)
        weights = draws.dirichlet(np.ones(len(self._front.gains)), STARTS).T
        merits = np.full(STARTS, -np.inf)
        for _ in range(MOST_MOVES):
            near = self._near(here)
            seen = self._look(near)
            each = np.repeat(weights, len(self._moves), axis=1)
            score = np.sum(each * seen.gains, axis=0)
            worth = np.where(seen.feasible, score, INFEASIBLE - seen.violation)
            rows = worth.reshape(len(merits), -1)
            best = np.argmax(rows, axis=1)
            reached = np.max(rows, axis=1)
            climbing = reached > merits
            best += np.arange(len(merits)) * rows.shape[1]
            here = near[:, best[climbing]]
            weights, merits = weights[:, climbing], reached[climbing]
            if not climbing.any():
                return

    def _walk(self) -> None:
        """From every point of the front to its neighbours, until none is left to start from."""
        begun: set[bytes] = set()
        while self._looked < MOST_DESIGNS:
            fresh = [row for row in self._front.indices.T if row.tobytes() not in begun][:AT_ONCE]
            if not fresh:
                return
            begun |= {row.tobytes() for row in fresh}
            self._look(self._near(np.stack(fresh, axis=1)))
