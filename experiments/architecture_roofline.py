"""What does one decode step read, compute and keep, by the architecture of the model?

The claims, as published: decode waits for bandwidth, and the tensor units are far from their limit
at low batch (Sankaralingam, IET REACH, 2025). They were made for models of 2024, most of which read
the whole past in every layer; hybrids and sparse models read less of it.

Each bundled model decodes one token for 1 and for 32 users, at three contexts, whatever context it
was trained for. Weights, cache and index take 8 bits an element, recurrent states 32. Bytes are
split into weights that every token uses, routed experts, KV cache, index of a sparse attention and
recurrent state; FLOP into those of tensor and of vector units. Tensor FLOP over bytes is the
operational intensity; the ridge of a chip is its 8-bit tensor rate over its memory bandwidth.
Models of one architecture share a row. Routing is balanced.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.nested import column, first_of
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

PRECISION = 8  # bits of a weight and of a cached element
SYSTEMS = ("h200", "b200", "xpu-hbm4")  # chips whose ridge is shown
CONTEXTS = (4 * 1024, 128 * 1024, 1024 * 1024)  # [tokens]
BATCHES = (1, 32)  # users of a step

KINDS = {
    "weights": ("weights", "C0"),
    "experts": ("routed experts", "C5"),
    "cache": ("KV cache", "C1"),
    "index": ("index", "C3"),
    "state": ("state", "C2"),
}
"""What a step reads and writes: its name and its colour."""


def _architectures(names: Sequence[str]) -> dict[str, list[str]]:
    """Names of each architecture, under the first of them.

    It is everything about a model but its name, its source and the context that it states.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        spec = ll.load_model_spec(name)
        groups.setdefault(
            spec.model_dump_json(exclude={"name", "source", "stated_context"}), []
        ).append(name)
    return {twins[0]: twins for twins in groups.values()}


def _request(context: Any) -> ll.Request:
    return ll.Request(context, weight_bits=PRECISION, kv_bits=PRECISION)


def _step(model: ll.Model, context: jax.Array, batch: jax.Array) -> dict[str, jax.Array]:
    """Bytes and FLOP of one step, divided by its tokens."""
    request = _request(context)
    first, *others = [
        *ll.layer_operators(model, request, batch, ll.Exact()),
        *ll.table_operators(model, request, batch),
    ]
    whole = sum(others, start=first)
    parts = {kind: getattr(whole, kind) for kind in KINDS}
    parts |= {"tensor": whole.matrix + whole.core, "scalar": whole.scalar}
    return {name: amount / batch for name, amount in parts.items()}


def _kept(model: ll.Model, context: int) -> dict[str, float]:
    """What a user's past takes in memory [B]."""
    laws = (ll.Mapping(), jnp.ones(()), ll.Assumptions())
    held = ll.memory_footprint(model, _request(context), *laws)
    return {kind: float(getattr(held, kind)) for kind in ("cache", "index", "state")}


def _chip(name: str) -> dict[str, float | None]:
    """Ridge [FLOP/B], rates [FLOP/s] and bandwidth [B/s]; no vector rate where none is known."""
    chip = ll.load_system(name).chip
    tensor, bandwidth = float(chip.tensor.at(PRECISION)), float(chip.memory.bandwidth)
    vector = float(chip.vector)
    return {
        "ridge": tensor / bandwidth,
        "tensor": tensor,
        "bandwidth": bandwidth,
        "vector": vector if math.isfinite(vector) else None,
    }


def _against(cell: Mapping[str, float], chip: Record) -> dict[str, float]:
    """A step on a chip: its intensity over the ridge, and time of all arithmetic over memory's."""
    scalar = 0.0 if chip["vector"] is None else cell["scalar"] / chip["vector"]
    arithmetic = cell["tensor"] / chip["tensor"] + scalar
    return {
        "ridge": cell["intensity"] / chip["ridge"],
        "time": arithmetic * chip["bandwidth"] / cell["bytes"],
    }


