"""How the results of `responsiveness` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import colour, name_ends, plain_table, short, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _design(design: Mapping[str, Any]) -> str:
    """A design in a word: chips, stages where there are several, chip, users of all stages."""
    stages = "" if design["stages"] == 1 else f"x{design['stages']}"
    users = design["users"] * design["stages"]
    return f"{design['ranks']}{stages} {design['chip']}, {users}"


def _table(cells: Mapping[str, Any]) -> RenderableType:
    shares = list(next(iter(cells.values()))["gains"])
    table = plain_table(
        [
            "model",
            "fastest\nUTPS",
            "chips, users\nof the fastest",
            *(f"{float(share):.0%}\n{mechanism}" for share in shares for mechanism in _MECHANISMS),
        ]
    )
    for name, cell in cells.items():
        gains = cell["gains"]
        table.add_row(
            name,
            short(cell["fastest"]["utps"]),
            _design(cell["fastest"]),
            *(
                times(gains[share][mechanism]["gain"])
                for share in shares
                for mechanism in _MECHANISMS
            ),
        )
    return table


TICKS = (1, 2, 5, 10, 20, 50, 100, 200)
"""Factors that are told on the axis."""

_MECHANISMS = ("users", "chips", "chip", "all")


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """What speed buys by accounting, and the verdicts."""
    parts: list[RenderableType] = []
    for accounting, cells in results["rows"].items():
        parts += [
            f"Efficiency over that of the fastest design, {accounting}, by what may change",
            _table(cells),
        ]
    return parts


def _panel(axes: "Axes", cells: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Efficiency gained over speed given up; the ends of the lines."""
    names, ends = list(cells), {}
    for name, cell in cells.items():
        front = cell["front"]
        slower = [1 - speed / front["utps"][0] for speed in front["utps"]]
        gain = [it / front["efficiency"][0] for it in front["efficiency"]]
        shown = [(100 * s, g) for s, g in zip(slower, gain, strict=True) if s <= 0.2]
        shown.append((20.0, shown[-1][1]))
        axes.step(*zip(*shown, strict=True), where="post", color=colour(names, name))
        ends[name] = shown[-1]
    axes.set(xlim=(0, 20), yscale="log", xlabel="slower for the user than the fastest design [%]")
    axes.set_ylim(0.9, max(9.0, 1.3 * max(end[1] for end in ends.values())))
    axes.set_xticks(range(0, 21, 5))
    axes.set_yticks([it for it in TICKS if it < axes.get_ylim()[1]])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    for share, claimed in ((5, 5), (10, 7)):
        axes.plot(share, claimed, "k*", markersize=9, zorder=5)
        axes.annotate(
            f"claim: {claimed}x",
            (share, claimed),
            xytext=(5, -9),
            textcoords="offset points",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8},
        )
    return ends


def plot(results: Mapping[str, Any]) -> "Figure":
    """Efficiency gained over speed given up, a panel for each accounting."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15.0, 8.0))
    figure.set_layout_engine("constrained", rect=(0, 0, 0.94, 1), wspace=0.16)
    panels = figure.subplots(2, 3).ravel()
    ends = []
    for axes, (accounting, cells) in zip(panels, results["rows"].items(), strict=True):
        ends.append(_panel(axes, cells))
        axes.set_title(accounting)
    for axes in panels[::3]:
        axes.set_ylabel("efficiency over that of the fastest [-]")
    figure.suptitle("What a slower answer buys; users, chips and chip may all change")
    figure.draw_without_rendering()
    for axes, places in zip(panels, ends, strict=True):
        name_ends(axes, places, {name: colour(list(places), name) for name in places})
    return figure
