"""Designs under all scenarios (samples of the uncertain numbers) at once, by the exact model."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._devices import by_blocks
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


SCENARIOS_AT_ONCE = 32
"""Scenarios evaluated in one call; the calls go round the devices."""


def batches(parts: Sampled, size: int) -> Iterator[Sampled]:
    """What is sampled, in batches of one size; the last sample fills the last batch."""
    count = len(jax.tree.leaves(parts)[0])
    for begin in range(0, count, size):
        places = np.minimum(np.arange(begin, begin + size), count - 1)
        yield jax.tree.map(lambda leaf, at=places: np.asarray(leaf)[at], parts)


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

    One compiled function evaluates a block of designs for each of some scenarios: `jax.vmap` over
    their stacked parts, and inside over designs. Its calls are spread over all devices.
    """

    def __init__(self, problem: Problem):
        """Set up; nothing is compiled before the first evaluation."""
        lattice = design_grid_of(problem)
        self._shape = np.asarray(lattice.shape)

        def evaluated(parts: Sampled, indices: Array) -> tuple[Array, Array, Array]:
            outcome = parts.of(problem).outcome(*lattice.at(indices), Exact())
            return merit(outcome), outcome.score, outcome.violation

        every = jax.vmap(jax.vmap(evaluated, (None, 0)))
        self._block = jax.jit(lambda block: every(*block))

    def each(
        self, parts: Sampled, designs: Int[np.ndarray, "draws designs axes"]
    ) -> ScenarioOutcomes:
        """Outcomes of different designs under each scenario.

        Args:
            parts: What is sampled, stacked by scenario.
            designs: Indices of the designs of each scenario.
        """
        draws, count = designs.shape[:2]
        size = min(draws, SCENARIOS_AT_ONCE)
        more = ((0, -draws % size), (0, -count % DESIGNS_AT_ONCE), (0, 0))
        padded = np.pad(designs, more, mode="edge")
        across = padded.shape[1] // DESIGNS_AT_ONCE
        rows = zip(batches(parts, size), np.split(padded, len(padded) // size, axis=0), strict=True)
        blocks = [(part, block) for part, row in rows for block in np.split(row, across, axis=1)]
        found = by_blocks(self._block, blocks)
        lines = [found[begin : begin + across] for begin in range(0, len(found), across)]
        joined = (
            np.concatenate([np.concatenate([it[kind] for it in line], axis=1) for line in lines])
            for kind in range(len(ScenarioOutcomes._fields))
        )
        return ScenarioOutcomes(*(it[:draws, :count] for it in joined))

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
        scores: Score of each, feasible or not.
    """

    designs: Int[np.ndarray, "designs axes"]
    merits: Float[np.ndarray, "draws designs"]
    scores: Float[np.ndarray, "draws designs"]

    def __init__(self, scenarios: Scenarios, parts: Sampled, first: np.ndarray):
        """Begin with the designs `first`."""
        self._scenarios, self._parts = scenarios, parts
        self._places: dict[tuple[int, ...], int] = {}
        draws, axes = len(jax.tree.leaves(parts)[0]), first.shape[1]
        self.designs = np.empty((0, axes), int)
        self.merits, self.scores = np.empty((draws, 0)), np.empty((draws, 0))
        self.add(first)

    def add(self, designs: Iterable[np.ndarray]) -> list[int]:
        """Evaluate and add designs that are new; returns the places of all in the pool."""
        rows = [tuple(row) for row in np.asarray(list(designs)).tolist()]
        new = list(dict.fromkeys(row for row in rows if row not in self._places))
        if new:
            self._places.update({row: len(self._places) + at for at, row in enumerate(new)})
            found = self._scenarios.every(self._parts, np.asarray(new))
            self.designs = np.concatenate([self.designs, np.asarray(new)])
            self.merits = np.concatenate([self.merits, found.merit], axis=1)
            self.scores = np.concatenate([self.scores, found.score], axis=1)
        return [self._places[row] for row in rows]

    def best(self, category: int) -> Int[np.ndarray, " draws"]:
        """Place of the best design of a category under each scenario; the first of equals."""
        mine = np.flatnonzero(self.designs[:, 0] == category)
        return mine[np.argmax(self.merits[:, mine], axis=1)]

    @property
    def feasible(self) -> np.ndarray:
        """Whether each design meets every limit, under each scenario."""
        return self.merits > INFEASIBLE
