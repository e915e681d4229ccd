"""The search for the least change that reaches a speed, and for the most that levers give.

Whole numbers, formats and limits make the speed jump, and a program for its gradient takes ten
times as long to compile as to try some hundred thousand settings: so the search tries settings, a
thousand at once, on the exact model. From several starts it climbs by exchange until the target is
reached, then gives back what is not needed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from liminal_jax._progress import SILENT, Steps
from liminal_jax.optimization.reach.evaluated import Evaluator, Settings
from liminal_jax.optimization.reach.floors import SPLIT, Floor, floor_alone
from liminal_jax.optimization.reach.polish import (
    ENOUGH,
    climb,
    places_of,
    pulled_back,
    start_places,
    values_of,
)

REACHED = 1e3
"""Merit of a setting that reaches the target, less its distance; any other has less than 0."""

PENALTY = 10.0
"""What exceeding limits costs in merit, for each unit of logarithm."""

ROUNDS = 6
"""Times that a climb and giving back follow each other."""


class Search:
    """Settings of the levers that reach a speed.

    Attributes:
        evaluator: The case, its levers and limits.
        target: The speed [1/s].
    """

    def __init__(self, evaluator: Evaluator, target: float):
        """Set up."""
        self.evaluator, self.target = evaluator, target
        self._start = start_places(evaluator.levers)

    def reaches(self, found: Settings) -> np.ndarray:
        """Whether settings reach the target within the limits."""
        return found.feasible & (found.utps >= self.target * ENOUGH)

    def distances(self, places: np.ndarray) -> np.ndarray:
        """How far rows of places are from the start."""
        return np.sum(np.abs(places - self._start), axis=1)

    def merit(self, places: np.ndarray, found: Settings) -> np.ndarray:
        """Near settings that reach first, then the fastest of the others within the limits."""
        lacking = np.minimum(np.log(np.maximum(found.utps, 1e-300) / self.target), 0.0)
        excess = np.sum(np.maximum(found.violation, 0.0), axis=1)
        short = lacking - PENALTY * excess - 1e-6 * self.distances(places)
        merits = np.where(self.reaches(found), REACHED - self.distances(places), short)
        return np.where(np.isfinite(found.utps), merits, -np.inf)

    def run(self, ends: np.ndarray, progress: Steps = SILENT) -> np.ndarray:
        """The best places found: the nearest that reach, or the fastest where none does.

        Args:
            ends: Where each lever does most by itself.
            progress: Callbacks.
        """
        starts, found = self._starts(ends), []
        for start in starts:
            found.append(self._from(start))
            progress.step(len(found), len(starts))
        merits = [float(self.merit(it[None], self._at(it))[0]) for it in found]
        return found[int(np.argmax(merits))]

    def _at(self, places: np.ndarray) -> Settings:
        return self.evaluator(values_of(self.evaluator.levers, places[None]))

    def _starts(self, ends: np.ndarray) -> Sequence[np.ndarray]:
        """Where nothing has moved, and where every lever does most by itself."""
        return (self._start, ends)

    def _from(self, places: np.ndarray) -> np.ndarray:
        best = -np.inf
        for _ in range(ROUNDS):
            places, _ = climb(self.evaluator, places, self.merit)
            if bool(self.reaches(self._at(places))[0]):
                places = pulled_back(self.evaluator, places, self.reaches)
            merit = float(self.merit(places[None], self._at(places))[0])
            if not merit > best + 1e-6:
                break
            best = merit
        return places


class AloneAt(NamedTuple):
    """How far one lever gets, the others being where they start.

    Attributes:
        utps: The fastest within the limits [1/s].
        place: Where that is; nearest to the start where several are as fast.
        floor: What no value of it beats, whatever the limits.
    """

    utps: float
    place: float
    floor: Floor


def each_alone(evaluator: Evaluator) -> list[AloneAt]:
    """How far each lever gets by itself."""
    rows = []
    for axis, lever in enumerate(evaluator.levers):
        mine = np.tile(evaluator.start, (len(lever.values), 1))
        mine[:, axis] = lever.values
        rows.append(mine)
    found, begin, alone = evaluator(np.concatenate(rows)), 0, []
    for lever, mine in zip(evaluator.levers, rows, strict=True):
        part = found.rows(begin, begin + len(mine))
        begin += len(mine)
        speeds = np.where(part.feasible, part.utps, -np.inf)
        away = np.abs(places_of(lever) - lever.place(lever.start))
        row = int(np.argmin(np.where(speeds >= np.max(speeds) * (1 - 1e-9), away, np.inf)))
        floor = floor_alone(part, split=lever.path in SPLIT)
        alone.append(AloneAt(float(speeds[row]), float(places_of(lever)[row]), floor))
    return alone
