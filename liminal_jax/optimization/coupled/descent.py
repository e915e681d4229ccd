"""The relaxed search: all variables of all members at once descend the soft model.

As for one design (see `search/gradient_search.py`), and by the same descents.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax.optimization.coupled.assignment import Places, nearest, own_limits
from liminal_jax.optimization.coupled.lagrangian import Categories, lagrangian_of, parted
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.descents import Descents
from liminal_jax.optimization.search.descents import descend as descended
from liminal_jax.optimization.search.gradient_search import NAMES
from liminal_jax.optimization.search.termination import TOLERANCE, Termination
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.coupled import AbstractCoupled

STARTS = Schedule(starts=3, rounds=16, steps=20, rate=0.08, penalty=1.0, growth=1.3, settled=0.01)
"""Starts for each category of what is shared: with hundreds of variables starts end near each
other, and their number matters less than the steps of each."""


class Coordinates(NamedTuple):
    """Places in the unit hypercubes of what is shared, and of each group's members."""

    shared: Float[Array, "starts variables"]
    own: tuple[Float[Array, "starts members variables"], ...]


class Relaxed(NamedTuple):
    """Where the starts end, stacked by start.

    Attributes:
        unit: Coordinates.
        categories: Categories.
        score: Score under the last relaxation.
        violation: Log violation of each limit: of all together first, then of each member.
        multipliers: Multiplier of each limit, for the score.
        residual: Largest derivative of the Lagrangian along a variable that is free to move.
        termination: Termination status of each start.
        history: Score and largest violation of each start after each step.
        temperatures: Temperature of each step.
    """

    unit: Coordinates
    categories: Categories
    score: np.ndarray
    violation: np.ndarray
    multipliers: np.ndarray
    residual: np.ndarray
    termination: tuple[Termination, ...]
    history: Float[np.ndarray, "steps starts 2"]
    temperatures: Float[np.ndarray, " steps"]

    def order(self) -> Int[np.ndarray, " starts"]:
        """Numbers of the starts, the best first: feasible ones by score, others by violation."""
        worst = np.max(self.violation, axis=1, initial=0.0)
        known = np.isfinite(self.score) & np.isfinite(worst)
        outside = np.where(worst > TOLERANCE, worst, 0.0)
        return np.lexsort((-np.where(known, self.score, -np.inf), np.where(known, outside, np.inf)))

    def places(self, problem: AbstractCoupled, start: int) -> Places:
        """The places of the grid nearest to where a start ended."""
        own = zip(problem.groups, self.categories.own, self.unit.own, strict=True)
        return Places(
            nearest(
                problem,
                np.asarray(self.categories.shared[start]),
                np.asarray(self.unit.shared[start]),
            ),
            tuple(nearest(it, np.asarray(at[start]), np.asarray(u[start])) for it, at, u in own),
        )


def _starts(
    problem: AbstractCoupled, count: int, seed: int
) -> tuple[Categories, Float[np.ndarray, "starts variables"]]:
    """Random starts, each category of what is shared as often as the others.

    The first start of each category begins in the middle of all ranges; names are drawn.
    """
    random = np.random.default_rng(seed % 2**64)
    total = len(problem.categories) * count
    middle = (np.arange(total) % count) == 0
    categories = Categories(
        jnp.asarray(np.repeat(np.arange(len(problem.categories)), count)),
        tuple(
            jnp.asarray(random.integers(len(it.categories), size=(total, len(it.members))))
            for it in problem.groups
        ),
    )
    drawn = []
    for chosen, members in [*((it, len(it.members)) for it in problem.groups), (problem, 1)]:
        cube = unit_hypercube_of(chosen)
        unit = random.uniform(size=(total, members, len(chosen.variables)))
        unit[middle] = 0.5
        for axis, variable in enumerate(chosen.variables):
            if variable.name in NAMES:
                values = np.broadcast_to(cube.low, unit.shape).copy()
                choices = np.asarray(variable.grid.values)
                values[..., axis] = random.choice(choices, unit.shape[:2])
                unit[..., axis] = cube.unit(values)[..., axis]
        drawn.append(unit.reshape(total, -1))
    return categories, np.concatenate(drawn, axis=1)


def _moving(problem: AbstractCoupled) -> Bool[np.ndarray, " variables"]:
    """Which variables move: not those whose values number names."""
    own = [it.name for group in problem.groups for _ in group.members for it in group.variables]
    return np.asarray([it not in NAMES for it in [*own, *(it.name for it in problem.variables)]])


def descend(
    problem: AbstractCoupled,
    schedule: Schedule = STARTS,
    seed: int = 0,
    seconds: float = np.inf,
    clock: Callable[[], float] = time.perf_counter,
) -> Relaxed:
    """Descend from random starts.

    Args:
        problem: A problem.
        schedule: Number of starts, rounds and steps; temperatures and weights.
        seed: Seed of the starts.
        seconds: Wall time after which no further round begins [s].
        clock: Seconds from some origin.
    """
    begin = clock()
    categories, unit = _starts(problem, schedule.starts, seed)
    limits = len(problem.limits) + sum(own_limits(problem))
    end = descended(
        lagrangian_of(problem, categories),
        unit,
        limits,
        schedule,
        _moving(problem),
        lambda: clock() - begin <= seconds,
    )
    return Relaxed(
        unit=_coordinates(problem, end),
        categories=categories,
        score=end.score,
        violation=end.violation,
        multipliers=end.multipliers,
        residual=end.residual,
        termination=tuple(Termination(int(it)) for it in end.termination),
        history=np.stack([end.history.score, end.history.violation], axis=-1),
        temperatures=end.history.temperature,
    )


def _coordinates(problem: AbstractCoupled, end: Descents) -> Coordinates:
    """Where descents ended, in the places of what is shared and of the members."""
    own, shared = parted(problem, end.unit)
    return Coordinates(jnp.asarray(shared), tuple(map(jnp.asarray, own)))
