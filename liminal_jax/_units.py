"""Quantities as people write them, turned into SI numbers, once and for all.

Inside the package every number is SI: byte, second, FLOP, FLOP/s, watt, joule, square metre,
USD. Prefixes, binary units and "per GB" exist only in files and on the command line, and this
module is the one place that converts them.
"""

import re
from functools import cache
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit of measure: its scale to SI and its dimension as (base, exponent) pairs."""

    scale: float
    dimension: tuple[tuple[str, int], ...]


_BASES = {
    "B": (1.0, "byte"),
    "bit": (0.125, "byte"),
    "FLOP": (1.0, "flop"),
    "FLOPS": (1.0, "flop/s"),
    "W": (1.0, "joule/s"),
    "J": (1.0, "joule"),
    "s": (1.0, "second"),
    "min": (60.0, "second"),
    "h": (3600.0, "second"),
    "year": (365.25 * 24 * 3600.0, "second"),
    "m": (1.0, "metre"),
    "USD": (1.0, "usd"),
    "token": (1.0, "token"),
}
_PREFIXES = {
    "": 1.0,
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "c": 1e-2,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
}
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def _unknown(symbol: str) -> str:
    return f"unknown unit {symbol!r}; there are {', '.join(_BASES)}, with prefixes such as G or Gi"


def _symbol(symbol: str) -> Unit:
    """Read one symbol with its prefix and power, such as `mm2` or `GiB`."""
    match = re.fullmatch(r"([A-Za-z]+)(-?\d+)?", symbol)
    if match is None:
        raise ValueError(_unknown(symbol))
    word, power = match[1], int(match[2] or 1)
    for base in sorted(_BASES, key=len, reverse=True):
        prefix = word.removesuffix(base)
        if word.endswith(base) and prefix in _PREFIXES:
            scale, name = _BASES[base]
            top, _, bottom = name.partition("/")
            dimension = [(top, power)] + ([("second", -power)] if bottom else [])
            return Unit((_PREFIXES[prefix] * scale) ** power, tuple(dimension))
    raise ValueError(_unknown(symbol))


@cache
def parse_unit(text: str) -> Unit:
    """Read a unit such as `TB/s`, `W/mm2`, `pJ/bit`, `USD/kWh` or the empty string.

    Raises:
        ValueError: the unit is not known.

    Examples:
        >>> parse_unit("kB/s").scale
        1000.0
    """
    scale, powers = 1.0, dict[str, int]()
    text = text.replace("kWh", "kW*h")
    for index, part in enumerate(re.split(r"(?<=[^*/])/", text)):
        sign = 1 if index == 0 else -1
        for symbol in part.split("*"):
            if symbol in ("", "1"):
                continue
            unit = _symbol(symbol)
            scale *= unit.scale**sign
            for base, power in unit.dimension:
                powers[base] = powers.get(base, 0) + sign * power
    return Unit(scale, tuple(sorted((base, power) for base, power in powers.items() if power)))


def to_si(value: float, unit: str, expected: str) -> float:
    """Convert a value to SI.

    Args:
        value: The number as its source prints it.
        unit: Its unit as its source prints it.
        expected: Any unit of the dimension that is wanted.

    Raises:
        ValueError: the unit is unknown or of another dimension.

    Examples:
        >>> to_si(2.0, "GiB", "B")
        2147483648.0
    """
    given = parse_unit(unit)
    if given.dimension != parse_unit(expected).dimension:
        wanted = f"a quantity in {expected}" if expected else "a number without unit"
        raise ValueError(f"{unit or 'no unit'!r} where {wanted} is wanted")
    return value * given.scale


def parse_quantity(text: str, expected: str) -> float:
    """Read a quantity such as `"4.8 TB/s"`; a bare number is taken to be SI.

    Raises:
        ValueError: no number, an unknown unit, or a unit of another dimension.

    Examples:
        >>> parse_quantity("1.4 kW", "W")
        1400.0
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        wanted = (
            f"a number with a unit, such as '1 {expected}'" if expected else "a number, such as 8"
        )
        raise ValueError(f"{text!r} is not {wanted}")
    number = float(match[1].replace("_", ""))
    return number if not match[2] else to_si(number, match[2], expected)
