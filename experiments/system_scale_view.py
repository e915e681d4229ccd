"""How the results of `system_scale` are told and drawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

from experiments import claims

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THROUGHPUTS = ("utps", "stps")
"""Kinds of cell that count as throughputs; the UTPS in brackets are told apart."""

Cell = tuple[str, Mapping[str, Any]]
"""Where a cell stands, in words, and what it holds."""


def _cells(rows: Mapping[str, Any], kinds: Sequence[str], ranks: Sequence[int]) -> Iterator[Cell]:
    """Cells of some kinds; those printed as a dash have no printed value."""
    for name, row in rows.items():
        for kind in kinds:
            for column, tp in enumerate(ranks):
                cell = {field: values[column] for field, values in row[kind].items()}
                yield f"{name} {kind.upper()} TP{tp}", cell


def _numbers(cells: Iterable[Cell]) -> list[Cell]:
    return [(where, cell) for where, cell in cells if cell["printed_value"] is not None]


def _count(cells: Sequence[Cell]) -> tuple[int, int]:
    """How many of some cells match, of how many."""
    return sum(cell["matched"] for _, cell in cells), len(cells)


def _throughputs(rows: Mapping[str, Any], ranks: Sequence[int]) -> list[Cell]:
    return _numbers(_cells(rows, THROUGHPUTS, ranks))


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Throughput cells computed, those that match, and every verdict."""
    table = results["table"]
    matched, cells = _count(_throughputs(table["rows"], table["ranks"]))
    return {"cells": cells, "matched": matched, **claims.summary(results)}


