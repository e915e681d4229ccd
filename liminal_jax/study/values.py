"""What may stand for a number or an object that is left free: grids, ranges and choices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liminal_jax._quantity import Quantity
from liminal_jax.study.domain import (
    Grid,
    grid_of,
    in_si,
    least_of,
    spaced_between,
    within_range,
)


@dataclass(frozen=True)
class Spaced:
    """Values between two ends, see `grid`."""

    low: int | float | str
    high: int | float | str
    count: int
    log: bool | None


@dataclass(frozen=True)
class Between:
    """Any value between two ends, or at each step, see `between`."""

    low: int | float | str
    high: int | float | str
    step: int | float | str | None


@dataclass(frozen=True)
class Choice:
    """Objects among which one is chosen, by name, see `choice`."""

    options: dict[str, Any]


def grid(low: int | float | str, high: int | float | str, n: int, *, log: bool = False) -> Spaced:
    """Values between two ends, both included.

    Args:
        low: The least, a number in SI or a quantity such as "1 TB/s".
        high: The greatest.
        n: How many, at least 2.
        log: Whether they have equal ratios rather than equal differences.

    Raises:
        ValueError: there are fewer than two.
    """
    if n < 2:
        raise ValueError(f"a grid has at least 2 values, got n={n}; give one value instead")
    return Spaced(low, high, n, log)


def between(
    low: int | float | str, high: int | float | str, *, step: int | float | str | None = None
) -> Between:
    """Any value between two ends, both included.

    A range is searched at 65 values first, in equal ratios where it spans more than a factor of 4;
    the certificate speaks of these. Then the answer moves between them: gradients lead to a point
    that satisfies the KKT conditions, and ever finer grids around it and around the best of the
    values are searched on the exact model, which ends at least as well as rounding. Of what only
    whole numbers make sense of, all whole numbers between the ends are meant.

    Args:
        low: The least, a number in SI or a quantity such as "1 TB/s".
        high: The greatest.
        step: If given, only `low`, `low + step` and so on will do, and all of them are searched.
    """
    return Between(low, high, step)


def choice(*options: Any, **named: Any) -> Choice:
    """Objects of which one is chosen: names from the data files, or objects of any structure.

    Args:
        options: Names, or objects that are called by their class.
        named: Objects by the names that results call them.

    Raises:
        ValueError: there are none, or two have one name.

    Examples:
        >>> list(choice("h200", "b200").options), list(choice(mine=1.0).options)
        (['h200', 'b200'], ['mine'])
    """
    names = [it if isinstance(it, str) else type(it).__name__ for it in options]
    found = dict(zip(names, options, strict=True)) | named
    if not found:
        raise ValueError("a choice needs something to choose from")
    if len(found) < len(options) + len(named):
        raise ValueError(f"two choices have one name: {', '.join(names)}; name them: mine=...")
    return Choice(found)


def grid_of_values(values: Any, stated: Quantity) -> Grid:
    """The grid that a user gives for a number.

    Args:
        values: A number, a quantity in text, a sequence of them, or what `grid` and `between` make.
        stated: What the number is; of a whole one, values between two ends are rounded.

    Raises:
        ValueError: what is wrong with them.
    """
    if isinstance(values, Between):
        low, high = (_plain(it) for it in (values.low, values.high))
        step = {} if values.step is None else {"step": _plain(values.step)}
        return grid_of({"min": low, "max": high, **step}, stated)
    if isinstance(values, Spaced):
        found = _spaced(values, stated)
    else:
        each = values if is_several(values) else [values]
        found = np.unique([in_si(_plain(it), stated.dimension) for it in each])
        parts = found[found != np.round(found)]
        if stated.whole and len(parts):
            raise ValueError(f"must be whole numbers, got {parts[0]:g}")
    if not len(found):
        raise ValueError("has no values")
    if found[0] < least_of(stated):
        raise ValueError(f"must be at least {least_of(stated):g}, got {found[0]:g}")
    grid = Grid(tuple(found.tolist()), logarithmic=bool(found[0] > 0))
    return within_range(stated, grid)


def _plain(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _spaced(values: Spaced, stated: Quantity) -> np.ndarray:
    low, high = (in_si(_plain(it), stated.dimension) for it in (values.low, values.high))
    if not low < high:
        raise ValueError(f"has its ends reversed: {values.low!r} is not below {values.high!r}")
    if values.log and low <= 0:
        raise ValueError(f"a grid of equal ratios needs a least value above 0, got {values.low!r}")
    return spaced_between(low, high, values.count, values.log, whole=stated.whole)


def is_several(values: Any) -> bool:
    """Whether something is a sequence of values."""
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)


def is_number(value: Any) -> bool:
    """Whether something is a finite number or a quantity in text."""
    if isinstance(value, str):
        return value[:1].isdigit() or value[:1] in "+-."
    return isinstance(value, int | float | np.number) and math.isfinite(float(value))
