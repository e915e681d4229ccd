"""A system: what a chip can do, and where each of its numbers is from."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from liminal_jax._units import parse_unit
from liminal_jax.data.files import SourceFile
from liminal_jax.data.systems import SystemFile
from liminal_jax.results.page import Cell, Line, Page, Section, known, listing, section
from liminal_jax.study.kind import kind_record

_TITLED = ("name", "title", "about", "vendor", "status")
"""What stands above the tables."""


def system_record(
    system: SystemFile, parts: Mapping[str, BaseModel], sources: Mapping[str, SourceFile]
) -> dict[str, Any]:
    """The object of `liminal systems show --json`.

    Args:
        system: The system.
        parts: The files that it refers to, by what they are of it.
        sources: Every known source by its identifier.
    """
    records = {"system": system.model_dump(), **{key: it.model_dump() for key, it in parts.items()}}
    named = {number["source"] for it in records.values() for _, number in numbers_in(it)}
    known_ones = {key: sources[key].model_dump() for key in sorted(named & set(sources))}
    return {**kind_record("system"), **records, "sources": known_ones}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a system, with every number of it, of its memory technology and of its process.

    Args:
        record: The object of `liminal systems show --json`.
    """
    system = record["system"]
    parts = {key: it for key, it in record.items() if isinstance(it, Mapping) and "name" in it}
    memory = system["chip"]["memory"]
    return Page(
        f"{system['title']} ({system['name']}), {system['vendor']}, {system['status']}",
        (system["about"],),
        (
            _value("system.chip.memory.bandwidth", memory["bandwidth"]),
            " and ",
            _value("system.chip.memory.capacity", memory["capacity"]),
            " of memory in a chip",
        ),
        (
            *(_numbers(key, it) for key, it in parts.items()),
            *(_origins(key, it) for key, it in parts.items()),
            section("sources", listing(_sources(record["sources"]), ("source", "title and place"))),
        ),
    )


def numbers_in(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Dotted path of every quantity in a record of a file, and the quantity with its origin."""
    return ((path, it) for path, it in _entries(record) if isinstance(it, Mapping))


def printed_range(number: Mapping[str, Any]) -> str:
    """The range of a number in the unit of its value; empty where there is none.

    Examples:
        >>> printed_range({"unit": "pJ/bit", "low": 4e-11, "high": 1.2e-10})
        '5 to 15'
    """
    scale = parse_unit(number["unit"]).scale
    low, high = (
        "" if it is None else f"{it / scale:.6g}" for it in (number["low"], number["high"])
    )
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}" if high else ""


def _entries(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every quantity and other entry by its dotted path."""
    for name, it in record.items():
        if isinstance(it, Mapping) and "printed" not in it:
            yield from _entries(it, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", it


def _title(key: str, part: Mapping[str, Any]) -> str:
    return f"{key.replace('_', ' ')} {part['name']}"


def _value(path: str, number: Mapping[str, Any]) -> Cell:
    return known(number["printed"], f"{path}.value", number["value"])


def _numbers(key: str, part: Mapping[str, Any]) -> Section:
    """What a file says, and every quantity of it with unit, range and kind."""
    facts = (
        (path, it if isinstance(it, str) else f"{it:g}")
        for path, it in _entries(part)
        if isinstance(it, str | int | float) and path not in _TITLED
    )
    numbers = (
        (
            path,
            _value(f"{key}.{path}", it),
            printed_range(it),
            "" if it["value"] is None else it["kind"],
        )
        for path, it in numbers_in(part)
    )
    heading = ("number", "value", "range", "kind")
    return section(_title(key, part), listing(facts, ()), listing(numbers, heading))


def _origins(key: str, part: Mapping[str, Any]) -> Section:
    """Where quantities are from, and what is said of them: derivations, reasons, doubts."""
    told = (
        (path, ": ".join(filter(None, (it["source"], it["note"] or it["unknown"]))))
        for path, it in numbers_in(part)
    )
    title = f"where the numbers of {_title(key, part)} are from"
    return section(title, listing(told, ("number", "source and note")))


def _sources(sources: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    for name, it in sources.items():
        yield name, f"{it['title']}. {it['where']}"
