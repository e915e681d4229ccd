"""Shapes of equal parameters, and skipped layers."""

import pytest

from liminal_jax.laws.shape import layers_run, width_of_equal_weights
from tests.laws.differences import assert_slopes


def test_parameters_stay() -> None:
    for changed in (8.0, 61.0, 200.0):
        width = width_of_equal_weights(hidden=7168.0, layers=61.0, changed=changed)
        assert changed * width**2 == pytest.approx(61 * 7168**2, rel=1e-12)
    assert width_of_equal_weights(hidden=7168.0, layers=61.0, changed=61.0) == 7168


@pytest.mark.parametrize(("layers", "width"), [(16.0, 2560.0), (12.0, 3072.0)])
def test_published_shapes_have_nearly_equal_parameters(layers: float, width: float) -> None:
    law = width_of_equal_weights(hidden=2048.0, layers=24.0, changed=layers)
    assert (width / law) ** 2 == pytest.approx(1, abs=0.13)


def test_layers_that_are_skipped_are_not_run() -> None:
    assert layers_run(layers=32.0, skipped=0.0) == 32
    assert layers_run(layers=32.0, skipped=0.25) == 24
    assert layers_run(layers=32.0, skipped=1.0) == 0


def test_slopes() -> None:
    slopes = assert_slopes(width_of_equal_weights, hidden=2048.0, layers=24.0, changed=13.0)
    assert slopes["changed"] < 0 < slopes["hidden"]
    assert assert_slopes(layers_run, layers=32.0, skipped=0.25)["skipped"] == -32
