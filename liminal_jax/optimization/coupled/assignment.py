"""An assignment: what all members share, and what each of them chooses; by values, or by places."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.study.problem import Outcome


class Assignment(eqx.Module):
    """Choices of everything.

    Attributes:
        shared: What all members share.
        own: For each group the choices of its members, stacked.
    """

    shared: Point
    own: tuple[Point, ...]


class Places(NamedTuple):
    """The same on the grid: number of the category, then of the value of each variable.

    Attributes:
        shared: Of what all members share.
        own: For each group one row for each member.
    """

    shared: Int[np.ndarray, " axes"]
    own: tuple[Int[np.ndarray, "members axes"], ...]


def shape_of(chosen: AbstractCoupled | AbstractGroup) -> tuple[int, ...]:
    """Number of categories, then of values of each variable."""
    return (len(chosen.categories), *(len(it.grid.values) for it in chosen.variables))


def point_at(chosen: AbstractCoupled | AbstractGroup, places: Int[np.ndarray, "... axes"]) -> Point:
    """The choices at some places of a grid, in an array of any shape."""
    values = [
        np.asarray(it.grid.values, float)[places[..., axis]]
        for axis, it in enumerate(chosen.variables, start=1)
    ]
    stacked = np.stack(values, axis=-1) if values else np.zeros((*places.shape[:-1], 0))
    return Point(jnp.asarray(places[..., 0]), jnp.asarray(stacked))


def all_places(chosen: AbstractCoupled | AbstractGroup) -> Int[np.ndarray, "choices axes"]:
    """Every place of a grid, the last variable first to change."""
    shape = shape_of(chosen)
    return np.stack([it.ravel() for it in np.indices(shape)], axis=-1)


def nearest(
    chosen: AbstractCoupled | AbstractGroup,
    category: Int[np.ndarray, "..."],
    unit: Float[np.ndarray, "... variables"],
) -> Int[np.ndarray, "... axes"]:
    """The places whose values are nearest to points of the hypercube, by the scale of each."""
    cube = unit_hypercube_of(chosen)
    values = np.asarray(cube.values(jnp.asarray(unit)))
    found = [np.asarray(category)]
    for axis, it in enumerate(chosen.variables):
        scaled = np.log if cube.logarithmic[axis] else np.asarray
        grid = scaled(np.asarray(it.grid.values, float))
        found.append(np.argmin(np.abs(scaled(values[..., axis])[..., None] - grid), axis=-1))
    return np.stack(found, axis=-1)


def assignment_at(problem: AbstractCoupled, places: Places) -> Assignment:
    """The choices at places of the grid."""
    own = zip(problem.groups, places.own, strict=True)
    return Assignment(
        point_at(problem, places.shared), tuple(point_at(group, it) for group, it in own)
    )


@eqx.filter_jit
def _own_violation(group: AbstractGroup, shared: Point, own: Point) -> Float[Array, " limits"]:
    """Compiled so that it is traced once for all problems of one structure."""
    return group.terms(shared, jnp.asarray(0), own, Exact()).violation


def own_limits(problem: AbstractCoupled) -> list[int]:
    """How many limits of its own each member has."""
    counts = []
    shared = point_at(problem, np.zeros(1 + len(problem.variables), int))
    for group in problem.groups:
        own = point_at(group, np.zeros(1 + len(group.variables), int))
        violation = eqx.filter_eval_shape(_own_violation, group, shared, own)
        counts += [len(violation)] * len(group.members)
    return counts


def totals_of(
    problem: AbstractCoupled, assignment: Assignment, relaxation: AbstractRelaxation
) -> tuple[Float[Array, " totals"], Float[Array, " limits"]]:
    """The totals, and the log violation of each limit of each member."""
    totals, violation = jnp.zeros(len(problem.totals)), []
    for group, own in zip(problem.groups, assignment.own, strict=True):

        def terms(member: Array, point: Point, group: AbstractGroup = group):
            return group.terms(assignment.shared, member, point, relaxation)

        each = jax.vmap(terms)(jnp.arange(len(group.members)), own)
        totals = totals + jnp.sum(each.totals, axis=0)
        violation.append(each.violation.ravel())
    return totals, jnp.concatenate(violation)


def outcome_of(
    problem: AbstractCoupled, assignment: Assignment, relaxation: AbstractRelaxation
) -> Outcome:
    """Objective, the limits of all together, then those of each member."""
    totals, violation = totals_of(problem, assignment, relaxation)
    judged = problem.judged(assignment.shared, totals, relaxation)
    return Outcome(judged.score, jnp.concatenate([judged.violation, violation]))
