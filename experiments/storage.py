"""Should a sweep keep its numbers in Zarr, by Zarr's own library or by TensorStore?

The claim to be tested: the file that sweeps write in place is faster than either library, and, with
blocks of points that several processes write in any order, as safe as the safer of them.

All three hold the same single precision numbers of the same points, uncompressed. Three patterns of
writing, each in a random order: runs of 32 MiB, as a device hands them over, into chunks of a run
and into chunks of 4 MiB; and blocks of 1 MiB that begin in the middle of chunks of 1 MiB, as the
blocks of a grid of many axes lie. A rate counts until all is on the disk. Each turn tries all
three, so that what else the machine does falls on each; the figures are ratios of medians.

Needs the extra `storage`: pip install -e '.[plot,storage]'.

Last, two processes take turns at the blocks of every chunk. A number is lost where one of them
writes a chunk back that it had read before the other wrote into it.
"""

import importlib
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.study.file import DesignFile
from liminal_jax.sweeps.plan import sweep_plan
from liminal_jax.sweeps.store import Store, create

KEPT = ("utps", "stps")  # outputs that are kept; the axis drawn is a third column
COLUMNS = ("batch", *KEPT)


Write = Callable[[Sequence[tuple[int, int]], np.ndarray], None]
"""Writes runs of points, each with the first of some numbers, into every column."""


def _in_place(folder: Path, points: int, chunk: int) -> Write:
    """The file of `liminal sweep`."""
    del chunk
    spec = ll.SweepSpec(axes=("batch=1:512",), kind="sobol", points=points, keep=KEPT, precision=32)
    workload = {"model": "llama-3-70b", "context": 8192}
    file = {"workload": workload, "design": {"system": "h200", "tp": 8, "batch": 1}}
    plan = sweep_plan(DesignFile.model_validate(file), spec, "storage")
    create(folder, plan, {})

    def write(pieces: Sequence[tuple[int, int]], numbers: np.ndarray) -> None:
        store = Store(folder, plan)
        for first, last in pieces:
            for column in range(len(COLUMNS)):
                store.write(column, first, numbers[: last - first])
        store.flush()
        store.close()

    return write


def _zarr(folder: Path, points: int, chunk: int) -> Write:
    zarr: Any = importlib.import_module("zarr")
    arrays = [
        zarr.open_array(
            folder / name,
            mode="a",
            shape=(points,),
            chunks=(chunk,),
            dtype="float32",
            codecs=[{"name": "bytes", "configuration": {"endian": "little"}}],
        )
        for name in COLUMNS
    ]

    def write(pieces: Sequence[tuple[int, int]], numbers: np.ndarray) -> None:
        for first, last in pieces:
            for array in arrays:
                array[first:last] = numbers[: last - first]
        os.sync()

    return write


def _tensorstore(folder: Path, points: int, chunk: int) -> Write:
    tensorstore: Any = importlib.import_module("tensorstore")
    grid = {"name": "regular", "configuration": {"chunk_shape": [chunk]}}
    stated = {"shape": [points], "chunk_grid": grid, "data_type": "float32"}
    specs = [
        {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": str(folder / name)},
            "metadata": {**stated, "codecs": [{"name": "bytes"}]},
            "open": True,
            "create": True,
        }
        for name in COLUMNS
    ]
    arrays = [tensorstore.open(it).result() for it in specs]

    def write(pieces: Sequence[tuple[int, int]], numbers: np.ndarray) -> None:
        for first, last in pieces:
            writes = [array[first:last].write(numbers[: last - first]) for array in arrays]
            for it in writes:
                it.result()
        os.sync()

    return write


STORES = {"in place": _in_place, "zarr": _zarr, "tensorstore": _tensorstore}


