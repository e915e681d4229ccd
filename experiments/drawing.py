"""What the figures share: panels, names at the ends of lines, marks, short numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
else:
    Axes = Figure = Any  # Matplotlib is an extra.

Ends = Mapping[str, tuple[float, float]]
"""The last point of each line, in data."""

Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Lines by name: along, and up."""

CHIP_COLOURS = {"HBM3": "C5", "HBM4": "C0", "3D-DRAM": "C2", "SRAM": "C3", "wafer": "C1"}
"""Colours of the paper's chips."""

DASHED: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 3))}
"""How a claimed number is drawn."""

BESIDE = 0.93
"""Share of the width of a figure that is left to panels with names beside the last of them."""

ALONG, ACROSS = ("data", "axes fraction"), ("axes fraction", "data")
"""Where a note stands beside the horizontal or the vertical axis."""

GAP = 10.0  # points between two names, baseline to baseline


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in the order of the style."""
    return {name: f"C{place % 8}" for place, name in enumerate(names)}


def sheet(
    rows: int, columns: int, size: tuple[float, float], *, width: float = 1.0, **shared: Any
) -> tuple[Figure, list[list[Axes]]]:
    """A figure and its panels, row by row.

    Args:
        rows: Rows of panels.
        columns: Panels of a row.
        size: Of the figure, width by height [inch].
        width: Share of its width that the panels take.
        shared: What else `Figure.subplots` is asked for.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    figure.set_layout_engine("constrained", rect=(0, 0, width, 1))
    panels = figure.subplots(rows, columns, squeeze=False, **shared)
    return figure, [list(line) for line in panels]


