"""Ranges of levers: whole, in SI, and named as the laws name them."""

import pytest
from pydantic import ValidationError

from liminal_jax.data.levers import LeverRange, lever_ranges

ROW = {
    "lever": "prefetch",
    "parameter": "space",
    "label": "memory for it",
    "low": 1,
    "value": 2,
    "high": 4,
    "unit": "MB",
    "quality": "lossless",
    "source": "somebody",
    "grade": "D",
}


def test_a_number_of_a_lever_has_one_range():
    named = [(it.lever, it.parameter) for it in lever_ranges()]
    assert len(named) == len(set(named)) > 20


def test_numbers_of_one_lever_all_cost_quality_or_none_does():
    for lever in {it.lever for it in lever_ranges()}:
        assert len({it.quality for it in lever_ranges() if it.lever == lever}) == 1


def test_ranges_are_turned_into_si():
    assert LeverRange(**ROW).si == (1e6, 2e6, 4e6)
    times = {it.parameter: it.si for it in lever_ranges() if it.unit == "us"}
    assert times["time"] == pytest.approx((60e-9, 2e-6, 7.8e-6))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"low": 3}, "2 must lie in a range, not in that from 3 to 4"),
        ({"high": 1.5}, "must lie in a range"),
        ({"low": 2, "high": 2}, "must lie in a range"),
        ({"unit": "MX"}, "unknown unit"),
        ({"quality": "free"}, "lossless"),
        ({"low": -1}, "greater than or equal to 0"),
    ],
)
def test_what_is_no_range(changes, told):
    with pytest.raises(ValidationError, match=told):
        LeverRange(**{**ROW, **changes})
