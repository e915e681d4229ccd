"""Schemas of files that follow from what the fields of a pytree say of their numbers."""

from collections.abc import Collection, Mapping
from types import UnionType
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

from liminal_jax._quantity import Quantity, quantities_of
from liminal_jax.data.hardware import Table
from liminal_jax.data.numbers import FRACTION, KNOWN, NOT_NEGATIVE, POSITIVE, Number
from liminal_jax.data.numbers import Quantity as Dimension


class Rows(Table):
    """A file most of whose rows are the numbers of a class of pytrees."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Number:
            """A row, whose name is known from the class of pytrees alone."""
            ...


_Rows = TypeVar("_Rows", bound=Rows)


def rows_of(
    kind: type,
    *,
    without: Collection[str] = (),
    unknown: Collection[str] = (),
    prefix: str = "",
    optional: bool = False,
) -> dict[str, Any]:
    """A row of a file for each number that a class holds itself: its unit, range and label.

    Args:
        kind: The class; a field that may be None is a row that may be left out.
        without: Fields that files do not state.
        unknown: Fields whose value nobody may know.
        prefix: Opens the names of the rows.
        optional: Whether every row may be left out.

    Examples:
        >>> import equinox as eqx
        >>> from liminal_jax._quantity import quantity
        >>> class Disk(eqx.Module):
        ...     speed: float = eqx.field(metadata=quantity("B/s", "speed of a disk"))
        >>> table_of(Rows, rows_of(Disk)).model_validate({"speed": "2 MB/s"}).speed.value
        2000000.0
    """
    hints = get_type_hints(kind)
    return {
        prefix + name: _row(stated, name not in unknown, optional or _may_be_none(hints[name]))
        for name, stated in quantities_of(kind).items()
        if name not in without
    }


def table_of(base: type[_Rows], rows: Mapping[str, Any]) -> type[_Rows]:
    """A schema with the fields of another and some rows.

    Args:
        base: What is stated beside the numbers.
        rows: Rows, as `rows_of` gives them.
    """
    return create_model(base.__name__, __base__=base, **rows)


def numbers_of(kind: type, file: BaseModel, prefix: str = "") -> dict[str, Number]:
    """The rows of a file that hold numbers of a class, by its fields; those left out are absent.

    Args:
        kind: The class.
        file: The file.
        prefix: Opens the names of the rows.
    """
    stated = ((name, getattr(file, prefix + name, None)) for name in quantities_of(kind))
    return {name: row for name, row in stated if row is not None}


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
