"""Systems as tables: what a chip can do, and where each of its numbers is from."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._units import parse_unit
from liminal_jax.data.files import SourceFile
from liminal_jax.data.numbers import Number
from liminal_jax.data.systems import SystemFile


def numbers_in(record: BaseModel, prefix: str = "") -> Iterator[tuple[str, Number]]:
    """Dotted path and number of every quantity in a record of a file."""
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Number):
            yield prefix + name, value
        elif isinstance(value, BaseModel):
            yield from numbers_in(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            yield from ((f"{prefix}{name}.{key}", number) for key, number in value.items())


def facts_in(record: BaseModel, prefix: str = "") -> Iterator[tuple[str, str | int | float]]:
    """Dotted path and value of every entry of a record that is not a quantity."""
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, str | int | float):
            yield prefix + name, value
        elif isinstance(value, BaseModel) and not isinstance(value, Number):
            yield from facts_in(value, f"{prefix}{name}.")


def printed_range(number: Number) -> str:
    """The range of a number in the unit of its value; empty where there is none.

    Examples:
        >>> row = {"printed": "7 pJ/bit", "unit": "pJ/bit", "source": "s", "kind": "derived"}
        >>> printed_range(Number(value=5.6e-11, low=4e-11, high=1.2e-10, **row))
        '5 to 15'
    """
    scale = parse_unit(number.unit).scale
    low = "" if number.low is None else f"{number.low / scale:.6g}"
    high = "" if number.high is None else f"{number.high / scale:.6g}"
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}" if high else ""


def numbers_table(record: BaseModel) -> RenderableType:
    """Every quantity of a record with unit, range, kind and source, and what is noted on it."""
    table = Table(box=None, pad_edge=False)
    table.add_column("number", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("range", overflow="fold")
    table.add_column("kind", no_wrap=True)
    table.add_column("source", overflow="fold")
    for path, fact in facts_in(record):
        if path not in ("name", "title", "about", "vendor", "status"):
            table.add_row(path, fact if isinstance(fact, str) else f"{fact:g}")
    for path, number in numbers_in(record):
        kind = "" if number.value is None else number.kind
        table.add_row(path, number.printed, printed_range(number), kind, number.source)
    return table


def notes_list(record: BaseModel) -> RenderableType:
    """What is said about the numbers of a record: derivations, reasons, doubts."""
    return Group(
        *(
            _hanging(path, number.note or number.unknown)
            for path, number in numbers_in(record)
            if number.note or number.unknown
        )
    )


def sources_list(records: Iterable[BaseModel], sources: Mapping[str, SourceFile]) -> RenderableType:
    """The sources of the numbers of some records: title and place of each."""
    named = {number.source for record in records for _, number in numbers_in(record)}
    return Group(
        *(
            _hanging(name, f"{sources[name].title}. {sources[name].where}")
            for name in sorted(named & set(sources))
        )
    )


def system_report(
    system: SystemFile, parts: Mapping[str, BaseModel], sources: Mapping[str, SourceFile]
) -> RenderableType:
    """A system with every number of it, of its memory technology and of its process.

    Args:
        system: The system.
        parts: Heading and record of the files that it refers to.
        sources: Every known source by its identifier.
    """
    records = {"System": system, **parts}
    pieces: list[RenderableType] = [
        Text(f"{system.title} ({system.name}), {system.vendor}, {system.status}", style="bold"),
        Text(system.about),
    ]
    for heading, record in records.items():
        pieces += [_heading(heading), numbers_table(record)]
    for heading, record in records.items():
        pieces += [_heading(f"Notes: {heading[0].lower()}{heading[1:]}"), notes_list(record)]
    return Group(*pieces, _heading("Sources"), sources_list(records.values(), sources))


def _heading(text: str) -> RenderableType:
    return Padding(Text(text, style="bold"), (1, 0, 0, 0))


def _hanging(label: str, text: str) -> RenderableType:
    """A line that wraps under itself, two columns in."""
    return Padding(Text.assemble((label, "bold"), f": {text}"), (0, 0, 0, 2))
