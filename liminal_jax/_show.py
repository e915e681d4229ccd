"""How objects print themselves: their numbers in the units that people use, as text and as HTML.

What is shown follows from the fields and what they state of themselves; no class has a table of its
own. Objects are printed by messages about failing traces too, where leaves may be anything, so a
leaf that is no number shows as what it is, such as `f32[8]`.
"""

import dataclasses
import html
import math
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from liminal_jax._display import in_units
from liminal_jax._quantity import quantity_at

_WIDTH = 100
_ABSENT = object()


class Row(NamedTuple):
    """One line of an object.

    Attributes:
        path: Where it stands in the object.
        value: Its number, or those of a part.
        label: What the number is; empty for parts.
    """

    path: str
    value: str
    label: str = ""


class Shown(eqx.Module):
    """A pytree that prints itself with numbers and units, in notebooks as a table."""

    def __repr__(self) -> str:
        """A line for each number, and for each part."""
        return _text(type(self).__name__, rows(self))

    def _repr_html_(self) -> str:
        return _html(type(self).__name__, rows(self))

    def to_dict(self) -> dict[str, Any]:
        """The numbers in SI units and USD, as JSON holds them: null where they are unknown.

        Several values of a number, as `jax.vmap` returns them, are a list.

        Raises:
            jax.errors.TracerArrayConversionError: the numbers are traced, so they have no values.
        """
        return record(self)


def absent(words: str) -> dict[str, str]:
    """Metadata of a field that may be None, with words for what that means.

    Args:
        words: What is shown in its place.
    """
    return {"absent": words}


def number(value: Any) -> Any:
    """A number as JSON has it, or a list of them; NaN and infinity are null.

    Examples:
        >>> number(np.float32(0.5)), number([1.0, math.nan])
        (0.5, [1.0, None])
    """
    array = np.asarray(value, dtype=float)
    if array.ndim:
        return [number(it) for it in array]
    plain = float(array)
    return plain if math.isfinite(plain) else None


def record(module: eqx.Module) -> dict[str, Any]:
    """The fields of a pytree as JSON holds them, parts as objects of their own."""
    return {name: _plain(value, metadata) for name, value, metadata in _fields(module)}


def rows(module: eqx.Module) -> list[Row]:
    """What is shown of a pytree: each of its own numbers, then each of its parts in one line."""
    found = []
    for name, value, metadata in _fields(module):
        if _is_part(value):
            found += _parts(module, name, value)
        elif value is not None or "absent" in metadata:
            stated = quantity_at(module, name)
            label = "" if stated is None else " ".join(stated.label.split())
            found.append(Row(name, _shown(module, name, value, metadata), label))
    return found


def _parts(root: eqx.Module, path: str, value: Any) -> Iterator[Row]:
    """A line for a part at a path of a pytree, and for each part of it."""
    if isinstance(value, tuple):
        for index, it in enumerate(value):
            yield from _parts(root, f"{path}.{index}", it)
        return
    fields = list(_fields(value))
    numbers = ", ".join(
        f"{name} {_shown(root, f'{path}.{name}', it, metadata)}"
        for name, it, metadata in fields
        if it is not None and not _is_part(it)
    )
    named = type(value).__name__ if _is_variant(type(value)) else ""
    shown = ": ".join(it for it in (named, _total(value), numbers) if it)
    if shown:
        yield Row(path, shown)
    for name, it, _ in fields:
        if _is_part(it):
            yield from _parts(root, f"{path}.{name}", it)


def _fields(module: eqx.Module) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Names, values and metadata; without what a module that is being made does not have yet."""
    for it in dataclasses.fields(module):
        value = getattr(module, it.name, _ABSENT)
        if value is not _ABSENT:
            yield it.name, value, dict(it.metadata)


def _is_part(value: Any) -> bool:
    several = isinstance(value, tuple) and value
    return all(map(_is_part, value)) if several else isinstance(value, eqx.Module)


def _is_variant(kind: type) -> bool:
    """Whether there are others in whose place it stands, so that its name says something."""
    return any(issubclass(it, eqx.Module) for it in kind.__mro__[1:] if it not in _ROOTS)


_ROOTS = (eqx.Module, Shown)


def _total(part: Any) -> str:
    """The sum of the numbers of a part that has one."""
    total = getattr(part, "total", None)
    parts = [it for _, it, _ in _fields(part)]
    if total is None or not all(isinstance(it, jax.Array) and _is_number(it) for it in parts):
        return ""
    first = quantity_at(part, dataclasses.fields(part)[0].name)
    return in_units(float(total()), "" if first is None else first.unit)


def _shown(root: eqx.Module, path: str, value: Any, metadata: dict[str, Any]) -> str:
    """A value at a path in words."""
    if value is None:
        return metadata.get("absent", "none")
    if isinstance(value, tuple):
        names = getattr(value, "_fields", [""] * len(value))
        each = [_shown(root, f"{path}.{at}", it, metadata) for at, it in enumerate(value)]
        words = (f"{name} {it}".lstrip() for name, it in zip(names, each, strict=True))
        return " and ".join(words) or "none"
    if not _is_number(value):
        return value if isinstance(value, str) else " ".join(eqx.tree_pformat(value).split())
    if np.asarray(value).dtype == bool:
        return "yes" if value else "no"
    words = metadata.get("words", ())
    if float(value) in range(len(words)):
        return words[int(value)]
    stated = quantity_at(root, path)
    return in_units(float(value), "" if stated is None else stated.unit)


def _is_number(value: Any) -> bool:
    """Whether it has a value that can be printed; traced, batched and deleted arrays have none."""
    if isinstance(value, Tracer):
        return False
    if isinstance(value, jax.Array):
        return value.ndim == 0 and not value.is_deleted() and value.is_fully_addressable
    return isinstance(value, int | float | np.generic) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def _plain(value: Any, metadata: dict[str, Any]) -> Any:
    """A value as JSON holds it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        each = [_plain(it, metadata) for it in value]
        names = getattr(value, "_fields", None)
        return each if names is None else dict(zip(names, each, strict=True))
    if isinstance(value, eqx.Module):
        kind = {"kind": type(value).__name__} if _is_variant(type(value)) else {}
        return kind | record(value)
    array = np.asarray(value)
    if array.dtype == bool:
        return array.tolist()
    if "words" in metadata:
        return np.asarray(metadata["words"])[array.astype(int)].tolist()
    return number(array)


def _text(title: str, shown: list[Row]) -> str:
    """Rows as aligned text, long ones folded."""
    left = max((len(it.path) for it in shown), default=0)
    middle = max((len(it.value) for it in shown if it.label), default=0)
    lines = [title]
    for it in shown:
        start = f"  {it.path:<{left}}  "
        if it.label:
            lines.append(f"{start}{it.value:<{middle}}  {it.label}")
        else:
            folded = textwrap.wrap(it.value, _WIDTH - len(start), break_on_hyphens=False)
            lines += [start + folded[0], *(" " * len(start) + more for more in folded[1:])]
    return "\n".join(lines)


def _html(title: str, shown: list[Row]) -> str:
    """Rows as a table."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(it.path)}</th>"
        f"<td style='text-align:left'>{html.escape(it.value)}</td>"
        f"<td style='text-align:left'>{html.escape(it.label)}</td></tr>"
        for it in shown
    )
    return f"<table><caption>{html.escape(title)}</caption>{cells}</table>"
