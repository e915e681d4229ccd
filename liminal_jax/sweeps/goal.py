"""Reductions of a sweep: the best points, the best of each category, the Pareto front.

A reduction has two halves. On the device a filter selects the points of a block that may belong to
the result: it never drops one that does, and after the first blocks selects almost none. On the
host the selected points are merged exactly. Of points with equal values the one with the smallest
number is kept, so the result does not depend on the order of blocks or the number of devices.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from typing_extensions import override

FILTERS = 16
"""Points of a Pareto front in the filter on the device."""


class Goal(NamedTuple):
    """An output to maximise or to minimise."""

    output: str
    maximise: bool

    @property
    def sign(self) -> float:
        """The factor that makes more better."""
        return 1.0 if self.maximise else -1.0


class Rows(NamedTuple):
    """Points selected by a filter.

    Attributes:
        numbers: Numbers of the points, over all cases.
        scores: Value of each goal, with the sign that makes more better.
        groups: Categories of the points.
    """

    numbers: Int[np.ndarray, " points"]
    scores: Float[np.ndarray, "points goals"]
    groups: Int[np.ndarray, " points"]

    @classmethod
    def none(cls, goals: int) -> "Rows":
        """No points."""
        return cls(np.zeros(0, np.int64), np.zeros((0, goals)), np.zeros(0, np.int64))

    def joined(self, other: "Rows") -> "Rows":
        """The rows of both."""
        return Rows(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def at(self, places: np.ndarray) -> "Rows":
        """The rows at some places."""
        return Rows(*(each[places] for each in self))


@dataclass
class Reduction(ABC):
    """A reduction over all points.

    Attributes:
        goals: Indices of its goals among all goals.
        rows: The points kept so far, with the scores of its own goals only.
    """

    goals: tuple[int, ...]
    rows: Rows

    def take(self, rows: Rows) -> None:
        """Merge selected points that have the scores of all goals."""
        own = rows._replace(scores=rows.scores[:, list(self.goals)])
        self.merge(own.at(np.all(own.scores > -np.inf, axis=1)))

    @abstractmethod
    def merge(self, rows: Rows) -> None:
        """Merge points that have the scores of its own goals."""

    @abstractmethod
    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """The filter for a case, whose points are numbered from an offset."""

    @abstractmethod
    def passed(
        self,
        filter_: dict[str, Array],
        scores: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        """Which points of a block may belong to the result, evaluated on the device.

        Args:
            filter_: The result of `filter`.
            scores: Scores of all goals; minus infinity where a limit is exceeded.
            groups: Categories of the points, within the case.
            first: A lower bound of the numbers of the block's points, within the case.
        """


@dataclass
class Best(Reduction):
    """The k best points of each category, or of all points.

    Attributes:
        count: The number k.
        groups: Number of categories within a case; 1 where there are none.
        bases: For each case the first of its categories; 0 for all if left out.
    """

    count: int = 1
    groups: int = 1
    bases: tuple[int, ...] = ()

    @override
    def merge(self, rows: Rows) -> None:
        rows = self.rows.joined(rows)
        rows = rows.at(np.lexsort((rows.numbers, -rows.scores[:, 0], rows.groups)))
        # Processes start from the same points, so merging their results gives duplicates.
        again = (np.diff(rows.numbers, prepend=-1) == 0) & (np.diff(rows.groups, prepend=-1) == 0)
        rows = rows.at(np.flatnonzero(~again))
        new = np.flatnonzero(np.diff(rows.groups, prepend=-1))
        starts = np.repeat(new, np.diff(np.append(new, len(rows.numbers))))
        self.rows = rows.at(np.arange(len(rows.numbers)) - starts < self.count)

    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """Score and number of the k-th best of each category; minus infinity if there are fewer."""
        score = np.full(self.groups, -np.inf)
        number = np.full(self.groups, np.iinfo(np.int64).max)
        base = self.bases[case] if self.bases else 0
        for group in range(self.groups):
            there = np.flatnonzero(self.rows.groups == base + group)
            if len(there) == self.count:
                score[group] = self.rows.scores[there[-1], 0]
                number[group] = self.rows.numbers[there[-1]] - offset
        return {"score": score, "number": number}

    @override
    def passed(
        self,
        filter_: dict[str, Array],
        scores: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        score = scores[self.goals[0]]
        group = groups if self.groups > 1 else 0
        least = filter_["score"][group].astype(score.dtype)
        equal = (score == least) & (score > -jnp.inf) & (first < filter_["number"][group])
        return (score > least) | equal


@dataclass
class ParetoFront(Reduction):
    """All nondominated points: no other one is no worse in any goal and better in one."""

    @override
    def merge(self, rows: Rows) -> None:
        if len(rows.numbers):
            self.rows = nondominated(self.rows.joined(rows))

    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """Some points spread over the front; minus infinity where there are fewer."""
        del case
        count, goals = len(self.rows.numbers), len(self.goals)
        scores, numbers = np.full((FILTERS, goals), -np.inf), np.zeros(FILTERS, np.int64)
        chosen = np.unique(np.linspace(0, count - 1, min(count, FILTERS)).astype(int))
        scores[: len(chosen)] = self.rows.scores[chosen]
        numbers[: len(chosen)] = self.rows.numbers[chosen] - offset
        return {"scores": scores, "numbers": numbers}

    @override
    def passed(
        self,
        filter_: dict[str, Array],
        scores: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        del groups
        own = [scores[goal] for goal in self.goals]
        known = filter_["scores"].astype(own[0].dtype)
        # A point equal to one of a higher number must be selected, since it takes its place:
        # compare it with the float below.
        below = jnp.nextafter(known, jnp.full_like(known, -jnp.inf))
        known = jnp.where((filter_["numbers"] < first)[:, None], known, below)
        # A point is dominated if a known one that covers it in all other goals has as much of the
        # last: so compare it with the most of the last goal among those.
        *others, last = own
        most = jnp.full_like(last, -jnp.inf)
        for row in range(FILTERS):
            covers = known[row, 0] >= others[0]
            for goal, score in enumerate(others[1:], start=1):
                covers &= known[row, goal] >= score
            most = jnp.maximum(most, jnp.where(covers, known[row, -1], -jnp.inf))
        return last > most


def nondominated(rows: Rows) -> Rows:
    """The nondominated points, the best in the first goal first; of equal ones the first."""
    keys = [
        rows.numbers,
        *(-rows.scores[:, goal] for goal in reversed(range(rows.scores.shape[1]))),
    ]
    rows = rows.at(np.lexsort(keys))
    if rows.scores.shape[1] == 1:
        return rows.at(np.arange(min(len(rows.numbers), 1)))
    if rows.scores.shape[1] == 2:
        best = np.maximum.accumulate(rows.scores[:, 1])
        return rows.at(np.flatnonzero(rows.scores[:, 1] > np.append(-np.inf, best[:-1])))
    return rows.at(_unbeaten(rows.scores))


def _unbeaten(scores: Float[np.ndarray, "points goals"]) -> np.ndarray:
    """Places of the points that no earlier one dominates or equals.

    In lexicographic order only earlier points can dominate a point.
    """
    kept = np.zeros((0, scores.shape[1]))
    places: list[int] = []
    for place, score in enumerate(scores):
        if not np.any(np.all(kept >= score, axis=1)):
            kept = np.vstack([kept, score])
            places.append(place)
    return np.asarray(places, int)
