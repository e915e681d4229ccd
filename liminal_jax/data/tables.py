"""Tables of facts: a file of comma-separated values, one checked record a line."""

import csv
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from pydantic import BaseModel

from liminal_jax._files import InputError, Problem, did_you_mean, unreadable
from liminal_jax.data.validation import validated

Record = TypeVar("Record", bound=BaseModel)

Grade: TypeAlias = Literal["A", "B", "C", "D"]
"""How good a source is: A read in primary text or data, B in a text that read the primary, C in a
snippet, press or a vendor's words by way of press, D inferred by this project or from memory."""


def read_table(path: Path | str, kind: type[Record]) -> tuple[Record, ...]:
    """The records of a file, in its order.

    Args:
        path: The file; its first line names the columns, which are the fields of the record.
        kind: The record. A cell that is empty counts as left out.

    Raises:
        InputError: the file cannot be read, has other columns, or holds lines that are no record.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            lines = [(reader.line_num, entry) for entry in reader]
            columns = list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None
    missing = [name for name in kind.model_fields if name not in columns]
    if missing:
        raise InputError(
            path.name,
            [
                Problem(it, f"is a missing column{did_you_mean(it, columns) or '; add it'}")
                for it in missing
            ],
        )
    return tuple(_record(kind, entry, f"{path.name}: line {line}") for line, entry in lines)


def _record(kind: type[Record], entry: dict[str | None, str], where: str) -> Record:
    if None in entry:
        raise InputError(where, [Problem("", "has more cells than there are columns")])
    return validated(kind, {str(name): cell for name, cell in entry.items() if cell}, where)
