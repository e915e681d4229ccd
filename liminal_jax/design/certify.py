"""The proof: how good a design is among all designs of its lattice."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from liminal_jax._smooth import Exact
from liminal_jax.design.lattice import Lattice
from liminal_jax.design.polish import merit
from liminal_jax.study.problem import FEASIBLE, Outcome, Problem

EXHAUSTIBLE = 10_000_000
"""Lattices of at most so many designs are searched whole."""

CHUNK = 1 << 17
"""Designs evaluated in one call."""


@dataclass(frozen=True)
class Certificate:
    """What is known of all designs of a lattice.

    Attributes:
        method: `exhaustive`: every design was evaluated; `none`: nothing is proven.
        bound: Objective that no design of the lattice beats; none where nothing is proven.
        relative_gap: (bound - value)/|value| towards better; none where nothing is proven.
        lattice: Designs of the lattice.
        evaluated: Designs evaluated in the proof.
        boxes: Boxes bounded in the proof.
    """

    method: str
    bound: float | None
    relative_gap: float | None
    lattice: int
    evaluated: int
    boxes: int


@dataclass(frozen=True)
class Enumeration:
    """What a walk over a whole lattice found.

    Attributes:
        merits: Best merit in each category.
        indices: Indices of the best design in each category.
        shortfalls: For each limit the least excess among designs that meet all the others;
            infinite where there are none. Designs with unknown numbers do not count.
        evaluated: Designs evaluated.
    """

    merits: np.ndarray
    indices: np.ndarray
    shortfalls: np.ndarray
    evaluated: int

    def best(self) -> np.ndarray:
        """Indices of the best design of all."""
        return self.indices[int(np.argmax(self.merits))]


def _chunk(problem: Problem, lattice: Lattice) -> Callable[[Array], tuple[Array, Array, Array]]:
    """A jitted function: best merits, their numbers, and shortfalls of one chunk."""

    def shortfall(outcome: Outcome) -> Array:
        violated = outcome.excess > FEASIBLE
        others_met = jnp.sum(violated) - violated == 0
        judged = others_met & ~jnp.any(jnp.isnan(outcome.excess)) & ~jnp.isnan(outcome.score)
        return jnp.where(judged, outcome.excess, jnp.inf)

    def evaluated(begin: Int[Array, ""]) -> tuple[Array, Array, Array]:
        numbers = begin + jnp.arange(CHUNK)
        indices = jax.vmap(lattice.unravelled)(jnp.minimum(numbers, lattice.size - 1))
        points, categories = jax.vmap(lattice.at)(indices)
        outcomes = jax.vmap(lambda point, category: problem.outcome(point, category, Exact()))(
            points, categories
        )
        merits = jax.vmap(merit)(outcomes)
        each = jnp.where(
            categories[None] == jnp.arange(lattice.shape[0])[:, None], merits[None], -jnp.inf
        )
        first = jnp.argmax(each, axis=1)
        shortfalls = jnp.min(jax.vmap(shortfall)(outcomes), axis=0)
        return each[jnp.arange(lattice.shape[0]), first], indices[first], shortfalls

    return jax.jit(evaluated)


def enumerated(
    problem: Problem, lattice: Lattice, advance: Callable[[int], None] = lambda _: None
) -> Enumeration:
    """Evaluate every design of a lattice with the exact model.

    Args:
        problem: The study.
        lattice: Its lattice.
        advance: Called with the number of designs after each chunk.
    """
    chunk = _chunk(problem, lattice)
    merits = np.full(lattice.shape[0], -np.inf)
    indices = np.zeros((lattice.shape[0], len(lattice.shape)), dtype=int)
    indices[:, 0] = np.arange(lattice.shape[0])
    shortfalls = np.full(len(problem.limits), np.inf)
    for begin in range(0, lattice.size, CHUNK):
        found, where, short = (np.asarray(part) for part in chunk(jnp.asarray(begin)))
        better = found > merits
        merits = np.where(better, found, merits)
        indices = np.where(better[:, None], where, indices)
        shortfalls = np.minimum(shortfalls, short)
        advance(min(CHUNK, lattice.size - begin))
    return Enumeration(
        merits=merits, indices=indices, shortfalls=shortfalls, evaluated=lattice.size
    )
