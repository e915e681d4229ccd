"""How the results of `bandwidth` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import colour, name_ends, plain_table, short, times
from experiments.verdicts import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TIB = 2.0**40


def _speeds(results: Mapping[str, Any], ranks: str) -> RenderableType:
    names = list(results["paper"])
    table = plain_table(["model", *names, "8x HBM3\ngain", "unbounded\ngain", "pays until\nTiB/s"])
    for model, by_ranks in results["rows"].items():
        row = by_ranks[ranks]
        cells = [short(row["at"][name]) + ("" if row["fits"][name] else "*") for name in names]
        table.add_row(
            model,
            *cells,
            times(row["gain"]["8x"]),
            times(row["gain"]["unbounded"]),
            "-" if row["knee"] is None else f"{row['knee'] / TIB:,.0f}",
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Speed at each bandwidth, and the verdicts."""
    parts: list[RenderableType] = []
    for ranks in next(iter(results["rows"].values())):
        parts += [
            f"UTPS of one user at {results['context']:,} tokens [1/s], {ranks} chips: xPU-HBM3 with"
            " the bandwidth of",
            _speeds(results, ranks),
        ]
    return [
        *parts,
        "* those chips would not hold the model; bandwidth alone is taken from them.",
        f"Pays until: {0.1:.0%} more bandwidth buys {0.1 * results['paying']:.0%}.\n",
        *told(results),
    ]


def _mark(axes: "Axes", bandwidth: float, name: str, height: float, weight: str) -> None:
    """A bandwidth with the name of its chip."""
    axes.axvline(bandwidth / TIB, color="0.75", linewidth=0.7, zorder=0)
    axes.annotate(
        name,
        (bandwidth / TIB, height),
        xycoords=("data", "axes fraction"),
        ha="center",
        fontsize=7,
        fontweight=weight,
        backgroundcolor="white",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )


def _panel(axes: "Axes", results: Mapping[str, Any], ranks: str) -> None:
    rows = results["rows"]
    most = max(max(row[ranks]["utps"]) for row in rows.values())
    least = min(min(row[ranks]["utps"]) for row in rows.values())
    last = next(iter(rows.values()))[ranks]["bandwidth"]
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(last[0] / TIB, last[-1] / TIB),
        ylim=(least * 0.8, most * (most / least) ** 0.22),
        xlabel="memory bandwidth of a chip [TiB/s]",
        title=f"{ranks} chips",
    )
    for model, by_ranks in rows.items():
        row, shade = by_ranks[ranks], colour(list(rows), model)
        axes.plot([it / TIB for it in row["bandwidth"]], row["utps"], color=shade)
        if row["knee"] is not None:
            _knee(axes, row, shade)
    for place, (name, bandwidth) in enumerate(results["paper"].items()):
        _mark(axes, bandwidth, name, 0.955 if place % 2 else 0.985, "bold")
    for place, (name, bandwidth) in enumerate(results["real"].items()):
        _mark(axes, bandwidth, name, 0.885 if place % 2 else 0.915, "normal")


def _knee(axes: "Axes", row: Mapping[str, Any], shade: str) -> None:
    from numpy import interp, log

    speed = interp(log(row["knee"]), log(row["bandwidth"]), row["utps"])
    axes.plot(row["knee"] / TIB, speed, "o", color=shade, markersize=5, mec="white")


def plot(results: Mapping[str, Any]) -> "Figure":
    """UTPS over bandwidth of each model, with chips and the ends of what pays marked."""
    from matplotlib.figure import Figure

    rows = results["rows"]
    ranks = list(next(iter(rows.values())))
    figure = Figure(figsize=(6.4 * len(ranks), 4.6))
    panels = figure.subplots(1, len(ranks), squeeze=False)[0]
    for axes, count in zip(panels, ranks, strict=True):
        _panel(axes, results, count)
    panels[0].set_ylabel("tokens a second of one user [1/s]")
    figure.suptitle(
        "More bandwidth, all else held, at 128K tokens: dots mark where 10 % more buys 1 %"
        " (bold: the paper's chips)"
    )
    figure.set_layout_engine("constrained", rect=(0, 0, 0.93, 1))
    figure.draw_without_rendering()
    shades = {model: colour(list(rows), model) for model in rows}
    for axes, count in zip(panels, ranks, strict=True):
        ends = {
            model: (row[count]["bandwidth"][-1] / TIB, row[count]["utps"][-1])
            for model, row in rows.items()
        }
        name_ends(axes, ends, shades)
    return figure
