"""A page on a terminal: the answer, then each section, without its figures."""

from rich import box
from rich.console import Group, RenderableType
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
            return _table(part)
        case Table():
            return _thinned(part)
        case Sentences(lines=lines):
            return Group(*(Text(text_of(it)) for it in lines))
    return None


def _thinned(table: Table) -> RenderableType:
    """A table without some of its rows where it has too many for a screen."""
    count = len(table.rows)
    if count <= MOST_ROWS:
        return _table(table)
    kept = [round(at * (count - 1) / (MOST_ROWS - 1)) for at in range(MOST_ROWS)]
    shown = Table(tuple(table.rows[at] for at in kept), table.heading)
    return Group(_table(shown), Text(f"{MOST_ROWS} of {count:,} rows; the JSON holds all"))


def _table(table: Table) -> Grid:
    """Columns whose cells are numbers are ranged right, where they have a heading.

    Neither a number nor the name of a row that is looked up is ever broken.
    """
    grid = Grid(
        box=box.SIMPLE_HEAD if table.heading else None,
        show_header=bool(table.heading),
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
    )
    for at in range(len(table.rows[0])):
        others = {row[at] for row in table.rows if not isinstance(row[at], Value)}
        numbers = others <= {UNKNOWN}
        grid.add_column(
            Text(table.heading[at]) if table.heading else "",
            justify="right" if numbers and table.heading else "left",
            overflow="fold",
            no_wrap=numbers or (at == 0 and isinstance(table, Listing)),
        )
    for row in table.rows:
        grid.add_row(*(Text(text_of((it,))) for it in row))
    return grid