def _row(name: str, chips: Mapping[str, Record]) -> Record:
    model = ll.load_model(name)
    batches, contexts = zip(*product(BATCHES, CONTEXTS), strict=True)
    axes = (jnp.asarray(axis, float) for axis in (contexts, batches))
    steps = jax.vmap(partial(_step, model))(*axes)
    cells: list[dict[str, Any]] = []
    for place, (context, batch) in enumerate(zip(contexts, batches, strict=True)):
        cell = {kind: float(values[place]) for kind, values in steps.items()}
        cell["bytes"] = sum(cell[kind] for kind in KINDS)
        cell["intensity"] = cell["tensor"] / cell["bytes"]
        against = {system: _against(cell, chip) for system, chip in chips.items()}
        cells.append({"context": context, "batch": batch, **cell, "against": against})
    return {"cells": cells, "kept": [_kept(model, context) for context in CONTEXTS]}


def run(models: tuple[str, ...] = tuple(ll.model_names())) -> dict[str, Any]:
    """Every step of some models, per token, and what each keeps for a user."""
    chips = {name: _chip(name) for name in SYSTEMS}
    groups = _architectures(models)
    return {
        "contexts": CONTEXTS,
        "batches": BATCHES,
        "chips": chips,
        "rows": {name: {"models": twins, **_row(name, chips)} for name, twins in groups.items()},
    }


def _short(value: float) -> str:
    """A number in three digits or so; a dash for nothing at all.

    Examples:
        >>> _short(0), _short(0.01234), _short(1.5), _short(2474.2)
        ('-', '0.012', '1.5', '2,474')
    """
    if value == 0:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def _steps(results: Record) -> dict[str, dict[str, Record]]:
    """Cells of the models, by context and batch in words."""
    rows = results["rows"]
    return {
        f"{draw.tokens(it['context'])}, batch {it['batch']}": column(rows, "cells", place)
        for place, it in enumerate(first_of(rows)["cells"])
    }


def _below(results: Record, system: str) -> list[bool]:
    """Whether each step is below the ridge of a chip."""
    cells = [cell for row in results["rows"].values() for cell in row["cells"]]
    return [cell["against"][system]["ridge"] < 1 for cell in cells]


def summary(results: Record) -> dict[str, Any]:
    """Models, architectures, steps, and the steps below each chip's ridge."""
    rows = results["rows"].values()
    return {
        "models": sum(len(row["models"]) for row in rows),
        "architectures": len(rows),
        "steps": sum(len(row["cells"]) for row in rows),
        "below_ridge": {name: sum(_below(results, name)) for name in results["chips"]},
    }


def _giga(label: str, kind: str, unit: str = "GB") -> Column:
    return Column(label, kind, lambda amount: _short(amount / 1e9), unit)


STEP = Table(
    "model",
    [
        _giga("all", "bytes"),
        *(_giga("KV" if kind == "cache" else kind, kind) for kind in KINDS),
        *(_giga(kind, kind, "GFLOP") for kind in ("tensor", "scalar")),
        Column("tensor", "intensity", _short, "FLOP/B"),
    ],
)


def _ridge_table(results: Record, system: str) -> Table:
    return Table(
        "model",
        [
            Column(
                place.replace(", ", "\n"),
                lambda row, at=at: row["cells"][at]["against"][system]["ridge"],
                "{:.1%}",
            )
            for at, place in enumerate(_steps(results))
        ],
    )


def _kept_table(results: Record) -> Table:
    def kept(label: str, kind: str, at: int) -> Column:
        return Column(label, lambda row: row["kept"][at][kind] / 1e6, _short)

    contexts = [draw.tokens(context) for context in results["contexts"]]
    columns = [
        kept(f"{label}\n{context}", kind, at)
        for at, context in enumerate(contexts)
        for label, kind in (("KV", "cache"), ("index", "index"))
    ]
    return Table("model", [*columns, kept("state\nany", "state", 0)])


