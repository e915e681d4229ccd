"""Smooth stand-ins of kinks as single operations, each with its slopes.

Written out, a softened maximum is a dozen operations and its derivative three times as many. Here
each kink is one operation of a list (`liminal_jax.sweeps.program`): its value and its slopes take a
few operations in NumPy or in JAX, whichever is given as `xp`. What they are equal to stands in
`liminal_jax._smooth.Soft`. Temperatures are above 0 and below 1; slopes are along all operands but
the temperature, the last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from liminal_jax._arrays import Scalar

Ends: TypeAlias = tuple[float, float]
"""Least and greatest value of an operand or a result."""


@dataclass(frozen=True, eq=False)
class Kink:
    """A smooth stand-in.

    Attributes:
        value: The value, of a namespace of arrays and the operands.
        slopes: The slope along each operand but the temperature, of a namespace of arrays, the
            value and the operands.
        ends: Least and greatest value over ranges of the operands.
        equal: Number of the operand that it equals over ranges of the operands; None if none.
    """

    value: Callable[..., Any]
    slopes: tuple[Callable[..., Any], ...]
    ends: Callable[..., Ends]
    equal: Callable[..., int | None]


def _maximum(xp: ModuleType, left: Any, right: Any, temperature: Any) -> Any:
    top, low = xp.maximum(left, right), xp.maximum(xp.minimum(left, right), 0.0)
    ratio = low / xp.where(top > 0, top, 1.0)
    return xp.maximum(top, 0.0) * (1.0 + ratio ** (1 / temperature)) ** temperature


def _part_of_maximum(which: int) -> Callable[..., Any]:
    """The slope (x / m)^(p - 1), which is at most 1."""

    def slope(xp: ModuleType, value: Any, left: Any, right: Any, temperature: Any) -> Any:
        share = (left, right)[which] / xp.where(value > 0, value, 1.0)
        return xp.maximum(share, 0.0) ** (1 / temperature - 1)

    return slope


def _maximum_ends(left: Ends, right: Ends, temperature: Ends) -> Ends:
    most = max(left[1], right[1], 0.0)
    return max(left[0], right[0], 0.0), most * 2.0 ** temperature[1]


def _maximum_equal(left: Ends, right: Ends, temperature: Ends) -> int | None:
    del temperature
    if right[1] <= 0 <= left[0]:
        return 0
    return 1 if left[1] <= 0 <= right[0] else None


def _distance(xp: ModuleType, count: Any, whole: Any) -> tuple[Any, Any, Any]:
    """Distance from halfway in parts of that between whole numbers; that; and where it matters."""
    apart = xp.log1p(1.0 / whole)
    z = (xp.log(count) - 0.5 * (xp.log(whole) + xp.log(whole + 1.0))) / apart
    return z, apart, xp.abs(z) < 0.5


def _exceeds(xp: ModuleType, count: Any, whole: Any, temperature: Any) -> Any:
    z, _, between = _distance(xp, count, whole)
    inside = xp.where(between, z, 0.0)
    slant = inside / (temperature * (0.25 - inside * inside))
    # Beyond 700 the exponential overflows, and the sigmoid has long reached its end.
    rise = 1.0 / (1.0 + xp.exp(-xp.maximum(slant, -700.0)))
    return xp.where(between, rise, xp.where(z > 0, 1.0, 0.0))


def _steepness(
    xp: ModuleType, value: Any, count: Any, whole: Any, temperature: Any
) -> tuple[Any, Any]:
    """The slope along the logarithm of the count, and the distance from halfway."""
    z, apart, between = _distance(xp, count, whole)
    inside = xp.where(between, z, 0.0)
    room = 0.25 - inside * inside
    rise = value * (1.0 - value) * (0.25 + inside * inside) / (temperature * room * room)
    return xp.where(between, rise, 0.0) / apart, inside


def _exceeds_by_count(xp: ModuleType, value: Any, count: Any, whole: Any, temperature: Any) -> Any:
    return _steepness(xp, value, count, whole, temperature)[0] / count


def _exceeds_by_whole(xp: ModuleType, value: Any, count: Any, whole: Any, temperature: Any) -> Any:
    steep, inside = _steepness(xp, value, count, whole, temperature)
    return steep * ((inside - 0.5) / whole - (inside + 0.5) / (whole + 1.0))


def _exceeds_ends(count: Ends, whole: Ends, temperature: Ends) -> Ends:
    del temperature
    return float(count[0] >= whole[1] + 1), float(count[1] > whole[0])


def _corner(xp: ModuleType, left: Any, right: Any, half: Any) -> tuple[Any, Any, Any]:
    """Of a smaller number rounded over a width: whether it is, the width, and how far across."""
    rounded = xp.abs(left - right) < half
    width = xp.where(rounded, half, 1.0)
    return rounded, width, (xp.where(rounded, right - left, 0.0) + width) / (2.0 * width)


def _smaller(xp: ModuleType, left: Any, right: Any, half: Any) -> Any:
    rounded, width, part = _corner(xp, left, right, half)
    return xp.where(rounded, right - width * part * part, xp.minimum(left, right))


def _half(xp: ModuleType, whole: Any, temperature: Any) -> Any:
    others = xp.maximum(whole - 1.0, 0.0)
    return temperature * others / (1.0 + others)


def _fewest(xp: ModuleType, count: Any, whole: Any, temperature: Any) -> Any:
    return _smaller(xp, count, whole, _half(xp, whole, temperature))


def _fewest_by_count(xp: ModuleType, value: Any, count: Any, whole: Any, temperature: Any) -> Any:
    del value
    rounded, _, part = _corner(xp, count, whole, _half(xp, whole, temperature))
    return xp.where(rounded, part, xp.where(count <= whole, 1.0, 0.0))


def _fewest_by_whole(xp: ModuleType, value: Any, count: Any, whole: Any, temperature: Any) -> Any:
    del value
    rounded, _, part = _corner(xp, count, whole, _half(xp, whole, temperature))
    # The width of the corner follows the second number where that is above 1.
    wider = xp.where(whole > 1, temperature / (whole * whole), 0.0)
    along = 1.0 - part - wider * (part - part * part)
    return xp.where(rounded, along, xp.where(count <= whole, 0.0, 1.0))


def _fewest_ends(count: Ends, whole: Ends, temperature: Ends) -> Ends:
    del temperature
    return min(count[0], whole[0]) - 0.25, min(count[1], whole[1])


def _fewest_equal(count: Ends, whole: Ends, temperature: Ends) -> int | None:
    most = max(whole[1] - 1, 0.0)
    half = temperature[1] * most / (1 + most)
    if count[1] <= whole[0] - half:
        return 0
    return 1 if whole[1] <= count[0] - half else None


def _share(xp: ModuleType, ratio: Any, temperature: Any) -> Any:
    return _smaller(xp, ratio, 1.0, temperature)


def _share_by_ratio(xp: ModuleType, value: Any, ratio: Any, temperature: Any) -> Any:
    del value
    rounded, _, part = _corner(xp, ratio, 1.0, temperature)
    return xp.where(rounded, part, xp.where(ratio <= 1, 1.0, 0.0))


def _share_ends(ratio: Ends, temperature: Ends) -> Ends:
    least = min(ratio[0], 1.0)
    return max(least - 0.25 * temperature[1], min(least, 0.0)), min(ratio[1], 1.0)


def _share_equal(ratio: Ends, temperature: Ends) -> int | None:
    return 0 if ratio[1] <= 1 - temperature[1] else None


KINKS: dict[str, Kink] = {
    "kink_maximum": Kink(
        _maximum,
        (_part_of_maximum(0), _part_of_maximum(1)),
        _maximum_ends,
        _maximum_equal,
    ),
    "kink_exceeds": Kink(
        _exceeds,
        (_exceeds_by_count, _exceeds_by_whole),
        _exceeds_ends,
        lambda *_: None,
    ),
    "kink_fewest": Kink(
        _fewest,
        (_fewest_by_count, _fewest_by_whole),
        _fewest_ends,
        _fewest_equal,
    ),
    "kink_share": Kink(_share, (_share_by_ratio,), _share_ends, _share_equal),
}
"""Smooth stand-ins by the name that a call of them has in a trace."""


def _called(name: str) -> Callable[..., Any]:
    def operation(*operands: Any) -> Any:
        return KINKS[name].value(jnp, *operands)

    operation.__name__ = name
    return jax.jit(operation)


_CALLS = {name: _called(name) for name in KINKS}


def kink(name: str, *operands: Scalar) -> Scalar:
    """A smooth stand-in, as one operation of a trace.

    Args:
        name: Its name.
        operands: Its operands, the temperature last.

    Examples:
        >>> round(float(kink("kink_maximum", 3.0, 4.0, 0.5)), 6)
        5.0
    """
    return _CALLS[name](*(jnp.asarray(it, float) for it in operands))
