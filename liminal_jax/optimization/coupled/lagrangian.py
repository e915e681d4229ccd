"""The relaxed problem of many members as descents see it: its Lagrangian and the gradient of it.

To compile the gradient of whole models takes up to minutes; as a short list of operations, with its
gradient, a model runs in NumPy for all starts and members at once (see `search/soft_model.py`).
Only what joins the totals is compiled. The chain rule joins the two: derivatives of the Lagrangian
by totals and violations are the weights of each member's gradient. Where the members of a group
differ in more than rows of numbers, or where a model has an operation that is not known to lists,
all is compiled.

Coordinates stand in one row for each start: those of each member in turn, group by group, then
those of what all share.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._compile import kept_unfused, unfused
from liminal_jax._smooth import Free
from liminal_jax.bounds.program import constant
from liminal_jax.optimization.coupled.assignment import Assignment, outcome_of
from liminal_jax.optimization.search.augmented_lagrangian import augmented
from liminal_jax.optimization.search.descents import Evaluated, Lagrangian
from liminal_jax.optimization.search.soft_model import Inputs, gradient_program
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.sweeps.in_numpy import InNumpy


class Categories(NamedTuple):
    """Categories, which stay as they were drawn: of what is shared, and of each group's members.

    Of one start, or stacked by start.
    """

    shared: Int[Array, "*starts"]
    own: tuple[Int[Array, "*starts members"], ...]


def lagrangian_of(problem: AbstractCoupled, categories: Categories) -> Lagrangian:
    """The augmented Lagrangian of a problem's soft model, by lists where it can be.

    Args:
        problem: A problem.
        categories: Categories of each start.
    """
    try:
        return listed(problem, categories)
    except NotImplementedError:
        return compiled(problem, categories)


def parted(problem: AbstractCoupled, unit: Any) -> tuple[list[Any], Any]:
    """Coordinates of each group, of shape (..., members, variables), and of what all share."""
    parts, first = [], 0
    for group in problem.groups:
        shape = (len(group.members), len(group.variables))
        last = first + shape[0] * shape[1]
        parts.append(unit[..., first:last].reshape(*unit.shape[:-1], *shape))
        first = last
    return parts, unit[..., first:]


def assignment(
    problem: AbstractCoupled, categories: Categories, unit: Float[Array, " variables"]
) -> Assignment:
    """The choices at the coordinates of one start."""
    parts, shared = parted(problem, unit)
    own = [
        Point(kinds, unit_hypercube_of(group).values(part))
        for group, kinds, part in zip(problem.groups, categories.own, parts, strict=True)
    ]
    return Assignment(
        Point(categories.shared, unit_hypercube_of(problem).values(shared)), tuple(own)
    )


@kept_unfused
def _sloped(
    problem: AbstractCoupled,
    categories: Categories,
    unit: Array,
    multipliers: Array,
    weight: Array,
    temperature: Array,
) -> tuple[Array, Array, Array]:
    """Score, violations and gradient of all starts."""

    def of_one(categories: Categories, unit: Array, multipliers: Array) -> Any:
        def lagrangian(unit: Array) -> tuple[Array, Any]:
            chosen = assignment(problem, categories, unit)
            outcome = outcome_of(problem, chosen, Free(temperature))
            return augmented(outcome, multipliers, weight), outcome

        gradient, outcome = jax.grad(lagrangian, has_aux=True)(unit)
        return outcome.score, outcome.violation, gradient

    return jax.vmap(of_one)(categories, unit, multipliers)


def compiled(problem: AbstractCoupled, categories: Categories) -> Lagrangian:
    """The augmented Lagrangian of all members at once, compiled by JAX."""

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        given = map(jnp.asarray, (unit, multipliers, weight, temperature))
        return Evaluated(*map(np.asarray, _sloped(problem, categories, *given)))

    return at


def _terms(
    group: AbstractGroup, member: Array, category: Array, own: Array, shared: Point, heat: Array
) -> Array:
    """Totals, then violations, of a member."""
    found = group.terms(shared, member, Point(category, own), Free(heat))
    return jnp.concatenate([found.totals, found.violation])


class _Group:
    """The soft model of a group's members as a list, for all starts.

    Inputs are a member's own variables, those of what all share, the temperature, the rows of
    numbers in which members or shared categories differ, and the weights of totals and violations.
    Members of one category are evaluated together, in arrays of shape (starts, members).
    """

    def __init__(self, problem: AbstractCoupled, group: AbstractGroup, categories: Any, own: Any):
        """Trace and simplify.

        Args:
            problem: A problem.
            group: The group.
            categories: Category of what is shared at each start.
            own: Categories of the members at each start, of shape (starts, members).

        Raises:
            NotImplementedError: members differ in more than rows of numbers, or the model has an
                operation that is not known to lists.
        """
        self._shape = own.shape
        variables = (*group.variables, *problem.variables)
        self._own, self._count = len(group.variables), len(variables)
        if len(group.categories) > 1 < len(group.members):
            raise NotImplementedError("members of several categories")
        inputs = Inputs(variables)

        def of_members(leaf: Array) -> Any:
            values = np.asarray(leaf)
            if len(values) == 1:
                return constant(values)
            entries: Any = constant(np.zeros((1, *values.shape[1:])))
            for place in np.ndindex(values.shape[1:]):
                entries[(0, *place)] = inputs.row(values[None, :, *place]).item()
            return entries

        def of_categories(leaf: Array) -> Any:
            return inputs.one_or_row(leaf, lambda values: values[categories][:, None])

        held = group.rows()
        known = [*map(of_members, held.members), *map(of_categories, jax.tree.leaves(held.shared))]
        numbers = jax.tree.map(constant, group)
        if known:
            numbers = eqx.tree_at(_in_rows, numbers, known)
        fixed: Any = constant(0)
        shared = Point(fixed, inputs.point(slice(self._own, self._count)))
        point = (inputs.point(slice(self._own)), shared, inputs.temperature)
        self._rows = {self._count + 1 + number: it for number, it in enumerate(inputs.rows)}
        self._first = self._count + 1 + len(inputs.rows)
        self._runs: list[tuple[np.ndarray, InNumpy]] = []
        self._outputs = 0
        for kind in range(len(group.categories)):
            arguments = (numbers, constant(0), constant(kind), *point)
            given = (group, categories, kind)
            program = gradient_program(_terms, arguments, inputs.ranges, self._count, given)
            self._outputs = len(program.outputs) - self._count
            steps = frozenset(range(self._first))
            of_rows = frozenset(self._rows)
            weights = frozenset(range(self._first + self._outputs))
            run = InNumpy(program, [of_rows, steps, weights])
            starts = np.flatnonzero(own[:, 0] == kind)
            run.given({number: _of(it, starts) for number, it in self._rows.items()}, 0)
            self._runs.append((starts, run))

    def terms(
        self, own: Float[np.ndarray, "starts members variables"], shared: np.ndarray, heat: float
    ) -> Float[np.ndarray, "starts members terms"]:
        """Totals and violations at some values."""
        found = []
        for starts, run in self._runs:
            columns = [*np.moveaxis(own[starts], -1, 0), *shared[starts].T[..., None]]
            columns = dict(enumerate(map(np.ascontiguousarray, columns)))
            run.given({**columns, self._count: np.asarray(heat)}, 1)
            found.append((starts, run.outputs(0, self._outputs)))
        return self._gathered(found, self._outputs)

    def slopes(self, weights: Float[np.ndarray, "starts members terms"]) -> np.ndarray:
        """Derivatives of the weighted sum of them, by a member's own variables and the shared."""
        found = []
        for starts, run in self._runs:
            columns = np.ascontiguousarray(np.moveaxis(weights[starts], -1, 0))
            run.given({self._first + number: it for number, it in enumerate(columns)}, 2)
            found.append((starts, run.outputs(self._outputs)))
        return self._gathered(found, self._count)

    def _gathered(self, found: list[tuple[np.ndarray, list[Any]]], width: int) -> np.ndarray:
        every = np.empty((*self._shape, width))
        for starts, outputs in found:
            for number, it in enumerate(outputs):
                every[starts, :, number] = it
        return every


