"""Interval arithmetic: the range of an operation over the ranges of its operands.

Operands are taken as independent, so a range may be too wide, never too narrow but for the rounding
of each operation (relative 2^-53). Truth is a number: 0 for no, 1 for yes.

Moore, Kearfott and Cloud (2009), Introduction to Interval Analysis, SIAM, chapters 2 and 5.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from liminal_jax._monotone import MONOTONE
from liminal_jax._primitives import ELEMENTWISE


class Range(NamedTuple):
    """Ends of a range, for each box, and what is known of its sign everywhere.

    Attributes:
        low: Never above the least value.
        high: Never below the greatest value.
        positive: Whether no value on the whole lattice is below 0.
    """

    low: np.ndarray
    high: np.ndarray
    positive: bool = False


Ends: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Least and greatest values, for each box."""


def _corners(operation: np.ufunc, one: Range, other: Range) -> Ends:
    """Of an operation that is monotone in each operand, whatever the signs."""
    corners = [operation(mine, its) for mine in one[:2] for its in other[:2]]
    return np.minimum.reduce(corners), np.maximum.reduce(corners)


def _sum(one: Range, other: Range) -> Ends:
    return one.low + other.low, one.high + other.high


def _difference(one: Range, other: Range) -> Ends:
    return one.low - other.high, one.high - other.low


def _product(one: Range, other: Range) -> Ends:
    if one.positive and other.positive:
        return one.low * other.low, one.high * other.high
    return _corners(np.multiply, one, other)


def _quotient(one: Range, other: Range) -> Ends:
    if other.positive and one.positive:
        return one.low / other.high, one.high / other.low
    low, high = _corners(np.divide, one, other)
    whole = (other.low > 0) | (other.high < 0)
    return np.where(whole, low, -np.inf), np.where(whole, high, np.inf)


def _larger(one: Range, other: Range) -> Ends:
    return np.maximum(one.low, other.low), np.maximum(one.high, other.high)


def _smaller(one: Range, other: Range) -> Ends:
    return np.minimum(one.low, other.low), np.minimum(one.high, other.high)


def _negative(one: Range) -> Ends:
    return -one.high, -one.low


def _power(base: Range, exponent: Range) -> Ends:
    if not base.positive:
        raise NotImplementedError("no bounds are known for powers of negative numbers")
    return _corners(np.power, base, exponent)


def _whole_power(base: Range, *, y: int) -> Ends:
    low, high = base.low**y, base.high**y
    if base.positive:
        return (low, high) if y > 0 else (high, low)
    if y < 0:
        raise NotImplementedError("no bounds are known for inverse powers of negative numbers")
    if y % 2:
        return low, high
    crosses = (base.low < 0) & (base.high > 0)
    return np.where(crosses, 0.0, np.minimum(low, high)), np.maximum(low, high)


def _chosen(which: Range, no: Range, yes: Range) -> Ends:
    always, never = which.low > 0, which.high <= 0
    low = np.where(always, yes.low, np.where(never, no.low, np.minimum(no.low, yes.low)))
    high = np.where(always, yes.high, np.where(never, no.high, np.maximum(no.high, yes.high)))
    return low, high


def _truth(surely: np.ndarray, possibly: np.ndarray) -> Ends:
    return surely.astype(float), possibly.astype(float)


def _above(one: Range, other: Range) -> Ends:
    return _truth(one.low > other.high, one.high > other.low)


def _not_below(one: Range, other: Range) -> Ends:
    return _truth(one.low >= other.high, one.high >= other.low)


def _converted(one: Range, *, new_dtype: Any) -> Ends:
    """To a type that holds every value: ranges are float64 already."""
    if np.dtype(new_dtype) != np.float64:
        raise NotImplementedError(f"no bounds are known for numbers as {np.dtype(new_dtype)}")
    return one.low, one.high


def _square(one: Range) -> Ends:
    return _whole_power(one, y=2)


_RULES: dict[str, Callable[..., Ends]] = {
    "add": _sum,
    "and": _smaller,
    "convert_element_type": _converted,
    "div": _quotient,
    "ge": _not_below,
    "gt": _above,
    "integer_pow": _whole_power,
    "le": lambda one, other: _not_below(other, one),
    "lt": lambda one, other: _above(other, one),
    "max": _larger,
    "min": _smaller,
    "mul": _product,
    "neg": _negative,
    "not": lambda one: (1.0 - one.high, 1.0 - one.low),
    "or": _larger,
    "pow": _power,
    "select_n": _chosen,
    "square": _square,
    "sub": _difference,
}

_RISING = ("asinh", "ceil", "erf_inv", "exp", "expm1", "floor", "log", "log1p", "sign", "sqrt")
"""Operations that grow with their operand."""


def is_exact(operation: str) -> bool:
    """Whether rounding never makes the range of an operation over a part the wider one.

    A law that JAX computes as a whole may round one way alone and another among others.
    """
    return operation not in MONOTONE


def rule_of(operation: str) -> Callable[..., Ends]:
    """From ranges of operands, and static parameters, to ends; undefined ones may be among them.

    Args:
        operation: Name of the primitive, or of a monotone law.

    Raises:
        NotImplementedError: no bounds are known for the operation.
    """
    if operation in _RISING:
        rising = ELEMENTWISE[operation]
        return lambda one: (rising(one.low), rising(one.high))
    if operation in MONOTONE:
        law = MONOTONE[operation]
        return lambda *them: law.ends([it.low for it in them], [it.high for it in them])
    if operation in _RULES:
        return _RULES[operation]
    raise NotImplementedError(f"no bounds are known for {operation!r} of many variables")


def defined(low: np.ndarray, high: np.ndarray) -> Ends:
    """Ends of ranges: where one is undefined nothing is known, and the range is without end."""
    unknown = np.isnan(low) | np.isnan(high)
    if unknown.any():
        return np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)
    return low, high


def ranged(operation: str, operands: list[Range], parameters: dict) -> Range:
    """The range of an operation, without end where an end is undefined.

    Args:
        operation: Name of the primitive, or of a monotone law.
        operands: Ranges of its operands.
        parameters: Static parameters of the primitive.

    Raises:
        NotImplementedError: no bounds are known for the operation.
    """
    with np.errstate(all="ignore"):
        ends = rule_of(operation)(*operands, **parameters)
    return Range(*defined(*ends))
