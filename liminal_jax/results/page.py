"""A page about a result before it is drawn: sections of tables, sentences and figures.

A page is data: its words are chosen, and each number carries its place in the record of the result.
Terminals and HTML draw the same page, so that they tell the same rows in the same words.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PALETTE = ("#0072B2", "#BD8300", "#009E73", "#C2719E", "#3E97CC", "#D55E00", "#8A8A8A")
"""Colours of Okabe and Ito, which colour-blind readers tell apart; the pale ones darkened until
each stands out from a light page and from a dark one."""


@dataclass(frozen=True)
class Value:
    """A number as people read it, and as it stands in the record.

    Attributes:
        words: How it is shown.
        path: Where it stands in the record, with points between the keys.
        number: What stands there, in SI units.
    """

    words: str
    path: str
    number: float


Number = int | float
"""A number of a record: JSON does not tell whole numbers from others."""

Cell = str | Value
"""Words, or a number."""

Line = tuple[Cell, ...]
"""Words and numbers of one sentence, or the cells of one row."""


@dataclass(frozen=True)
class Table:
    """Rows whose first cell names what stands in the others.

    Attributes:
        rows: Its rows.
        heading: Names of its columns; none where the rows say it.
        name: By which a figure brushes its rows; none for a table that stands alone.
    """

    rows: tuple[Line, ...]
    heading: tuple[str, ...] = ()
    name: str = ""


class Listing(Table):
    """A table in which each row is looked up by its name, so that terminals show all of it."""


@dataclass(frozen=True)
class Sentences:
    """Sentences one below the other, in a list where there are several."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Figure:
    """A figure as plotly has it in JSON; terminals leave it out, since its rows stand in a table.

    Attributes:
        traces: What is drawn.
        layout: Its axes and legend.
        label: What it shows, for readers who cannot see it.
        height: Of the drawing, in pixels.
        brushes: Name of the table whose rows stay that are selected in the figure, by the `ids` of
            its points, which are numbers of rows.
        narrow: What its layout says otherwise on a narrow page, beside what all figures do there.
    """

    traces: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any]
    label: str
    height: int = 380
    brushes: str = ""
    narrow: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A picture that is there already; terminals leave it out.

    Attributes:
        source: The picture as a `data:` address.
        label: What it shows, for readers who cannot see it.
    """

    source: str
    label: str


@dataclass(frozen=True)
class Drawings:
    """Pictures of a design as SVG, beside each other; terminals leave them out.

    Attributes:
        svgs: The pictures, which tell themselves what they show to readers who cannot see them.
    """

    svgs: tuple[str, ...]


Part = Table | Sentences | Figure | Picture | Drawings


@dataclass(frozen=True)
class Section:
    """Something under a heading.

    Attributes:
        title: The heading.
        parts: What stands under it; a section without parts is not drawn.
    """

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """The page about a result.

    Attributes:
        title: Name of the result.
        about: What was asked, why, and within which limits.
        answer: The answer in one line.
        sections: What there is to say of it, the most important first.
    """

    title: str
    about: tuple[str, ...]
    answer: Line
    sections: tuple[Section, ...]


UNKNOWN = "unknown"
"""What stands for a number that is not known."""


def known(words: str, path: str, number: Number | None) -> Cell:
    """A number that may be unknown.

    Examples:
        >>> known("50 W", "totals.power", 50.0)
        Value(words='50 W', path='totals.power', number=50.0)
        >>> known("", "totals.power", None)
        'unknown'
    """
    if number is None or not math.isfinite(number):
        return UNKNOWN
    return Value(words, path, float(number))


def text_of(line: Line) -> str:
    """A line as plain text.

    Examples:
        >>> text_of(("power ", Value("50 W", "power", 50.0)))
        'power 50 W'
    """
    return "".join(it if isinstance(it, str) else it.words for it in line)


def table(rows: Iterable[Line], heading: tuple[str, ...] = (), name: str = "") -> Table:
    """A table of rows that are made one by one."""
    return Table(tuple(rows), heading, name)


def listing(rows: Iterable[Line], heading: tuple[str, ...]) -> Listing:
    """A table of which terminals show all rows."""
    return Listing(tuple(rows), heading)


def sentences(lines: Iterable[str]) -> Sentences:
    """Sentences in which no number has a place in the record."""
    return Sentences(tuple((it,) for it in lines))


def section(title: str, *parts: Part | None) -> Section:
    """Something under a heading, without parts that have nothing to show.

    Examples:
        >>> section("what binds", table([])).parts
        ()
    """
    return Section(title, tuple(it for it in parts if it is not None and _shows(it)))


def _shows(part: Part) -> bool:
    match part:
        case Table(rows=rows):
            return bool(rows)
        case Sentences(lines=lines):
            return bool(lines)
        case Figure(traces=traces):
            return bool(traces)
        case Drawings(svgs=svgs):
            return bool(svgs)
        case Picture():
            return True
