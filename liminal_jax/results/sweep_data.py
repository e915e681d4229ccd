"""What a page tells of a sweep that kept every point: read from its data, some rows at a time."""

import importlib.util
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liminal_jax._files import InputError, Problem
from liminal_jax.sweeps.store import DATA, numbers_of

SIDES = {
    "utps": "maximise",
    "stps": "maximise",
    "stps_per_watt": "maximise",
    "stps_per_usd": "maximise",
    "usd_per_million_tokens": "minimise",
    "energy_per_token": "minimise",
    "tpot": "minimise",
    "power": "minimise",
    "capital_cost": "minimise",
    "chip_power": "minimise",
    "chip_tdp": "minimise",
    "power_provisioned": "minimise",
}
"""Outputs of which more, or less, is better; the first one that was kept orders the points."""

MOST_DRAWN = 10_000
"""Points that are drawn."""

MOST_FRONT = 300
"""Points of the front that are listed."""

MOST_CATEGORIES = 64
"""Values of an axis up to which each is a category."""

BINS = 60
"""Bins of a histogram."""

BLOCK = 1 << 20
"""Points that are in memory at a time."""

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Shares of the bins for which quantiles are shown."""


@dataclass(frozen=True)
class Kept:
    """The data of a sweep.

    Attributes:
        record: Its record.
        ends: Values of names and axes of a grid, each a dimension; of a dimension of numbered
            points only how many there are.
        columns: The numbers of each variable, one after the other, which lie on the disk.
    """

    record: Mapping[str, Any]
    ends: Mapping[str, Sequence[Any] | int]
    columns: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(it if isinstance(it, int) else len(it) for it in self.ends.values())

    @property
    def size(self) -> int:
        """Points in all."""
        return math.prod(self.shape)

    def blocks(self) -> Iterator[slice]:
        """All points, some at a time."""
        for first in range(0, self.size, BLOCK):
            yield slice(first, min(first + BLOCK, self.size))

    def usable(self, block: slice) -> np.ndarray:
        """Which points count: those that keep every limit, or fit, as far as that was kept."""
        length = block.stop - block.start
        for name in ("feasible", "fits"):
            if name in self.columns:
                return np.asarray(self.columns[name][block]) > 0
        return np.ones(length, bool)

    def places(self, path: str, points: np.ndarray) -> np.ndarray:
        """Where some points lie on an axis, or which name they have."""
        if path in self.columns:
            return np.asarray(self.columns[path][points])
        at = list(self.ends).index(path)
        values = self.ends[path]
        return np.asarray(values)[np.unravel_index(points, self.shape)[at]]

    def row(self, point: int) -> dict[str, Any]:
        """A point as the records of sweeps have it."""
        one = np.asarray([point])
        paths = [*self.record["names"], *(it["path"] for it in self.record["axes"])]
        return {
            "number": point,
            **{path: self.places(path, one)[0].item() for path in paths},
            "outputs": {
                name: float(value) if math.isfinite(value) else None
                for name in self.record["outputs"]
                for value in [float(self.columns[name][point])]
            },
        }


def opened(record: Mapping[str, Any], folder: Path) -> Kept:
    """The data of a sweep, opened.

    Raises:
        InputError: they are gone, or what reads them is not installed.
    """
    if importlib.util.find_spec("h5netcdf") is None:
        problem = "needs h5netcdf, which is missing: pip install 'liminal-jax[netcdf]'"
        raise InputError("liminal report", [Problem("", problem)])
    import h5netcdf

    path = folder / DATA
    if not path.is_file():
        raise InputError(str(path), [Problem("", "is not there; the points of the sweep are gone")])
    with h5netcdf.File(path, "r") as file:
        ends: dict[str, Sequence[Any] | int] = {
            name: [_plain(it) for it in file[name][...]] if name in file.variables else len(size)
            for name, size in file.dimensions.items()
        }
        own = [name for name in file.variables if name not in file.dimensions]
    return Kept(record, ends, {name: numbers_of(path, name) for name in own})


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def summary(data: Kept) -> dict[str, Any]:
    """What a page tells of the points, apart from those that it draws."""
    goals = [name for name in SIDES if name in data.columns][:2]
    counts = [int(data.usable(block).sum()) for block in data.blocks()]
    found = {
        "usable": sum(counts),
        "goals": [{SIDES[name]: name} for name in goals],
        "best": _best(data),
        "front": [],
        "front_points": 0,
        "best_by": [],
        "histograms": {
            name: it for name in data.record["outputs"] if (it := _histogram(data, name))
        },
    }
    if len(goals) == 2:
        front = _front(data, goals)
        found["front_points"] = len(front)
        kept = (
            np.unique(np.linspace(0, len(front) - 1, MOST_FRONT).round().astype(int))
            if len(front)
            else []
        )
        found["front"] = [data.row(int(front[at])) for at in kept]
    if goals:
        found["best_by"] = [_categories(data, path, goals[0]) for path in _categorical(data)]
    return found


def _better(name: str, values: np.ndarray) -> np.ndarray:
    """Values with the sign that makes more better; minus infinity where there is none."""
    signed = values if SIDES[name] == "maximise" else -values
    return np.where(np.isfinite(values), signed, -np.inf)


def _scores(data: Kept, name: str, block: slice) -> np.ndarray:
    """How good points are by an output; minus infinity for those that do not count."""
    signed = _better(name, np.asarray(data.columns[name][block], float))
    return np.where(data.usable(block), signed, -np.inf)


def _best(data: Kept) -> list[dict[str, Any]]:
    """The best point by each output that has a better side."""
    found = []
    for name in SIDES:
        if name not in data.columns:
            continue
        best, at = -np.inf, None
        for block in data.blocks():
            scores = _scores(data, name, block)
            first = int(np.argmax(scores))
            if scores[first] > best:
                best, at = scores[first], block.start + first
        if at is not None:
            found.append({"output": name, "side": SIDES[name], **data.row(at)})
    return found


def _front(data: Kept, goals: Sequence[str]) -> np.ndarray:
    """Points to which no other is better in both goals, the best in the first one first."""
    points = np.empty(0, int)
    first, second = np.empty(0), np.empty(0)
    for block in data.blocks():
        scores = [_scores(data, name, block) for name in goals]
        usable = np.flatnonzero(np.isfinite(scores[0]) & np.isfinite(scores[1]))
        points = np.concatenate([points, block.start + usable])
        first = np.concatenate([first, scores[0][usable]])
        second = np.concatenate([second, scores[1][usable]])
        # Down the first goal, a point is on the front where the second one reaches a new height.
        order = np.lexsort((-second, -first))
        heights = np.maximum.accumulate(second[order])
        higher = np.concatenate([[True], heights[1:] > heights[:-1]])[: len(order)]
        order = order[higher]
        points, first, second = points[order], first[order], second[order]
    return points


def _categorical(data: Kept) -> list[str]:
    """Names and axes with a few values, each a category."""
    return [
        name
        for name, values in data.ends.items()
        if not isinstance(values, int) and 1 < len(values) <= MOST_CATEGORIES
    ]


def _categories(data: Kept, path: str, goal: str) -> dict[str, Any]:
    """The best point for each value of an axis."""
    values = data.ends[path]
    count = values if isinstance(values, int) else len(values)
    best, points = np.full(count, -np.inf), np.zeros(count, int)
    at = list(data.ends).index(path)
    for block in data.blocks():
        scores = _scores(data, goal, block)
        numbers = np.arange(block.start, block.stop)
        where = np.unravel_index(numbers, data.shape)[at]
        order = np.argsort(scores, kind="stable")
        # The last of equal places is written: that of the best score.
        top, of = np.full(count, -np.inf), np.zeros(count, int)
        top[where[order]], of[where[order]] = scores[order], numbers[order]
        points = np.where(top > best, of, points)
        best = np.maximum(top, best)
    rows = [data.row(int(it)) for it, score in zip(points, best, strict=True) if np.isfinite(score)]
    return {"axis": path, "rows": rows}


def _histogram(data: Kept, name: str) -> dict[str, Any] | None:
    """Counts of an output in bins of equal ratio; none where it does not vary, or is a name."""
    if name in ("bottleneck", "fits", "feasible"):
        return None
    low, high = np.inf, -np.inf
    for block in data.blocks():
        values = _positive(data, name, block)
        if len(values):
            low, high = min(low, values.min()), max(high, values.max())
    if not low < high:
        return None
    ends = np.geomspace(low, high, BINS + 1)
    counts = np.zeros(BINS, int)
    for block in data.blocks():
        at = np.searchsorted(ends, _positive(data, name, block), side="right") - 1
        counts += np.bincount(np.clip(at, 0, BINS - 1), minlength=BINS)
    reached = np.searchsorted(np.cumsum(counts), np.asarray(SHARES) * counts.sum(), side="left")
    middles = np.sqrt(ends[:-1] * ends[1:])[np.minimum(reached, BINS - 1)]
    middles[0], middles[-1] = low, high
    return {
        "low": ends[:-1].tolist(),
        "high": ends[1:].tolist(),
        "counts": counts.tolist(),
        "quantiles": {f"{it:g}": float(v) for it, v in zip(SHARES, middles, strict=True)},
    }


def _positive(data: Kept, name: str, block: slice) -> np.ndarray:
    values = np.asarray(data.columns[name][block], float)
    return values[data.usable(block) & np.isfinite(values) & (values > 0)]


def drawn_points(data: Kept) -> np.ndarray:
    """Numbers of the points that are drawn: all that count, or as many of them by lot."""
    counts = np.asarray([data.usable(block).sum() for block in data.blocks()], int)
    generator = np.random.default_rng(0)
    wanted = min(MOST_DRAWN, int(counts.sum()))
    # By lot of all points: how many fall into each block first, then which.
    shares = generator.multivariate_hypergeometric(counts, wanted, method="marginals")
    chosen = [
        block.start
        + np.sort(generator.choice(np.flatnonzero(data.usable(block)), share, replace=False))
        for block, share in zip(data.blocks(), shares, strict=True)
    ]
    return np.concatenate(chosen)
