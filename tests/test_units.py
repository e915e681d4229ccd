"""Units are read once, exactly, and refused with a reason."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._units import parse_quantity, parse_unit, to_si

SYMBOLS = ("B", "bit", "FLOP", "W", "J", "s", "m", "USD")
PREFIXES = {"": 1, "n": 1e-9, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Gi": 2**30, "Ti": 2**40}


@pytest.mark.parametrize(
    ("value", "unit", "expected", "wanted"),
    [
        (4.0, "TiB/s", "B/s", 4 * 2**40),
        (8.0, "TB/s", "B/s", 8e12),
        (96.0, "GiB", "B", 103_079_215_104),
        (2.25, "PFLOP/s", "FLOP/s", 2.25e15),
        (2.25, "PFLOPS", "FLOP/s", 2.25e15),
        (8.0, "bit", "B", 1.0),
        (7.0, "pJ/bit", "J/B", 56e-12),
        (800.0, "mm2", "m2", 800e-6),
        (1.0, "W/mm2", "W/m2", 1e6),
        (0.09, "1/cm2", "1/m2", 900.0),
        (0.08, "USD/kWh", "USD/J", 0.08 / 3.6e6),
        (12.0, "USD/GiB", "USD/B", 12 / 2**30),
        (1.0, "kW*h", "J", 3.6e6),
        (3.0, "W*s", "J", 3.0),
        (30.0, "W*s/TB", "J/B", 30e-12),
        (4.0, "year", "s", 126_230_400.0),
        (2.0, "min", "s", 120.0),
        (0.44, "us", "s", 0.44e-6),
        (6.3, "", "", 6.3),
    ],
)
def test_conversions(value: float, unit: str, expected: str, wanted: float) -> None:
    assert to_si(value, unit, expected) == pytest.approx(wanted, rel=1e-15)


@settings(max_examples=80, deadline=None)
@given(
    st.floats(1e-6, 1e6),
    st.sampled_from(SYMBOLS),
    st.sampled_from(sorted(PREFIXES)),
    st.sampled_from(sorted(PREFIXES)),
)
def test_prefixes_multiply(value: float, symbol: str, one: str, other: str) -> None:
    ratio = to_si(value, one + symbol, symbol) / to_si(value, other + symbol, symbol)
    assert ratio == pytest.approx(PREFIXES[one] / PREFIXES[other], rel=1e-14)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SYMBOLS), st.sampled_from(SYMBOLS), st.sampled_from(sorted(PREFIXES)))
def test_quotients_divide(top: str, bottom: str, prefix: str) -> None:
    whole = parse_unit(f"{top}/{prefix}{bottom}")
    assert whole.scale == pytest.approx(
        parse_unit(top).scale / parse_unit(prefix + bottom).scale, rel=1e-15
    )
    inverse = parse_unit(f"{bottom}/{top}")
    assert whole.dimension == tuple((base, -power) for base, power in inverse.dimension)


@settings(max_examples=80, deadline=None)
@given(st.floats(-1e12, 1e12), st.sampled_from(["TB/s", "GiB/s", "kB/s", "bit/s"]))
def test_quantities_are_a_number_and_a_unit(value: float, unit: str) -> None:
    wanted = value * parse_unit(unit).scale
    assert parse_quantity(f"{value!r} {unit}", "B/s") == wanted
    assert parse_quantity(f"  {value!r}{unit} ", "B/s") == wanted
    assert parse_quantity(repr(value), "B/s") == value


@pytest.mark.parametrize(
    ("text", "wanted"), [("1_000 W", 1e3), ("+.5kW", 500.0), ("2.e3 mW", 2.0), ("-3 W", -3.0)]
)
def test_ways_to_write_a_number(text: str, wanted: float) -> None:
    assert parse_quantity(text, "W") == wanted


@pytest.mark.parametrize("unit", ["parsec", "QB", "B//s", "TiB^2", "mm2m", "°C", "b"])
def test_unknown_units_are_named(unit: str) -> None:
    with pytest.raises(ValueError, match="unknown unit"):
        parse_unit(unit)


@pytest.mark.parametrize(
    ("unit", "expected", "message"),
    [
        ("GB", "B/s", "'GB' where a quantity in B/s is wanted"),
        ("W", "", "'W' where a number without unit is wanted"),
        ("", "W", "'no unit' where a quantity in W is wanted"),
        ("FLOP", "FLOP/s", "'FLOP' where a quantity in FLOP/s is wanted"),
        ("W", "J", "'W' where a quantity in J is wanted"),
        ("mm", "m2", "'mm' where a quantity in m2 is wanted"),
    ],
)
def test_other_dimensions_are_refused(unit: str, expected: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        to_si(1.0, unit, expected)


@pytest.mark.parametrize("text", ["", "fast", "TB/s", "nan", "--1 W"])
def test_text_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number with a unit, such as '1 W'"):
        parse_quantity(text, "W")


@pytest.mark.parametrize("text", ["1..2 W", "1,5 W", "1e W"])
def test_numbers_with_slips_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unknown unit"):
        parse_quantity(text, "W")
