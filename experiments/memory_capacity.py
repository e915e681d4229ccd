"""How much memory does decode need?

The claim, as published: inference needs at least 100 GB of memory; 32 users at 128K tokens need
482 GB at least for large models, and up to 1.1 TB and more (Sankaralingam, IET REACH, 2025).

Every cell of the talk's table is predicted from the bundled model files in the talk's accounting
(transformer layers only, the full context in every layer, 8 bits for weights and cache). A cell
matches if it may be the predicted number rounded: three cells are exact halves. The paper's
example of 881 GiB, which counts the parameters in the model's name, stands apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from rich import box
from rich.console import RenderableType
from rich.table import Table

import liminal_jax as ll
from experiments.published import load_published, matches_rounded
from experiments.runner import Experiment, main

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GIB = 2.0**30
"""Bytes of a GiB."""

SYSTEM = "xpu-hbm3"
"""On which chips the prediction is made; what is held does not depend on them."""


@dataclass(frozen=True)
class Config:
    """Which rows of the table are computed, by their printed names."""

    models: tuple[str, ...]


def _held(model: ll.Model, contexts: Sequence[int], users: Sequence[int]) -> dict[str, list[float]]:
    """What some users with some contexts hold, split into weights and cache [B]."""
    system = ll.load_system(SYSTEM)

    def prediction(context: jax.Array, batch: jax.Array) -> ll.Prediction:
        design = ll.Design(system, ll.Mapping(), ll.Placement(), batch)
        return ll.predict(design, model, ll.Request(context))

    cells = jax.jit(jax.vmap(prediction))(jnp.asarray(contexts), jnp.asarray(users))
    weights = cells.parameters_total  # one byte each
    return {
        "total": cells.memory_required.tolist(),
        "weights": weights.tolist(),
        "cache": (cells.memory_required - weights).tolist(),
    }


def _nominal(model: ll.Model, parameters: float) -> ll.Model:
    """A model in the talk's accounting, with the parameters in its name."""
    counted = ll.predict(
        ll.Design(ll.load_system(SYSTEM), ll.Mapping(), ll.Placement(), 1), model, ll.Request(1)
    ).parameters_total
    return ll.with_parameters(model, parameters, counted)


def run(config: Config) -> dict[str, Any]:
    """Every cell of the table, and the paper's example [B]."""
    published = load_published()
    table, paper = published.memory, published.paper_memory
    rows = {}
    for name in config.models:
        row = table.rows[name]
        held = _held(ll.talk_model(ll.load_model(row.model)), table.contexts, table.users)
        matched = [
            matches_rounded(total / GIB, printed)
            for total, printed in zip(held["total"], row.printed, strict=True)
        ]
        rows[name] = {**held, "printed": row.printed, "matched": matched}
    example = _held(
        _nominal(ll.talk_model(ll.load_model(paper.model)), paper.parameters),
        [paper.context],
        [paper.users],
    )["total"][0]
    return {
        "source": table.source,
        "contexts": table.contexts,
        "users": table.users,
        "rows": rows,
        "example": {
            **paper.model_dump(),
            "total": example,
            "matched": matches_rounded(example / GIB, paper.printed),
        },
    }


def _columns(results: Mapping[str, Any]) -> list[str]:
    return [
        f"{context // 1024}K, {users} user{'s' if users > 1 else ''}"
        for context, users in zip(results["contexts"], results["users"], strict=True)
    ]


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Cells computed, and cells that match."""
    matched = [match for row in results["rows"].values() for match in row["matched"]]
    return {"cells": len(matched), "matched": sum(matched)}


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table beside the printed one, and the paper's example."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    for column in _columns(results):
        table.add_column(column.replace(", ", "\n"), justify="right")
        table.add_column("\nprinted", justify="right")
    for name, row in results["rows"].items():
        cells = []
        for total, printed, matched in zip(
            row["total"], row["printed"], row["matched"], strict=True
        ):
            cells += [f"{total / GIB:,.1f}", printed if matched else f"{printed} *"]
        table.add_row(name, *cells)
    counted, example = summary(results), results["example"]
    return [
        "Memory held [GiB]: computed, and as printed (* off by more than rounding)",
        table,
        f"{counted['matched']} of {counted['cells']} cells are the computed number, rounded.",
        f"Source: {results['source']}.",
        f"Apart, {example['model']} with {example['parameters']:.4g} parameters,"
        f" {example['users']} users at {example['context']:,} tokens:"
        f" {example['total'] / GIB:.1f} GiB computed, {example['printed']} printed"
        f" ({example['source']}).",
    ]


def _panel(axes: "Axes", results: Mapping[str, Any], column: int) -> None:
    rows = results["rows"]
    for place, row in enumerate(rows.values()):
        weights, cache = row["weights"][column] / GIB, row["cache"][column] / GIB
        axes.barh(place, weights, color="C0", height=0.7)
        axes.barh(place, cache, left=weights, color="C5", height=0.7)
        printed = float(row["printed"][column])
        axes.plot([printed] * 2, [place - 0.45, place + 0.45], color="black")
        axes.text(printed + 25, place, row["printed"][column], va="center")
    axes.set_title(_columns(results)[column])
    axes.set_xlabel("memory held [GiB]")
    axes.set_xlim(0, 1650)
    axes.grid(visible=False, axis="y")


def _name_the_parts(axes: "Axes", results: Mapping[str, Any]) -> None:
    """Write into and above the last column's longest bar what its parts are."""
    rows = list(results["rows"].values())
    place = max(range(len(rows)), key=lambda index: rows[index]["total"][-1])
    row = rows[place]
    weights, cache = row["weights"][-1] / GIB, row["cache"][-1] / GIB
    axes.text(weights / 2, place, "weights", ha="center", va="center", color="white")
    axes.text(weights + cache / 2, place, "KV cache", ha="center", va="center")
    axes.annotate(
        "printed",
        (float(row["printed"][-1]), place + 0.45),
        xytext=(0, -14),
        textcoords="offset points",
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-", "linewidth": 0.6},
    )


def plot(results: Mapping[str, Any]) -> "Figure":
    """Weights and cache of each model in the four columns, the printed value marked."""
    from matplotlib.figure import Figure

    names = list(results["rows"])
    figure = Figure(figsize=(11, 1.4 + 0.3 * len(names)))
    panels = figure.subplots(1, len(results["users"]), sharey=True)
    for column, axes in enumerate(panels):
        _panel(axes, results, column)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    _name_the_parts(panels[-1], results)
    figure.suptitle("Memory held by weights and KV cache, 8 bits each; printed value marked")
    return figure


EXPERIMENT = Experiment(
    name="memory_capacity",
    question=__doc__,
    full=Config(models=tuple(load_published().memory.rows)),
    smoke=Config(models=("Llama3-8B", "Llama3-405B", "DeepSeekV3")),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
