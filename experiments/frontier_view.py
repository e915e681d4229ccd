"""How the results of `frontier` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from rich.console import RenderableType

from experiments.drawing import plain_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {8: "C0", 4: "C3", 16: "C2"}
"""Colours of the bits of a weight."""

SPEEDS, THROUGHPUTS = (4.0, 1500.0), (3.0, 200e3)
"""What the panels show [1/s]."""

GIVE = "give a file with --measured FILE, in the columns that `liminal calibrate --help-all` tells"


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Measured over calibrated for each chip, what is missing, and the verdicts."""
    table = plain_table(
        [
            "chip",
            "points",
            "best",
            "throughput",
            "speed",
            "own",
            "error",
            "beyond",
            "inside",
            "fitted",
        ]
    )
    for name, it in results["scores"].items():
        ratios = (
            _ratio(it["ratio"]),
            _ratio(it["speed_ratio"]),
            _ratio(it["own"]),
            _percent(it["own_error"]),
        )
        cells = (it["points"], it["front"], *ratios, it["beyond"])
        table.add_row(name, *map(str, cells), _percent(it["inside"]), str(it["fitted"]))
    absent = [f"{model}: no measured rows, the curves stand alone; {GIVE}.\n"
              for model in results["unmeasured"]]  # fmt: skip
    unused = [f"{count} left out: {why}" for why, count in results["unused"].items()]
    return [
        "Measured over calibrated, median of the points that no other of their workload beats:"
        " throughput of a GPU at equal speed of a user, and speed at equal throughput; of all"
        " points speed at the same set-up and users with the losses of the engine (own), and the"
        " mean error of the time of a token there; how many are beyond the fastest calibrated, how"
        " many inside its 90 % interval, and points of cells that it was fitted to",
        table,
        *unused,
        *absent,
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _curve(axes: "Axes", entry: Mapping[str, Any]) -> None:
    """The bound, the calibrated curve, and with its interval that of what was measured, if any."""
    colour = COLOURS.get(entry["weight_bits"], "C5")
    bound, every, tried = entry["bound"], entry["calibrated"], entry["tried"]
    axes.plot(bound["speed"], bound["throughput"], ":", color=colour, linewidth=1.1)
    axes.plot(every["speed"], every["throughput"], "--", color=colour, linewidth=0.9)
    axes.plot(tried["speed"], tried["throughput"], color=colour, linewidth=1.6)
    main = tried if tried["speed"] else every
    low, high = main["low"], main["high"]
    axes.fill(
        [*low["speed"], *reversed(high["speed"])],
        [*low["throughput"], *reversed(high["throughput"])],
        color=colour,
        alpha=0.13,
        linewidth=0,
    )


def _points(axes: "Axes", entry: Mapping[str, Any]) -> None:
    """Measured points: triangles where throughput is an upper limit, bars without a speed."""
    colour = COLOURS.get(entry["weight_bits"], "C5")
    for it in entry["points"]:
        if it["speed"] is None:
            axes.axhline(it["throughput"], xmax=0.12, color=colour, linewidth=2.5)
            continue
        axes.plot(
            it["speed"],
            it["throughput"],
            "v" if it["at_most"] else "o",
            color=colour,
            markersize=3.5,
            markeredgewidth=0.3,
            markeredgecolor="white",
        )


def _panel(axes: "Axes", entries: list[Mapping[str, Any]]) -> None:
    """One chip and workload; nothing where it was not measured."""
    axes.set(xscale="log", yscale="log", xlim=SPEEDS, ylim=THROUGHPUTS)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    for entry in entries:
        _curve(axes, entry)
    for entry in entries:
        _points(axes, entry)
    measured = [it for it in entries if it["ratio"] is not None]
    for place, entry in enumerate(measured):
        axes.text(
            0.04,
            0.05 + 0.1 * place,
            f"{entry['weight_bits']:g}-bit {entry['ratio']:.2f}",
            transform=axes.transAxes,
            fontsize=7,
            color=COLOURS.get(entry["weight_bits"], "C5"),
        )
    if not entries:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", fontsize=7,
                  color="0.75")  # fmt: skip


def _legend(figure: "Figure", columns: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    def line(
        label: str, style: Literal["-", "--", ":"] = "-", width: float = 1.6, colour: str = "0.3"
    ) -> Line2D:
        return Line2D([], [], linestyle=style, linewidth=width, color=colour, label=label)

    def mark(label: str, marker: str) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, color="0.3", markersize=4, label=label)

    handles = [
        line("8-bit weights", colour=COLOURS[8]),
        line("4-bit weights", colour=COLOURS[4]),
        line("ideal bound", ":", 1.1),
        line("calibrated, best set-up", "--", 0.9),
        line("calibrated, measured set-ups"),
        Patch(color="0.3", alpha=0.13, label="90 % interval of it"),
        mark("measured", "o"),
        mark("measured, throughput at most", "v"),
        line("measured maximum, speed not told", width=2.5),
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=columns,
        fontsize=7,
        title="numbers: median of measured over calibrated throughput at equal interactivity",
        title_fontsize=8,
    )


ROW = ("model", "isl", "osl", "kind")
"""What a row of panels shares."""

SUFFIX = {"served": "", "pool": "\ndecode alone"}
"""How the kinds of curves are told."""


def plot(results: Mapping[str, Any]) -> "Figure":
    """Throughput over interactivity: a column for each chip, a row for each workload and kind."""
    from matplotlib.figure import Figure

    chips = results["chips"]
    rows = list(dict.fromkeys(tuple(it[name] for name in ROW) for it in results["entries"]))
    figure = Figure(figsize=(1.3 + 1.9 * len(chips), 1.3 + 1.5 * len(rows)))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(len(rows), len(chips), sharex=True, sharey=True, squeeze=False)
    for row, line in zip(rows, grid, strict=True):
        model, isl, osl, kind = row
        line[0].set_ylabel(f"{model}\n{isl}K in, {osl}K out{SUFFIX[kind]}", fontsize=7)
        for chip, axes in zip(chips, line, strict=True):
            mine = [it for it in results["entries"] if tuple(it[name] for name in ROW) == row]
            _panel(axes, [it for it in mine if it["title"] == chip])
    for chip, top in zip(chips, grid[0], strict=True):
        top.set_title(chip)
    figure.supxlabel("interactivity: tokens a second of one user [1/s]", fontsize=9)
    figure.supylabel("tokens a second of one GPU [1/s]", fontsize=9)
    _legend(figure, min(5, len(results["chips"])))
    return figure
