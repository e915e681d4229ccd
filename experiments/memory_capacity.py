"""How much memory does decode need?

The claim, as published: inference needs at least 100 GB of memory; 32 users at 128K tokens need
482 GB at least for large models, and up to 1.1 TB and more (Sankaralingam, IET REACH, 2025).

Every cell of the talk's table is predicted from the bundled model files in the talk's accounting
(transformer layers only, the full context in every layer, 8 bits for weights and cache). A cell
matches if it may be the predicted number rounded: three cells are exact halves. The paper's
example of 881 GiB, which counts the parameters in the model's name, stands apart. A question
of ours beside the claim: where cache dominates and where weights do, over users and context.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from rich.console import RenderableType

import liminal_jax as ll
from experiments import claims
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record
from experiments.nested import column
from experiments.published import load_published, matches_rounded
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from experiments.talk_tables import LARGE, Counted, held

GIB = 2.0**30
MANY = 32  # users of whom the claim speaks
CONTEXTS = (1 << 10, 1 << 20)  # between which cache and weights are compared [tokens]


def _row(name: str, contexts: Sequence[int]) -> dict[str, Any]:
    """One model: the cells of the table, and where cache and weights are equal."""
    table = load_published().memory
    counted = Counted(ll.talk_model(ll.load_model(table.rows[name].model)))
    printed, cells = table.rows[name].printed, len(table.users)
    alone = [*contexts, talk.CONTEXT]
    whole = held(counted, [*table.contexts, *alone], [*table.users, *(1 for _ in alone)])
    # Users whose caches take as much as the weights.
    *even, at_talk = (
        weights / cache
        for weights, cache in zip(whole["weights"][cells:], whole["cache"][cells:], strict=True)
    )
    return {
        **{part: sizes[:cells] for part, sizes in whole.items()},
        "printed": printed,
        "matched": [
            matches_rounded(total / GIB, it)
            for total, it in zip(whole["total"][:cells], printed, strict=True)
        ],
        "even": even,
        "even_at_talk": at_talk,
    }


def _example() -> dict[str, Any]:
    """The paper's example [B], with the parameters in the model's name."""
    paper = load_published().paper_memory
    model = talk.with_nominal(paper.model, paper.parameters)
    total = held(Counted(model), [paper.context], [paper.users])["total"][0]
    matched = matches_rounded(total / GIB, paper.printed)
    return {**paper.model_dump(), "total": total, "matched": matched}


NEEDS = Claim(
    "inference needs 100 GB at least",
    lambda size: size >= 100,
    "{yes} of {count} models do for one user at 128K tokens, with 8 bits for weights and cache;"
    " with less: {others} GiB",
)
# Rounded as the slides print it, which is where the number is from.
HOLD_MANY = Claim(
    f"{MANY} users at 128K need 482 GB at least for large models",
    lambda size: round(size) >= 482,
    f"{{yes}} of {{count}} models of more than {LARGE / 1e9:.0f}e9 parameters do, up to {{most}}"
    " ({most_of}); with less: {others}",
    "{:,.0f} GiB",
)
DOMINATES = Claim(
    f"{MANY} users at 128K hold more cache than weights",
    lambda users: users < MANY,
    "{yes} of {count} models do, the first from {first:.1f} users ({least_of}); weights dominate"
    " until more users come for {others}",
    "(from {:.0f})",
)


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claims against the table."""
    alone = load_published().memory.users.index(1, 2)
    even = column(rows, "even_at_talk")
    sizes = {name: [it / GIB for it in row["total"]] for name, row in rows.items()}
    large = {name: sizes[name] for name, row in rows.items() if row["weights"][-1] >= LARGE}
    return [
        NEEDS.of(column(sizes, alone)),
        HOLD_MANY.of(column(large, -1)),
        DOMINATES.of(even, first=min(even.values())),
    ]


def run(
    models: tuple[str, ...] = tuple(load_published().memory.rows), points: int = 41
) -> dict[str, Any]:
    """Every cell of the table, the paper's example, and where cache and weights are equal.

    Models are rows by their printed names; points are contexts at which cache meets weights.
    """
    table = load_published().memory
    contexts = [round(it) for it in jnp.geomspace(*CONTEXTS, points).tolist()]
    rows = {name: _row(name, contexts) for name in models}
    return {
        "source": table.source,
        "contexts": table.contexts,
        "users": table.users,
        "even_contexts": contexts,
        "rows": rows,
        "example": _example(),
        "verdicts": verdicts(rows),
    }


def summary(results: Record) -> dict[str, Any]:
    """Cells computed, cells that match, and every verdict."""
    matched = [match for row in results["rows"].values() for match in row["matched"]]
    return {"cells": len(matched), "matched": sum(matched), **claims.summary(results)}


