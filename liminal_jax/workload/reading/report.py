"""What a reader did with each field of a config, for the user to check."""

import json
from enum import StrEnum
from typing import Any, NamedTuple

from liminal_jax.workload.reading.quantization import PublishedWidths


class Use(StrEnum):
    """What became of a field."""

    READ = "read"
    DEFAULT = "default"
    IGNORED = "ignored"


class Row(NamedTuple):
    """One field: its dotted path, its value, what became of it, and as what or why."""

    field: str
    value: Any
    use: Use
    note: str


class ReadReport(NamedTuple):
    """All fields of a config.

    Attributes:
        source: The file, as the user named it.
        family: The `model_type` whose rules were applied.
        rows: The fields: those read, then those left out of the file, then those ignored.
        published: What the file says of the widths of its checkpoint; none where it says nothing.
        towers: About what towers for images and sound hold, which are not read.
    """

    source: str
    family: str
    rows: tuple[Row, ...]
    towers: int = 0
    published: PublishedWidths | None = None

    @property
    def widths(self) -> str:
        """What the file says of the widths of its checkpoint, in a sentence; empty for nothing."""
        return "" if self.published is None else self.published.sentence()

    def record(self) -> dict[str, Any]:
        """The same as plain values."""
        fields = [{**row._asdict(), "use": row.use.value} for row in self.rows]
        return {"source": self.source, "family": self.family, "fields": fields}

    def having(self, use: Use) -> tuple[Row, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.use is use)

    def defaults(self) -> str:
        """What the file leaves open and how it was taken, in one line; empty where nothing."""
        rows = self.having(Use.DEFAULT)
        said = ", ".join(f"{row.field} = {json.dumps(row.value)}" for row in rows)
        return said and f"defaulted: {said}"
