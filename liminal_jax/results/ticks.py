"""Numbers along the axes of figures: few, round, and clear of each other."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

_ROUND, _DECADES = 5.0, 200.0
"""Ratios of the ends of a logarithmic axis from which on it has other ticks."""


def log_ticks(values: Iterable[float]) -> dict[str, Any]:
    """Few ticks of a logarithmic axis: each decade of many, 1, 2 and 5 of few, else round numbers.

    Args:
        values: What is drawn along it; what is not positive is not.

    Examples:
        >>> log_ticks([1e3, 1e6])["dtick"], log_ticks([300.0, 2000.0])["dtick"]
        (1, 'D2')
        >>> log_ticks([300.0, 1400.0])
        {'nticks': 6}
    """
    known = [it for it in values if it and it > 0]
    ratio = max(known, default=1.0) / min(known, default=1.0)
    if ratio < _ROUND:
        return {"nticks": 6}
    return {"dtick": 1 if ratio > _DECADES else "D2", "tickformat": tick_format(known)}


def tick_format(values: Iterable[float]) -> str:
    """How numbers along an axis are written: with a prefix for thousands, and as they are below 1.

    Examples:
        >>> tick_format([3.0, 4e6]), tick_format([0.02, 0.4])
        ('.3~s', '.3~g')
    """
    return ".3~s" if min(values) >= 1 else ".3~g"


def ticks(values: Sequence[float]) -> list[float]:
    """The ends of an axis, and the round numbers between them that are clear of them.

    Args:
        values: What is drawn along it.

    Examples:
        >>> ticks([308.8, 1439.4]), ticks([8, 8])
        ([308.8, 400.0, 600.0, 800.0, 1000.0, 1200.0, 1439.4], [8])
    """
    low, high = min(values), max(values)
    if low == high:
        return [low]
    decade = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = decade * max(it for it in (1, 2, 5) if 4 * it * decade <= high - low)
    ends = 0.08 * (high - low)
    first, last = math.ceil((low + ends) / step), math.floor((high - ends) / step)
    return [low, *(step * it for it in range(first, last + 1)), high]
