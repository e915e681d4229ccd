"""Measured speed of a user against throughput of a chip, from rows in the columns of measurements.

What a row states decides what it is held against:

* `served`: throughput, and a speed from the same run or that of a user among so many, prompts
  included;
* `pool`: the time of a token where decode is alone or nearly so; throughput follows from the users;
* `maximum`: throughput alone, for as many users as fit.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.claims import Record
from experiments.lattices import frontier, speed_at, throughput_at
from experiments.served import POOL, SERVED, THOUSAND, Workload, calibration, engine_speed
from experiments.served_curves import RANKS
from liminal_jax.data.measurements import MAXIMUM, MEASURED
from liminal_jax.data.names import model_named, system_named
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.formats.row import PURE, Row
from liminal_jax.fit.rows import attends_apart, cell_of, counts_waiting

MOST = "maximum"  # the kind of a point without a speed
SPEED = {
    "tpot_ms": lambda value: 1e3 / value,
    "utps": lambda value: value,
    "itl_ms": lambda value: 1e3 / value,
}
"""Tokens a second of a user [1/s] from what a row may state, the better first."""

THROUGHPUT = ("output_tps_per_gpu", "output_tps_total")
"""What a row may state of all users together [1/s]."""


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        chip: Name of the system.
        workload: What was served.
        kind: `served`, `pool` or `maximum`.
        speed: Tokens a second of one user [1/s]; none for a maximum.
        throughput: Tokens a second of one chip [1/s].
        ranks: Chips of an instance.
        spread: Ranks over which its experts are spread.
        apart: Whether each rank attends to users of its own.
        users: Users of an instance; none for a maximum.
        at_most: Whether users that wait are among those that throughput was reckoned from.
        engine: Inference engine.
        source: Who measured.
        fitted: Whether the calibration was fitted to rows of the same cell.
    """

    chip: str
    workload: Workload
    kind: str
    speed: float | None
    throughput: float
    ranks: float
    spread: float
    apart: bool
    users: float | None
    at_most: bool
    engine: str
    source: str
    fitted: bool

    def record(self) -> dict[str, Any]:
        """Without what the curves beside it say already."""
        return {name: it for name, it in asdict(self).items() if name not in ("chip", "workload")}


@dataclass(frozen=True)
class Measurements:
    """What files hold of some models and chips.

    Attributes:
        points: The measurements.
        files: Files, and the SHA-256 of each.
        unused: How many rows of these models and chips say too little, and lines of the files are
            no rows, by reason.
    """

    points: tuple[Point, ...]
    files: dict[str, str]
    unused: dict[str, int]


def _workload(row: Row) -> Workload | None:
    """What a row speaks of; none where it does not say."""
    if not (row.isl and row.osl and row.weight_bits):
        return None
    isl, osl = round(row.isl / THOUSAND), round(row.osl / THOUSAND)
    model = model_named(row.model) or ""
    return Workload(model, isl, osl, row.weight_bits) if isl and osl else None


def _setup(row: Row) -> tuple[object, ...]:
    """What rows of one run share."""
    return (row.source_id, row.model, row.gpu, row.num_gpus, row.tp, row.pp, row.ep,
            row.batch_or_concurrency, row.isl, row.osl, row.weight_bits, row.kv_bits, row.engine,
            row.engine_version)  # fmt: skip


def _of_run(rows: Sequence[Row]) -> list[tuple[Row, Row | None]]:
    """Rows of speed and of throughput of one set-up, in the order of its runs."""
    stated: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        stated[row.metric].append(row)
    speeds = next((stated[it] for it in SPEED if it in stated), [])
    totals = next((stated[it] for it in THROUGHPUT if it in stated), [])
    if speeds and len(speeds) == len(totals):
        return list(zip(totals, speeds, strict=True))
    return [(row, None) for row in speeds + totals or rows]


