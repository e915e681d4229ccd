"""The designs of a problem as rows of indices, whichever kind of problem it is."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import liminal_jax as ll
from liminal_jax.optimization.coupled.assignment import Assignment, outcome_of, point_at, shape_of
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.study.problem import Outcome

AnyProblem = ll.Problem | AbstractCoupled
"""A problem of one design, or of many members."""


class Lattice(NamedTuple):
    """Every design of a problem.

    Attributes:
        shape: Number of categories of what is shared, then of the choices along each other axis.
        limits: Number of limits.
        outcome: What the exact model says of a row of indices; traceable by JAX.
    """

    shape: tuple[int, ...]
    limits: int
    outcome: Callable[[Int[Array, " axes"]], Outcome]


def lattice_of(problem: AnyProblem) -> Lattice:
    """The designs of a problem.

    Of many members come first the axes of what they share, then those of each member. Axes along
    which there is no choice are left out, but for the first.
    """
    if isinstance(problem, AbstractCoupled):
        return _of_members(problem)
    grid = design_grid_of(problem)
    return Lattice(
        grid.shape,
        len(problem.limits),
        lambda indices: problem.outcome(*grid.at(indices), ll.Exact()),
    )


def _of_members(problem: AbstractCoupled) -> Lattice:
    chosen = (problem, *problem.groups)
    blocks = [_block(it) for it in chosen]
    lengths = np.concatenate([it.ravel() for it in blocks])
    free = np.flatnonzero((lengths > 1) | (np.arange(len(lengths)) == 0))
    ends = np.cumsum([it.size for it in blocks])[:-1]
    tables = [_values(it) for it in chosen]

    def outcome(indices: Int[Array, " axes"]) -> Outcome:
        parts = jnp.split(jnp.zeros(len(lengths), int).at[free].set(indices), ends)
        shared, *own = (
            _points(table, part.reshape(block.shape))
            for table, part, block in zip(tables, parts, blocks, strict=True)
        )
        first = Point(shared.category[0], shared.values[0])
        return outcome_of(problem, Assignment(first, tuple(own)), ll.Exact())

    told = jax.eval_shape(outcome, jnp.zeros(len(free), int))
    return Lattice(tuple(lengths[free].tolist()), len(told.violation), outcome)


def _block(chosen: AbstractCoupled | AbstractGroup) -> Int[np.ndarray, "members axes"]:
    """Choices along each axis, a row for each member; what is shared is one row."""
    rows = len(chosen.members) if isinstance(chosen, AbstractGroup) else 1
    return np.tile(shape_of(chosen), (rows, 1))


def _values(chosen: AbstractCoupled | AbstractGroup) -> Float[np.ndarray, "choices variables"]:
    """The values of each variable, a column each; short columns repeat their last."""
    lengths = np.asarray(shape_of(chosen))
    rows = np.minimum(np.arange(lengths.max())[:, None], lengths - 1)
    return np.asarray(point_at(chosen, rows).values)


def _points(
    table: Float[np.ndarray, "choices variables"], places: Int[Array, "members axes"]
) -> Point:
    return Point(places[:, 0], jnp.asarray(table)[places[:, 1:], np.arange(table.shape[1])])
