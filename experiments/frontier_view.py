"""How the results of `frontier` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import plain_table, times
from experiments.verdicts import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {8: "C0", 4: "C3", 16: "C2"}
"""Colours of the bits of a weight."""

LINES = {"served": "-", "pool": "--"}
"""Lines of the kinds of curves."""

SPEEDS, THROUGHPUTS = (4.0, 1500.0), (3.0, 80e3)
"""What the panels show [1/s]."""

GIVE = "give a file with --measured FILE, in the columns that `liminal calibrate --help` tells"


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Measured over calibrated for each chip, what is missing, and the verdicts."""
    table = plain_table(["chip", "points", "best", "ratio", "beyond", "inside", "fitted"])
    for name, it in results["scores"].items():
        cells = (it["points"], it["front"], times(it["ratio"]), it["beyond"])
        table.add_row(name, *map(str, cells), f"{100 * it['inside']:.0f} %", str(it["fitted"]))
    absent = [f"{model}: no measured rows, the curves stand alone; {GIVE}.\n"
              for model in results["unmeasured"]]  # fmt: skip
    return [
        "Measured throughput of a GPU over the calibrated at equal speed of a user, median of the"
        " points that no other of their set-up beats; how many are beyond the fastest calibrated,"
        " how many inside its 90 % interval, and points of cells that it was fitted to",
        table,
        *absent,
        *told(results),
    ]


def _curve(axes: "Axes", entry: Mapping[str, Any]) -> None:
    """The bound, and the calibrated curve with its interval."""
    colour, line = COLOURS.get(entry["weight_bits"], "C5"), LINES[entry["kind"]]
    bound, calibrated = entry["bound"], entry["calibrated"]
    axes.plot(bound["speed"], bound["throughput"], line, color=colour, linewidth=0.6, alpha=0.8)
    axes.plot(calibrated["speed"], calibrated["throughput"], line, color=colour, linewidth=1.6)
    low, high = calibrated["low"], calibrated["high"]
    axes.fill(
        [*low["speed"], *reversed(high["speed"])],
        [*low["throughput"], *reversed(high["throughput"])],
        color=colour,
        alpha=0.13,
        linewidth=0,
    )


def _points(axes: "Axes", entry: Mapping[str, Any]) -> None:
    """Measured points: filled where served, hollow where decode is alone, bars for maxima."""
    colour = COLOURS.get(entry["weight_bits"], "C5")
    for it in entry["points"]:
        if it["speed"] is None:
            axes.axhline(it["throughput"], xmax=0.12, color=colour, linewidth=2)
            continue
        hollow = it["kind"] == "pool"
        axes.plot(
            it["speed"],
            it["throughput"],
            "v" if it["at_most"] else "o",
            color=colour,
            markerfacecolor="none" if hollow else colour,
            markersize=3,
            markeredgewidth=0.7,
        )


def _panel(axes: "Axes", entries: list[Mapping[str, Any]]) -> None:
    """One chip and workload."""
    axes.set(xscale="log", yscale="log", xlim=SPEEDS, ylim=THROUGHPUTS)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    for entry in entries:
        _curve(axes, entry)
    for entry in entries:
        _points(axes, entry)
    measured = [it for it in entries if it["ratio"] is not None]
    for place, entry in enumerate(measured):
        kind = "" if entry["kind"] == "served" else " decode"
        axes.text(
            0.04,
            0.05 + 0.09 * place,
            f"{entry['weight_bits']:g}-bit{kind} {entry['ratio']:.2f}",
            transform=axes.transAxes,
            fontsize=6,
            color=COLOURS.get(entry["weight_bits"], "C5"),
        )


def _legend(figure: "Figure") -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    def line(label: str, style: str = "-", width: float = 1.6, colour: str = "0.3") -> Line2D:
        return Line2D([], [], linestyle=style, linewidth=width, color=colour, label=label)

    def mark(label: str, marker: str, face: str) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, color="0.3", markerfacecolor=face,
                      markersize=4, label=label)  # fmt: skip

    handles = [
        line("8-bit weights", colour=COLOURS[8]),
        line("4-bit weights", colour=COLOURS[4]),
        line("ideal bound", width=0.6),
        line("calibrated"),
        Patch(color="0.3", alpha=0.13, label="its 90 % interval"),
        line("decode alone", "--"),
        mark("measured, served", "o", "0.3"),
        mark("decode alone", "o", "none"),
        mark("decode alone, at most", "v", "none"),
        line("maximum, speed not told", width=2.5),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=7)


def plot(results: Mapping[str, Any]) -> "Figure":
    """Throughput over interactivity: a column for each chip, a row for each workload."""
    from matplotlib.figure import Figure

    chips = results["chips"]
    rows = list(dict.fromkeys((it["model"], it["isl"], it["osl"]) for it in results["entries"]))
    figure = Figure(figsize=(1.3 + 1.9 * len(chips), 1.2 + 1.7 * len(rows)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(len(rows), len(chips), sharex=True, sharey=True, squeeze=False)
    for (model, isl, osl), line in zip(rows, grid, strict=True):
        line[0].set_ylabel(f"{model}\n{isl}K in, {osl}K out")
        for chip, axes in zip(chips, line, strict=True):
            here = [
                it
                for it in results["entries"]
                if (it["model"], it["isl"], it["osl"], it["title"]) == (model, isl, osl, chip)
            ]
            _panel(axes, here)
    for chip, axes in zip(chips, grid[0], strict=True):
        axes.set_title(chip)
    figure.supxlabel("interactivity: tokens a second of one user [1/s]", fontsize=9)
    figure.supylabel("tokens a second of one GPU [1/s]", fontsize=9)
    figure.suptitle(
        "Numbers: median of measured over calibrated at equal interactivity", fontsize=9
    )
    _legend(figure)
    return figure
