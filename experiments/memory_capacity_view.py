"""How the results of `memory_capacity` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

from experiments import claims
from experiments.drawing import name_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GIB = 2.0**30
"""Bytes of a GiB."""

STYLES = ("-", "--")
"""Of lines: the second goes with the colours when they come round again."""


def _columns(results: Mapping[str, Any]) -> list[str]:
    return [
        f"{context // 1024}K, {users} user{'s' if users > 1 else ''}"
        for context, users in zip(results["contexts"], results["users"], strict=True)
    ]


def _counted(results: Mapping[str, Any]) -> dict[str, int]:
    """Cells computed, and cells that match."""
    matched = [match for row in results["rows"].values() for match in row["matched"]]
    return {"cells": len(matched), "matched": sum(matched)}


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Cells computed, cells that match, and every verdict."""
    return {**_counted(results), **claims.summary(results)}


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table beside the printed one, the paper's example, and the verdicts."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("model", no_wrap=True)
    for column in _columns(results):
        table.add_column(column.replace(", ", "\n"), justify="right")
        table.add_column("\nprinted", justify="right")
    table.add_column("KV = weights\nat 128K, users", justify="right")
    for name, row in results["rows"].items():
        cells = []
        for total, printed, matched in zip(
            row["total"], row["printed"], row["matched"], strict=True
        ):
            cells += [f"{total / GIB:,.1f}", printed if matched else f"{printed} *"]
        table.add_row(name, *cells, f"{row['even_at_talk']:,.1f}")
    counted, example = _counted(results), results["example"]
    return [
        "Memory held [GiB]: computed, and as printed (* off by more than rounding)",
        table,
        f"{counted['matched']} of {counted['cells']} cells are the computed number, rounded.",
        f"Source: {results['source']}.",
        f"Apart, {example['model']} with {example['parameters']:.4g} parameters,"
        f" {example['users']} users at {example['context']:,} tokens:"
        f" {example['total'] / GIB:.1f} GiB computed, {example['printed']} printed"
        f" ({example['source']}).\n",
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


def _even(axes: "Axes", results: Mapping[str, Any]) -> dict[str, str]:
    """Users at whom cache and weights are equal, over the context; the colours of the models."""
    contexts = [it / 1024 for it in results["even_contexts"]]
    colours = {}
    for place, (name, row) in enumerate(results["rows"].items()):
        colours[name] = f"C{place % 8}"
        axes.plot(contexts, row["even"], color=colours[name], linestyle=STYLES[place // 8])
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(contexts[0], contexts[-1]),
        xlabel="context of each user [1024 tokens]",
        ylabel="users",
        title="Where KV cache and weights are equal",
    )
    axes.set_xticks([1, 4, 16, 64, 128, 1024], ["1", "4", "16", "64", "128", "1024"])
    axes.minorticks_off()
    for context, users in zip(results["contexts"], results["users"], strict=True):
        axes.plot(context / 1024, users, "s", color="0.35", markersize=4, zorder=3)
    axes.text(0.97, 0.95, "above a line: more cache", transform=axes.transAxes, ha="right")
    axes.text(0.03, 0.04, "below: more weights", transform=axes.transAxes)
    return colours


def plot(results: Mapping[str, Any]) -> "Figure":
    """Weights and cache of each model in the four columns, and where they are equal."""
    from matplotlib.figure import Figure

    names = list(results["rows"])
    figure = Figure(figsize=(11, 4.6 + 0.3 * len(names)))
    panels = figure.subplot_mosaic("0123;eeee", height_ratios=[1.4 + 0.3 * len(names), 3.4])
    for column in range(len(results["users"])):
        axes = panels[str(column)]
        _panel(axes, results, column)
        axes.set_yticks(range(len(names)), names if column == 0 else [])
        axes.set_ylim(len(names), -1)
    _name_the_parts(panels["3"], results)
    figure.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    colours = _even(panels["e"], results)
    figure.suptitle(
        "Memory held by weights and KV cache, 8 bits each; printed value marked (squares below:"
        " the four columns)"
    )
    figure.draw_without_rendering()
    contexts = results["even_contexts"]
    ends = {n: (contexts[-1] / 1024, row["even"][-1]) for n, row in results["rows"].items()}
    name_ends(panels["e"], ends, colours)
    return figure