def _shown(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _marked(cell: Mapping[str, Any]) -> str:
    return cell["printed"] if cell["matched"] else f"{cell['printed']} *"


def _table(rows: Mapping[str, Any], kinds: Sequence[str], ranks: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    for kind in kinds:
        for tp in ranks:
            table.add_column(f"{kind.upper()}\nTP{tp}", justify="right")
            table.add_column("\nprinted", justify="right")
    for name, row in rows.items():
        texts = []
        for _, cell in _cells({name: row}, kinds, ranks):
            texts += [_shown(cell["computed"]), _marked(cell)]
        table.add_row(name, *texts)
    return table


def _bracket_table(rows: Mapping[str, Any], ranks: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    for tp in ranks:
        for heading in (f"TP{tp}\nusers", "\nUTPS", "\nprinted"):
            table.add_column(heading, justify="right")
    for name, row in rows.items():
        cells = [cell for _, cell in _cells({name: row}, ["bracket"], ranks)]
        texts = []
        for users, cell in zip(row["users"], cells, strict=True):
            texts += [_shown(users), _shown(cell["computed"], 1), _marked(cell)]
        table.add_row(name, *texts)
    return table


def _paper_table(paper: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("chips", "context", "latency [us]", "UTPS", "printed"):
        table.add_column(heading, justify="right")
    for cell in paper["cells"]:
        table.add_row(
            str(cell["ranks"]),
            f"{cell['context']:,}",
            f"{cell['latency'] * 1e6:.1f}",
            f"{cell['utps']:.1f}",
            _marked(cell),
        )
    return table


def _spread(cells: Sequence[Cell]) -> str:
    """How far some cells are off, on the mean and at most."""
    off = [abs(cell["deviation"]) for _, cell in cells]
    return f"{sum(off) / len(off):.1%} off on the mean, {max(off):.1%} at most"


def _matches(results: Mapping[str, Any]) -> Iterator[str]:
    rows, ranks = results["table"]["rows"], results["table"]["ranks"]
    cells = _throughputs(rows, ranks)
    matched, count = _count(cells)
    yield (
        f"{matched} of {count} throughputs are within {results['tolerance']:.0%} of the printed"
        f" ones, {_spread(cells)}."
    )
    for where, cell in cells:
        if not cell["matched"]:
            yield (
                f"Not matched: {where}, {_shown(cell['computed'])} against the printed"
                f" {cell['printed']} ({cell['deviation']:+.1%})."
            )
    dashes = [cell for _, cell in _cells(rows, THROUGHPUTS, ranks) if cell["printed_value"] is None]
    if dashes:
        right = sum(cell["matched"] for cell in dashes)
        yield f"{right} of {len(dashes)} cells printed as a dash do not fit here either."
    matched, count = _count(_numbers(_cells(rows, ["bracket"], ranks)))
    yield f"{matched} of {count} UTPS in brackets are the computed number, rounded."
    yield (
        "The collectives in a layer and their two latencies were fitted to this very table; the"
        " slides print neither. The matches show that the equations hold together, not that they"
        " foretell."
    )
    yield f"Source: {results['table']['source']}."


def _supposed(results: Mapping[str, Any]) -> list[RenderableType]:
    table = results["table"]
    rows = {name: row["supposed"] for name, row in table["rows"].items()}
    cells = _throughputs(rows, table["ranks"])
    matched, count = _count(cells)
    return [
        "A hypothesis, found after the fact: throughput [1/s]",
        _table(rows, THROUGHPUTS, table["ranks"]),
        "Suppose that shared experts are not read in the step (though memory holds them), and that"
        " latent attention counts as one KV head (two more collectives at any TP). Then"
        f" {matched} of {count} throughputs match, {_spread(cells)}. A shared expert is read by"
        " every token, so this is not how the predictor counts.",
    ]


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table beside the printed one, the hypothesis, and the paper's cells."""
    rows, ranks, paper = results["table"]["rows"], results["table"]["ranks"], results["paper"]
    right = sum(cell["matched"] for cell in paper["cells"])
    return [
        "Throughput at 128K tokens [1/s]: computed, and as printed (* not matched)",
        _table(rows, THROUGHPUTS, ranks),
        "UTPS at the largest batch that fits [1/s]: computed, and as printed in brackets",
        _bracket_table(rows, ranks),
        *_matches(results),
        "",
        *_supposed(results),
        "",
        f"Apart, the paper's {paper['model']}: UTPS of a single user [1/s]",
        _paper_table(paper),
        f"{right} of {len(paper['cells'])} are the computed number, rounded: 405e9 parameters, and"
        f" 3 collectives a layer of the latency shown ({paper['source']}).\n",
    ]


def _curves(axes: "Axes", row: Mapping[str, Any], ranks: Sequence[int]) -> None:
    """Each number of chips as a line, named at its largest batch."""
    from matplotlib import colormaps

    shades = dict(
        zip(row["curves"], colormaps["viridis_r"](_even(len(row["curves"]))), strict=True)
    )
    for chips, curve in row["curves"].items():
        if curve is None:
            continue
        axes.plot(curve["utps"], curve["stps"], color=shades[chips])
        axes.annotate(
            chips,
            (curve["utps"][-1], curve["stps"][-1]),
            xytext=(-6, 1),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
            color=shades[chips],
        )
    for column in range(len(ranks)):
        alone = row["utps"]["printed_value"][column]
        bracket, full = (row[kind]["printed_value"][column] for kind in ("bracket", "stps"))
        axes.plot([alone, bracket], [alone, full], "o", color="black", mfc="none", markersize=6)


def _even(count: int) -> list[float]:
    """Places along a colour map, of which the palest part is left out."""
    return [0.2 + 0.8 * place / max(count - 1, 1) for place in range(count)]


def plot(results: Mapping[str, Any]) -> "Figure":
    """STPS against UTPS from one user to the largest batch, the printed values marked."""
    from matplotlib.figure import Figure

    rows = results["table"]["rows"]
    columns = min(4, len(rows))
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(0.6 + 2.7 * columns, 0.7 + 2.5 * lines))
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (name, row) in zip(panels.flat, rows.items(), strict=False):
        _curves(axes, row, results["table"]["ranks"])
        axes.set(xscale="log", yscale="log", xlim=(18, 8000), ylim=(50, 250e3), title=name)
        axes.set_xticks([100, 1000], ["100", "1K"])
        axes.set_yticks([100, 1000, 10e3, 100e3], ["100", "1K", "10K", "100K"])
    for axes in panels[-1]:
        axes.set_xlabel("UTPS of each user [1/s]")
    for axes in panels[:, 0]:
        axes.set_ylabel("STPS of all users [1/s]")
    figure.suptitle(
        "Users and chips: xPU-HBM3 at 128K tokens, from one user to as many as fit, on so many"
        " chips; circles as printed"
    )
    return figure
