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
from dataclasses import dataclass
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
from experiments.published import (
    ScaleRow,
    ScaleTable,
    deviation,
    load_published,
    matches_rounded,
    printed_value,
)
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

TOLERANCE = 0.02  # share by which a throughput may differ from the printed one
UTPS = (2000, 5000)  # what a single user is said to get from 128 chips [1/s]
STPS = 100_000  # what all users together are said to get from them [1/s]
THROUGHPUTS = ("utps", "stps")  # cells that count; the UTPS in brackets are told apart


@dataclass(frozen=True)
class Config:
    """Models by their printed names, and of the curves the numbers of chips and of batches."""

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    batches: int


@eqx.filter_jit
def _predictions(
    system: ll.System,
    model: ll.Model,
    request: ll.Request,
    assumptions: ll.Assumptions,
    pairs: tuple[jax.Array, jax.Array],
) -> ll.Prediction:
    """Predictions for pairs of a degree of tensor parallelism and a batch."""

    def prediction(tp: jax.Array, batch: jax.Array) -> ll.Prediction:
        design = ll.Design(system, ll.Mapping(tp=tp), ll.Placement(), batch)
        return ll.predict(design, model, request, assumptions)

    return jax.vmap(prediction)(*pairs)


def _supposed(model: ll.Model) -> ll.Model:
    """A model by the hypothesis: no shared expert is read, latent attention has one KV head."""

    def changed(model: ll.Model, part: str, field: str, new: Callable[..., Any]) -> ll.Model:
        def found(it: ll.Model) -> list[jax.Array]:
            parts = [getattr(layers, part) for layers in it.layers]
            return [getattr(it, field) for it in parts if hasattr(it, field)]

        return eqx.tree_at(found, model, replace_fn=new)

    unshared = changed(model, "feedforward", "shared_intermediate", jnp.zeros_like)
    return changed(unshared, "attention", "cache_ranks", jnp.ones_like)


def _largest_batch(alone: ll.Prediction) -> jax.Array:
    """Users whose caches fill what the weights leave; below 1 where not even one fits.

    Args:
        alone: Predictions for a single user, of 8-bit weights.
    """
    weights = alone.parameters_total
    return jnp.floor((alone.memory_capacity - weights) / (alone.memory_required - weights))


def _matches_closely(computed: float | None, printed: str) -> bool:
    off = deviation(computed, printed)
    return matches_rounded(computed, printed) if off is None else abs(off) <= TOLERANCE


def _or_none(values: jax.Array, fits: jax.Array) -> list[float | None]:
    return [it if fit else None for it, fit in zip(values.tolist(), fits.tolist(), strict=True)]


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


Asked = Callable[[ll.Model, jax.Array, jax.Array], ll.Prediction]
"""Predictions of a model for pairs of a number of chips and a batch, in the talk's accounting."""


def _cells(
    asked: Asked, model: ll.Model, ranks: jax.Array, users: jax.Array, row: ScaleRow
) -> Record:
    """A row of the table: a single user, and the largest batch."""
    alone = asked(model, ranks, jnp.ones_like(ranks))
    full = asked(model, ranks, jnp.maximum(users, 1.0))
    fits = users >= 1
    return {
        "utps": _compared(_or_none(alone.utps, fits), row.utps),
        "stps": _compared(_or_none(full.stps, fits), row.stps),
        "bracket": _compared(_or_none(full.utps, fits), row.bracket, matches_rounded),
    }


def _curve(
    asked: Asked, model: ll.Model, ranks: int, users: float, count: int
) -> dict[str, list[float]] | None:
    """UTPS and STPS from a single user to the largest batch; none where not one fits."""
    if users < 1:
        return None
    batches = jnp.asarray(np.geomspace(1.0, users, count).round())
    points = asked(model, jnp.full_like(batches, ranks), batches)
    found = {"batch": batches, "utps": points.utps, "stps": points.stps}
    return {name: it.tolist() for name, it in found.items()}


