"""Prices at places whose balance can be done in the head."""

import numpy as np
import pytest

from liminal_jax.optimization.sensitivity.gradients import Local
from liminal_jax.optimization.sensitivity.multipliers import multipliers


def local(gradients, violation):
    rows = np.asarray(gradients, float)
    return Local(0.0, np.asarray(violation, float), rows, np.zeros((len(rows), 0)))


def test_limits_and_an_end_balance_the_slope():
    """(3, 2) is three times the first limit's slope, and the high end keeps the rest."""
    here = local([[3.0, 2.0], [1.0, 0.0], [0.0, 5.0]], [0.0, -1.0])
    found = multipliers(here, np.asarray([0.5, 1.0]))
    assert found.limits == pytest.approx([3.0, 0.0])
    assert found.high == pytest.approx([0.0, 2.0])
    assert found.low == pytest.approx([0.0, 0.0])
    assert found.residual == pytest.approx(0.0, abs=1e-12)


def test_a_low_end_holds_what_would_fall():
    found = multipliers(local([[-2.0], [0.0]], [-1.0]), np.asarray([0.0]))
    assert found.low == pytest.approx([2.0])
    assert found.residual == pytest.approx(0.0, abs=1e-12)


def test_an_end_does_not_hold_what_moves_away_from_it():
    found = multipliers(local([[2.0], [0.0]], [-1.0]), np.asarray([0.0]))
    assert found.low == pytest.approx([0.0])
    assert found.residual == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gradients", "violation", "left"),
    [
        ([[3.0, 4.0], [1.0, 0.0]], [-0.1], 1.0),  # the limit is not touched
        ([[3.0, 4.0], [1.0, 0.0]], [0.0], 0.8),  # it balances one direction of two
        ([[3.0, 4.0], [-1.0, 0.0]], [0.0], 1.0),  # it pulls the same way
        ([[3.0, 4.0], [1e-9, 1e-9]], [0.0], 1.0),  # it has no slope worth the name
        ([[3.0, np.nan], [1.0, 0.0]], [0.0], 1.0),
    ],
)
def test_what_is_left_over_tells_how_far_an_optimum_is(gradients, violation, left):
    assert multipliers(
        local(gradients, violation), np.asarray([0.5, 0.5])
    ).residual == pytest.approx(left)


def test_a_constant_objective_balances_by_itself():
    found = multipliers(local([[0.0], [1.0]], [0.0]), np.asarray([0.5]))
    assert found.limits == pytest.approx([0.0])
    assert found.residual == 0.0
