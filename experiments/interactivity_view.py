"""How the results of `interactivity` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import name_ends, plain_table, short
from experiments.verdicts import told

if TYPE_CHECKING:
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
    """Throughput of a chip at some speeds, and the verdicts."""
    table = plain_table(["system", *(f"{speed:g}" for speed in results["speeds"]), "fastest"])
    for name, front in results["fronts"].items():
        cells = [_cell(front, speed) for speed in results["speeds"]]
        table.add_row(name, *cells, f"{front['speed'][0]:,.0f}")
    return [
        f"Tokens a second of a chip at no less than so many for a user [1/s], {results['model']},"
        f" decode at {results['context']:,} tokens; in brackets ranks (e: experts spread)"
        " and users",
        table,
        *told(results),
    ]


def plot(results: Mapping[str, Any]) -> "Figure":
    """Throughput of a chip over the speed of a user, for each system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 5.0))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    for name, front in results["fronts"].items():
        style = STYLES.get(name, "-")
        axes.plot(front["speed"], front["throughput"], style, color=COLOURS[name])
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="interactivity: tokens a second of one user [1/s]",
        ylabel="tokens a second of one GPU [1/s]",
        title="ideal decode, without prefill",
    )
    axes.set_xlim(10, 1.6 * max(front["speed"][0] for front in results["fronts"].values()))
    axes.set_ylim(bottom=0.5 * min(front["throughput"][0] for front in results["fronts"].values()))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    figure.suptitle(f"{results['model']}, 4-bit weights, 1K tokens in and 1K out")
    figure.draw_without_rendering()
    ends = {
        name: (front["speed"][0], front["throughput"][0])
        for name, front in results["fronts"].items()
    }
    name_ends(axes, ends, COLOURS)
    return figure
