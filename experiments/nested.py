"""Values by several names, one inside the other: made, looked up, turned, told in words."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from string import Formatter
from typing import Any

import jax
import jax.numpy as jnp

from experiments.claims import Record


def numbered(values: Iterable[float]) -> dict[str, float]:
    """Numbers by what they are called in a record.

    Examples:
        >>> numbered((8, 0.05))
        {'8': 8.0, '0.05': 0.05}
    """
    return {f"{it:g}": float(it) for it in values}


def arrays(values: Iterable[float]) -> dict[str, jax.Array]:
    """The same as arrays, over which a compiled function need not be compiled again."""
    return {name: jnp.asarray(it) for name, it in numbered(values).items()}


def each(function: Callable[..., Any], *axes: Mapping[str, Any]) -> dict[str, Any]:
    """A function of every combination of named things, by their names.

    Examples:
        >>> each(lambda a, b: a + b, {"x": 1, "y": 2}, {"z": 10})
        {'x': {'z': 11}, 'y': {'z': 12}}
    """
    first, *others = axes
    if not others:
        return {name: function(it) for name, it in first.items()}
    return {name: each(partial(function, it), *others) for name, it in first.items()}


def plain(values: Any) -> Any:
    """Arrays as lists and numbers, for a record; none for a number that is not one.

    Examples:
        >>> plain({"x": jnp.asarray([1.0, 2.0]), "y": jnp.asarray(jnp.nan)})
        {'x': [1.0, 2.0], 'y': None}
    """
    if isinstance(values, Mapping):
        return {name: plain(it) for name, it in values.items()}
    found = values.tolist() if isinstance(values, jax.Array) else values
    return None if found != found else found


def first_of(values: Record) -> Any:
    """The value of the first name."""
    return next(iter(values.values()))


def column(rows: Record, *keys: Any) -> dict[str, Any]:
    """Of each row what some keys lead to.

    Examples:
        >>> column({"x": {"a": [1, 2]}, "y": {"a": [3, 4]}}, "a", 1)
        {'x': 2, 'y': 4}
    """
    found = dict(rows)
    for key in keys:
        found = {name: it[key] for name, it in found.items()}
    return found


def turned(rows: Record) -> dict[str, Any]:
    """The inner names outside.

    Examples:
        >>> turned({"x": {"a": 1, "b": 2}, "y": {"a": 3, "b": 4}})
        {'a': {'x': 1, 'y': 3}, 'b': {'x': 2, 'y': 4}}
    """
    return {name: column(rows, name) for name in first_of(rows)}


def flat(rows: Record, words: str) -> dict[str, Any]:
    """Values by all their names at once, as words that name each as `{0}`, `{1}` and so on.

    Examples:
        >>> flat({"x": {"8": 1}, "y": {"8": 2}}, "{0} on {1}")
        {'x on 8': 1, 'y on 8': 2}
    """
    found: dict[tuple[str, ...], Any] = {(): rows}
    for _ in filter(None, (field for _, field, _, _ in Formatter().parse(words))):
        found = {(*names, it): row[it] for names, row in found.items() for it in row}
    return {words.format(*names): it for names, it in found.items()}
