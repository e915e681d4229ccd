"""A picture that is put together from above: shapes, then rows that name them.

Words take the colour of the page around them and shapes are tinted, so that both can be read on
light and on dark. Words are measured generously and cut where they would touch others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

Length = float | int
"""A number of a record or of a drawing."""

WIDTH = 520.0
"""Of most pictures."""

SIZE, LETTER = 13.0, 7.4
"""Size of words, and the most that a letter of them takes on average."""

BOLD = 1.15
"""Width of bold words over that of others."""

ROW, SWATCH = 20.0, 12.0
"""Height of a row of words, and side of the patch of colour before it."""

CHANGED = "\N{BLACK DIAMOND} "
"""Before what differs from another design."""

COLOURS = {
    "compute": "#0072B2",
    "sram": "#009E73",
    "memory_interface": "#BD8300",
    "embedded_memory": "#3E97CC",
    "links": "#D55E00",
    "die_links": "#8B5A2B",
    "tier_interface": "#A08B00",
    "overhead": "#888888",
    "logic": "#0072B2",
    "stack": "#C2719E",
    "tier": "#A08B00",
    "interposer": "#8468B3",
    "outline": "#888888",
    "host": "#888888",
    "chip": "#0072B2",
    "chip_beside": "#3E97CC",
    "weights": "#0072B2",
    "tables": "#3E97CC",
    "experts": "#BD8300",
    "experts_beside": "#C2719E",
    "cache": "#009E73",
    "beyond": "#D55E00",
}
"""Colours of Okabe and Ito, with three more, each a variable of the page's style. All stand out
from a light page and from a dark one."""


@dataclass(frozen=True)
class Row:
    """A row below a picture.

    Attributes:
        key: By which the rows of two designs are compared.
        name: What it is about.
        value: What is to be said of it.
        colour: Name of the colour of what it names; empty for a fact without a shape.
        amount: The part of the value by which it is compared; all of it where left out.
    """

    key: str
    name: str
    value: str
    colour: str = ""
    amount: str = ""


@dataclass
class Sheet:
    """A picture in the making.

    Attributes:
        figure: Which picture it is, for those who look for it in a page.
        title: What it shows, in one line.
        changed: Names of the colours of what differs from another design, which is outlined.
        parts: What is drawn so far.
        height: How far down it reaches.
        width: Of the picture; it shrinks with the page.
        said: What can be read from it, for those who cannot see it.
    """

    figure: str
    title: str
    changed: frozenset[str] = frozenset()
    parts: list[str] = field(default_factory=list)
    height: Length = 26.0
    width: Length = WIDTH
    said: list[str] = field(default_factory=list)

    def shape(
        self,
        x: Length,
        y: Length,
        width: Length,
        height: Length,
        colour: str,
        told: str = "",
        *,
        style: str = "",
    ) -> None:
        """A tinted rectangle."""
        ink = _BOLD_OUTLINE if colour in self.changed else ""
        self.parts.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.0):.2f}"'
            f' height="{max(height, 0.0):.2f}" {style or solid(colour)}{ink}>'
            f"{_told(told)}</rect>"
        )

    def circle(self, x: Length, y: Length, radius: Length, told: str) -> None:
        """An outline."""
        self.parts.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" {outline("outline")}>'
            f"{_told(told)}</circle>"
        )

    def line(
        self,
        begin: tuple[Length, Length],
        end: tuple[Length, Length],
        width: Length,
        colour: str = "links",
    ) -> None:
        """A link, or a piece of a curve."""
        self.parts.append(
            f'<line x1="{begin[0]:.2f}" y1="{begin[1]:.2f}" x2="{end[0]:.2f}" y2="{end[1]:.2f}"'
            f' stroke="{_colour(colour)}" stroke-width="{width:.2f}"/>'
        )

    def rule(self, begin: tuple[Length, Length], end: tuple[Length, Length]) -> None:
        """A faint line to read positions by."""
        self.parts.append(
            f'<line x1="{begin[0]:.2f}" y1="{begin[1]:.2f}" x2="{end[0]:.2f}" y2="{end[1]:.2f}"'
            ' stroke="currentColor" stroke-opacity="0.2"/>'
        )

    def words(
        self,
        x: Length,
        y: Length,
        text: str,
        room: Length,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Words, cut to their room."""
        weight = ' font-weight="700"' if bold else ""
        self.parts.append(
            f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}"{weight}>'
            f"{escape(fitted(text, room / (BOLD if bold else 1.0)))}</text>"
        )

    def rows(
        self,
        rows: Sequence[Row],
        beside: Sequence[Row] | None,
        lacking: tuple[str, str] = ("none", "none"),
    ) -> None:
        """Rows that name what is drawn, with what differs from another design.

        Args:
            rows: The rows.
            beside: Those of the other design; none where there is no other.
            lacking: What this design and the other have where only the other has a row.
        """
        marked = False
        for it, first, differs in _compared([*rows, *_gone(rows, beside, lacking[0])], beside):
            self.said.append(f"{it.name}: {it.value}")
            self._row(it, differs)
            marked = marked or differs
            if differs:
                self._aside(f"the first: {first.value if first else lacking[1]}")
        if marked:
            drawn = ", in the drawing by a bold outline" if self.changed else ""
            self.note(f"{CHANGED}differs from the first design{drawn}.")

    def _row(self, it: Row, changed: bool) -> None:
        """A row on one line where name and value have room beside each other, else on two."""
        left, right = 8.0, self.width - 8
        if it.colour:
            self.shape(left, self.height + 3, SWATCH, SWATCH, it.colour)
        start = left + SWATCH + 8
        name = (CHANGED if changed else "") + it.name
        room, factor = right - start, BOLD if changed else 1.0
        self.words(start, self.height + 14, name, room, bold=changed)
        if factor * (width_of(name) + width_of(it.value)) + 12 > room:
            self.height += ROW
        self.words(right, self.height + 14, it.value, room, "end", bold=changed)
        self.height += ROW

    def _aside(self, text: str) -> None:
        self.words(self.width - 8, self.height + 12, text, self.width - 30, "end")
        self.height += ROW

    def note(self, text: str) -> None:
        """A sentence over the whole width, on as many lines as it needs."""
        self.said.append(text)
        for it in wrapped(text, self.width - 16):
            self.words(8.0, self.height + 14, it, self.width - 16)
            self.height += ROW - 2

    def svg(self, *, alone: bool = False) -> str:
        """The picture.

        Args:
            alone: Whether it stands in a file of its own, and brings its colours of page and ink.
        """
        self.height += 8
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" data-figure="{self.figure}" role="img"'
            f' viewBox="0 0 {self.width:g} {self.height:.0f}" aria-label="{escape(self.title)}"'
            f' style="width:100%;max-width:{self.width:g}px;height:auto" fill="currentColor"'
            f' font-family="system-ui,sans-serif" font-size="{SIZE:g}">'
        )
        title = fitted(self.title, (self.width - 16) / BOLD)
        return (
            f"{head}<title>{escape(self.title)}</title><desc>{escape('. '.join(self.said))}</desc>"
            f"{_ALONE if alone else ''}"
            f'<text x="8" y="17" font-weight="700">{escape(title)}</text>'
            f"{''.join(self.parts)}</svg>"
        )


