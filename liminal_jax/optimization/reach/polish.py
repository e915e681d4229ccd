"""The least change near a setting of the levers, by exchange: one lever further, another back.

The distance is a sum of absolute moves, so that at its least all levers but a few stand at the ends
of their ranges or where they started, and the last one as far as the target needs. Each round tries
every value of each lever alone, and of each pair of levers one further and the other back, on the
exact model; the last lever is then placed between two of its values.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from liminal_jax.optimization.reach.evaluated import Evaluator, Settings
from liminal_jax.optimization.reach.levers import Lever

ROUNDS = 40
"""Rounds after which an exchange is cut off."""

FINE = 130
"""Values between two that are tried, twice: one lever is placed to 1/17,000 of a step."""

NEAR = 1e-9
"""Places nearer than this are one."""

COARSE = 5
"""Values of each lever that are tried in pairs: its ends, where it starts, and between."""

ENOUGH = 1 - 1e-9
"""Share of the target that counts as reaching it."""

Merit = Callable[[np.ndarray, Settings], np.ndarray]
"""What is better the larger it is, for rows of places and what they do."""


def values_of(levers: Sequence[Lever], places: np.ndarray) -> np.ndarray:
    """Rows of values at rows of places; whole levers at the nearest that makes sense."""
    columns = []
    for it, column in zip(levers, np.asarray(places, float).T, strict=True):
        if it.whole:
            known = places_of(it)
            nearest = np.argmin(np.abs(column[:, None] - known), axis=1)
            columns.append(np.asarray(it.values)[nearest])
        else:
            columns.append(_exact(it, column))
    return np.stack(columns, axis=1)


def _exact(lever: Lever, places: np.ndarray) -> np.ndarray:
    """Values at places; those that are tried exactly, since a logarithm and back is not."""
    known = places_of(lever)
    nearest = np.argmin(np.abs(places[:, None] - known), axis=1)
    near = np.abs(places - known[nearest]) < NEAR
    return np.where(near, np.asarray(lever.values)[nearest], lever.at(places))


@cache
def places_of(lever: Lever) -> np.ndarray:
    """Places of the values at which a lever is tried."""
    return np.asarray([lever.place(it) for it in lever.values])


def coarse_places(lever: Lever) -> np.ndarray:
    """Fewer of them: ends, start and some between."""
    known = places_of(lever)
    inner = known[np.linspace(0, len(known) - 1, COARSE).round().astype(int)]
    return np.unique([*inner, lever.place(lever.start)])


def start_places(levers: Sequence[Lever]) -> np.ndarray:
    """Where levers start."""
    return np.asarray([it.place(it.start) for it in levers])


def neighbours(levers: Sequence[Lever], places: np.ndarray) -> np.ndarray:
    """A setting, every value of each lever alone, and some values of each pair."""
    rows = [places[None]]
    coarse = [coarse_places(it) for it in levers]
    for axis, lever in enumerate(levers):
        rows.append(_with(places, [axis], places_of(lever)[:, None]))
    for first in range(len(levers)):
        for second in range(first):
            pairs = np.stack(np.meshgrid(coarse[first], coarse[second]), axis=-1).reshape(-1, 2)
            rows.append(_with(places, [first, second], pairs))
    return np.unique(np.concatenate(rows), axis=0)


def _with(places: np.ndarray, axes: Sequence[int], values: np.ndarray) -> np.ndarray:
    """A setting with other values of some levers, a row for each."""
    changed = np.tile(places, (len(values), 1))
    changed[:, axes] = values
    return changed


def climb(evaluator: Evaluator, places: np.ndarray, merit: Merit) -> tuple[np.ndarray, float]:
    """Ascend from a setting to one that no exchange of one or two levers makes better."""
    here, best = places, -np.inf
    for _ in range(ROUNDS):
        near = neighbours(evaluator.levers, here)
        merits = merit(near, evaluator(values_of(evaluator.levers, near)))
        row = int(np.argmax(merits))
        if not merits[row] > best + 1e-9:
            break
        here, best = near[row], float(merits[row])
    return here, best


def pulled_back(
    evaluator: Evaluator, places: np.ndarray, reaches: Callable[[Settings], np.ndarray]
) -> np.ndarray:
    """A setting that reaches, each of its levers as near to its start as the others allow.

    Levers are taken one after the other, the one with the most to gain first.

    Args:
        evaluator: The case.
        places: A setting that reaches.
        reaches: Whether settings do.
    """
    start = start_places(evaluator.levers)
    here = places.copy()
    while True:
        axes = [axis for axis in range(len(here)) if abs(here[axis] - start[axis]) > 1e-12]
        tried = [(axis, _nearest(evaluator, here, axis, start[axis], reaches)) for axis in axes]
        gains = [abs(here[axis] - place) for axis, place in tried]
        if not gains or max(gains) < 1e-9:
            return here
        axis, place = tried[int(np.argmax(gains))]
        (here,) = _with(here, [axis], np.asarray([[place]]))


def _nearest(
    evaluator: Evaluator,
    here: np.ndarray,
    axis: int,
    start: float,
    reaches: Callable[[Settings], np.ndarray],
) -> float:
    """How near to its start one lever may stand, the others being where they are."""
    lever = evaluator.levers[axis]
    near, far = sorted((start, float(here[axis])))
    between = [it for it in places_of(lever) if near <= it <= far]
    tried = np.asarray(sorted({*between, start, here[axis]}, key=lambda it: abs(it - start)))
    rows = _with(here, [axis], tried[:, None])
    good = reaches(evaluator(values_of(evaluator.levers, rows)))
    good[-1] = True  # Where it stands it reaches.
    first = int(np.argmax(good))
    if lever.whole or first == 0:
        return float(tried[first])
    far, near = float(tried[first]), float(tried[first - 1])
    for _ in range(2):  # A grid within the interval, then one within that.
        inner = np.linspace(near, far, FINE)[1:]
        rows = _with(here, [axis], inner[:, None])
        good = reaches(evaluator(values_of(evaluator.levers, rows)))
        good[-1] = True
        first = int(np.argmax(good))
        near, far = (near if first == 0 else float(inner[first - 1])), float(inner[first])
    return far
