"""The relaxed search of few members with long models: each member's soft model as a list.

To compile the gradient of several models at once takes minutes; as short lists of operations, each
with its gradient, they run in NumPy for all starts at once (see `search/soft_model.py`). Only what
joins the totals is compiled. The chain rule joins the two: derivatives of the Lagrangian by totals
and violations are the weights of each member's gradient.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax._compile import unfused
from liminal_jax._smooth import Free
from liminal_jax.bounds.program import constant
from liminal_jax.optimization.coupled.assignment import own_limits
from liminal_jax.optimization.coupled.descent import Categories, Coordinates, Relaxed
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.descents import Descents, Evaluated
from liminal_jax.optimization.search.descents import descend as descended
from liminal_jax.optimization.search.gradient_search import NAMES
from liminal_jax.optimization.search.soft_model import COLDEST, HOTTEST
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.search.unit_hypercube import UnitHypercube, unit_hypercube_of
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.sweeps.adjoint import with_gradient
from liminal_jax.sweeps.in_numpy import InNumpy
from liminal_jax.sweeps.program import program_over, varying

STARTS = Schedule(starts=24, rounds=8, steps=20, rate=0.08, penalty=30.0, settled=0.01)
"""Starts and steps of the descents."""


def _terms(
    group: AbstractGroup, member: Array, category: Array, own: Array, shared: Point, heat: Array
) -> Array:
    """Totals, then violations, of a member."""
    found = group.terms(shared, member, Point(category, own), Free(heat))
    return jnp.concatenate([found.totals, found.violation])


class _Listed:
    """The soft model of a member as a list for each of its categories, for all starts.

    Inputs are its own variables, those of what is shared, the temperature, and the weights of its
    totals and violations.
    """

    def __init__(
        self,
        problem: AbstractCoupled,
        group: AbstractGroup,
        member: int,
        category: Int[np.ndarray, " starts"],
    ):
        """Trace and simplify.

        Args:
            problem: A problem.
            group: The group of the member.
            member: Its number within the group.
            category: Its category at each start.

        Raises:
            NotImplementedError: its model has an operation that is not known to lists.
        """
        variables = (*group.variables, *problem.variables)
        own, self._count, self._starts = len(group.variables), len(variables), len(category)
        ranges = [(it.grid.values[0], it.grid.values[-1]) for it in variables]
        ranges.append((COLDEST, HOTTEST))
        entries = [varying(number, *it).item() for number, it in enumerate(ranges)]
        heat: Any = constant(0.0)
        heat[()] = entries[self._count]
        shared: Any = (constant(0), _filled(entries[own : self._count]))
        known = (jax.tree.map(constant, group), constant(member))
        point = (_filled(entries[:own]), Point(*shared), heat)
        self._runs: list[tuple[np.ndarray, InNumpy]] = []
        self._outputs = 0
        for kind in range(len(group.categories)):
            program = program_over(_terms, (*known, constant(kind), *point), ranges)
            self._outputs = len(program.outputs)
            program = with_gradient(program, range(self._count), self._count + 1)
            weights = self._count + 1 + self._outputs
            stages = [frozenset(range(self._count + 1)), frozenset(range(weights))]
            self._runs.append((np.flatnonzero(category == kind), InNumpy(program, stages)))

    def terms(
        self, own: np.ndarray, shared: np.ndarray, heat: float
    ) -> Float[np.ndarray, "starts terms"]:
        """Totals and violations at some values."""
        values, found = np.concatenate([own, shared], axis=1), []
        for rows, run in self._runs:
            columns: dict[int, Any] = dict(enumerate(np.ascontiguousarray(values[rows].T)))
            run.given({**columns, self._count: np.asarray(heat)}, 0)
            found.append((rows, run.outputs(0, self._outputs)))
        return self._gathered(found, self._outputs)

    def slopes(self, weights: Float[np.ndarray, "starts terms"]) -> np.ndarray:
        """Derivatives of the weighted sum of them, by its own variables and what is shared."""
        found, first = [], self._count + 1
        for rows, run in self._runs:
            run.given({first + at: weights[rows, at] for at in range(self._outputs)}, 1)
            found.append((rows, run.outputs(self._outputs)))
        return self._gathered(found, self._count)

    def _gathered(self, found: list[tuple[np.ndarray, list[Any]]], width: int) -> np.ndarray:
        every = np.empty((self._starts, width))
        for rows, outputs in found:
            for number, row in enumerate(outputs):
                every[rows, number] = row
        return every


def _filled(entries: list[Any]) -> Any:
    """An array of some entries."""
    array: Any = constant(np.zeros(len(entries)))
    for number, it in enumerate(entries):
        array[number] = it
    return array


def _cubes(problem: AbstractCoupled) -> list[UnitHypercube]:
    """The hypercube of each member, then that of what is shared."""
    own = [unit_hypercube_of(group) for group in problem.groups for _ in group.members]
    return [*own, unit_hypercube_of(problem)]


def _moving(problem: AbstractCoupled) -> Bool[np.ndarray, " variables"]:
    """Which variables move: not those whose values number names."""
    own = [it.name for group in problem.groups for _ in group.members for it in group.variables]
    return np.asarray([it not in NAMES for it in [*own, *(it.name for it in problem.variables)]])


def _starts(
    problem: AbstractCoupled, count: int, seed: int
) -> tuple[Categories, Float[np.ndarray, "starts variables"]]:
    """Random starts; names and categories are drawn too."""
    random = np.random.default_rng(seed % 2**64)
    categories = Categories(
        jnp.asarray(random.integers(len(problem.categories), size=count)),
        tuple(
            jnp.asarray(random.integers(len(it.categories), size=(count, len(it.members))))
            for it in problem.groups
        ),
    )
    drawn = []
    chosen = [group for group in problem.groups for _ in group.members]
    for it, cube in zip([*chosen, problem], _cubes(problem), strict=True):
        unit = random.random((count, len(it.variables)))
        for axis, variable in enumerate(it.variables):
            if variable.name in NAMES:
                values = np.tile(cube.low, (count, 1))
                values[:, axis] = random.choice(np.asarray(variable.grid.values), count)
                unit[:, axis] = cube.unit(values)[:, axis]
        drawn.append(unit)
    return categories, np.concatenate(drawn, axis=1)


def descend(problem: AbstractCoupled, schedule: Schedule = STARTS, seed: int = 0) -> Relaxed:
    """Descend from random starts.

    Args:
        problem: A problem.
        schedule: Number of starts, rounds and steps; temperatures and weights.
        seed: Seed of the starts.

    Raises:
        NotImplementedError: a model has an operation that is not known to lists.
    """
    categories, unit = _starts(problem, schedule.starts, seed)
    members, cubes = [], _cubes(problem)
    for number, group in enumerate(problem.groups):
        for member in range(len(group.members)):
            category = np.asarray(categories.own[number][:, member])
            members.append(_Listed(problem, group, member, category))
    ends = np.cumsum([len(it.low) for it in cubes])[:-1]
    totals, limits = len(problem.totals), len(problem.limits)

    def judged(shared: Array, category: Array, summed: Array, heat: Array) -> Array:
        outcome = problem.judged(Point(category, shared), summed, Free(heat))
        return jnp.concatenate([outcome.score[None], outcome.violation])

    def joined(
        shared: Array, category: Array, summed: Array, heat: Array, pressed: Array, weight: Array
    ) -> tuple[Array, Array, Array]:
        """What is judged, and derivatives of the Lagrangian by what is shared and by totals."""
        values, pull = jax.vjp(lambda s, t: judged(s, category, t, heat), shared, summed)
        pressing = jnp.maximum(pressed + weight * values[1:], 0.0)
        of_shared, of_totals = pull(jnp.concatenate([-jnp.ones(1), pressing]))
        return values, of_shared, of_totals

    compiled = unfused(jax.vmap(joined, in_axes=(0, 0, 0, None, 0, None)))

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        parts = np.split(unit, ends, axis=1)
        stretched = [cube.stretched(it) for cube, it in zip(cubes, parts, strict=True)]
        shared, shared_stretch = stretched[-1]
        found = []
        for member, (values, _) in zip(members, stretched[:-1], strict=True):
            found.append(member.terms(values, shared, temperature))
        summed = np.sum([it[:, :totals] for it in found], axis=0)
        given: Any = (shared, categories.shared, summed, temperature)
        pressed: Any = (multipliers[:, :limits], weight)
        of_all = map(np.asarray, compiled(*given, *pressed))
        values, of_shared, of_totals = of_all
        gradient, first, violations = [], limits, [values[:, 1:]]
        for member, terms, (own, stretch) in zip(members, found, stretched[:-1], strict=True):
            own_limits = terms[:, totals:]
            last = first + own_limits.shape[1]
            pressing = np.maximum(multipliers[:, first:last] + weight * own_limits, 0.0)
            slopes = member.slopes(np.concatenate([of_totals, pressing], axis=1))
            gradient.append(slopes[:, : own.shape[1]] * stretch)
            of_shared = of_shared + slopes[:, own.shape[1] :]
            violations.append(own_limits)
            first = last
        gradient.append(of_shared * shared_stretch)
        return Evaluated(
            values[:, 0], np.concatenate(violations, axis=1), np.concatenate(gradient, axis=1)
        )

    every = limits + sum(own_limits(problem))
    end = descended(at, unit, every, schedule, _moving(problem))
    return _relaxed(problem, categories, end)


def _relaxed(problem: AbstractCoupled, categories: Categories, end: Descents) -> Relaxed:
    """The ends of descents, as problems of many members have them; residuals are not known."""
    sizes = [len(it.variables) for it in problem.groups for _ in it.members]
    *own, shared = np.split(end.unit, np.cumsum(sizes), axis=1)
    rows = iter(own)
    grouped = tuple(
        jnp.asarray(np.stack([next(rows) for _ in it.members], axis=1)) for it in problem.groups
    )
    return Relaxed(
        unit=Coordinates(jnp.asarray(shared), grouped),
        categories=categories,
        score=end.score,
        violation=end.violation,
        multipliers=np.zeros_like(end.violation),
        residual=np.full(len(end.unit), np.nan),
        termination=tuple(Termination(int(it)) for it in end.termination),
        history=np.stack([end.history.score, end.history.violation], axis=-1),
        temperatures=end.history.temperature,
    )
