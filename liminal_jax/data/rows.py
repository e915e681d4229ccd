"""Schemas of files that follow from what the fields of a pytree say of their numbers."""

import dataclasses
from collections.abc import Collection, Mapping
from types import MappingProxyType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, Field, create_model

from liminal_jax._quantity import Quantity, classes_of, quantities_of
from liminal_jax.data.files import Table
from liminal_jax.data.numbers import FRACTION, KNOWN, NOT_NEGATIVE, POSITIVE, Number
from liminal_jax.data.numbers import Quantity as Dimension


class Rows(Table):
    """A file most of whose rows are the numbers of a class of pytrees."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Number:
            """A row, whose name is known from the class of pytrees alone."""
            ...


_Rows = TypeVar("_Rows", bound=Rows)


def row(
    unit: str, label: str, *, least: float | None = None, known: bool = True, optional: bool = False
) -> tuple[Any, Any]:
    """A row that files state and no class holds.

    Args:
        unit: Its unit in SI.
        label: A few words for it.
        least: The smallest value that makes sense; every one above 0 where left out.
        known: Whether there has to be a value.
        optional: Whether it may be left out.
    """
    return _row(Quantity(unit, label, least=least), known, optional)


def rows_of(
    kind: type,
    *,
    part: str = "",
    without: Collection[str] = (),
    unknown: Collection[str] = (),
    above_zero: Collection[str] = (),
    optional: Collection[str] = (),
    names: Mapping[str, str] = MappingProxyType({}),
    prefix: str = "",
) -> dict[str, Any]:
    """A row of a file for each number that a class holds itself: its unit, range and label.

    Args:
        kind: The class; a field that has a default or may be None is a row that may be left out.
        part: The field of a part of it, whose numbers are meant.
        without: Fields that files do not state.
        unknown: Fields whose value nobody may know.
        above_zero: Fields whose number is 0 only where a class stands for nothing.
        optional: Further fields whose row may be left out.
        names: Names of rows, where they are not those of the fields.
        prefix: Opens the names of the rows.

    Examples:
        >>> import equinox as eqx
        >>> from liminal_jax._quantity import quantity
        >>> class Disk(eqx.Module):
        ...     speed: float = eqx.field(metadata=quantity("B/s", "speed of a disk"))
        >>> table_of(Rows, rows_of(Disk)).model_validate({"speed": "2 MB/s"}).speed.value
        2000000.0
    """
    left_out = {name for it in classes_of(kind, part) for name in optional_in(it)}
    return {
        prefix + names.get(name, name): _row(
            stated._replace(least=None) if name in above_zero else stated,
            name not in unknown,
            name in optional or name in left_out,
        )
        for name, stated in quantities_of(kind, part).items()
        if name not in without
    }


def optional_in(kind: type) -> frozenset[str]:
    """Fields of a class that have a default or may be None."""
    if not dataclasses.is_dataclass(kind):
        return frozenset()
    hints = get_type_hints(kind)
    return frozenset(
        it.name
        for it in dataclasses.fields(kind)
        if it.default is not dataclasses.MISSING or _may_be_none(hints[it.name])
    )


def table_of(base: type[_Rows], rows: Mapping[str, Any]) -> type[_Rows]:
    """A schema with the fields of another and some rows.

    Args:
        base: What is stated beside the numbers.
        rows: Rows, as `rows_of` gives them.
    """
    return create_model(base.__name__, __base__=base, **rows)


def numbers_of(
    kind: type,
    file: BaseModel,
    names: Mapping[str, str] = MappingProxyType({}),
    prefix: str = "",
) -> dict[str, Number]:
    """The rows of a file that hold numbers of a class, by its fields; those left out are absent.

    Args:
        kind: The class.
        file: The file.
        names: Names of rows, where they are not those of the fields.
        prefix: Opens the names of the rows.
    """
    rows = {
        name: getattr(file, prefix + names.get(name, name), None) for name in quantities_of(kind)
    }
    return {name: it for name, it in rows.items() if isinstance(it, Number)}


def _may_be_none(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint)


def _row(stated: Quantity, known: bool, optional: bool) -> tuple[Any, Any]:
    """Annotation and default of a row."""
    markers = [*_range(stated), *([KNOWN] if known else [])]
    row: Any = Annotated[(Number, Dimension(stated.dimension), *markers)]
    if optional:
        return row | None, Field(default=None, description=stated.label)
    return row, Field(description=stated.label)


def _range(stated: Quantity) -> list[Any]:
    """What checks that a value lies where it makes sense."""
    if stated.most == 1.0:
        return [FRACTION] if stated.least is not None else [FRACTION, POSITIVE]
    return [POSITIVE if stated.least is None else NOT_NEGATIVE]