def _findings(results: Record) -> Iterator[str]:
    rows = results["rows"]
    for place, cells in _steps(results).items():
        past = {
            name: (it["cache"] + it["index"] + it["state"]) / it["bytes"]
            for name, it in cells.items()
        }
        mostly = sum(share < 0.5 for share in past.values())
        ordered = sorted(past, key=past.__getitem__)
        low, high = (f"{past[it]:.1%} ({it})" for it in (ordered[0], ordered[-1]))
        yield (
            f"{place}: weights and experts are most of the bytes of"
            f" {mostly} of {len(rows)} architectures; cache, index and state are {low} to {high}."
        )
    for system, chip in results["chips"].items():
        below = _below(results, system)
        yield (
            f"{system}: {sum(below)} of {len(below)} steps are below its ridge of"
            f" {chip['ridge']:.0f} FLOP/B; {_nearest(results, system)}."
        )
    for row in rows.values():
        if len(row["models"]) > 1:
            yield f"One architecture: {', '.join(row['models'])}."
    for system, chip in results["chips"].items():
        if chip["vector"] is None:
            yield f"The vector rate of {system} is not published: its scalar work is left out."


def _nearest(results: Record, system: str) -> str:
    cells = [
        (cell["against"][system], name, cell)
        for name, row in results["rows"].items()
        for cell in row["cells"]
    ]
    ratio, name, cell = max(cells, key=lambda it: it[0]["ridge"])
    where = f"{name} at {draw.tokens(cell['context'])}, batch {cell['batch']}"
    return (
        f"highest is {where}, at {ratio['ridge']:.0%} of it, where arithmetic with that of the"
        f" vector units takes {ratio['time']:.2f} of the time of memory"
    )


def report(results: Record) -> list[RenderableType]:
    """A table for each context and batch, one of what is kept, and what they show."""
    parts: list[RenderableType] = []
    for place, rows in _steps(results).items():
        parts += STEP.each("Per token at {group}", {place.replace(",", " of context,"): rows})
    for system, chip in results["chips"].items():
        parts.append(f"Intensity over the ridge of {system}, {chip['ridge']:.0f} FLOP/B at 8 bits")
        parts.append(_ridge_table(results, system).of(results["rows"]))
    parts += ["Kept for one user [MB], by context", _kept_table(results).of(results["rows"])]
    return [*parts, *_findings(results)]


def plot(results: Record) -> draw.Figure:
    """Bytes of one token by kind: their shares as bars, their sum beside the bar."""
    rows, steps = results["rows"], _steps(results)
    names = [" =\n".join(row["models"]) for row in rows.values()]
    size = (15, 1.6 + 0.21 * sum(len(row["models"]) for row in rows.values()) + 0.05 * len(rows))
    figure, (panels,) = draw.sheet(1, len(steps), size, sharey=True)
    styles = {label: {"color": shade, "height": 0.78} for label, shade in KINDS.values()}
    for axes, (place, cells) in zip(panels, steps.items(), strict=True):
        for at, cell in enumerate(cells.values()):
            parts = {label: 100 * cell[it] / cell["bytes"] for it, (label, _) in KINDS.items()}
            draw.bar(axes, at, parts, styles)
            axes.text(101.5, at, f"{_short(cell['bytes'] / 1e9)} GB", va="center", fontsize=7)
        axes.set(xlim=(0, 122), xticks=[0, 25, 50, 75, 100], title=place)
        axes.set_xlabel("share of bytes [%]")
        axes.grid(visible=False, axis="y")
    draw.name_rows(panels[0], names, fontsize=7, linespacing=0.9)
    figure.suptitle(
        "What one token reads and writes, 8-bit weights and cache, 32-bit states; its bytes at the"
        " right of each bar"
    )
    patches = {label: {"color": shade, "linewidth": 6} for label, shade in KINDS.values()}
    draw.legend(figure, patches, loc="outside lower center", ncols=len(KINDS))
    return figure


SMOKE = {"models": ("llama-3-70b", "llama-3.3-70b", "qwen3.5-27b", "deepseek-v3.2")}
EXPERIMENT = Experiment("architecture_roofline", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
