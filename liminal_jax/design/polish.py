"""The search on the lattice: from where gradients led, by small moves, on the exact model."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax._smooth import Exact
from liminal_jax.design.box import Box
from liminal_jax.design.lattice import Lattice
from liminal_jax.design.relaxed import RelaxedPoint
from liminal_jax.study.problem import Outcome, Problem

INFEASIBLE = -1e6
"""Merit of designs that exceed a limit, from which their violation is taken."""

MOST_MOVES = 200
"""A search that has not ended after so many moves is cut off; none has been seen to."""


class Candidate(eqx.Module):
    """A design on the lattice.

    Attributes:
        indices: Category, then the index of each variable's value.
        merit: Its score if feasible; less than any score if not.
        outcome: What the study sees of it.
    """

    indices: Int[Array, " axes"]
    merit: Float[Array, ""]
    outcome: Outcome


def merit(outcome: Outcome) -> Array:
    """Orders designs: the feasible ones by score, the others by violation."""
    violation = jnp.sum(jnp.maximum(outcome.excess, 0.0))
    worth = jnp.where(outcome.feasible(), outcome.score, INFEASIBLE - violation)
    return jnp.where(jnp.isnan(worth), -jnp.inf, worth)


def moves(shape: tuple[int, ...]) -> np.ndarray:
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
    return np.asarray([np.zeros(axes, dtype=int), *singles, *pairs, *changes])


def neighbours(
    problem: Problem, lattice: Lattice, indices: Int[Array, " axes"]
) -> tuple[Int[Array, "moves axes"], Outcome]:
    """The designs one move away, the design itself first, and their outcomes."""
    near = jax.vmap(lattice.within)(indices + jnp.asarray(moves(lattice.shape)))
    points, categories = jax.vmap(lattice.at)(near)
    outcomes = jax.vmap(lambda point, category: problem.outcome(point, category, Exact()))(
        points, categories
    )
    return near, outcomes


def _climbed(
    problem: Problem, lattice: Lattice, indices: Int[Array, " axes"]
) -> tuple[Candidate, Int[Array, ""]]:
    """The best design that moves uphill lead to, and how often its neighbours were looked at."""

    def best_near(indices: Array) -> Candidate:
        near, outcomes = neighbours(problem, lattice, indices)
        merits = jax.vmap(merit)(outcomes)
        # Ties go to the first row, the design itself, so that the search ends.
        index = jnp.argmax(merits)
        return Candidate(
            indices=near[index],
            merit=merits[index],
            outcome=jax.tree.map(lambda leaf: leaf[index], outcomes),
        )

    def improving(state: tuple[Candidate, Bool[Array, ""], Int[Array, ""]]) -> Array:
        return state[1] & (state[2] < MOST_MOVES)

    def move(state: tuple[Candidate, Array, Array]) -> tuple[Candidate, Array, Array]:
        candidate, _, count = state
        following = best_near(candidate.indices)
        return following, following.merit > candidate.merit, count + 1

    unseen = Outcome(score=jnp.zeros(()), excess=jnp.zeros(len(problem.limits)))
    start = Candidate(indices=indices, merit=jnp.asarray(-jnp.inf), outcome=unseen)
    begin = (start, jnp.asarray(True), jnp.asarray(0))
    candidate, _, count = jax.lax.while_loop(improving, move, begin)
    return candidate, count


def snapped(problem: Problem, box: Box, lattice: Lattice, points: RelaxedPoint) -> Candidate:
    """The lattice designs nearest to where the relaxed starts ended, stacked."""

    def one(unit: Array, category: Array) -> Candidate:
        indices = jnp.concatenate([category[None], box.nearest(unit, lattice)])
        outcome = problem.outcome(*lattice.at(indices), Exact())
        return Candidate(indices=indices, merit=merit(outcome), outcome=outcome)

    return jax.jit(jax.vmap(one))(points.unit, points.category)


def climbed(
    problem: Problem, lattice: Lattice, indices: Int[Array, "starts axes"]
) -> tuple[Candidate, Int[Array, " starts"]]:
    """The best designs that local search reaches from some starts, and the looks it took.

    With each look all the neighbours of a design are evaluated.
    """
    climb = jax.vmap(lambda start: _climbed(problem, lattice, start))
    return jax.jit(climb)(indices)


def polished(problem: Problem, lattice: Lattice, starts: Candidate) -> Candidate:
    """The best designs that local search reaches from some starts, stacked."""
    return climbed(problem, lattice, starts.indices)[0]


def best(candidates: Candidate) -> Candidate:
    """The best of stacked designs."""
    index = jnp.argmax(candidates.merit)
    return jax.tree.map(lambda leaf: leaf[index], candidates)
