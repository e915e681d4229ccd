"""What the experiments on the talk share."""

import doctest

import jax
import numpy as np
import pytest

from experiments import drawing, roots, synchronisation_view, verdicts
from experiments.roots import crossing, or_none


@pytest.mark.parametrize("module", [drawing, roots, verdicts, synchronisation_view])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_a_jump_is_found_where_it_is():
    with jax.enable_x64(True):
        root = crossing(lambda it: jax.numpy.where(it < 7.0, 1.0, -1.0), 1e-3, 1e6)
        assert float(root) == pytest.approx(7.0, rel=1e-12)


def test_without_a_change_of_sign_there_is_no_root():
    assert or_none(crossing(lambda it: it + 1.0, 1e-3, 1e3)) is None
    assert or_none(crossing(lambda it: -it, 1e-3, 1e3)) is None


def test_names_keep_their_order_and_their_distance():
    places = np.array([5.0, 1.0, 1.5, 1.2, 30.0])
    moved = np.array(drawing.spread(places.tolist(), 2.0))
    assert np.array_equal(np.argsort(moved), np.argsort(places))
    assert np.diff(np.sort(moved)).min() == pytest.approx(2.0)
    assert moved.mean() == pytest.approx(places.mean())