def panels(
    groups: Mapping[str, Any],
    panel: Callable[[Axes, Any], Ends | None],
    size: tuple[float, float],
    *,
    columns: int = 3,
    width: float = 1.0,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    shades: Mapping[str, str] | None = None,
    **shared: Any,
) -> Figure:
    """A figure with a panel for each group.

    Args:
        groups: What is drawn, by the title of its panel.
        panel: Draws a group on some axes; the ends of lines that are to be named.
        size: Of the figure, width by height [inch].
        columns: Most panels of a row.
        width: Share of the figure's width that the panels take.
        title: Of the figure.
        xlabel: Below the lowest panels.
        ylabel: Beside the panels to the left.
        shades: The colour of each line that is named.
        shared: What else `Figure.subplots` is asked for.
    """
    columns = min(columns, len(groups))
    figure, rows = sheet(-(-len(groups) // columns), columns, size, width=width, **shared)
    places = [axes for row in rows for axes in row]
    for axes in places[len(groups) :]:
        axes.set_visible(False)
    ends = []
    for axes, (name, group) in zip(places, groups.items(), strict=False):
        ends.append((axes, panel(axes, group) or {}))
        axes.set_title(name)
    for axes in rows[-1] if xlabel else ():
        axes.set_xlabel(xlabel)
    for row in rows if ylabel else ():
        row[0].set_ylabel(ylabel)
    if title:
        figure.suptitle(title)
    if shades:
        name_lines(figure, ends, shades)
    return figure


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


def name_ends(axes: Axes, ends: Ends, shades: Mapping[str, str]) -> None:
    """Write the name of each line at its end, moved apart where they would overlap.

    Limits and scales of the axes must be set, and the figure laid out.

    Args:
        axes: Where the lines are.
        ends: The last point of each.
        shades: The colour of each.
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
            color=shades[name],
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": shades[name],
                "linewidth": 0.5,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )


def name_lines(
    figure: Figure, ends: Sequence[tuple[Axes, Ends]], shades: Mapping[str, str]
) -> None:
    """Write names at the ends of the lines of several panels, once all else is drawn."""
    figure.draw_without_rendering()
    for axes, its in ends:
        name_ends(axes, its, shades)


def lines(
    axes: Axes,
    drawn: Lines,
    shades: Mapping[str, str],
    *,
    steps: bool = False,
    mark: str = "",
    **axis: Any,
) -> Ends:
    """Draw lines, with a mark at each point if any, and set what `Axes.set` knows; their ends."""
    style: dict[str, Any] = {
        "drawstyle": "steps-post" if steps else "default",
        "marker": mark,
        "markersize": 4,
    }
    for name, (along, up) in drawn.items():
        axes.plot(along, up, color=shades[name], **style)
    axes.set(**axis)
    return {name: (along[-1], up[-1]) for name, (along, up) in drawn.items()}


def dot(axes: Axes, at: tuple[float, float], style: Mapping[str, Any], size: float = 5) -> None:
    """A mark in one of the styles of a legend."""
    axes.plot(*at, **{"mec": "white", "markersize": size, **style})


def bar(
    axes: Axes, place: float, parts: Mapping[str, float], styles: Mapping[str, Any], **style: Any
) -> float:
    """A horizontal bar of parts, one after the other; where it ends."""
    left = 0.0
    for name, part in parts.items():
        axes.barh(place, part, left=left, **{"height": 0.7, **style, **styles[name]})
        left += part
    return left


def name_rows(axes: Axes, names: Sequence[str], **style: Any) -> None:
    """Names of the rows of a panel, from the top down."""
    axes.set_yticks(range(len(names)), names, **style)
    axes.set_ylim(len(names) - 0.4, -0.6)


def note(
    axes: Axes, text: str, at: Any, offset: tuple[float, float] = (0, 0), **style: Any
) -> None:
    """A few words at a point in data, so many points beside it."""
    given = {"ha": "center", "fontsize": 7, "textcoords": "offset points", **style}
    axes.annotate(text, at, xytext=offset, **given)


def mark_x(axes: Axes, place: float, text: str, lift: float = 2.0, **line: Any) -> None:
    """A number of the horizontal axis as a line, named above the panel."""
    axes.axvline(place, **DASHED | line)
    note(axes, text, (place, 1.0), (0, lift), xycoords=ALONG)


def mark_y(axes: Axes, place: float, text: str, lift: float = 2.0) -> None:
    """A number of the vertical axis as a line, named at its right end."""
    axes.axhline(place, **DASHED)
    note(axes, text, (1.0, place), (-3, lift), xycoords=ACROSS, ha="right")


def plain_logs(axes: Axes) -> None:
    """Two logarithmic axes whose numbers are written out."""
    axes.set(xscale="log", yscale="log")
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.yaxis.set_major_formatter("{x:,.10g}")


def legend(where: Axes | Figure, entries: Mapping[str, Mapping[str, Any]], **placed: Any) -> None:
    """What lines and marks stand for, each drawn in its style."""
    from matplotlib.lines import Line2D

    styles = {label: {"color": "0.3", **style} for label, style in entries.items()}
    handles = [Line2D([], [], **style, label=label) for label, style in styles.items()]
    where.legend(handles=handles, **placed)


def tokens(context: int) -> str:
    """A context in words.

    Examples:
        >>> tokens(131072), tokens(1048576)
        ('128K', '1M')
    """
    return f"{context // 1024}K" if context < 1024**2 else f"{context // 1024**2}M"


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


def gap_words(gap: float) -> str:
    """A gap in per cent; infinite without a design.

    Examples:
        >>> gap_words(0.0), gap_words(0.0123), gap_words(3.4567), gap_words(float("inf"))
        ('0', '1.2 %', '346 %', 'no design')
    """
    if gap == float("inf"):
        return "no design"
    if gap <= 1e-9:
        return "0"
    return f"{100 * gap:,.0f} %" if gap >= 0.1 else f"{100 * gap:.2g} %"


def times(value: float | None) -> str:
    """A factor.

    Examples:
        >>> times(1.25), times(14.0), times(None)
        ('1.2x', '14x', '-')
    """
    if value is None:
        return "-"
    return f"{value:.1f}x" if value < 10 else f"{value:.0f}x"