def _table(table: ScaleTable, config: Config) -> Record:
    system, request = ll.load_system(table.system), ll.Request(table.context, attention_bits=8)
    laws = ll.Assumptions(collectives=ll.TalkCollectives())
    ranks, around = (jnp.asarray(it, float) for it in (table.ranks, config.ranks))

    def asked(model: ll.Model, ranks: jax.Array, batches: jax.Array) -> ll.Prediction:
        return _predictions(system, model, request, laws, (ranks, batches))

    rows: dict[str, Any] = {}
    for name in config.models:
        row = table.rows[name]
        model = ll.talk_model(ll.load_model(row.model))
        most = _largest_batch(asked(model, around, jnp.ones_like(around))).tolist()
        largest = _largest_batch(asked(model, ranks, jnp.ones_like(ranks)))
        rows[name] = {
            **_cells(asked, model, ranks, largest, row),
            "users": _or_none(largest, largest >= 1),
            "curves": {
                str(chips): _curve(asked, model, chips, users, config.batches)
                for chips, users in zip(config.ranks, most, strict=True)
            },
            "supposed": _cells(asked, _supposed(model), ranks, largest, row),
        }
    return {"source": table.source, "ranks": table.ranks, "rows": rows}


def _paper() -> dict[str, Any]:
    """The paper's cells: nominal parameters, and its own collectives and latencies."""
    paper = load_published().paper_scale
    system, counted = ll.load_system(paper.system), ll.talk_model(ll.load_model(paper.model))
    assumptions = ll.Assumptions(collectives=ll.CountedCollectives(paper.collectives))
    design = ll.Design(system, ll.Mapping(), ll.Placement(), 1)
    parameters = ll.predict(design, counted, ll.Request(1, attention_bits=8)).parameters_total
    model = ll.with_parameters(counted, paper.parameters, parameters)
    cells = []
    for row in paper.rows:
        around = talk.at_latency(system, jnp.asarray(row.latency))
        for context, printed in zip(paper.contexts, row.printed, strict=True):
            request, ranks = ll.Request(context, attention_bits=8), jnp.asarray([row.ranks], float)
            alone = _predictions(around, model, request, assumptions, (ranks, jnp.ones(1)))
            utps = float(alone.utps[0])
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
    lambda speed: UTPS[0] * (1 - TOLERANCE) <= speed <= UTPS[1] * (1 + TOLERANCE),
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
    found = {name: row["curves"][str(ranks)] for name, row in rows.items()}
    curves = {name: it for name, it in found.items() if it}
    left = [it["utps"][-1] for it in curves.values()]
    fewest = listed([f"{name} {_chips_for(UTPS[0], row)}" for name, row in rows.items()])
    return [
        FASTEST.of({it: curves[it]["utps"][0] for it in curves}, ranks=ranks, fewest=fewest),
        MOST.of(
            {it: curves[it]["stps"][-1] for it in curves}, ranks=ranks, left=(min(left), max(left))
        ),
    ]


def run(config: Config) -> dict[str, Any]:
    """Every cell of the table, by the rules and by the hypothesis, and the paper's cells."""
    table = _table(load_published().scale, config)
    return {
        "tolerance": TOLERANCE,
        "table": table,
        "paper": _paper(),
        "verdicts": verdicts(table["rows"], max(table["ranks"])),
    }


Cell = tuple[str, Record]
"""Where a cell stands, in words, and what it holds."""


def _each(rows: Record, kinds: Sequence[str], ranks: Sequence[int]) -> Iterator[Cell]:
    """Cells of some kinds; those printed as a dash have no printed value."""
    for name, row in rows.items():
        for kind in kinds:
            for column, tp in enumerate(ranks):
                cell = {field: values[column] for field, values in row[kind].items()}
                yield f"{name} {kind.upper()} TP{tp}", cell


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


def _pair(label: str, kind: str, column: int, form: str) -> list[Column]:
    """A computed number and the printed one."""

    def cell(row: Record) -> Record:
        return {field: values[column] for field, values in row[kind].items()}

    return [
        Column(label, lambda row: cell(row)["computed"], form),
        Column("\nprinted", lambda row: _marked(cell(row))),
    ]


