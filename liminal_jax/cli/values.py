"""How words of the command line become values of options, and what is said where they are none."""

from collections.abc import Callable
from dataclasses import replace
from types import NoneType
from typing import Any, get_args

from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    UnsupportedTypeAnnotationError,
)

_Reader = PrimitiveConstructorSpec[Any]

VALUES = ConstructorRegistry()
"""What the parser does not know itself: to be entered around it."""

_NUMBERS: dict[Any, str] = {int: "a whole number such as 8", float: "a number such as 0.5"}


@VALUES.primitive_rule
def _number(asked: PrimitiveTypeInfo) -> _Reader | None:
    """A number, told in the words of a user where it is none."""
    if asked.type not in _NUMBERS:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=asked.type.__name__.upper(),
        instance_from_str=_numbers_reader(asked.type),
        is_instance=lambda it: isinstance(it, (int, asked.type)),
        str_from_instance=lambda it: [f"{it:g}" if isinstance(it, float) else str(it)],
    )


@VALUES.primitive_rule
def _text(asked: PrimitiveTypeInfo) -> _Reader | None:
    """Text: a name, where an option says nothing else of it."""
    if asked.type is not str:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="NAME",
        instance_from_str=lambda words: words[0],
        is_instance=lambda it: isinstance(it, str),
        str_from_instance=lambda it: [it],
    )


def _numbers_reader(kind: Any) -> Callable[[list[str]], Any]:
    def read(words: list[str]) -> Any:
        try:
            return kind(words[0])
        except ValueError:
            raise ValueError(f"must be {_NUMBERS[kind]}, got {words[0]!r}") from None

    return read


@VALUES.primitive_rule
def _maybe(asked: PrimitiveTypeInfo) -> _Reader | UnsupportedTypeAnnotationError | None:
    """An option that may be left out is read as one that may not: nobody writes None."""
    kinds = [it for it in get_args(asked.type) if it is not NoneType]
    if len(kinds) != 1 or NoneType not in get_args(asked.type):
        return None
    reader = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kinds[0], asked.markers))
    if isinstance(reader, UnsupportedTypeAnnotationError):
        return reader
    return replace(
        reader,
        is_instance=lambda it: it is None or reader.is_instance(it),
        str_from_instance=lambda it: [] if it is None else reader.str_from_instance(it),
    )
