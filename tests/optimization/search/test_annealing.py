"""The schedule of the relaxed stage."""

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.optimization.search.annealing import Schedule

SCHEDULE = Schedule(rounds=4, steps=3, hot=0.8, cold=0.1, penalty=2.0, growth=3.0)


def test_temperature_and_weight_change_from_round_to_round_and_not_within():
    steps = jnp.arange(SCHEDULE.total())
    temperatures = np.asarray(SCHEDULE.temperature(steps)).reshape(4, 3)
    assert temperatures == pytest.approx(np.repeat([[0.8], [0.4], [0.2], [0.1]], 3, axis=1))
    weights = np.asarray(SCHEDULE.weight(steps)).reshape(4, 3)
    assert weights == pytest.approx(np.repeat([[2.0], [6.0], [18.0], [54.0]], 3, axis=1))


def test_a_single_round_stays_at_the_first_temperature():
    assert float(SCHEDULE._replace(rounds=1).temperature(jnp.asarray(2))) == pytest.approx(0.8)
