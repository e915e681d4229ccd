"""Partial overlap: both ends, between them, and its gradients."""

import pytest

from liminal_jax.laws.overlap import operator_time, overlapped_time
from tests.laws.differences import assert_slopes


@pytest.mark.parametrize(("overlap", "time"), [(1.0, 4.0), (0.0, 6.0), (0.25, 5.5)])
def test_an_operator_hides_a_share_of_its_shorter_time(overlap: float, time: float) -> None:
    assert operator_time(longer=4.0, shorter=2.0, overlap=overlap) == time


@pytest.mark.parametrize(("overlap", "time"), [(1.0, 4.0), (0.0, 6.0), (0.25, 5.5)])
def test_a_step_is_between_its_bounds(overlap: float, time: float) -> None:
    assert overlapped_time(whole=4.0, separate=6.0, overlap=overlap) == time


def test_more_overlap_saves_what_was_not_hidden() -> None:
    slopes = assert_slopes(operator_time, longer=4.0, shorter=2.0, overlap=0.3)
    assert slopes == pytest.approx({"longer": 1, "shorter": 0.7, "overlap": -2})
    slopes = assert_slopes(overlapped_time, whole=4.0, separate=6.0, overlap=0.3)
    assert slopes == pytest.approx({"whole": 0.3, "separate": 0.7, "overlap": -2})
