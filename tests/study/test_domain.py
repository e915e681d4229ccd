import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liminal_jax._quantity import Quantity
from liminal_jax.data.catalogue import system_names
from liminal_jax.study.domain import MOST_VALUES, Grid, Names, category, in_si, numeric

SI = numeric(Quantity("B/s", "bandwidth", least=1.0))
WHOLE = numeric(Quantity("", "chips", whole=True))
FROM_0 = numeric(Quantity("B", "capacity", least=0.0))


def grid(value, reader=WHOLE):
    return reader.func(value)


@pytest.mark.parametrize(
    ("value", "reader", "values"),
    [
        (8, WHOLE, (8.0,)),
        (8.0, WHOLE, (8.0,)),
        ("8", WHOLE, (8.0,)),
        ("900 GB/s", SI, (9e11,)),
        (3, SI, (3.0,)),
        ({"choices": [4, 1, 2]}, WHOLE, (1.0, 2.0, 4.0)),
        ({"choices": [4, 4, "4", 1]}, WHOLE, (1.0, 4.0)),
        ({"choices": ["1 KiB", 0]}, FROM_0, (0.0, 1024.0)),
        ({"choices": [7]}, WHOLE, (7.0,)),
        ({"min": 2, "max": 9, "step": 3}, WHOLE, (2.0, 5.0, 8.0)),
        ({"min": 3, "max": 3, "step": 3}, WHOLE, (3.0,)),
        ({"min": "1 kB", "max": "3 kB", "step": 1000}, FROM_0, (1e3, 2e3, 3e3)),
        ({"min": 0, "max": 1, "num": 5}, FROM_0, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ({"min": 1, "max": 100, "num": 3, "scale": "log"}, FROM_0, (1.0, 10.0, 100.0)),
        ({"min": 1, "max": 3, "num": 20}, WHOLE, (1.0, 2.0, 3.0)),
        ({"min": 1, "max": 4, "num": 9, "scale": "log"}, WHOLE, (1.0, 2.0, 3.0, 4.0)),
    ],
)
def test_every_form_is_read_in_si_ascending_without_duplicates(value, reader, values):
    read = grid(value, reader)
    assert read.values == pytest.approx(values, rel=1e-12)
    assert read.free == (len(values) > 1)
    assert grid(read, reader) is read


@pytest.mark.parametrize(
    ("value", "logarithmic"),
    [
        ({"choices": [1, 2]}, True),
        ({"choices": [0, 2]}, False),
        ({"min": 1, "max": 3, "step": 1}, False),
        ({"min": 1, "max": 3, "num": 3}, False),
        ({"min": 1, "max": 3, "num": 3, "scale": "log"}, True),
    ],
)
def test_the_scale_is_kept(value, logarithmic):
    assert grid(value, FROM_0).logarithmic is logarithmic


def test_a_single_value_has_no_choice():
    assert grid(3).value == 3
    with pytest.raises(ValueError, match="too many values"):
        _ = Grid((1.0, 2.0), logarithmic=False).value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], r"a bare list is no domain; write { choices = \[...\] }"),
        (True, "must be a value, .* got True"),
        (None, "must be a value"),
        (math.nan, "finite number, got nan"),
        (math.inf, "finite number, got inf"),
        (-math.inf, "finite number, got -inf"),
        ("1e999", "finite number, got '1e999'"),
        ("many", "'many' is not a number"),
        (2.5, "must be a whole number, got 2.5"),
        (0, "must be at least 1, got 0"),
        (-3, "must be at least 1, got -3"),
        ("3 GB", "'GB' where a number without unit is wanted, got '3 GB'"),
        ({"choices": []}, "choices: must have at least 1 item"),
        ({"choices": [1, True]}, "choices.1: must be a number, got true"),
        ({"choices": [1, math.nan]}, "finite number, got nan"),
        ({"choices": [1, 2.5]}, "must be a whole number, got 2.5"),
        ({"choices": 3}, "choices: must be a list, got 3"),
        ({"choices": [1], "min": 1}, "min: unknown field"),
        ({"min": 9, "max": 3, "step": 1}, "min 9 is above max 3; exchange them"),
        ({"min": 9, "max": 3, "num": 4}, "min 9 is above max 3; exchange them"),
        ({"min": 1, "max": 3, "step": 0}, "step must be at least 1, got 0"),
        ({"min": 1, "max": 3, "step": -1}, "step must be at least 1, got -1"),
        ({"min": 1, "max": True, "step": 1}, "max: must be a number, got true"),
        ({"min": 1, "max": 3, "stp": 1}, "stp: unknown field; did you mean 'step'"),
        ({"min": 3, "max": 1}, "min 3 is above max 1; exchange them"),
        ({"min": 1}, "max: is required"),
        ({"min": 1, "max": 1e12, "step": 1}, "more than 100,000; take a larger step"),
        ({"min": 1, "max": 3, "num": 1}, "num: must be at least 2, got 1"),
        ({"min": 1, "max": 3, "num": 2.5}, "num: must be a whole number, got 2.5"),
        ({"min": 1, "max": 3, "num": MOST_VALUES + 1}, "num: must be at most 100000"),
        ({"min": 1, "max": 3, "num": 3, "scale": "lg"}, "scale must be .* got 'lg'; did you mean"),
        ({"min": 1, "max": 3, "num": 3, "scale": "cubic"}, "scale must be .* got 'cubic'"),
        ({}, "min: is required"),
    ],
)
def test_what_is_no_domain_is_refused_with_the_remedy(value, message):
    with pytest.raises(ValueError, match=message):
        grid(value)


