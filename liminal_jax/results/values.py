"""Numbers of a record in the units that people use, each with its place in the record."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import gibibytes, per_cent, plain, with_prefix
from liminal_jax.results.page import Cell, Line, Number, known, text_of
from liminal_jax.results.words import design_word, quantity
from liminal_jax.study.quantities import NAMED, QUANTITIES, REQUESTS
from liminal_jax.study.variables import stated_as


def named(name: str, path: str, value: Number | None) -> Cell:
    """The value of a quantity."""
    unit = NAMED[name].unit if name in NAMED else ""
    words = "" if value is None else quantity(name, float(value), unit)
    return known(words, path, value)


def seconds(path: str, value: Number | None) -> Cell:
    """A time."""
    return known("" if value is None else with_prefix(float(value), "s"), path, value)


def share(path: str, value: Number | None) -> Cell:
    """A share in per cent."""
    return known("" if value is None else per_cent(float(value)), path, value)


def size(path: str, value: Number | None) -> Cell:
    """Bytes."""
    return known("" if value is None else gibibytes(float(value)), path, value)


def amount(path: str, value: Number | None, unit: str = "") -> Cell:
    """Any other number."""
    if value is None:
        return "unknown"
    shown = with_prefix(float(value), unit) if unit else plain(float(value), 4)
    return known(shown, path, value)


def of_design(name: str, value: Any, path: str) -> Cell:
    """A value of a design: a number, a name, or several names."""
    if isinstance(value, int | float):
        unit = stated_as(name).dimension
        return known(quantity(name, float(value), unit), path, float(value))
    return ", ".join(value) if isinstance(value, list) else str(value)


def design_rows(design: Mapping[str, Any], path: str = "design") -> Iterator[Line]:
    """A design as a table that can be read aloud."""
    for name, value in design.items():
        if isinstance(value, Mapping):
            yield from design_rows(value, f"{path}.{name}")
        elif value is not None:
            yield design_word(name), of_design(name, value, f"{path}.{name}")


def totals(record: Mapping[str, Any], path: str) -> Iterator[Line]:
    """What a whole system does, quantity by quantity.

    Args:
        record: The quantities that a study can name, in SI.
        path: Where they stand in the record of the run.
    """
    for name, it in QUANTITIES.items():
        if name not in record:
            continue  # Older records lack what could not be asked for yet.
        if name in ("quality_loss", *REQUESTS) and record[name] is None:
            continue  # Most studies say nothing of them.
        yield it.about, named(name, f"{path}.{name}", record[name])


def found_rows(record: Mapping[str, Any], path: str = "") -> Iterator[Line]:
    """What a record tells to build, and with which levers of software."""
    yield from design_rows(record["design"], f"{path}design")
    yield from design_rows(record.get("algorithm") or {}, f"{path}algorithm")


def lever_rows(record: Mapping[str, Any]) -> Iterator[Line]:
    """Each lever of software that is on, its settings, and what it costs in quality."""
    for it in record.get("levers") or ():
        settings = ", ".join(
            f"{design_word(path)} {text_of((of_design(path, value, path),))}"
            for path, value in it["settings"].items()
        )
        yield it["lever"], settings, it["quality"]


LEVER_HEADING = ("", "setting", "quality")
"""Heads of the table of levers."""


def design_line(design: Mapping[str, Any] | None) -> str:
    """The free values of a design in one line, without what it is made of.

    Examples:
        >>> design_line({"system": "h200", "tp": 8, "batch": 4})
        'TP 8, batch 4'
    """
    return ", ".join(
        f"{name} {text_of((value,))}"
        for name, value in design_rows(
            {key: it for key, it in (design or {}).items() if key not in ("memory", "system")}
        )
    )
