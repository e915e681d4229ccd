"""Designs under all scenarios (samples of the uncertain numbers) at once, by the exact model."""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._smooth import Exact
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.local_search import INFEASIBLE, steps_from
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.uncertain import Sampled

DESIGNS_AT_ONCE = 256
"""Designs evaluated in one call under every scenario; about the size of a neighbourhood."""


def merit(outcome: Outcome) -> Array:
    """Orders designs: the feasible ones by score, the others by violation."""
    violation = jnp.sum(jnp.maximum(outcome.violation, 0.0))
    merit = jnp.where(outcome.feasible(), outcome.score, INFEASIBLE - violation)
    return jnp.where(jnp.isnan(merit), -jnp.inf, merit)


class ScenarioOutcomes(NamedTuple):
    """Outcomes of designs under each scenario.

    Attributes:
        merit: Score where every limit holds; at most `INFEASIBLE` elsewhere.
        score: Score, feasible or not.
        violation: Log violation of each limit.
    """

    merit: Float[np.ndarray, "draws designs"]
    score: Float[np.ndarray, "draws designs"]
    violation: Float[np.ndarray, "draws designs limits"]


class Scenarios:
    """Evaluates designs under every scenario.

    One compiled function evaluates a block of designs for each scenario: `jax.vmap` over the
    stacked parts of all scenarios, and inside over designs.
    """

    def __init__(self, problem: Problem):
        """Set up; nothing is compiled before the first evaluation."""
        lattice = design_grid_of(problem)
        self._shape = np.asarray(lattice.shape)

        def evaluated(parts: Sampled, indices: Array) -> tuple[Array, Array, Array]:
            outcome = parts.of(problem).outcome(*lattice.at(indices), Exact())
            return merit(outcome), outcome.score, outcome.violation

        self._block = jax.jit(jax.vmap(jax.vmap(evaluated, (None, 0))))

    def each(
        self, parts: Sampled, designs: Int[np.ndarray, "draws designs axes"]
    ) -> ScenarioOutcomes:
        """Outcomes of different designs under each scenario.

        Args:
            parts: What is sampled, stacked by scenario.
            designs: Indices of the designs of each scenario.
        """
        count = designs.shape[1]
        padded = np.pad(designs, ((0, 0), (0, -count % DESIGNS_AT_ONCE), (0, 0)), mode="edge")
        blocks = [
            self._block(parts, jnp.asarray(block))
            for block in np.split(padded, padded.shape[1] // DESIGNS_AT_ONCE, axis=1)
        ]
        joined = (np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True))
        return ScenarioOutcomes(*(it[:, :count] for it in joined))

    def every(self, parts: Sampled, designs: Int[np.ndarray, "designs axes"]) -> ScenarioOutcomes:
        """Outcomes of the same designs under every scenario."""
        draws = len(jax.tree.leaves(parts)[0])
        return self.each(parts, np.broadcast_to(designs, (draws, *designs.shape)))

    def neighbourhood(self, design: Int[np.ndarray, " axes"]) -> Int[np.ndarray, "designs axes"]:
        """Neighbours of a design within its category, the design itself first."""
        return self._near(design[None])[0]

    def _near(self, designs: np.ndarray) -> np.ndarray:
        steps = steps_from((1, *self._shape[1:].tolist()))
        return np.clip(designs[:, None] + steps, 0, self._shape - 1)

    def local_optima(
        self, parts: Sampled, starts: Int[np.ndarray, "draws axes"]
    ) -> Int[np.ndarray, "draws axes"]:
        """Local optima within the category, for all scenarios in step."""
        here = starts
        while True:
            near = self._near(here)
            # `argmax` takes the first of equals, the design itself, so that the search terminates.
            best = np.argmax(self.each(parts, near).merit, axis=1)
            if not best.any():
                return here
            here = np.take_along_axis(near, best[:, None, None], axis=1)[:, 0]


class ScenarioPool:
    """A pool of designs with their merits under every scenario.

    Attributes:
        designs: Indices, each design once, in the order of evaluation.
        merits: Merit of each design under each scenario, as in `ScenarioOutcomes`.
    """

    designs: Int[np.ndarray, "designs axes"]
    merits: Float[np.ndarray, "draws designs"]

    def __init__(self, scenarios: Scenarios, parts: Sampled, first: np.ndarray):
        """Begin with the designs `first`."""
        self._scenarios, self._parts = scenarios, parts
        self._places: dict[tuple[int, ...], int] = {}
        draws, axes = len(jax.tree.leaves(parts)[0]), first.shape[1]
        self.designs, self.merits = np.empty((0, axes), int), np.empty((draws, 0))
        self.add(first)

    def add(self, designs: Iterable[np.ndarray]) -> list[int]:
        """Evaluate and add designs that are new; returns the places of all in the pool."""
        rows = [tuple(row) for row in np.asarray(list(designs)).tolist()]
        new = list(dict.fromkeys(row for row in rows if row not in self._places))
        if new:
            self._places.update({row: len(self._places) + at for at, row in enumerate(new)})
            found = self._scenarios.every(self._parts, np.asarray(new)).merit
            self.designs = np.concatenate([self.designs, np.asarray(new)])
            self.merits = np.concatenate([self.merits, found], axis=1)
        return [self._places[row] for row in rows]

    def best(self, category: int) -> Int[np.ndarray, " draws"]:
        """Place of the best design of a category under each scenario; the first of equals."""
        mine = np.flatnonzero(self.designs[:, 0] == category)
        return mine[np.argmax(self.merits[:, mine], axis=1)]

    @property
    def feasible(self) -> np.ndarray:
        """Whether each design meets every limit, under each scenario."""
        return self.merits > INFEASIBLE