def test_bounds_from_zero():
    with pytest.raises(ValueError, match="a log scale needs a min above 0, got 0"):
        grid({"min": 0, "max": 3, "num": 3, "scale": "log"}, FROM_0)
    with pytest.raises(ValueError, match="step must be greater than 0, got 0"):
        grid({"min": 0, "max": 3, "step": 0}, FROM_0)
    with pytest.raises(ValueError, match="'W' where a quantity in B is wanted, got '3 W'"):
        grid({"min": 0, "max": "3 W", "step": 1}, FROM_0)


@given(st.integers(1, 50), st.integers(0, 200), st.integers(1, 9))
def test_steps_are_those_of_a_range(low, length, step):
    read = grid({"min": low, "max": low + length, "step": step})
    assert read.values == tuple(map(float, range(low, low + length + 1, step)))


@given(
    st.integers(1, 99), st.integers(0, 999), st.integers(2, 60), st.sampled_from(["linear", "log"])
)
def test_spaced_grids_stay_within_their_bounds(low, length, num, scale):
    values = grid({"min": low, "max": low + length, "num": num, "scale": scale}).values
    assert (values[0], values[-1]) == (low, low + length)
    assert list(values) == sorted(set(values))
    assert len(values) <= num


def test_names():
    systems = category(system_names, "system", (".toml",)).func
    assert systems("h100") == Names(("h100",))
    assert systems({"choices": ["h100", "b200", "h100"]}) == Names(("h100", "b200"))
    assert systems("mine.toml") == Names(("mine.toml",))
    assert not systems("h100").free
    kept = Names(("anything",))
    assert systems(kept) is kept
    for wrong in (3, True, [], ["h100"], {"choices": []}, {"choices": [3]}, {"choice": ["h100"]}):
        with pytest.raises(ValueError, match=r"must be a system or \{ choices = "):
            systems(wrong)
    with pytest.raises(ValueError, match="there is no system 'h10'; did you mean 'h100'"):
        systems("h10")
    with pytest.raises(ValueError, match="there is no system 'zzz'; there are a100, "):
        systems("zzz")
    with pytest.raises(ValueError, match=r"there is no chip 'mine\.toml'"):
        category(system_names, "chip").func("mine.toml")


def test_numbers_in_si():
    assert in_si(3, "W") == 3
    assert in_si("3 kW", "W") == 3000