def _patterns(
    points: int, run: int, chunk: int, block: int
) -> dict[str, tuple[int, list[tuple[int, int]]]]:
    """For each pattern the points of a chunk, and from where to where is written."""
    order, half = np.random.default_rng(0), block // 2
    whole = [(it * run, (it + 1) * run) for it in order.permutation(points // run).tolist()]
    starts = [it * block + half for it in order.permutation(points // block).tolist()]
    return {
        "runs, chunks of a run": (run, whole),
        "runs, small chunks": (chunk, whole),
        "blocks across chunks": (block, [(it, min(it + block, points)) for it in starts]),
    }


def _seconds(name: str, points: int, chunk: int, pieces: Sequence[tuple[int, int]]) -> float:
    numbers = np.random.default_rng(1).random(max(b - a for a, b in pieces), np.float32)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        write = STORES[name](Path(folder), points, chunk)
        os.sync()
        begin = time.perf_counter()
        write(pieces, numbers)
        return time.perf_counter() - begin


def _take_turns(name: str, folder: Path, points: int, process: int) -> None:
    """What one of two processes writes: every second block of 1/64 of a chunk, of ones."""
    block = points // 256
    pieces = [(it, it + block) for it in range(process * block, points, 2 * block)]
    STORES[name](folder, points, 64 * block)(pieces, np.ones(block, np.float32))


def run(
    points: int = 1 << 26,
    run: int = 1 << 23,
    chunk: int = 1 << 20,
    block: int = 1 << 18,
    shared: int = 1 << 16,
    turns: int = 5,
) -> dict[str, Any]:
    """Rates of all patterns, and what two processes lose.

    Args:
        points: Points of a sweep.
        run: Points of a run.
        chunk: Points of the smaller chunks that runs are written into.
        block: Points of a block, and of the chunks that it does not fit.
        shared: Points that two processes write together, in blocks of 1/64 of a chunk.
        turns: How often each pattern is measured.
    """
    patterns = _patterns(points, run, chunk, block)
    seconds: dict[str, dict[str, list[float]]] = {it: {s: [] for s in STORES} for it in patterns}
    for pattern, (size, pieces) in patterns.items():
        for _ in range(turns):
            for name in STORES:
                seconds[pattern][name].append(_seconds(name, points, size, pieces))
    lost = {name: _lost(name, shared) for name in ("zarr", "tensorstore")}
    return {"bytes": points * len(COLUMNS) * 4, "seconds": seconds, "lost": lost}


def _lost(name: str, points: int) -> float:
    """Share of the numbers of two processes that are not there in the end."""
    zarr: Any = importlib.import_module("zarr")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        STORES[name](Path(folder), points, points // 4)
        start = multiprocessing.get_context("spawn").Process
        processes = [
            start(target=_take_turns, args=(name, Path(folder), points, it)) for it in (0, 1)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        found = np.stack([zarr.open_array(Path(folder) / it, mode="r")[:] for it in COLUMNS])
    return float(np.mean(found != 1.0))


def _rates(results: Record) -> dict[str, dict[str, float]]:
    """Bytes a second of each store, by pattern."""
    return {
        pattern: {name: results["bytes"] / statistics.median(it) for name, it in by.items()}
        for pattern, by in results["seconds"].items()
    }


def summary(results: Record) -> dict[str, Any]:
    """How many times faster the file in place is, at least, and what each library loses."""
    rates = _rates(results).values()
    return {
        f"times_faster_than_{name}": min(it["in place"] / it[name] for it in rates)
        for name in ("zarr", "tensorstore")
    } | {f"lost_by_{name}": share for name, share in results["lost"].items()}


RATES = Table("pattern", [Column(it, it, lambda rate: f"{rate / 1e6:,.0f}") for it in STORES])


def report(results: Record) -> list[RenderableType]:
    """The rates in a table, and the losses in words."""
    losses = ", ".join(f"{share:.1%} with {name}" for name, share in results["lost"].items())
    return [
        "MB written a second",
        RATES.of(_rates(results)),
        f"Lost of what two processes write into the same chunks: {losses}.",
    ]


def plot(results: Record) -> draw.Figure:
    """The rates as bars, named at the first pattern."""
    figure, ((axes,),) = draw.sheet(1, 1, (7, 3))
    rates, shades = _rates(results), draw.colours(STORES)
    for place, by in enumerate(rates.values()):
        for row, name in enumerate(STORES):
            at, rate = place + 0.27 * (row - 1), by[name] / 1e6
            axes.barh(at, rate, height=0.25, color=shades[name])
            text = f"{name}, {rate:,.0f}" if place == 0 else f"{rate:,.0f}"
            draw.note(axes, text, (rate, at), (3, 0), ha="left", va="center", color=shades[name])
    draw.name_rows(axes, list(rates))
    axes.set_xlabel("MB written a second")
    axes.margins(x=0.2)
    return figure


SIZES = ("points", "run", "chunk", "block", "shared")
SMOKE = dict(zip(SIZES, (1 << 16, 1 << 14, 1 << 12, 1 << 10, 1 << 14), strict=True)) | {"turns": 1}
EXPERIMENT = Experiment("storage", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
