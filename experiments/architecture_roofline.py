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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.architecture_roofline_view import plot, report, summary
from experiments.runner import Experiment, main

PRECISION = 8
"""Bits of a weight and of a cached element."""

SYSTEMS = ("h200", "b200", "xpu-hbm4")
"""Chips whose ridge is shown."""

CONTEXTS = (4 * 1024, 128 * 1024, 1024 * 1024)
"""Contexts [tokens]."""

BATCHES = (1, 32)
"""Users of a step."""


@dataclass(frozen=True)
class Config:
    """Which models are counted, by their bundled names."""

    models: tuple[str, ...]


def _architectures(names: Sequence[str]) -> dict[str, list[str]]:
    """Names of each architecture, under the first of them."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_architecture(name), []).append(name)
    return {twins[0]: twins for twins in groups.values()}


def _architecture(name: str) -> str:
    """Everything about a model but its name, its source and the context that it states."""
    return ll.load_model_spec(name).model_dump_json(exclude={"name", "source", "stated_context"})


def _step(model: ll.Model, context: jax.Array, batch: jax.Array) -> dict[str, jax.Array]:
    """Bytes and FLOP of one step, divided by its tokens."""
    request = ll.Request(context, weight_bits=PRECISION, kv_bits=PRECISION)
    first, *others = [
        *ll.layer_operators(model, request, batch, ll.Exact()),
        *ll.table_operators(model, request, batch),
    ]
    whole = sum(others, start=first)
    return {
        "weights": whole.weights / batch,
        "experts": whole.experts / batch,
        "cache": whole.cache / batch,
        "index": whole.index / batch,
        "state": whole.state / batch,
        "tensor": (whole.matrix + whole.core) / batch,
        "scalar": whole.scalar / batch,
    }


def _kept(model: ll.Model, context: int) -> dict[str, float]:
    """What a user's past takes in memory [B]."""
    request = ll.Request(context, weight_bits=PRECISION, kv_bits=PRECISION)
    held = ll.memory_footprint(model, request, ll.Mapping(), jnp.ones(()), ll.Assumptions())
    return {"cache": float(held.cache), "index": float(held.index), "state": float(held.state)}


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


def _against(cell: Mapping[str, float], chip: Mapping[str, Any]) -> dict[str, float]:
    """A step on a chip: its intensity over the ridge, and time of all arithmetic over memory's."""
    scalar = 0.0 if chip["vector"] is None else cell["scalar"] / chip["vector"]
    arithmetic = cell["tensor"] / chip["tensor"] + scalar
    return {
        "ridge": cell["intensity"] / chip["ridge"],
        "time": arithmetic * chip["bandwidth"] / cell["bytes"],
    }


def _row(name: str, chips: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    model = ll.load_model(name)
    places = [(context, batch) for batch in BATCHES for context in CONTEXTS]
    contexts, batches = (jnp.asarray(axis, float) for axis in zip(*places, strict=True))
    steps = jax.vmap(lambda context, batch: _step(model, context, batch))(contexts, batches)
    columns = {name: values.tolist() for name, values in steps.items()}
    cells = []
    for place, (context, batch) in enumerate(places):
        cell = {name: values[place] for name, values in columns.items()}
        cell["bytes"] = sum(
            cell[kind] for kind in ("weights", "experts", "cache", "index", "state")
        )
        cell["intensity"] = cell["tensor"] / cell["bytes"]
        against = {system: _against(cell, chip) for system, chip in chips.items()}
        cells.append({"context": context, "batch": batch, **cell, "against": against})
    return {"cells": cells, "kept": [_kept(model, context) for context in CONTEXTS]}


def run(config: Config) -> dict[str, Any]:
    """Every step, per token, and what each model keeps for a user."""
    chips = {name: _chip(name) for name in SYSTEMS}
    groups = _architectures(config.models)
    return {
        "contexts": CONTEXTS,
        "batches": BATCHES,
        "chips": chips,
        "rows": {name: {"models": twins, **_row(name, chips)} for name, twins in groups.items()},
    }


EXPERIMENT = Experiment(
    name="architecture_roofline",
    question=__doc__,
    full=Config(models=tuple(ll.model_names())),
    smoke=Config(models=("llama-3-70b", "llama-3.3-70b", "qwen3.5-27b", "deepseek-v3.2")),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