def _point(row: Row, speeds: Row | None) -> Point | str:
    """The measurement that a row, or one of throughput and one of speed, tell; or why none."""
    workload = _workload(row)
    if workload is None:
        return "bits, or lengths of about a thousand tokens or more, are not stated"
    if row.decode_purity == "queue":
        return "requests queued"
    if row.metric not in (*SPEED, *THROUGHPUT):
        return f"{row.metric} is neither speed nor throughput"
    ranks = row.tp or 1.0
    if ranks not in RANKS or (row.pp or 1.0) > 1:
        return "its ranks are not among those that are tried"
    chips, users = row.num_gpus or ranks, row.batch_or_concurrency
    value = row.value or np.nan
    throughput = value / chips if row.metric == "output_tps_total" else value
    if speeds is not None:
        kind, speed = SERVED, SPEED[speeds.metric](speeds.value)
    elif row.metric in SPEED:
        if users is None or row.decode_purity not in PURE:
            return "throughput is not stated"
        kind, speed = POOL, SPEED[row.metric](value)
        throughput = users * speed / chips
    elif users is None:
        kind, speed = MOST, None
    else:
        kind, speed = SERVED, throughput * chips / users
    return Point(
        chip=system_named(row.gpu) or "",
        workload=workload,
        kind=kind,
        speed=speed,
        throughput=throughput,
        ranks=ranks,
        spread=ranks if (row.ep or 1.0) > 1 else 1.0,
        apart=attends_apart(row),
        users=None if users is None else max(1.0, users * ranks / chips),
        at_most=counts_waiting(row),
        engine=row.engine,
        source=row.source_id,
        fitted=cell_of(row, workload.weight_bits) in calibration().cells,
    )


def load_points(file: str | None, models: Sequence[str], chips: Sequence[str]) -> Measurements:
    """Measurements of some models and chips.

    Args:
        file: A file in the columns of measurements; those that come with the package by default.
        models: Names of models.
        chips: Names of systems.

    Raises:
        InputError: The file cannot be read, or lacks columns.
    """
    paths = (MEASURED, MAXIMUM) if file is None else (Path(file),)
    setups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    unused: dict[str, int] = defaultdict(int)
    for path in paths:
        rows, refused = read_rows(path)
        for it in refused:
            unused[it.reason] += 1
        for row in rows:
            if model_named(row.model) in models and system_named(row.gpu) in chips:
                setups[_setup(row)].append(row)
    points: list[Point] = []
    for run in setups.values():
        for pair in _of_run(run):
            point = _point(*pair)
            if isinstance(point, Point):
                points.append(point)
            else:
                unused[point] += 1
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return Measurements(tuple(points), files, dict(unused))


def best(points: Sequence[Record]) -> list[Record]:
    """The points that no other of them beats in both speed and throughput, the fastest first."""
    told = [it for it in points if it["speed"] is not None]
    if not told:
        return []
    columns = (np.array([it[name] for it in told]) for name in ("speed", "throughput"))
    return [told[place] for place in frontier(*columns)]


def setups(points: Sequence[Point]) -> dict[tuple[float, float], float]:
    """Degrees of parallelism that were measured, and the most users of an instance with each."""
    most: dict[tuple[float, float], float] = {}
    for it in points:
        degrees = (it.ranks, it.spread)
        users = np.inf if it.users is None else it.users
        most[degrees] = max(users, most.get(degrees, 0.0))
    return most


def scored(curve: Record, point: Point) -> dict[str, Any]:
    """A point against curves, at equal speed; against their top where it states none.

    Returns:
        Measured over another throughput, none where it is faster than that curve reaches: the
        calibrated one of the set-ups that were measured (`ratio`), both ends of its 90 % interval
        (`over_low`, `over_high`), that of every set-up (`of_calibrated`), and the bound
        (`of_bound`). Also measured over calibrated speed at equal throughput (`speed_ratio`), none
        for a maximum or beyond the calibrated one, and over that of its own set-up and users with
        the losses of its engine (`own`), none for a maximum.
    """

    def over(front: Record) -> float | None:
        if point.speed is None and len(front["speed"]) > 0:
            return point.throughput / float(front["throughput"][-1])
        reached = None if point.speed is None else throughput_at(front, point.speed)
        return None if reached is None else point.throughput / reached

    tried = curve["tried"]
    fastest = None if point.speed is None else speed_at(tried, point.throughput)
    return {
        "ratio": over(tried),
        "speed_ratio": None if fastest is None else (point.speed or np.nan) / fastest,
        "own": _own(point),
        "over_low": over(tried["low"]),
        "over_high": over(tried["high"]),
        "of_calibrated": over(curve["calibrated"]),
        "of_bound": over(curve["bound"]),
    }


def _own(point: Point) -> float | None:
    """Measured over calibrated speed of the set-up itself."""
    if point.speed is None or point.users is None:
        return None
    way = (point.ranks, point.spread, point.users)
    speed = engine_speed(
        point.chip, point.workload, point.kind, way, point.engine, apart=point.apart
    )
    return point.speed / speed
