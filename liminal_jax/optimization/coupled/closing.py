"""The gap between bound and best design closed by partial designs, member after member.

A partial design is what the first members chose. It is left out where planes below cost or ratios
show that it cannot end in a design that beats the best one known, whatever the other members do;
and where another one of the same members comes to no more in any total, since cost and ratios never
fall with the totals. Where few partial designs are left each time, what remains in the end holds
the optimum.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.optimization.coupled.columns import Columns, Judge
from liminal_jax.optimization.coupled.dual import Planes
from liminal_jax.optimization.coupled.exchange import Chosen, best_of
from liminal_jax.study.coupled import Point
from liminal_jax.study.problem import FEASIBLE

MOST = 4_000
"""Partial designs that are kept at a time: to compare all pairs takes a tenth of a second."""

MOST_TRIED = 400_000
"""Partial designs that one more member may make of them."""


@dataclass(frozen=True)
class _Partial:
    """Partial designs.

    Attributes:
        totals: What each comes to so far.
        below: The planes at these totals, with the least that all other members add.
        choices: The choices so far.
    """

    totals: Float[np.ndarray, "designs totals"]
    below: Float[np.ndarray, "designs planes"]
    choices: Int[np.ndarray, "designs chosen"]

    def some(self, which: np.ndarray) -> "_Partial":
        return _Partial(self.totals[which], self.below[which], self.choices[which])


class Closed(NamedTuple):
    """What is left of the designs that may beat the best one known.

    Attributes:
        best: The best of them, which may exceed limits; None where none is left.
        complete: Whether all of them were looked at; else there were too many.
    """

    best: Chosen | None
    complete: bool


def closed(judge: Judge, shared: Point, columns: Columns, planes: Planes, most: float) -> Closed:
    """The best of all designs that may cost less than the best one known.

    Args:
        judge: Judges totals.
        shared: What all share.
        columns: The choices of all members.
        planes: A plane below the cost, then one below the ratio of each limit less 1.
        most: Cost of the best design known; infinite where none is.
    """
    above = np.append(most, np.full(len(planes.constants) - 1, FEASIBLE))
    added = np.einsum("mct,pt->mcp", columns.totals, planes.slopes)
    added = np.where(columns.allowed[..., None], added, np.inf)
    least = added.min(axis=1)
    # Members with few choices left come first: partial designs stay few the longer.
    bound = planes.constants + least.sum(axis=0)
    within = np.all(added - least[:, None] + bound <= above, axis=-1)
    order = np.argsort(within.sum(axis=1), kind="stable")
    none = np.zeros((1, columns.totals.shape[-1]))
    here = _Partial(none, bound[None], np.zeros((1, 0), int))
    for member in order.tolist():
        left = np.flatnonzero(within[member])
        extra = added[member, left] - least[member]
        below = here.below[:, None] + extra
        one, other = np.nonzero(np.all(below <= above, axis=-1))
        if not len(one):
            return Closed(None, complete=True)
        if len(one) > MOST_TRIED:
            return Closed(None, complete=False)
        choice = left[other]
        tried = _Partial(
            here.totals[one] + columns.totals[member, choice],
            below[one, other],
            np.concatenate([here.choices[one], choice[:, None]], axis=1),
        )
        kept = _undominated(tried.totals)
        if kept is None:
            return Closed(None, complete=False)
        here = tried.some(kept)
    choices = np.empty_like(here.choices)
    choices[:, order] = here.choices
    return Closed(best_of(judge, shared, columns, choices), complete=True)


def _undominated(totals: Float[np.ndarray, "designs totals"]) -> Int[np.ndarray, " kept"] | None:
    """Designs of which no other one comes to as little in every total; None if too many."""
    every = np.lexsort(totals.T)[
        np.argsort(totals.sum(axis=1)[np.lexsort(totals.T)], kind="stable")
    ]
    kept: list[np.ndarray] = []
    totals = totals[:, np.ptp(totals, axis=0) > 0]
    known = np.empty((0, totals.shape[1]))
    for begin in range(0, len(every), MOST):
        block = every[begin : begin + MOST]
        rows = totals[block]
        free = ~_covered(rows, known)
        block, rows = block[free], rows[free]
        free = ~_covered_before(rows)
        block, rows = block[free], rows[free]
        kept.append(block)
        known = np.concatenate([known, rows])
        if len(known) > MOST:
            return None
    return np.concatenate(kept)


def _covered(rows: np.ndarray, by: np.ndarray) -> Bool[np.ndarray, " rows"]:
    """Rows that one of some others does not exceed anywhere."""
    found = np.zeros(len(rows), bool)
    for begin in range(0, len(by), 256):
        some = by[begin : begin + 256]
        left = np.flatnonzero(~found)
        found[left] = np.any(_nowhere_more(some, rows[left]), axis=1)
    return found


def _covered_before(rows: np.ndarray) -> Bool[np.ndarray, " rows"]:
    """Rows that an earlier one does not exceed anywhere."""
    found = np.zeros(len(rows), bool)
    for begin in range(0, len(rows), 256):
        some = rows[begin : begin + 256]
        earlier = np.arange(len(some))[None] < np.arange(len(rows) - begin)[:, None]
        found[begin:] |= np.any(_nowhere_more(some, rows[begin:]) & earlier, axis=1)
    return found


def _nowhere_more(some: np.ndarray, rows: np.ndarray) -> Bool[np.ndarray, "rows some"]:
    """Which of some rows exceed each of others in no column."""
    found = np.ones((len(rows), len(some)), bool)
    for low, high in zip(some.T, rows.T, strict=True):
        found &= low <= high[:, None]
    return found
