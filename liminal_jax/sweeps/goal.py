"""What a reduction of a sweep keeps: the best points, the best of each category, the front.

A reduction has two halves. On the device a filter tells which points of a block may matter: it errs
on the side of keeping, and after the first blocks lets next to nothing through. On the host what
came through is merged, exactly. Of points with equal values that with the least number counts, so
the outcome is the same in whatever order and on however many devices blocks are evaluated.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from typing_extensions import override

FILTERS = 16
"""Points of a front that the device knows of."""


class Goal(NamedTuple):
    """A quantity of which more, or less, is better."""

    output: str
    maximise: bool

    @property
    def sign(self) -> float:
        """What makes more better."""
        return 1.0 if self.maximise else -1.0


class Rows(NamedTuple):
    """Points that came through a filter.

    Attributes:
        numbers: Numbers of the points, over all cases.
        gains: For each goal its values, with the sign that makes more better.
        groups: Their categories.
    """

    numbers: Int[np.ndarray, " points"]
    gains: Float[np.ndarray, "points goals"]
    groups: Int[np.ndarray, " points"]

    @classmethod
    def none(cls, goals: int) -> "Rows":
        """No points."""
        return cls(np.zeros(0, np.int64), np.zeros((0, goals)), np.zeros(0, np.int64))

    def joined(self, other: "Rows") -> "Rows":
        """The rows of both."""
        return Rows(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def at(self, places: np.ndarray) -> "Rows":
        """Some of them."""
        return Rows(*(each[places] for each in self))


@dataclass
class Reduction(ABC):
    """What is kept of all points.

    Attributes:
        goals: Places of its goals among all goals.
        rows: What is kept so far; gains of its own goals only.
    """

    goals: tuple[int, ...]
    rows: Rows

    def take(self, rows: Rows) -> None:
        """Merge points that came through, with the gains of all goals."""
        own = rows._replace(gains=rows.gains[:, list(self.goals)])
        self.merge(own.at(np.all(own.gains > -np.inf, axis=1)))

    @abstractmethod
    def merge(self, rows: Rows) -> None:
        """Merge points with the gains of its own goals."""

    @abstractmethod
    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """What the device is told for a case, whose points are counted from an offset on."""

    @abstractmethod
    def passed(
        self,
        filter_: dict[str, Array],
        gains: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        """Which points of a block may matter, on the device.

        Args:
            filter_: As `filter` gave it.
            gains: Of all goals; minus infinity where a limit is broken.
            groups: Categories of the points, within the case.
            first: A number that no point of the block is below, within the case.
        """


@dataclass
class Best(Reduction):
    """The best few points of each category, or of all.

    Attributes:
        count: How many of each.
        groups: Categories within a case; 1 where there are none.
        bases: For each case the category that its own are counted from; 0 for all if left out.
    """

    count: int = 1
    groups: int = 1
    bases: tuple[int, ...] = ()

    @override
    def merge(self, rows: Rows) -> None:
        rows = self.rows.joined(rows)
        rows = rows.at(np.lexsort((rows.numbers, -rows.gains[:, 0], rows.groups)))
        # What several processes began with comes back from each of them.
        again = (np.diff(rows.numbers, prepend=-1) == 0) & (np.diff(rows.groups, prepend=-1) == 0)
        rows = rows.at(np.flatnonzero(~again))
        new = np.flatnonzero(np.diff(rows.groups, prepend=-1))
        starts = np.repeat(new, np.diff(np.append(new, len(rows.numbers))))
        self.rows = rows.at(np.arange(len(rows.numbers)) - starts < self.count)

    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """The last of the best in each category: gain and number."""
        gain = np.full(self.groups, -np.inf)
        number = np.full(self.groups, np.iinfo(np.int64).max)
        base = self.bases[case] if self.bases else 0
        for group in range(self.groups):
            there = np.flatnonzero(self.rows.groups == base + group)
            if len(there) == self.count:
                gain[group] = self.rows.gains[there[-1], 0]
                number[group] = self.rows.numbers[there[-1]] - offset
        return {"gain": gain, "number": number}

    @override
    def passed(
        self,
        filter_: dict[str, Array],
        gains: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        gain = gains[self.goals[0]]
        group = groups if self.groups > 1 else 0
        least = filter_["gain"][group].astype(gain.dtype)
        equal = (gain == least) & (gain > -jnp.inf) & (first < filter_["number"][group])
        return (gain > least) | equal


@dataclass
class Front(Reduction):
    """All points that no other one dominates: is no worse than in any goal and better in one."""

    @override
    def merge(self, rows: Rows) -> None:
        if len(rows.numbers):
            self.rows = nondominated(self.rows.joined(rows))

    def filter(self, case: int, offset: int) -> dict[str, np.ndarray]:
        """Some points of the front, spread over it; minus infinity where there are fewer."""
        del case
        count, goals = len(self.rows.numbers), len(self.goals)
        gains, numbers = np.full((FILTERS, goals), -np.inf), np.zeros(FILTERS, np.int64)
        chosen = np.unique(np.linspace(0, count - 1, min(count, FILTERS)).astype(int))
        gains[: len(chosen)] = self.rows.gains[chosen]
        numbers[: len(chosen)] = self.rows.numbers[chosen] - offset
        return {"gains": gains, "numbers": numbers}

    @override
    def passed(
        self,
        filter_: dict[str, Array],
        gains: Float[Array, "goals block"],
        groups: Int[Array, " block"],
        first: Int[Array, ""],
    ) -> Bool[Array, " block"]:
        del groups
        own = [gains[goal] for goal in self.goals]
        known = filter_["gains"].astype(own[0].dtype)
        # A point equal to one of a higher number must come through: it takes its place.
        below = jnp.nextafter(known, jnp.full_like(known, -jnp.inf))
        known = jnp.where((filter_["numbers"] < first)[:, None], known, below)
        # The most of the last goal that a known point has which is as good in all others.
        *others, last = own
        most = jnp.full_like(last, -jnp.inf)
        for row in range(FILTERS):
            covers = known[row, 0] >= others[0]
            for goal, gain in enumerate(others[1:], start=1):
                covers &= known[row, goal] >= gain
            most = jnp.maximum(most, jnp.where(covers, known[row, -1], -jnp.inf))
        return last > most


def nondominated(rows: Rows) -> Rows:
    """The points that no other dominates, best in the first goal first; of equal ones the first."""
    keys = [rows.numbers, *(-rows.gains[:, goal] for goal in reversed(range(rows.gains.shape[1])))]
    rows = rows.at(np.lexsort(keys))
    if rows.gains.shape[1] == 1:
        return rows.at(np.arange(min(len(rows.numbers), 1)))
    if rows.gains.shape[1] == 2:
        best = np.maximum.accumulate(rows.gains[:, 1])
        return rows.at(np.flatnonzero(rows.gains[:, 1] > np.append(-np.inf, best[:-1])))
    return rows.at(_unbeaten(rows.gains))


def _unbeaten(gains: Float[np.ndarray, "points goals"]) -> np.ndarray:
    """Places of the points that none before them dominates or equals.

    In lexicographic order only points before a point can dominate it.
    """
    kept = np.zeros((0, gains.shape[1]))
    places: list[int] = []
    for place, gain in enumerate(gains):
        if not np.any(np.all(kept >= gain, axis=1)):
            kept = np.vstack([kept, gain])
            places.append(place)
    return np.asarray(places, int)
