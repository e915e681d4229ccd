"""Numbers as people read them: significant digits, prefixes, and the units that people use."""

import math

_PREFIXES = {12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p"}

_PREFIXED = frozenset({"s", "m", "W", "J", "FLOP", "FLOP/s", "B/s", "J/B", "J/FLOP"})
"""Units in SI that take a decimal prefix."""

_REPLACED = {
    "m2": (1e6, "mm2"),
    "W/m2": (1e-6, "W/mm2"),
    "USD/J": (3.6e6, "USD/kWh"),
    "USD*s/B": (1e9, "USD/(GB/s)"),
}
"""Units in SI in whose place people have others: how many of those one is, and their name."""

_PLAIN = (1e-4, 1e15)
"""From where to where a number reads well without an exponent."""


def with_prefix(value: float | int, unit: str, digits: int = 3) -> str:
    """A quantity with a decimal prefix.

    Examples:
        >>> with_prefix(0.0061, "s")
        '6.1 ms'
        >>> with_prefix(math.nan, "W")
        'unknown'
    """
    if math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return f"{value:g} {unit}".rstrip()
    exponent = min(12, max(-12, 3 * math.floor(math.log10(abs(value)) / 3)))
    scaled = value / 10.0**exponent
    if round(abs(scaled), max(0, digits - 3)) >= 1000 and exponent < 12:
        exponent, scaled = exponent + 3, scaled / 1000
    return f"{plain(scaled, digits)} {_PREFIXES[exponent]}{unit}".rstrip()


def plain(value: float | int, digits: int = 3) -> str:
    """A number with some significant digits, thousands separated, no exponent.

    Examples:
        >>> plain(76506.84, 4)
        '76,507'
        >>> plain(0.04567)
        '0.0457'
    """
    if math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def gibibytes(value: float | int) -> str:
    """Bytes in GiB.

    Examples:
        >>> gibibytes(3 * 2.0**30)
        '3 GiB'
    """
    return f"{plain(value / 2.0**30, 4)} GiB"


def billions(number: float | int) -> str:
    """A number of parameters as people say it.

    Examples:
        >>> billions(8_030_261_248)
        '8.03 B'
    """
    return f"{number / 1e9:,.2f} B" if number < 1e11 else f"{number / 1e9:,.1f} B"


def dollars(value: float | int) -> str:
    """An amount of money.

    Examples:
        >>> dollars(3994106.0)
        '3.99 M USD'
    """
    if math.isnan(value):
        return "unknown"
    return f"{plain(value / 1e6)} M USD" if value >= 1e6 else f"{plain(value, 4)} USD"


def per_cent(share: float | int, signed: bool = False, decimals: int = 1) -> str:
    """A share in per cent.

    Examples:
        >>> per_cent(0.1234), per_cent(0.1234, signed=True, decimals=2)
        ('12.3 %', '+12.34 %')
    """
    sign = "+" if signed and share >= 0 else ""
    return f"{sign}{share * 100:.{decimals}f} %"


def in_units(value: float | int, unit: str) -> str:
    """A number in SI in the unit that people use for it.

    Args:
        value: The number.
        unit: Its unit in SI; empty for ratios and counts.

    Examples:
        >>> in_units(8.14e-4, "m2"), in_units(4.8e12, "B/s"), in_units(3.2e-8, "USD/J")
        ('814 mm2', '4.8 TB/s', '0.115 USD/kWh')
        >>> in_units(141e9, "B"), in_units(5e7, "B"), in_units(27.514, "1/s")
        ('131.3 GiB', '50 MB', '27.51 /s')
    """
    if math.isnan(value):
        return "unknown"
    if unit == "USD":
        return dollars(value)
    if unit == "B":
        return gibibytes(value) if abs(value) >= 2.0**30 else with_prefix(value, "B")
    if unit == "1/s":
        return with_prefix(value, "/s") if abs(value) >= 1e6 else f"{plain(value, 4)} /s"
    if unit in _REPLACED:
        scale, name = _REPLACED[unit]
        return f"{plain(value * scale)} {name}"
    if unit in _PREFIXED:
        return with_prefix(value, unit)
    least, most = _PLAIN
    reads_well = value == 0 or math.isinf(value) or least <= abs(value) < most
    return f"{plain(value, 4) if reads_well else f'{value:.3g}'} {unit}".rstrip()
