"""The best choices of all members, given what all share: exchanges from prices' choices.

Prices let each member choose by itself; what they choose together may exceed a limit or leave some
of it unused. So one member at a time, then two at once, exchange their choices while that helps.
Choices whose cost at the prices exceeds the cheapest by more than the gap between bound and best
cannot be part of a better design, and are not tried in pairs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.optimization.coupled.columns import Columns, Judge
from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.study.coupled import Point
from liminal_jax.study.problem import FEASIBLE

FEWEST = 1e-12
"""A design replaces another if its merit is larger by more."""

IN_PAIRS = 256
"""Choices that are tried two at once, those of the least cost at the prices."""

MOST_ROUNDS = 500
"""Exchanges after which a search is cut off."""


@dataclass(frozen=True)
class Chosen:
    """Choices of all members.

    Attributes:
        choices: The choice of each.
        totals: Their totals.
        score: Score.
        violation: Log violation of each limit of all together.
    """

    choices: Int[np.ndarray, " members"]
    totals: Float[np.ndarray, " totals"]
    score: float
    violation: Float[np.ndarray, " limits"]

    @property
    def feasible(self) -> bool:
        """Whether every limit on all together holds."""
        return bool(np.all(self.violation <= FEASIBLE)) and bool(np.isfinite(self.score))

    @property
    def merit(self) -> float:
        """Orders designs: the feasible ones by score, the others by violation."""
        return float(merits(np.asarray([self.score]), self.violation[None])[0])


def merits(
    scores: Float[np.ndarray, " rows"], violations: Float[np.ndarray, "rows limits"]
) -> Float[np.ndarray, " rows"]:
    """Orders designs: the feasible ones by score, the others by violation; unknown ones last."""
    excess = np.sum(np.maximum(violations, 0.0), axis=1)
    found = np.where(np.all(violations <= FEASIBLE, axis=1), scores, INFEASIBLE - excess)
    return np.where(np.isfinite(found), found, -np.inf)


def best_of(judge: Judge, shared: Point, columns: Columns, choices: np.ndarray) -> Chosen:
    """The best of some rows of choices."""
    totals = columns.totals[np.arange(choices.shape[1]), choices].sum(axis=1)
    scores, violations = judge.of(shared, totals)
    best = int(np.argmax(merits(scores, violations)))
    return Chosen(choices[best], totals[best], float(scores[best]), violations[best])


def exchanged(
    judge: Judge,
    shared: Point,
    columns: Columns,
    start: Chosen,
    prices: Float[np.ndarray, " totals"],
) -> Chosen:
    """The choices from which no exchange of one or two members leads on.

    Args:
        judge: Judges totals.
        shared: What all share.
        columns: The choices of all members.
        start: Choices, all allowed.
        prices: Prices of the totals, by which pairs are picked.
    """
    here = start
    for _ in range(MOST_ROUNDS):
        after = _step(judge, shared, columns, here, prices)
        if after is None:
            break
        here = after
    return here


def _step(
    judge: Judge, shared: Point, columns: Columns, here: Chosen, prices: np.ndarray
) -> Chosen | None:
    members = np.arange(len(here.choices))
    change = columns.totals - columns.totals[members, here.choices][:, None]
    allowed = columns.allowed.copy()
    allowed[members, here.choices] = False
    who, what = np.nonzero(allowed)
    if not len(who):
        return None
    found = _moved(judge, shared, here, [(who, what)], [change[who, what]])
    if found is not None:
        return found
    costs = change[who, what] @ prices
    cheap = np.argsort(costs, kind="stable")[:IN_PAIRS]
    one, other = np.triu_indices(len(cheap), 1)
    apart = who[cheap[one]] != who[cheap[other]]
    first, second = cheap[one[apart]], cheap[other[apart]]
    if not len(first):
        return None
    return _moved(
        judge,
        shared,
        here,
        [(who[first], what[first]), (who[second], what[second])],
        [change[who[first], what[first]], change[who[second], what[second]]],
    )


def _moved(
    judge: Judge,
    shared: Point,
    here: Chosen,
    moves: list[tuple[np.ndarray, np.ndarray]],
    changes: list[np.ndarray],
) -> Chosen | None:
    """The best of some exchanges, if it is better."""
    totals = here.totals + sum(changes[1:], start=changes[0])
    scores, violations = judge.of(shared, totals)
    found = merits(scores, violations)
    best = int(np.argmax(found))
    if not found[best] > here.merit + FEWEST:
        return None
    choices = here.choices.copy()
    for who, what in moves:
        choices[who[best]] = what[best]
    return Chosen(choices, totals[best], float(scores[best]), violations[best])