def _columns(results: Record) -> list[str]:
    return [
        f"{draw.tokens(context)}, {users} user{'s' if users > 1 else ''}"
        for context, users in zip(results["contexts"], results["users"], strict=True)
    ]


def report(results: Record) -> list[RenderableType]:
    """The table beside the printed one, and the paper's example."""
    columns: list[Column] = []
    for place, name in enumerate(_columns(results)):
        columns += [
            Column(name.replace(", ", "\n"), lambda it, at=place: it["total"][at] / GIB, "{:,.1f}"),
            Column(
                "\nprinted", lambda it, at=place: it["printed"][at] + " *" * (not it["matched"][at])
            ),
        ]
    even = Column("KV =\nweights\nat 128K,\nusers", "even_at_talk", "{:,.1f}")
    counted, example = summary(results), results["example"]
    return [
        "Memory held [GiB]: computed, and as printed (* off by more than rounding)",
        Table("model", [*columns, even]).of(results["rows"]),
        f"{counted['matched']} of {counted['cells']} cells are the computed number, rounded.",
        f"Source: {results['source']}.",
        f"Apart, {example['model']} with {example['parameters']:.4g} parameters,"
        f" {example['users']} users at {example['context']:,} tokens:"
        f" {example['total'] / GIB:.1f} GiB computed, {example['printed']} printed"
        f" ({example['source']}).\n",
    ]


KINDS = {"weights": {"color": "C0"}, "cache": {"color": "C5"}}


def _panel(axes: draw.Axes, rows: Record, column: int, title: str) -> None:
    """What each model holds, and what is printed; the parts are named in the last longest bar."""
    for place, row in enumerate(rows.values()):
        parts = {kind: row[kind][column] / GIB for kind in KINDS}
        printed = row["printed"][column]
        draw.bar(axes, place, parts, KINDS)
        axes.plot([float(printed)] * 2, [place - 0.45, place + 0.45], color="black")
        axes.text(float(printed) + 25, place, printed, va="center")
    axes.set(title=title, xlabel="memory held [GiB]", xlim=(0, 1650), ylim=(len(rows), -1))
    axes.grid(visible=False, axis="y")


def _name_parts(axes: draw.Axes, rows: Record) -> None:
    """Write into and above the longest bar of the last column what its parts are."""
    place, row = max(enumerate(rows.values()), key=lambda it: it[1]["total"][-1])
    weights, cache = (row[kind][-1] / GIB for kind in KINDS)
    axes.text(weights / 2, place, "weights", ha="center", va="center", color="white")
    axes.text(weights + cache / 2, place, "KV cache", ha="center", va="center")
    line = {"arrowstyle": "-", "linewidth": 0.6}
    at = (float(row["printed"][-1]), place + 0.45)
    draw.note(axes, "printed", at, (0, -14), va="center", fontsize=8, arrowprops=line)


def _even(axes: draw.Axes, results: Record) -> tuple[draw.Ends, dict[str, str]]:
    """Users at whom cache and weights are equal, over the context."""
    contexts, rows = [it / 1024 for it in results["even_contexts"]], results["rows"]
    shades, styles = draw.colours(rows), ["-"] * 8 + ["--"] * 8
    for (name, row), style in zip(rows.items(), styles, strict=False):
        axes.plot(contexts, row["even"], color=shades[name], linestyle=style)
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
    return {name: (contexts[-1], row["even"][-1]) for name, row in rows.items()}, shades


def plot(results: Record) -> draw.Figure:
    """Weights and cache of each model in the four columns, and where they are equal."""
    from matplotlib.figure import Figure

    rows = results["rows"]
    figure = Figure(figsize=(11, 4.6 + 0.3 * len(rows)))
    panels = figure.subplot_mosaic("0123;eeee", height_ratios=[1.4 + 0.3 * len(rows), 3.4])
    for at, title in enumerate(_columns(results)):
        _panel(panels[str(at)], rows, at, title)
        panels[str(at)].set_yticks(range(len(rows)), [] if at else list(rows))
    _name_parts(panels["3"], rows)
    figure.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    ends, shades = _even(panels["e"], results)
    figure.suptitle(
        "Memory held by weights and KV cache, 8 bits each; printed value marked (squares below:"
        " the four columns)"
    )
    draw.name_lines(figure, [(panels["e"], ends)], shades)
    return figure


SMOKE = {"models": ("Llama3-8B", "Llama3-405B", "DeepSeekV3"), "points": 3}
EXPERIMENT = Experiment("memory_capacity", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