def _compared_table(ranks: Sequence[int]) -> Table:
    columns: list[Column] = []
    for kind in THROUGHPUTS:
        for at, tp in enumerate(ranks):
            columns += _pair(f"{kind.upper()}\nTP{tp}", kind, at, "{:,.0f}")
    return Table("model", columns)


def _bracket_table(ranks: Sequence[int]) -> Table:
    columns: list[Column] = []
    for at, tp in enumerate(ranks):
        users = Column(f"TP{tp}\nusers", lambda row, at=at: row["users"][at], "{:,.0f}")
        columns += [users, *_pair("\nUTPS", "bracket", at, "{:,.1f}")]
    return Table("model", columns)


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
        _compared_table(table["ranks"]).of(rows),
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
        _compared_table(ranks).of(rows),
        "UTPS at the largest batch that fits [1/s]: computed, and as printed in brackets",
        _bracket_table(ranks).of(rows),
        *_matches(results),
        "",
        *_hypothesis(results),
        "",
        f"Apart, the paper's {paper['model']}: UTPS of a single user [1/s]",
        PAPER.of([(str(cell["ranks"]), cell) for cell in paper["cells"]]),
        f"{right} of {len(paper['cells'])} are the computed number, rounded: 405e9 parameters, and"
        f" 3 collectives a layer of the latency shown ({paper['source']}).\n",
    ]


def _curves_drawn(axes: draw.Axes, row: Record, ranks: Sequence[int]) -> None:
    """Each number of chips as a line, named at its largest batch; printed values as circles."""
    from matplotlib import colormaps

    for shade, (chips, curve) in zip(
        colormaps["viridis_r"](np.linspace(0.2, 1, len(row["curves"]))),
        row["curves"].items(),
        strict=True,
    ):
        if curve is not None:
            axes.plot(curve["utps"], curve["stps"], color=shade)
            end = (curve["utps"][-1], curve["stps"][-1])
            draw.note(axes, chips, end, (-6, 1), ha="right", va="center", color=shade)
    for column in range(len(ranks)):
        alone, bracket, full = (
            row[kind]["printed_value"][column] for kind in ("utps", "bracket", "stps")
        )
        axes.plot([alone, bracket], [alone, full], "o", color="black", mfc="none", markersize=6)


def plot(results: Record) -> draw.Figure:
    """STPS against UTPS from one user to the largest batch, the printed values marked."""
    rows = results["table"]["rows"]
    columns = min(4, len(rows))
    lines = -(-len(rows) // columns)
    size = (0.6 + 2.7 * columns, 0.7 + 2.5 * lines)
    figure, panels = draw.sheet(lines, columns, size, sharex=True, sharey=True)
    flat = [axes for line in panels for axes in line]
    for axes, (name, row) in zip(flat, rows.items(), strict=False):
        _curves_drawn(axes, row, results["table"]["ranks"])
        axes.set(xscale="log", yscale="log", xlim=(18, 8000), ylim=(50, 250e3), title=name)
        axes.set_xticks([100, 1000], ["100", "1K"])
        axes.set_yticks([100, 1000, 10e3, 100e3], ["100", "1K", "10K", "100K"])
    for axes in panels[-1]:
        axes.set_xlabel("UTPS of each user [1/s]")
    for line in panels:
        line[0].set_ylabel("STPS of all users [1/s]")
    figure.suptitle(
        "Users and chips: xPU-HBM3 at 128K tokens, from one user to as many as fit, on so many"
        " chips; circles as printed"
    )
    return figure


FULL = Config(models=tuple(load_published().scale.rows), ranks=(8, 16, 32, 64, 128), batches=25)
SMOKE = Config(models=("Llama3-70B", "Kimi-K2"), ranks=(8, 128), batches=4)
EXPERIMENT = Experiment("system_scale", __doc__, FULL, SMOKE, run, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