def _in_rows(group: AbstractGroup) -> list[Any]:
    """The arrays of a group that stand in rows."""
    held = group.rows()
    return [*held.members, *jax.tree.leaves(held.shared)]


def _of(row: np.ndarray, starts: Int[np.ndarray, " starts"]) -> np.ndarray:
    """A row of members, which is the same for all starts, or of some starts' categories."""
    return row if len(row) == 1 else row[starts]


def _joined(problem: AbstractCoupled) -> Callable[..., Any]:
    """Score and violations of all together, and slopes by what is shared and by totals."""

    def of_one(
        category: Array,
        shared: Array,
        summed: Array,
        multipliers: Array,
        weight: Array,
        heat: Array,
    ) -> Any:
        def judged(shared: Array, summed: Array) -> Array:
            outcome = problem.judged(Point(category, shared), summed, Free(heat))
            return jnp.concatenate([outcome.score[None], outcome.violation])

        values, pull = jax.vjp(judged, shared, summed)
        pressing = jnp.maximum(multipliers + weight * values[1:], 0.0)
        return values, *pull(jnp.concatenate([-jnp.ones(1), pressing]))

    return unfused(jax.vmap(of_one, in_axes=(0, 0, 0, 0, None, None)))


def listed(problem: AbstractCoupled, categories: Categories) -> Lagrangian:
    """The augmented Lagrangian with each group's model as a list.

    Raises:
        NotImplementedError: a group cannot be listed.
    """
    kinds = np.asarray(categories.shared)
    groups = [
        _Group(problem, group, kinds, np.asarray(own))
        for group, own in zip(problem.groups, categories.own, strict=True)
    ]
    cubes = [unit_hypercube_of(it) for it in problem.groups]
    joined = _joined(problem)
    cube, totals, limits = unit_hypercube_of(problem), len(problem.totals), len(problem.limits)

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        parts, last = parted(problem, unit)
        shared, shared_stretch = cube.stretched(last)
        own = [of.stretched(part) for of, part in zip(cubes, parts, strict=True)]
        terms = [
            group.terms(values, shared, temperature)
            for group, (values, _) in zip(groups, own, strict=True)
        ]
        summed = np.sum([it[..., :totals].sum(axis=1) for it in terms], axis=0)
        given = (categories.shared, shared, summed, multipliers[:, :limits], weight, temperature)
        judged, of_shared, of_totals = map(np.asarray, joined(*given))
        gradient, violations, first = [], [judged[:, 1:]], limits
        for group, found, (_, stretch) in zip(groups, terms, own, strict=True):
            violation = found[..., totals:]
            flat = violation.reshape(len(unit), -1)
            pressing = np.maximum(
                multipliers[:, first : first + flat.shape[1]] + weight * flat, 0.0
            ).reshape(violation.shape)
            of_each = np.broadcast_to(of_totals[:, None], (*violation.shape[:2], totals))
            slopes = group.slopes(np.concatenate([of_each, pressing], axis=2))
            width = stretch.shape[2]
            gradient.append((slopes[..., :width] * stretch).reshape(len(unit), -1))
            of_shared = of_shared + slopes[..., width:].sum(axis=1)
            violations.append(flat)
            first += flat.shape[1]
        gradient.append(of_shared * shared_stretch)
        return Evaluated(judged[:, 0], *(np.concatenate(it, 1) for it in (violations, gradient)))

    return at
