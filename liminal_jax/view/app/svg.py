"""Scalable drawings put together by hand: quick enough to follow a hand, and loading nothing.

Plotly's element in marimo asks a public server for MathJax, and Matplotlib takes a tenth of a
second for each figure. Colours and lines are those of `style.mplstyle`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape as text

from typing_extensions import override

from liminal_jax._display import plain, with_prefix

INK, GREY = "currentColor", "#8A8A8A"
"""Colours of words, which are those of the page around, and of what there was before."""

GRID = 'currentColor" stroke-opacity="0.15'
"""Colour of the grid."""

WIDTH, HEIGHT = 500.0, 300.0
"""Of a drawing; it grows with the page."""

LEFT, RIGHT, TOP, BOTTOM = 76.0, 26.0, 30.0, 44.0
"""Room around the axes."""

_MARKS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Scale(ABC):
    """Where numbers lie on an axis.

    Attributes:
        low: The number at its beginning.
        high: The number at its end.
        first: Where it begins, in the drawing.
        last: Where it ends.
    """

    low: float
    high: float
    first: float
    last: float

    @abstractmethod
    def share(self, value: float) -> float:
        """How far along the axis a number lies, from 0 to 1."""

    @abstractmethod
    def marks(self) -> list[float]:
        """Numbers to write beside it."""

    def at(self, value: float) -> float:
        """Where a number lies in the drawing."""
        return self.first + (self.last - self.first) * self.share(value)


class Linear(Scale):
    """Equal steps are equally long."""

    @override
    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    @override
    def marks(self) -> list[float]:
        step = _round_up((self.high - self.low) / 6)
        count = math.floor((self.high - self.low) / step + 1e-9)
        return [self.low + step * it for it in range(count + 1)]


class Logarithmic(Scale):
    """Equal ratios are equally long."""

    @override
    def share(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)

    @override
    def marks(self) -> list[float]:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        heads = _MARKS if len(decades) <= 4 else _MARKS[:1]
        every = [head * 10.0**decade for decade in decades for head in heads]
        return [it for it in every if self.low * 0.999 <= it <= self.high * 1.001]


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 ...

    Examples:
        >>> _round_up(3.0)
        5.0
    """
    decade = 10.0 ** math.floor(math.log10(value))
    return next(it * decade for it in (*_MARKS, 10.0) if it * decade >= value * (1 - 1e-9))


def _round_down(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return next(it * decade for it in reversed(_MARKS) if it * decade <= value * (1 + 1e-9))


def linear(most: float) -> Linear:
    """A horizontal axis from 0."""
    return Linear(0.0, most, LEFT, WIDTH - RIGHT)


def across(values: Iterable[float]) -> Logarithmic:
    """A horizontal axis on which all numbers lie."""
    return Logarithmic(*_ends(values), LEFT, WIDTH - RIGHT)


def upward(values: Iterable[float]) -> Logarithmic:
    """A vertical axis on which all numbers lie."""
    return Logarithmic(*_ends(values), HEIGHT - BOTTOM, TOP)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    """Round ends, so that the axes rest while what is drawn moves a little."""
    usable = [it for it in values if math.isfinite(it) and it > 0] or [1.0]
    low, high = _round_down(min(usable)), _round_up(max(usable))
    return (low, high) if high > low else (low, 10 * low)


def drawing(title: str, label: str, parts: Iterable[str]) -> str:
    """A whole drawing.

    Args:
        title: What it shows, in a few words.
        label: What can be read from it now, for readers who cannot see it.
        parts: What is drawn.
    """
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{text(label)}"'
        ' style="width:100%;height:auto;display:block;font:13px system-ui,sans-serif">'
        f'<text x="4" y="15" font-weight="700" fill="{INK}">{text(title)}</text>'
        f"{''.join(parts)}</svg>"
    )


def words(x: float, y: float, what: str, anchor: str = "start") -> str:
    """Words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{text(what)}</text>'


def line(points: Sequence[tuple[float, float]], colour: str, dash: str = "") -> str:
    """A line through some places."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>'


def dot(x: float, y: float, radius: float, colour: str, told: str, fill: str = "") -> str:
    """A mark that tells something when one hovers over it."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill or colour}" stroke="{colour}"'
        f' stroke-width="1.6"><title>{text(told)}</title></circle>'
    )


def bar(solution: tuple[float, float, float, float], colour: str, told: str) -> str:
    """A bar from a place (left, top, width, height) on."""
    x, y, width, height = solution
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{height:.1f}"'
        f' fill="{colour}"><title>{text(told)}</title></rect>'
    )


def frame(x: Scale, y: Scale | None, below: str, beside: str = "", unit: str = "") -> str:
    """Axes with their grid, numbers and names.

    Args:
        x: The horizontal axis.
        y: The vertical axis; none where bars are named instead.
        below: Name of the horizontal axis, with its unit.
        beside: Name of the vertical axis, with its unit.
        unit: Unit of the numbers of the horizontal axis.
    """
    floor = HEIGHT - BOTTOM
    parts = []
    for mark in x.marks():
        at = x.at(mark)
        parts.append(_rule(at, TOP, at, floor))
        parts.append(
            words(at, floor + 16, with_prefix(mark, unit) if unit else plain(mark), "middle")
        )
    for mark, at in [] if y is None else [(it, y.at(it)) for it in y.marks()]:
        parts.append(_rule(x.first, at, x.last, at))
        parts.append(words(x.first - 6, at + 4, plain(mark), "end"))
    parts.append(_rule(x.first, floor, x.last, floor, GREY))
    parts.append(words((x.first + x.last) / 2, HEIGHT - 8, below, "middle"))
    middle = (TOP + floor) / 2
    if beside:
        parts.append(
            f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle"'
            f' fill="{INK}">{text(beside)}</text>'
        )
    return "".join(parts)


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str = GRID) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