def changed(rows: Sequence[Row], beside: Sequence[Row] | None) -> frozenset[str]:
    """Names of the colours of rows that differ from those of another design, if there is one."""
    return frozenset(it.colour or it.key for it, _, differs in _compared(rows, beside) if differs)


def _compared(
    rows: Iterable[Row], beside: Iterable[Row] | None
) -> Iterator[tuple[Row, Row | None, bool]]:
    """Each row with that of another design, if it has one, and whether they differ."""
    other = {it.key: it for it in beside or ()}
    for it in rows:
        first = other.get(it.key)
        differs = first is None or (it.amount or it.value) != (first.amount or first.value)
        yield it, first, beside is not None and differs


def captioned(name: str, drawing: str) -> str:
    """A picture under the name of what it shows, as HTML."""
    return f'<div style="font-weight:700;padding-left:.5rem">{escape(name)}</div>{drawing}'


def side_by_side(drawings: Iterable[str]) -> str:
    """Pictures beside each other where there is room, as HTML.

    Args:
        drawings: The pictures, or other HTML of the same width.
    """
    cells = "".join(
        f'<div style="flex:1 1 26rem;max-width:{WIDTH:g}px">{it}</div>' for it in drawings
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start">{cells}</div>'


_BOLD_OUTLINE = ' style="stroke:currentColor;stroke-width:2.5;stroke-dasharray:none"'

_ALONE = (
    "<style>svg{color:#222;background:#fff}"
    "@media (prefers-color-scheme:dark){svg{color:#e8e8e8;background:#16181c}}</style>"
)


def _gone(rows: Iterable[Row], beside: Iterable[Row] | None, lacking: str) -> list[Row]:
    """Rows that only the other design has."""
    keys = {it.key for it in rows}
    return [Row(it.key, it.name, lacking) for it in beside or () if it.key not in keys]


def _told(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def _colour(name: str) -> str:
    return f"var(--figure-{name.replace('_', '-')},{COLOURS[name]})"


def solid(name: str) -> str:
    """The style of a shape that words can be read on."""
    return f'fill="{_colour(name)}" fill-opacity="0.38" stroke="{_colour(name)}"'


def full(name: str) -> str:
    """The style of a shape without words."""
    return f'fill="{_colour(name)}"'


def outline(name: str) -> str:
    """The style of what is only an outline."""
    return f'fill="none" stroke="{_colour(name)}" stroke-dasharray="5 4"'


def frame() -> str:
    """The style of an edge around what is drawn for itself."""
    return 'fill="none" stroke="currentColor" stroke-opacity="0.6"'


def vague(name: str) -> str:
    """The style of what is there but not known to be as large as it is drawn."""
    colour = _colour(name)
    return f'fill="{colour}" fill-opacity="0.12" stroke="{colour}" stroke-dasharray="3 3"'


def width_of(text: str) -> Length:
    """The most that words take.

    Examples:
        >>> width_of("ten letter")
        74.0
    """
    return LETTER * len(text)


def fitted(text: str, room: Length) -> str:
    """Words cut to their room.

    Examples:
        >>> fitted("interposer", 74.0), fitted("interposer", 37.0), fitted("interposer", 3.0)
        ('interposer', 'inte…', '')
    """
    most = int(room / LETTER + 1e-9)
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…" if most >= 2 else ""


def wrapped(text: str, room: Length) -> list[str]:
    """Words on lines that have a room."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if width_of(joined) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines
