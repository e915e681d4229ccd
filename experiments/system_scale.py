"""What does a larger system get, for one user and for all of them?

The claim, as published: well tuned systems of 128 chips reach 2,000 to 5,000 tokens a second for
one user, and more than 100,000 for all users together (Sankaralingam, IET REACH, 2025).

The talk's table is predicted on its own chip, xPU-HBM3, in its accounting: UTPS of a single user,
and STPS with the UTPS that is left at the largest batch that fits, all at 128K tokens of context.
A throughput matches within 2 %, a UTPS in brackets if it is the predicted number rounded, and a
dash if the model does not fit. The number of collectives in a layer and their two latencies are
not on the slides: they were fitted to this very table, so that the matches show that the equations
hold together, not that they foretell. The older figures of the paper stand apart. Between the two
columns of the table the whole curve is drawn: from one user to as many as fit, on 8 to 128 chips.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from rich.console import RenderableType

import liminal_jax as ll
from experiments import claims
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record, listed, shown
from experiments.nested import column, each, numbered
from experiments.published import (
    ScaleRow,
    deviation,
    load_published,
    matches_rounded,
    printed_value,
)
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from experiments.talk_tables import (
    STPS,
    TOLERANCE,
    UTPS,
    Counted,
    largest_batch,
    reached,
    scale,
)

THROUGHPUTS = ("utps", "stps")  # cells that count; the UTPS in brackets are told apart


def _supposed(model: ll.Model) -> ll.Model:
    """A model by the hypothesis: no shared expert is read, latent attention has one KV head."""

    def changed(model: ll.Model, part: str, field: str, new: Callable[..., Any]) -> ll.Model:
        def found(it: ll.Model) -> list[jax.Array]:
            parts = [getattr(layers, part) for layers in it.layers]
            return [getattr(it, field) for it in parts if hasattr(it, field)]

        return eqx.tree_at(found, model, replace_fn=new)

    unshared = changed(model, "feedforward", "shared_intermediate", jnp.zeros_like)
    return changed(unshared, "attention", "cache_ranks", jnp.ones_like)


def _matches_closely(computed: float | None, printed: str) -> bool:
    off = deviation(computed, printed)
    return matches_rounded(computed, printed) if off is None else abs(off) <= TOLERANCE


def _compared(
    computed: list[float | None],
    printed: Sequence[str],
    matches: Callable[[float | None, str], bool] = _matches_closely,
) -> Record:
    """Some cells of a row beside what is printed there."""
    pairs = list(zip(computed, printed, strict=True))
    return {
        "computed": computed,
        "printed": list(printed),
        "printed_value": [printed_value(cell) for cell in printed],
        "deviation": [deviation(value, cell) for value, cell in pairs],
        "matched": [matches(value, cell) for value, cell in pairs],
    }


def _cells(rates: Record, row: ScaleRow) -> Record:
    """A row of the table: a single user, and the largest batch."""
    return {
        "utps": _compared(rates["utps"], row.utps),
        "stps": _compared(rates["stps"], row.stps),
        "bracket": _compared(rates["left"], row.bracket, matches_rounded),
    }


def _curve(
    counted: Counted, context: int, count: int, ranks: float
) -> dict[str, list[float]] | None:
    """UTPS and STPS from a single user to the largest batch; none where not one fits."""
    users = float(largest_batch(counted.predictions([ranks], context, 1.0))[0])
    if users < 1:
        return None
    batches = np.geomspace(1.0, users, count).round()
    points = counted.predictions(ranks, context, batches)
    found = {"batch": batches, "utps": points.utps, "stps": points.stps}
    return {name: it.tolist() for name, it in found.items()}


def _row(ranks: tuple[int, ...], batches: int, name: str) -> Record:
    """One model: its cells, by the rules and by the hypothesis, and its curves."""
    table = load_published().scale
    row = table.rows[name]
    counted = Counted(ll.talk_model(ll.load_model(row.model)))
    rates = scale(counted)
    users = jnp.asarray([0.0 if it is None else it for it in rates["users"]])
    return {
        **_cells(rates, row),
        "users": rates["users"],
        "curves": each(partial(_curve, counted, table.context, batches), numbered(ranks)),
        "supposed": _cells(scale(Counted(_supposed(counted.model)), users), row),
    }


def _paper() -> dict[str, Any]:
    """The paper's cells: nominal parameters, and its own collectives and latencies."""
    paper = load_published().paper_scale
    system, model = ll.load_system(paper.system), talk.with_nominal(paper.model, paper.parameters)
    laws = ll.Assumptions(collectives=ll.CountedCollectives(paper.collectives))
    cells = []
    for row in paper.rows:
        around = talk.at_latency(system, jnp.asarray(row.latency))
        alone = Counted(model, laws, around).predictions(row.ranks, paper.contexts, 1.0)
        for context, utps, printed in zip(
            paper.contexts, alone.utps.tolist(), row.printed, strict=True
        ):
            cell = {"ranks": row.ranks, "context": context, "latency": row.latency, "utps": utps}
            matched = matches_rounded(utps, printed)
            cells.append({**cell, "printed": printed, "matched": matched})
    return {"source": paper.source, "model": paper.model, "cells": cells}


def _chips_for(utps: float, row: Record) -> str:
    """The fewest chips whose single user gets so many tokens a second [1/s]."""
    enough = [ranks for ranks, it in row["curves"].items() if it and it["utps"][0] >= utps]
    return min(enough, key=int) if enough else f"more than {max(row['curves'], key=int)}"


FASTEST = Claim(
    f"{{ranks}} chips reach {UTPS[0]:,} to {UTPS[1]:,} tokens a second for one user",
    reached,
    f"{{yes}} of {{count}} models do at 128K tokens; outside: {{others}}. Chips from which one user"
    f" gets {UTPS[0]:,}: {{fewest}}",
)
MOST = Claim(
    f"{{ranks}} chips reach more than {STPS:,} tokens a second for all users",
    lambda speed: speed > STPS,
    "{yes} of {count} models do at 128K tokens and the largest batch: {held}; each user is left"
    " with {left[0]:.0f} to {left[1]:.0f} then",
)


def verdicts(rows: Record, ranks: int) -> list[dict[str, Any]]:
    """What one user and what all users of the largest system get."""
    curves = {name: it for name, it in column(rows, "curves", str(ranks)).items() if it}
    left = column(curves, "utps", -1).values()
    fewest = listed([f"{name} {_chips_for(UTPS[0], row)}" for name, row in rows.items()])
    return [
        FASTEST.of(column(curves, "utps", 0), ranks=ranks, fewest=fewest),
        MOST.of(column(curves, "stps", -1), ranks=ranks, left=(min(left), max(left))),
    ]


def run(
    models: tuple[str, ...] = tuple(load_published().scale.rows),
    ranks: tuple[int, ...] = (8, 16, 32, 64, 128),
    batches: int = 25,
) -> dict[str, Any]:
    """Every cell of the table, by the rules and by the hypothesis, and the paper's cells.

    Models go by their printed names; ranks and batches are those of the curves.
    """
    table = load_published().scale
    rows = {name: _row(ranks, batches, name) for name in models}
    return {
        "tolerance": TOLERANCE,
        "table": {"source": table.source, "ranks": table.ranks, "rows": rows},
        "paper": _paper(),
        "verdicts": verdicts(rows, max(table.ranks)),
    }


Cell = tuple[str, Record]
"""Where a cell stands, in words, and what it holds."""


def _each(rows: Record, kinds: Sequence[str], ranks: Sequence[int]) -> Iterator[Cell]:
    """Cells of some kinds; those printed as a dash have no printed value."""
    for name, row in rows.items():
        for kind in kinds:
            for place, tp in enumerate(ranks):
                yield f"{name} {kind.upper()} TP{tp}", column(row[kind], place)


def _printed(rows: Record, ranks: Sequence[int], kinds: Sequence[str] = THROUGHPUTS) -> list[Cell]:
    return [it for it in _each(rows, kinds, ranks) if it[1]["printed_value"] is not None]


def _count(cells: Sequence[Cell]) -> tuple[int, int]:
    """How many of some cells match, of how many."""
    return sum(cell["matched"] for _, cell in cells), len(cells)


def summary(results: Record) -> dict[str, Any]:
    """Throughput cells computed, those that match, and every verdict."""
    matched, cells = _count(_printed(results["table"]["rows"], results["table"]["ranks"]))
    return {"cells": cells, "matched": matched, **claims.summary(results)}


def _marked(cell: Record) -> str:
    return cell["printed"] if cell["matched"] else f"{cell['printed']} *"


def _compared_table(kinds: Record, ranks: Sequence[int]) -> Table:
    """Computed numbers and printed ones of some kinds, with their labels and forms."""
    columns: list[Column] = []
    for kind, (label, form) in kinds.items():
        for at, tp in enumerate(ranks):
            if kind == "bracket":
                users = Column(f"TP{tp}\nusers", lambda row, at=at: row["users"][at], "{:,.0f}")
                columns.append(users)
            columns += [
                Column(label.format(tp), lambda row, at=at, it=kind: row[it]["computed"][at], form),
                Column("\nprinted", lambda row, at=at, it=kind: _marked(column(row[it], at))),
            ]
    return Table("model", columns)


KINDS = {it: (f"{it.upper()}\nTP{{}}", "{:,.0f}") for it in THROUGHPUTS}
BRACKET = {"bracket": ("\nUTPS", "{:,.1f}")}
PAPER = Table(
    "chips",
    [
        Column("context", "context", "{:,}"),
        Column("latency [us]", lambda it: it["latency"] * 1e6, "{:.1f}"),
        Column("UTPS", "utps", "{:.1f}"),
        Column("printed", _marked),
    ],
)


def _spread(cells: Sequence[Cell]) -> str:
    """How far some cells are off, on the mean and at most."""
    off = [abs(cell["deviation"]) for _, cell in cells]
    return f"{sum(off) / len(off):.1%} off on the mean, {max(off):.1%} at most"


