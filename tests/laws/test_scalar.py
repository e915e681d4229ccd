"""Work beside the tensor cores, by hand."""

import math

import pytest

from liminal_jax.laws.scalar import (
    NORM_OPERATIONS,
    SCORE_OPERATIONS,
    exponential_time,
    scalar_work,
)
from tests.laws.differences import assert_slopes


def test_work_of_a_norm() -> None:
    # square, add, scale, weigh
    assert scalar_work(elements=4096, operations=NORM_OPERATIONS) == 16_384
    assert scalar_work(elements=0, operations=SCORE_OPERATIONS) == 0


def test_exponentials_of_a_published_unit() -> None:
    # A B200: 16 a clock on 148 multiprocessors at 1.9 GHz, some 0.222 ps each
    rate = 16 * 148 * 1.9e9
    time = exponential_time(exponentials=1.0, chips=1.0, rate=rate)
    assert time == pytest.approx(0.222e-12, rel=2e-3)
    assert exponential_time(exponentials=1e9, chips=8.0, rate=math.inf) == 0


def test_slopes() -> None:
    slopes = assert_slopes(scalar_work, elements=3.0, operations=5.0)
    assert slopes == pytest.approx({"elements": 5, "operations": 3})
    slopes = assert_slopes(exponential_time, exponentials=12.0, chips=2.0, rate=3.0)
    assert slopes == pytest.approx({"exponentials": 1 / 6, "chips": -1, "rate": -2 / 3})
