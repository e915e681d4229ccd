"""How the results of `interactivity` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import name_ends, plain_table, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLES = {"GB200": "--"}
"""Lines that lie on others are dashed."""

COLOURS = {"H100": "C5", "H200": "C0", "B200": "C2", "GB200": "C3", "MI355X": "C1"}


def _cell(front: Mapping[str, Any], speed: float) -> str:
    """The best throughput at a speed, and the ranks and users that give it."""
    fast = [place for place, it in enumerate(front["speed"]) if it >= speed]
    if not fast:
        return "-"
    best = max(fast, key=lambda place: front["throughput"][place])
    spread = "e" if front["spread"][best] > 1 else ""
    ranks, users = front["ranks"][best], front["users"][best]
    return f"{short(front['throughput'][best])} ({ranks:.0f}{spread}, {users:,.0f})"


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Calibrated throughput of a chip at some speeds, and the verdicts."""
    table = plain_table(["system", *(f"{speed:g}" for speed in results["speeds"]), "fastest"])
    for name, curves in results["fronts"].items():
        front = curves["calibrated"]
        cells = [_cell(front, speed) for speed in results["speeds"]]
        table.add_row(name, *cells, f"{front['speed'][0]:,.0f}")
    points = sum(len(it["points"]) for it in results["fronts"].values())
    return [
        f"Calibrated tokens a second of a chip at no less than so many for a user [1/s],"
        f" {results['model']}, 1K tokens in and 1K out; in brackets ranks (e: experts spread) and"
        f" users. Measured points beside the curves: {points}",
        table,
    ]


def _drawn(axes: "Axes", curves: Mapping[str, Any], style: str, colour: str) -> None:
    """The bound, the calibrated curve, and measured points of one system."""
    bound, calibrated = curves["bound"], curves["calibrated"]
    axes.plot(bound["speed"], bound["throughput"], ":", color=colour, linewidth=1)
    axes.plot(calibrated["speed"], calibrated["throughput"], style, color=colour)
    for it in curves["points"]:
        if it["speed"] is None:
            axes.axhline(it["throughput"], xmax=0.05, color=colour, linewidth=2.5)
        else:
            axes.plot(it["speed"], it["throughput"], "o", color=colour, markersize=4)


def _legend(axes: "Axes", fronts: Mapping[str, Any]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle=":", linewidth=1, color="0.3", label="ideal bound"),
        Line2D([], [], color="0.3", label="calibrated, a typical engine"),
    ]
    if any(it["points"] for it in fronts.values()):
        handles.append(Line2D([], [], linestyle="", marker="o", color="0.3", label="measured"))
    axes.legend(handles=handles, loc="lower left")


def plot(results: Mapping[str, Any]) -> "Figure":
    """Throughput of a chip over the speed of a user, for each system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 5.0))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    for name, curves in results["fronts"].items():
        _drawn(axes, curves, STYLES.get(name, "-"), COLOURS[name])
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="interactivity: tokens a second of one user [1/s]",
        ylabel="tokens a second of one GPU [1/s]",
    )
    axes.set_xlim(left=5)
    slowest = min(it["calibrated"]["throughput"][0] for it in results["fronts"].values())
    axes.set_ylim(bottom=0.5 * slowest)
    _legend(axes, results["fronts"])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    figure.suptitle(f"{results['model']}, 4-bit weights, 1K tokens in and 1K out")
    figure.draw_without_rendering()
    ends = {
        name: (curves["calibrated"]["speed"][0], curves["calibrated"]["throughput"][0])
        for name, curves in results["fronts"].items()
    }
    name_ends(axes, ends, COLOURS)
    return figure
