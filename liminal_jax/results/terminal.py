"""A page on a terminal: the answer, then each section, without its figures."""

from collections.abc import Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from liminal_jax.results.page import (
    UNKNOWN,
    Listing,
    Page,
    Part,
    Section,
    Sentences,
    Table,
    Value,
    text_of,
)

MOST_ROWS = 30
"""Rows of a table that a terminal shows; of more, some that are spread evenly."""

GAP = 3
"""Characters between two columns."""

READABLE, UNBROKEN = 20, 36
"""Characters to which a text may be folded, and of a word that is not broken."""


def terminal(page: Page) -> RenderableType:
    """A page for a console.

    Args:
        page: The page.
    """
    shown = [it for it in page.sections if any(map(_drawn, it.parts))]
    return Group(
        Text(page.title, style="bold"),
        *(Text(it) for it in page.about),
        "",
        Text(text_of(page.answer), style="bold"),
        *(_section(it) for it in shown),
    )


def _section(section: Section) -> RenderableType:
    bodies = [it for part in section.parts if (it := _drawn(part)) is not None]
    return Group("", Text(section.title, style="bold"), Padding(Group(*bodies), (0, 0, 0, 2)))


def _drawn(part: Part) -> RenderableType | None:
    match part:
        case Listing():
            return _grid(part, range(len(part.rows[0])), 0)
        case Table():
            return _thinned(part)
        case Sentences(lines=lines):
            return Group(*(Text(text_of(it)) for it in lines))
    return None


def _thinned(table: Table) -> RenderableType:
    """A table without some of its rows where it has too many for a screen; marked ones stay."""
    count = len(table.rows)
    if count <= MOST_ROWS:
        return _Fitting(table)
    spread = {round(at * (count - 1) / (MOST_ROWS - 1)) for at in range(MOST_ROWS)}
    marked = {at for at, row in enumerate(table.rows) if table.heading[-1:] == ("",) and row[-1]}
    kept = sorted(spread | marked if len(marked) < MOST_ROWS else spread)
    shown = Table(tuple(table.rows[at] for at in kept), table.heading)
    return Group(_Fitting(shown), Text(f"{len(kept)} of {count:,} rows; the JSON holds all"))


class _Fitting:
    """A table on a screen of any width.

    Where its columns do not fit side by side, those that are the same in every row are told in a
    line below, and the others go on in a further table that begins with the same first column, and
    has no row that would be empty.
    """

    def __init__(self, table: Table):
        """Of a table."""
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Its parts, one below the other."""
        table, room = self._table, options.max_width
        first = table.rows[0]
        columns = list(range(len(first)))
        if not table.heading or _width(table, columns) <= room:
            yield _grid(table, columns, room)
            return
        same = [
            it for it in columns[1:] if len({text_of(row[it : it + 1]) for row in table.rows}) == 1
        ]
        same = same if len(table.rows) > 1 else []
        part = [0]
        for column in columns[1:]:
            if column in same:
                continue
            if len(part) > 1 and _width(table, [*part, column]) > room:
                yield _grid(table, part, room)
                yield ""
                part = [0]
            part.append(column)
        yield _grid(table, part, room)
        told = [f"{table.heading[it]} {text_of(first[it : it + 1])}".strip() for it in same]
        if any(told):
            yield Text(f"the same in all: {', '.join(filter(None, told))}")


def _is_of_numbers(table: Table, column: int) -> bool:
    others = {row[column] for row in table.rows if not isinstance(row[column], Value)}
    return others <= {UNKNOWN}


def _least(table: Table, column: int) -> int:
    """Characters that a column takes at least: text may be folded, but not narrowly."""
    cells = [text_of(row[column : column + 1]) for row in table.rows]
    cells += [table.heading[column]] if table.heading else []
    widest = max(map(len, cells))
    if _is_of_numbers(table, column):
        return widest
    longest = max(len(word) for cell in ["", *cells] for word in ["", *cell.split()])
    return max(min(widest, READABLE), min(longest, UNBROKEN))


def _width(table: Table, columns: Sequence[int]) -> int:
    """What columns take side by side at least."""
    return sum(_least(table, it) for it in columns) + GAP * (len(columns) - 1)


def _grid(table: Table, columns: Sequence[int], room: int) -> Grid:
    """Columns whose cells are numbers are ranged right, where they have a heading.

    Neither a number nor the name of a row that is looked up is ever broken. Where there is room for
    it, no column is narrower than can be read.
    """
    readable = table.heading and _width(table, columns) <= room
    grid = Grid(
        box=box.SIMPLE_HEAD if table.heading else None,
        show_header=any(table.heading[at] for at in columns) if table.heading else False,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
    )
    for at in columns:
        numbers = _is_of_numbers(table, at)
        grid.add_column(
            Text(table.heading[at]) if table.heading else "",
            justify="right" if numbers and table.heading else "left",
            overflow="fold",
            no_wrap=numbers or (at == 0 and isinstance(table, Listing)),
            min_width=_least(table, at) if readable else None,
        )
    for row in table.rows:
        cells = [text_of((row[at],)) for at in columns]
        if any(cells[1:]) or len(cells) == 1:
            grid.add_row(*map(Text, cells))
    return grid
