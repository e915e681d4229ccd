"""What the figures of several experiments share: names at the ends of lines, short numbers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7")
"""Colours of lines, in the order of the models."""

GAP = 10.0
"""Points between two names, baseline to baseline."""


def colour(names: Sequence[str], name: str) -> str:
    """The colour of a name among others."""
    return COLOURS[list(names).index(name) % len(COLOURS)]


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Places moved apart until neighbours are a gap away, as little as that takes.

    Neighbours that are too near form a block around their mean (pool adjacent violators).

    Examples:
        >>> spread([0.0, 0.0, 10.0], 2.0)
        [-1.0, 1.0, 10.0]
    """
    order = np.argsort(places, kind="stable")
    targets = np.asarray(places, float)[order] - gap * np.arange(len(order))
    blocks: list[tuple[float, int]] = []
    for target in targets.tolist():
        mean, count = target, 1
        while blocks and blocks[-1][0] > mean:
            before, number = blocks.pop()
            mean = (mean * count + before * number) / (count + number)
            count += number
        blocks.append((mean, count))
    moved = np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])
    found = np.empty(len(order))
    found[order] = moved + gap * np.arange(len(order))
    return found.tolist()


def name_ends(
    axes: "Axes", ends: Mapping[str, tuple[float, float]], colours: Mapping[str, str]
) -> None:
    """Write the name of each line at its end, moved apart where they would overlap.

    Limits and scales of the axes must be set.

    Args:
        axes: Where the lines are.
        ends: The last point of each line, in data.
        colours: The colour of each.
    """
    figure = axes.get_figure()
    if figure is None or not ends:
        return
    points_per_pixel = 72 / figure.dpi
    heights = [axes.transData.transform(end)[1] * points_per_pixel for end in ends.values()]
    # The panel shrinks when names are laid out beside it, and the places with it.
    gap = GAP * 1.1
    for (name, end), height, place in zip(ends.items(), heights, spread(heights, gap), strict=True):
        axes.annotate(
            name,
            end,
            xytext=(7, place - height),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=colours[name],
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colours[name],
                "linewidth": 0.5,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )


def short(value: float | None) -> str:
    """A throughput as the slides print it; a dash for none.

    Examples:
        >>> short(None), short(381.4), short(2149.0), short(26040.0), short(4.25)
        ('-', '381', '2.1K', '26K', '4.2')
    """
    if value is None:
        return "-"
    if value < 10:
        return f"{value:.1f}"
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}K" if value < 10e3 else f"{value / 1000:.0f}K"


def times(value: float | None) -> str:
    """A factor.

    Examples:
        >>> times(1.25), times(14.0), times(None)
        ('1.2x', '14x', '-')
    """
    if value is None:
        return "-"
    return f"{value:.1f}x" if value < 10 else f"{value:.0f}x"


def plain_table(headings: Sequence[str]) -> Table:
    """An empty table: names to the left, numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
