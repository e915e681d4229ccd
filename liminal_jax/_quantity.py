"""What a number is, stated once at its field: unit, label, and the values that make sense.

A field states it in its metadata, which no trace sees; whoever needs it asks for the path of the
number in a pytree, or in a class of pytrees where only paths are known. It is metadata of
`eqx.field` rather than a field of its own kind, since type checkers know converters of that alone.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, get_args, get_type_hints

_COUNTED = ("tokens", "bits")
"""Units that count, and convert to nothing."""


class Quantity(NamedTuple):
    """What a number is.

    Attributes:
        unit: Its unit in SI; empty for ratios and counts.
        label: A few words for it.
        most: The largest value that makes sense.
        least: The smallest one; none where every value above 0 does.
        whole: Whether only whole numbers make sense.
    """

    unit: str
    label: str
    most: float = math.inf
    least: float | None = None
    whole: bool = False

    @property
    def dimension(self) -> str:
        """A unit of its dimension: that in SI, and none of what is counted.

        Examples:
            >>> Quantity("tokens", "context").dimension, Quantity("B/s", "bandwidth").dimension
            ('', 'B/s')
        """
        return "" if self.unit in _COUNTED else self.unit


def quantity(
    unit: str,
    label: str,
    *,
    least: float | None = None,
    most: float = math.inf,
    whole: bool = False,
) -> dict[str, Quantity]:
    """Metadata of a field that holds a number, or several of one kind.

    Args:
        unit: Its unit in SI; empty for ratios and counts.
        label: A few words for it. `{part}` stands for the name of the part that it belongs to,
            `{index}` for its place among its like, counted from 1.
        least: The smallest value that makes sense; every one above 0 where left out.
        most: The largest one.
        whole: Whether only whole numbers make sense.

    Examples:
        >>> import equinox as eqx
        >>> class Disk(eqx.Module):
        ...     speed: float = eqx.field(metadata=quantity("B/s", "speed of a disk"))
        >>> quantity_at(Disk(speed=1.0), "speed").unit
        'B/s'
    """
    return {"quantity": Quantity(unit, label, most, least, whole)}


def part(name: str, unit: str = "") -> dict[str, Quantity]:
    """Metadata of a field that holds a part whose class serves several: its name in labels.

    Args:
        name: What takes the place of `{part}` in the labels of its numbers.
        unit: Unit of those of its numbers that state none, where the part gives it.

    Examples:
        >>> import equinox as eqx
        >>> class Rates(eqx.Module):
        ...     wide: float = eqx.field(metadata=quantity("", "16-bit {part}"))
        >>> class Core(eqx.Module):
        ...     tensor: Rates = eqx.field(metadata=part("tensor rate", "FLOP/s"))
        >>> quantity_at(Core, "tensor.wide")
        Quantity(unit='FLOP/s', label='16-bit tensor rate', most=inf, least=None, whole=False)
    """
    return {"part": Quantity(unit, name)}


def named(words: Sequence[str]) -> dict[str, Sequence[str]]:
    """Metadata of a field whose number is a place in a list of names.

    Args:
        words: The names.
    """
    return {"words": words}


def quantity_at(whole: Any, path: str) -> Quantity | None:
    """What the number at a path of a pytree is; none where no field states it.

    Args:
        whole: A pytree, or a class of pytrees: then any class that a part may have is tried.
        path: Names of fields and places in tuples, joined by dots.
    """
    return _found(whole, path.split("."), Quantity("", ""))


@cache
def quantities_of(kind: type, part: str = "") -> Mapping[str, Quantity]:
    """What the numbers are that a class, or a part of it, holds itself, by their fields.

    Args:
        kind: The class.
        part: The field of the part; the class itself where left out.
    """
    within = f"{part}." if part else ""
    names = (name for it in classes_of(kind, part) for name in _metadata(it))
    found = {name: quantity_at(kind, within + name) for name in names}
    return MappingProxyType({name: it for name, it in found.items() if it is not None})


def part_label(kind: type, name: str) -> str:
    """What a part of a class is called.

    Args:
        kind: The class.
        name: The field of the part.
    """
    return _metadata(kind)[name]["part"].label


def classes_of(kind: type, part: str = "") -> list[type]:
    """The classes that a part of a class may have; the class itself where none is named.

    Args:
        kind: The class.
        part: The field of the part.
    """
    return list(_classes(_hints(kind)[part])) if part else [kind]


def _found(whole: Any, names: list[str], within: Quantity) -> Quantity | None:
    name, *rest = names
    if isinstance(whole, tuple) and name.isdigit() and rest:
        return _found(whole[int(name)], rest, within)
    for kind in [whole] if not isinstance(whole, type) else _kinds(whole):
        metadata = _metadata(kind if isinstance(kind, type) else type(kind)).get(name)
        if metadata is None:
            continue
        stated = metadata.get("quantity")
        if stated is not None:
            index = int(rest[0]) + 1 if rest else ""
            label = stated.label.format(part=within.label, index=index)
            return stated._replace(unit=stated.unit or within.unit, label=label)
        for inner in _parts(kind, name) if rest else ():
            found = _found(inner, rest, metadata.get("part", within))
            if found is not None:
                return found
    return None


def _metadata(kind: type) -> Mapping[str, Mapping[str, Any]]:
    """Metadata of the fields of a module or named tuple by their names."""
    if dataclasses.is_dataclass(kind):
        return {it.name: it.metadata for it in dataclasses.fields(kind)}
    return {name: {} for name in getattr(kind, "_fields", ())}


def _parts(whole: Any, name: str) -> list[Any]:
    """What a field holds, or the classes that it may hold."""
    return (
        list(_classes(_hints(whole)[name])) if isinstance(whole, type) else [getattr(whole, name)]
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _classes(hint: Any) -> Iterator[type]:
    """The classes that an annotation names."""
    inside = get_args(hint)
    for it in inside:
        yield from _classes(it)
    if not inside and isinstance(hint, type):
        yield hint


def _kinds(kind: type) -> Iterator[type]:
    """A class and those that follow from it."""
    yield kind
    for it in kind.__subclasses__():
        yield from _kinds(it)
