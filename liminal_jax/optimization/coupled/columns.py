"""Columns: what every choice of every member comes to, given what all share."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax._compile import kept_unfused
from liminal_jax._smooth import Exact
from liminal_jax.optimization.coupled.assignment import all_places, point_at
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.study.problem import FEASIBLE, Outcome

AT_ONCE = 2048
"""Choices evaluated in one go: few enough for intermediate results to stay in the cache."""

FEW, MANY = 64, 4096
"""Rows of totals that are judged in one go."""


@dataclass(frozen=True)
class Columns:
    """The choices of all members, each as a row of the totals that it adds.

    Members of groups with fewer choices are padded with choices that are not allowed.

    Attributes:
        totals: What each choice adds to each total.
        excess: The largest log violation of the member's own limits; at most 0 where all hold.
        allowed: Whether it meets the member's own limits, with no number missing.
    """

    totals: Float[np.ndarray, "members choices totals"]
    excess: Float[np.ndarray, "members choices"]
    allowed: Bool[np.ndarray, "members choices"]

    def chosen(self, choices: Int[np.ndarray, " members"]) -> Float[np.ndarray, " totals"]:
        """The totals of some choices."""
        return self.totals[np.arange(len(choices)), choices].sum(axis=0)


class ColumnsOf:
    """Evaluates the columns of a problem; each group is compiled once."""

    def __init__(self, problem: AbstractCoupled):
        """Set up; nothing is compiled before the first evaluation."""
        self.problem = problem
        self.places = tuple(all_places(it) for it in problem.groups)
        self._points = [
            point_at(group, it) for group, it in zip(problem.groups, self.places, strict=True)
        ]

    def at(self, shared: Point) -> Columns:
        """The columns, given what all share."""
        found = [
            tuple(map(np.asarray, _evaluated(group, shared, points)))
            for group, points in zip(self.problem.groups, self._points, strict=True)
        ]
        most = max(it[0].shape[1] for it in found)

        def padded(array: np.ndarray, filling: float) -> np.ndarray:
            wide = [(0, 0), (0, most - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
            return np.pad(array, wide, constant_values=filling)

        totals = np.concatenate([padded(it[0], 0.0) for it in found])
        excess = np.concatenate([padded(it[1], np.inf) for it in found])
        known = np.all(np.isfinite(totals), axis=-1)
        allowed = known & (excess <= FEASIBLE)
        return Columns(np.where(known[..., None], totals, 0.0), excess, allowed)

    def places_of(self, choices: Int[np.ndarray, " members"]) -> tuple[np.ndarray, ...]:
        """For each group the places of its members' choices."""
        ends = np.cumsum([len(it.members) for it in self.problem.groups])[:-1]
        parts = np.split(choices, ends)
        return tuple(places[it] for places, it in zip(self.places, parts, strict=True))

    def choices_at(self, own: tuple[Int[np.ndarray, "_ _"], ...]) -> np.ndarray:
        """The choices at some places: the inverse of `places_of`."""
        found = [
            np.ravel_multi_index(tuple(it.T), tuple(places.max(axis=0) + 1))
            for places, it in zip(self.places, own, strict=True)
        ]
        return np.concatenate(found)


@kept_unfused
def _evaluated(group: AbstractGroup, shared: Point, points: Point) -> tuple[Array, Array]:
    """Totals and largest violation of every choice of every member of a group."""

    def one(number: tuple[Array, Point]) -> tuple[Array, Array]:
        member, own = number
        terms = group.terms(shared, member, own, Exact())
        # What is not known is no choice.
        known = jnp.nan_to_num(terms.violation, nan=jnp.inf)
        return terms.totals, jnp.max(known, initial=-jnp.inf)

    members, choices = len(group.members), len(points.category)
    every = jnp.repeat(jnp.arange(members), choices)
    repeated = jax.tree.map(lambda it: jnp.tile(it, (members, *[1] * (it.ndim - 1))), points)
    size = min(AT_ONCE, members * choices)
    totals, excess = jax.lax.map(one, (every, repeated), batch_size=size)
    return totals.reshape(members, choices, -1), excess.reshape(members, choices)


@kept_unfused
def _judged(problem: AbstractCoupled, shared: Point, totals: Array) -> Outcome:
    return jax.vmap(lambda it: problem.judged(shared, it, Exact()))(totals)


def blocks_of(count: int) -> Iterator[tuple[Int[np.ndarray, " rows"], int]]:
    """Rows in blocks of one size, the last filled up with the last row; how many each is to keep.

    There are two sizes, so that few programs are compiled.

    Examples:
        >>> [(len(rows), kept) for rows, kept in blocks_of(4100)]
        [(4096, 4096), (4096, 4)]
    """
    size = FEW if count <= FEW else MANY
    for begin in range(0, count, size):
        yield np.arange(begin, begin + size).clip(max=count - 1), min(size, count - begin)


class Judge:
    """Judges totals by the exact model, many at once."""

    def __init__(self, problem: AbstractCoupled):
        """A judge of a problem; nothing is compiled before the first call."""
        self._problem = problem

    def of(
        self, shared: Point, totals: Float[np.ndarray, "rows totals"]
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows limits"]]:
        """Score, and the log violation of each limit, for each row of totals."""
        scores, violations = [], []
        for rows, kept in blocks_of(len(totals)):
            outcome = _judged(self._problem, shared, jnp.asarray(totals[rows]))
            scores.append(np.asarray(outcome.score)[:kept])
            violations.append(np.asarray(outcome.violation)[:kept])
        return np.concatenate(scores), np.concatenate(violations)