def _matches(results: Record) -> Iterator[str]:
    rows, ranks = results["table"]["rows"], results["table"]["ranks"]
    cells = _printed(rows, ranks)
    matched, count = _count(cells)
    yield (
        f"{matched} of {count} throughputs are within {results['tolerance']:.0%} of the printed"
        f" ones, {_spread(cells)}."
    )
    for where, cell in cells:
        if not cell["matched"]:
            yield (
                f"Not matched: {where}, {shown(cell['computed'], '{:,.0f}')} against the printed"
                f" {cell['printed']} ({cell['deviation']:+.1%})."
            )
    dashes = [cell for _, cell in _each(rows, THROUGHPUTS, ranks) if cell["printed_value"] is None]
    if dashes:
        right = sum(cell["matched"] for cell in dashes)
        yield f"{right} of {len(dashes)} cells printed as a dash do not fit here either."
    matched, count = _count(_printed(rows, ranks, ["bracket"]))
    yield f"{matched} of {count} UTPS in brackets are the computed number, rounded."
    yield (
        "The collectives in a layer and their two latencies were fitted to this very table; the"
        " slides print neither. The matches show that the equations hold together, not that they"
        " foretell."
    )
    yield f"Source: {results['table']['source']}."


def _hypothesis(results: Record) -> list[RenderableType]:
    table = results["table"]
    rows = {name: row["supposed"] for name, row in table["rows"].items()}
    cells = _printed(rows, table["ranks"])
    matched, count = _count(cells)
    return [
        "A hypothesis, found after the fact: throughput [1/s]",
        _compared_table(KINDS, table["ranks"]).of(rows),
        "Suppose that shared experts are not read in the step (though memory holds them), and that"
        " latent attention counts as one KV head (two more collectives at any TP). Then"
        f" {matched} of {count} throughputs match, {_spread(cells)}. A shared expert is read by"
        " every token, so this is not how the predictor counts.",
    ]


def report(results: Record) -> list[RenderableType]:
    """The table beside the printed one, the hypothesis, and the paper's cells."""
    rows, ranks, paper = results["table"]["rows"], results["table"]["ranks"], results["paper"]
    right = sum(cell["matched"] for cell in paper["cells"])
    return [
        "Throughput at 128K tokens [1/s]: computed, and as printed (* not matched)",
        _compared_table(KINDS, ranks).of(rows),
        "UTPS at the largest batch that fits [1/s]: computed, and as printed in brackets",
        _compared_table(BRACKET, ranks).of(rows),
        *_matches(results),
        "",
        *_hypothesis(results),
        "",
        f"Apart, the paper's {paper['model']}: UTPS of a single user [1/s]",
        PAPER.of([(str(cell["ranks"]), cell) for cell in paper["cells"]]),
        f"{right} of {len(paper['cells'])} are the computed number, rounded: 405e9 parameters, and"
        f" 3 collectives a layer of the latency shown ({paper['source']}).\n",
    ]


def _panel(axes: draw.Axes, row: Record, ranks: Sequence[int]) -> None:
    """Each number of chips as a line, named at its largest batch; printed values as circles."""
    from matplotlib import colormaps

    shades = colormaps["viridis_r"](np.linspace(0.2, 1, len(row["curves"])))
    for shade, (chips, curve) in zip(shades, row["curves"].items(), strict=True):
        if curve is not None:
            axes.plot(curve["utps"], curve["stps"], color=shade)
            end = (curve["utps"][-1], curve["stps"][-1])
            draw.note(axes, chips, end, (-6, 1), ha="right", va="center", color=shade)
    for at in range(len(ranks)):
        alone, bracket, full = (row[it]["printed_value"][at] for it in ("utps", "bracket", "stps"))
        axes.plot([alone, bracket], [alone, full], "o", color="black", mfc="none", markersize=6)
    axes.set(xscale="log", yscale="log", xlim=(18, 8000), ylim=(50, 250e3))
    axes.set_xticks([100, 1000], ["100", "1K"])
    axes.set_yticks([100, 1000, 10e3, 100e3], ["100", "1K", "10K", "100K"])


def plot(results: Record) -> draw.Figure:
    """STPS against UTPS from one user to the largest batch, the printed values marked."""
    rows = results["table"]["rows"]
    columns = min(4, len(rows))
    return draw.panels(
        rows,
        lambda axes, row: _panel(axes, row, results["table"]["ranks"]),
        (0.6 + 2.7 * columns, 0.7 + 2.5 * -(-len(rows) // columns)),
        columns=columns,
        title="Users and chips: xPU-HBM3 at 128K tokens, from one user to as many as fit, on so"
        " many chips; circles as printed",
        xlabel="UTPS of each user [1/s]",
        ylabel="STPS of all users [1/s]",
        sharex=True,
        sharey=True,
    )


SMOKE = {"models": ("Llama3-70B", "Kimi-K2"), "ranks": (8, 128), "batches": 4}
EXPERIMENT = Experiment("system_scale", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
