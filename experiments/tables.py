"""Tables whose columns are declared once, and drawn on a terminal or as Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich import box
from rich.console import RenderableType
from rich.table import Table as Grid

from experiments.claims import Form, Record, shown

Rows = Record | Sequence[tuple[str, Any]]
"""Rows by name; or names and rows, where several have one name."""


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
        label: Its heading.
        value: Its value of a row: the keys that lead there, or a function of the row. None where
            the keys lead nowhere.
        form: How a value is shown.
        unit: Of the numbers shown, below the label.
        align: To which side; words, to the left, may fold.
    """

    label: str
    value: str | Sequence[str] | Callable[[Any], Any]
    form: Form = "{}"
    unit: str = ""
    align: Literal["left", "right"] = "right"

    def cell(self, row: Any) -> str:
        """What stands in it in a row."""
        if callable(self.value):
            return shown(self.value(row), self.form)
        for key in [self.value] if isinstance(self.value, str) else self.value:
            row = None if row is None else row.get(key)
        return shown(row, self.form)


@dataclass(frozen=True)
class Table:
    """Columns, the first of which names the rows.

    Attributes:
        first: Heading of the names.
        columns: The others.
    """

    first: str
    columns: Sequence[Column]

    def lines(self, rows: Rows) -> Iterator[list[str]]:
        """The cells of each row."""
        for name, row in rows.items() if isinstance(rows, Mapping) else rows:
            yield [name, *(it.cell(row) for it in self.columns)]

    def of(self, rows: Rows) -> Grid:
        """Rows by name, for a terminal: names to the left, numbers to the right."""
        grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
        grid.add_column(self.first, no_wrap=True)
        for it in self.columns:
            heading = f"{it.label}\n{it.unit}" if it.unit else it.label
            if it.align == "left":
                grid.add_column(heading, justify="left", overflow="fold")
            else:
                grid.add_column(heading, justify="right", no_wrap=True)
        for line in self.lines(rows):
            grid.add_row(*line)
        return grid

    def each(self, title: str, groups: Record) -> list[RenderableType]:
        """A table for each of several groups of rows, below a title that names it as `{group}`."""
        pairs = [(title.format(group=it), self.of(rows)) for it, rows in groups.items()]
        return [part for pair in pairs for part in pair]

    def markdown(self, rows: Rows) -> str:
        """The same as Markdown.

        Examples:
            >>> print(Table("a", (Column("b", "c", "{:.1f}", "s"),)).markdown({"x": {"c": 1}}))
            | a | b [s] |
            |---|---:|
            | x | 1.0 |
        """
        units = [f"{it.label} [{it.unit}]" if it.unit else it.label for it in self.columns]
        head, *body = (
            "| " + " | ".join(cells) + " |" for cells in ([self.first, *units], *self.lines(rows))
        )
        rules = ["---|" if it.align == "left" else "---:|" for it in self.columns]
        return "\n".join([head, "|---|" + "".join(rules), *body])
