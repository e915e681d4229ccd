"""Numbers as people read them."""

import math

_PREFIXES = {12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p"}


def with_prefix(value: float, unit: str, digits: int = 3) -> str:
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


def plain(value: float, digits: int = 3) -> str:
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


def gibibytes(value: float) -> str:
    """Bytes in GiB.

    Examples:
        >>> gibibytes(3 * 2.0**30)
        '3 GiB'
    """
    return f"{plain(value / 2.0**30, 4)} GiB"


def dollars(value: float) -> str:
    """An amount of money.

    Examples:
        >>> dollars(3994106.0)
        '3.99 M USD'
    """
    if math.isnan(value):
        return "unknown"
    return f"{plain(value / 1e6)} M USD" if value >= 1e6 else f"{plain(value, 4)} USD"


def per_cent(share: float, signed: bool = False) -> str:
    """A share in per cent.

    Examples:
        >>> per_cent(0.1234)
        '12.3 %'
    """
    sign = "+" if signed and share >= 0 else ""
    return f"{sign}{share * 100:.1f} %"
