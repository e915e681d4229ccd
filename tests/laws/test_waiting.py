"""Waiting for other prompts: by hand, at limits, and against a simulated queue."""

import jax
import numpy as np
import pytest

from liminal_jax.laws.waiting import closed_loop_response, open_loop_wait


def test_one_user_waits_for_nobody():
    assert float(closed_loop_response(service=2.0, away=5.0, users=1.0)) == pytest.approx(2.0)


def test_many_users_keep_the_server_busy():
    response = float(closed_loop_response(service=2.0, away=5.0, users=1e6))
    assert response == pytest.approx(2e6 - 5.0, rel=1e-9)


def test_the_response_solves_mean_value_analysis():
    for users in (2.0, 5.0, 20.0):
        it = float(closed_loop_response(service=1.5, away=7.0, users=users))
        # The users that a new one finds: (n - 1)/n of the mean number there.
        assert it == pytest.approx(1.5 * (1 + (users - 1) * it / (it + 7.0)), rel=1e-12)


def test_the_response_grows_with_service_and_users_and_falls_with_absence():
    slopes = jax.grad(lambda s, a, n: closed_loop_response(service=s, away=a, users=n), (0, 1, 2))(
        1.5, 7.0, 4.0
    )
    assert slopes[0] > 0 > slopes[1]
    assert slopes[2] > 0


def test_an_open_queue_waits_as_one_that_is_simulated():
    chance = np.random.default_rng(0)
    service, rate = 1.0, 0.6
    arrivals = np.cumsum(chance.exponential(1 / rate, 400_000))
    free, waits = 0.0, 0.0
    for arrival in arrivals:
        begin = max(free, arrival)
        waits += begin - arrival
        free = begin + service
    simulated = waits / len(arrivals)
    assert float(open_loop_wait(service=service, rate=rate)) == pytest.approx(simulated, rel=0.03)


def test_an_idle_queue_does_not_wait():
    assert open_loop_wait(service=2.0, rate=0.0) == 0.0
