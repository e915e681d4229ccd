"""How fast is a sweep, beside the ten lines of NumPy that it replaces?

The claim to be tested: the whole exact predictor of DeepSeek-V3, a mixture of experts with
capacity, power and cost, costs at most ten times the closed form of a dense model under
`jit(vmap)`; its value and gradient by twelve inputs at most four times that; a sweep that keeps
everything loses at most 30 % of what its function or the disk allow; memory does not grow with the
points; and single precision is within 1e-5 of double.

The closed form is the step time of Llama-3-70B with batch B, context c, tensor parallelism n,
bandwidth, throughput and sync as inputs:

    max((W + kv c B) / (n bandwidth), B (2 W + 4 L d c) / (n throughput)) + (2 L sync if n > 1)

How it is measured. Functions are compiled, warmed up, and called in turn; each ratio is that of
medians of one run, so that what else the machine does falls on both; so are a sweep that keeps
everything and the disk alone. The predictor has all its 28 outputs computed, and consumed where
they arise, by a sum, as a sweep does that keeps only the best; the closed form is charged as it
stands, its one output written. Written out, 28 numbers a point against one, both are as fast as
memory: that ratio is told too, beside that of copying 28 numbers.
Blocks of 4,096 points stay in the cache of a core, and every core is a device of its own.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.runner import Experiment, main
from experiments.speed.functions import (
    BLOCK,
    CLOSED,
    RANGES,
    all_devices,
    closed_form,
    compiler_options,
    consumed,
    drawn_inputs,
    function_of,
    medians,
    predictor,
    programs_of_predictor,
)
from experiments.speed.sweeps import CORES, KEPT, drawn_axes, grid_axes, kept_outputs, swept_apart
from experiments.tables import Column, Table


def _speed(
    chunks: Sequence[int], calls: int, programs: dict[str, ll.Program]
) -> list[dict[str, Any]]:
    """Points a second of each function, over sizes of a chunk."""
    mesh, rows = all_devices(), []
    apart = NamedSharding(mesh, PartitionSpec("devices"))
    outputs, gradient = (function_of(programs[it]) for it in ("outputs", "gradient"))
    count = len(programs["outputs"].outputs)
    predicted = predictor()
    for chunk in chunks:
        inputs = [jnp.asarray(it) for it in drawn_inputs(chunk, 0)]
        shared = [jax.device_put(it, apart) for it in inputs]
        block = max(1, min(BLOCK, chunk // mesh.size))
        seconds = medians(
            {
                "closed_form": (jax.jit(jax.vmap(closed_form)), inputs[:CLOSED]),
                "closed_form_consumed": (
                    consumed(lambda *it: [closed_form(*it)], mesh, block),
                    shared[:CLOSED],
                ),
                "outputs": (consumed(outputs, mesh, block), shared),
                "outputs_written": (jax.jit(outputs, compiler_options=compiler_options()), inputs),
                "copied": (jax.jit(lambda x: [x * (k + 2) for k in range(count)]), inputs[:1]),
                "gradient": (consumed(gradient, mesh, block), shared),
                "as_traced": (
                    jax.jit(jax.vmap(lambda *it: jax.tree.leaves(predicted(*it)))),
                    inputs,
                ),
            },
            calls,
        )
        rows.append({"chunk": chunk, **{name: chunk / it for name, it in seconds.items()}})
        print(f"chunks of {chunk:,} done", file=sys.stderr)
    return rows


_KINK = 1e-4
"""Elasticities that differ by more on the two sides of a point are those of two sides of a kink."""


def _precision(drawn: int, programs: dict[str, ll.Program]) -> dict[str, Any]:
    """Largest differences of single from double precision, over random points.

    Whether something fits, what is slowest, and elasticities at a kink turn over at ties; those are
    counted.
    """
    outputs, slopes = (jax.jit(function_of(programs[it])) for it in ("outputs", "slopes"))
    worst = {"outputs": 0.0, "elasticities": 0.0, "turned": 0, "kinks": 0}
    part = 1 << 16
    for first in range(0, drawn, part):
        # A point is the same in both, as single precision holds its inputs exactly.
        inputs = drawn_inputs(min(part, drawn - first), first + 1)
        single = [np.asarray(it, np.float32) for it in inputs]
        double = [it.astype(float) for it in single]
        off, turned = _off(outputs(*single), outputs(*double), len(single[0]))
        gap, kinks = _gap(slopes, single, double)
        worst["outputs"] = max(worst["outputs"], off)
        worst["elasticities"] = max(worst["elasticities"], gap)
        worst["turned"] += turned
        worst["kinks"] += kinks
    return {**worst, "points": drawn}


def _off(single: Sequence[Any], double: Sequence[Any], points: int) -> tuple[float, int]:
    """The largest relative difference of an output, and at how many points a choice turned over."""
    worst, turned = 0.0, np.zeros(points, bool)
    for one, two in zip(single, double, strict=True):
        exact = np.asarray(two, float)
        apart = np.abs(np.asarray(one, float) - exact)
        if np.isin(exact, (0.0, 1.0, 2.0, 3.0)).all():
            turned |= apart > 0
        else:
            worst = max(worst, float(np.max(apart / np.where(exact == 0, 1.0, np.abs(exact)))))
    return worst, int(turned.sum())


def _gap(slopes: Any, single: list[np.ndarray], double: list[np.ndarray]) -> tuple[float, int]:
    """The largest difference of an elasticity, and the number of points at a kink."""

    def elasticities(inputs: list[np.ndarray]) -> np.ndarray:
        pairs = zip(slopes(*inputs), inputs, strict=True)
        return np.stack([np.broadcast_to(np.asarray(s * x, float), x.shape) for s, x in pairs])

    sides = []
    for step in (1 - 1e-5, 1 + 1e-5):
        # Every other input goes the other way, so that no quotient of two stays as it was.
        moved = [it * step ** (-1) ** n if n > 2 else it for n, it in enumerate(double)]
        sides.append(elasticities(moved))
    kinks = np.max(np.abs(sides[0] - sides[1]), axis=0) > _KINK
    gaps = np.max(np.abs(elasticities(single) - elasticities(double)), axis=0)
    return float(np.max(gaps[~kinks], initial=0.0)), int(kinks.sum())


def _sweeps(few: int, many: int, reduced: int) -> dict[str, Any]:
    """Whole sweeps: reduced, kept, small and large."""
    best = ["--maximise", "utps", "--maximise", "stps"]
    draws = [*drawn_axes(), "--sample", "sobol"]
    small = swept_apart([*draws, "--points", str(few), *best])
    large = swept_apart([*draws, "--points", str(many), *best])
    print("memory done", file=sys.stderr)
    return {"few": small, "many": large, "grid": swept_apart([*grid_axes(reduced), *best])}


def _kept(kept: int, turns: int) -> list[dict[str, Any]]:
    """A sweep that keeps everything, and the disk alone, in turn: of each the middle one."""
    swept, written = [], []
    for _ in range(turns):
        swept.append(swept_apart([*grid_axes(kept), *kept_outputs()]))
        written.append(_disk(kept))
    print("keeping done", file=sys.stderr)
    return [sorted(it, key=lambda one: one["seconds"])[turns // 2] for it in (swept, written)]


def _disk(kept: int) -> dict[str, float]:
    """Bytes a second that reach the disk, raw, in pieces such as a sweep writes."""
    piece = np.random.default_rng(0).bytes(1 << 25)
    total = kept * (8 * (len(KEPT) - 1) + 1)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        path = Path(scratch) / "raw"
        start = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            for _ in range(max(1, total // len(piece))):
                file.write(piece)
            os.fdatasync(file.fileno())
        seconds = time.perf_counter() - start
    written = max(1, total // len(piece)) * len(piece)
    return {"bytes": written, "seconds": seconds, "row": 8 * (len(KEPT) - 1) + 1}


def _scaling(devices: Sequence[int], processes: Sequence[int], scaled: int) -> list[dict[str, Any]]:
    """Points a second over devices and processes: the same work, and work that grows with them."""
    best = ["--sample", "sobol", "--maximise", "utps"]
    rows = []
    for ranks, each in product(processes, devices):
        if ranks > 1 and each > 2:
            continue
        for kind, points in (("strong", scaled), ("weak", scaled * each * ranks // 4)):
            words = [*drawn_axes(), *best, "--points", str(max(points, 1))]
            found = swept_apart(words, each, ranks)
            rows.append({"kind": kind, "devices": each, "processes": ranks, **found})
    print("scaling done", file=sys.stderr)
    return rows


def _roofline(programs: dict[str, ll.Program], rate: float) -> dict[str, Any]:
    """What a point takes, and what the machine can do."""
    mesh = all_devices()
    operations = {name: dict(it.operations) for name, it in programs.items()}
    chain = 256

    def multiplied(x: Any) -> list[Any]:
        for _ in range(chain // 2):
            x = x * 1.0000001 + 1e-9
        return [x]

    count = BLOCK * mesh.size * 16
    data = jax.device_put(np.ones(count), NamedSharding(mesh, PartitionSpec("devices")))
    large = jnp.ones(1 << 24)
    seconds = medians(
        {
            "arithmetic": (consumed(multiplied, mesh, BLOCK), [data]),
            "memory": (jax.jit(lambda x: x + 1.0), [large]),
        },
        10,
    )
    flops = count * chain / seconds["arithmetic"]
    bandwidth = 16 * large.size / seconds["memory"]
    done = sum(operations["outputs"].values())
    return {
        "operations": operations,
        "bytes_read": 8 * len(RANGES),
        "arithmetic_peak": flops,
        "memory_peak": bandwidth,
        "arithmetic_share": done * rate / flops,
        "memory_share": 8 * len(RANGES) * rate / bandwidth,
    }


def run(
    chunks: tuple[int, ...] = (16384, 65536, 262144, 1048576),
    chunk: int = 65536,
    calls: int = 15,
    drawn: int = 10_000_000,
    kept: int = 200_000_000,
    turns: int = 5,
    reduced: int = 1_000_000_000,
    few: int = 1_000_000,
    many: int = 1_000_000_000,
    devices: tuple[int, ...] = (1, 2, 4, 8),
    scaled: int = 20_000_000,
    processes: tuple[int, ...] = (1, 2),
) -> dict[str, Any]:
    """Time every program on every grid.

    Args:
        chunks: Points evaluated in one call.
        chunk: The one of them that the summary is about.
        calls: How often each function is called.
        drawn: Points at which single precision is compared with double.
        kept: Points of a sweep that keeps everything.
        turns: How often it, and the disk alone, are measured.
        reduced: Points of a sweep that reduces.
        few: Points of the smaller sweep whose memory is measured.
        many: Points of the larger one.
        devices: Virtual devices among which work is shared.
        scaled: Points shared among them.
        processes: Processes among which work is shared.
    """
    programs = programs_of_predictor()
    predicted = predictor()
    traced = jax.make_jaxpr(lambda *it: jax.tree.leaves(predicted(*it)))(*[1.0] * len(RANGES))
    speed = _speed(chunks, calls, programs)
    outputs = next(it["outputs"] for it in speed if it["chunk"] == chunk)
    swept, disk = _kept(kept, turns)
    return {
        "chunk": chunk,
        "cores": CORES,
        "devices": jax.device_count(),
        "load": list(os.getloadavg()),
        "traced": len(traced.eqns),
        "speed": speed,
        "roofline": _roofline(programs, outputs),
        "precision": _precision(drawn, programs),
        "sweeps": {**_sweeps(few, many, reduced), "kept": swept},
        "disk": disk,
        "scaling": _scaling(devices, processes, scaled),
    }


NAMES = {
    "closed_form": "ten lines, written",
    "closed_form_consumed": "ten lines, consumed",
    "outputs": "model, 28 outputs, consumed",
    "gradient": "value and 12 slopes, consumed",
    "outputs_written": "model, 28 outputs, written",
    "copied": "28 copies, written",
    "as_traced": "model as traced, written",
}
"""The functions whose rates are measured."""

RATIOS = {
    "ratio to the ten lines": ("closed_form", "outputs"),
    "  both consumed": ("closed_form_consumed", "outputs"),
    "  both written": ("closed_form", "outputs_written"),
    "  28 copies, written": ("closed_form", "copied"),
}


def _rate(run: Record) -> float:
    return run["points"] / run["seconds"]


def summary(results: Record) -> dict[str, Any]:
    """The six figures, and what else was promised."""
    rates = next(it for it in results["speed"] if it["chunk"] == results["chunk"])
    sweeps, disk = results["sweeps"], results["disk"]
    # Points a second that the disk takes, of those that are kept.
    raw = disk["bytes"] / disk["seconds"] / disk["row"]
    return {
        "closed_form_ratio": rates["closed_form"] / rates["outputs"],
        "gradient_ratio": rates["outputs"] / rates["gradient"],
        "disk_ratio": _rate(sweeps["kept"]) / min(rates["outputs"], raw),
        "memory_ratio": sweeps["many"]["memory"] / sweeps["few"]["memory"],
        "float32_error": results["precision"]["outputs"],
        "points_per_second": _rate(sweeps["grid"]),
    }


def _speeds(results: Record) -> RenderableType:
    """Rates by points a call, and ratios of them."""
    rows = {
        words: [f"{it[name] / 1e6:.1f}" for it in results["speed"]] for name, words in NAMES.items()
    }
    rows |= {
        words: [f"{it[above] / it[below]:.1f}" for it in results["speed"]]
        for words, (above, below) in RATIOS.items()
    }
    columns = [
        Column(f"{it['chunk']:,}", lambda row, at=at: row[at])
        for at, it in enumerate(results["speed"])
    ]
    return Table("million points/s, by points a call", columns).of(rows)


def _million(label: str) -> Column:
    return Column(label, lambda it: _rate(it) / 1e6, "{:.1f}")


SWEEPS = Table(
    "whole sweeps",
    [
        Column("points", "points", "{:,}"),
        Column("s", "seconds", "{:.1f}"),
        _million("million/s"),
        Column("peak memory", lambda it: it["memory"] / 2**20, "{:.0f} MiB"),
        Column("of what is possible", "possible"),
    ],
)

SCALING = Table(
    "scaling",
    [
        Column("processes", "processes"),
        Column("devices each", "devices"),
        Column("points", "points", "{:,}"),
        _million("million/s"),
    ],
)


def _whole(results: Record) -> list[tuple[str, Record]]:
    """Whole sweeps, and the share of what their function or the disk allow."""
    words = {"few": "Sobol", "many": "Sobol", "grid": "grid", "kept": "grid, kept"}
    rates = next(it for it in results["speed"] if it["chunk"] == results["chunk"])
    possible = {
        "many": _rate(results["sweeps"]["many"]) / rates["outputs"],
        "kept": summary(results)["disk_ratio"],
    }
    return [
        (words[name], {**run, "possible": f"{possible[name]:.0%}" if name in possible else ""})
        for name, run in results["sweeps"].items()
    ]


def report(results: Record) -> list[RenderableType]:
    """Rates, sweeps, scaling, and the rest in words."""
    roofline, precision = results["roofline"], results["precision"]
    operations = {name: sum(it.values()) for name, it in roofline["operations"].items()}
    return [
        f"{results['cores']} cores, {results['devices']} devices; "
        f"load average {results['load'][0]:.1f} at the end of the first part",
        _speeds(results),
        f"{results['traced']:,} equations traced; {operations['outputs']} operations a point are"
        f" left for all outputs, {operations['gradient']} for value and slopes.",
        f"{roofline['arithmetic_share']:.0%} of the arithmetic that these cores reach"
        f" ({roofline['arithmetic_peak'] / 1e9:.1f} GFLOP/s), {roofline['memory_share']:.0%} of"
        f" their memory bandwidth ({roofline['memory_peak'] / 1e9:.1f} GB/s).",
        f"Single precision: {precision['outputs']:.1e} off in the outputs,"
        f" {precision['elasticities']:.1e} in elasticities, of"
        f" {precision['points']:,} points; at {precision['turned']:,} a choice turned over, and"
        f" {precision['kinks']:,} lie at a kink.",
        SWEEPS.of(_whole(results)),
        SCALING.of([(it["kind"], it) for it in results["scaling"]]),
    ]


def plot(results: Record) -> draw.Figure:
    """Rates over the size of a call, and over devices."""
    figure, ((left, right),) = draw.sheet(1, 2, (11.0, 3.8), width=0.87)
    by_chunk = {
        words: ([it["chunk"] for it in results["speed"]], [it[name] for it in results["speed"]])
        for name, words in NAMES.items()
        if name not in ("closed_form_consumed", "copied")
    }
    by_devices: dict[str, tuple[list[int], list[float]]] = {}
    for it in results["scaling"]:
        name = f"{it['kind']}, {it['processes']} process{'es' if it['processes'] > 1 else ''}"
        devices, rates = by_devices.setdefault(name, ([], []))
        devices.append(it["devices"])
        rates.append(_rate(it))
    shades = {**draw.colours(by_chunk), **draw.colours(by_devices)}
    title = f"sweeps on {results['cores']} cores"
    ends = [
        (left, draw.lines(left, by_chunk, shades, mark="o", title="functions")),
        (right, draw.lines(right, by_devices, shades, mark="o", title=title)),
    ]
    left.set(xscale="log", yscale="log", xlabel="points a call", ylabel="points a second")
    right.set(xscale="log", xlabel="virtual devices of a process", ylabel="points a second")
    right.set_ylim(bottom=0)
    draw.name_lines(figure, ends, shades)
    return figure


SMOKE = {
    "chunks": (8192,),
    "chunk": 8192,
    "calls": 3,
    "drawn": 4096,
    "kept": 20_000,
    "turns": 1,
    "reduced": 20_000,
    "few": 1 << 20,
    "many": 1 << 22,
    "devices": (1,),
    "scaled": 4096,
    "processes": (1,),
}
EXPERIMENT = Experiment("sweep_speed", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    # Every core is a device; where JAX has begun already it keeps those that it has.
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", CORES)
    sys.exit(main(EXPERIMENT))
