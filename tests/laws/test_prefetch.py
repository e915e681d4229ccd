"""Prefetch: what limits it, its floor, and its gradients."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.prefetch import (
    buffer_bytes,
    foreseen_bytes,
    hidden_time,
    prefetched_step_time,
)
from liminal_jax.laws.step_time import step_time
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=60, deadline=None)
times = st.floats(0, 100, allow_subnormal=False)


@pytest.mark.parametrize(
    ("collective", "space", "upcoming", "hidden"),
    [(8.0, 90.0, 90.0, 8.0), (8.0, 9.0, 90.0, 3.0), (8.0, 90.0, 6.0, 2.0), (8.0, 0.0, 6.0, 0.0)],
)
def test_the_collective_the_space_and_the_bytes_each_limit_it(
    collective: float, space: float, upcoming: float, hidden: float
) -> None:
    here = {"bandwidth": 3.0, "relaxation": Exact()}
    found = hidden_time(collective=collective, space=space, upcoming=upcoming, **here)
    assert float(found) == hidden


@pytest.mark.parametrize(
    ("collective", "bandwidth", "megabytes"),
    [(8e-6, 3.35e12, 26.8), (8e-6, 8e12, 64.0), (1.5e-6, 30e12, 45.0), (65e-6, 1.6e12, 104.0)],
)
def test_buffers_of_known_machines(collective: float, bandwidth: float, megabytes: float) -> None:
    size = buffer_bytes(collective=collective, bandwidth=bandwidth)
    assert size == pytest.approx(megabytes * 1e6, rel=1e-12)
    whole = hidden_time(
        collective=collective, space=size, upcoming=1e12, bandwidth=bandwidth, relaxation=Exact()
    )
    assert float(whole) == pytest.approx(collective, rel=1e-12)


@shortly
@given(times, times, times, times)
def test_a_step_is_between_its_floor_and_what_it_takes_without(
    compute: float, memory: float, exposed: float, hidden: float
) -> None:
    step = {"compute": compute, "memory": memory, "exposed": exposed, "relaxation": Exact()}
    time = float(prefetched_step_time(**step, hidden=hidden))
    without = float(prefetched_step_time(**step, hidden=0.0))
    assert max(memory, compute + exposed) <= time * (1 + 1e-12)
    assert time <= without
    assert time <= float(prefetched_step_time(**step, hidden=hidden / 2))


@pytest.mark.parametrize("compute", [0.3, 7.1])
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_with_nothing_hidden_it_is_the_step_as_it_was(compute: float, relaxation) -> None:
    plain = step_time(compute=[compute], memory=[3.7], exposed=1.9, relaxation=relaxation)
    without = prefetched_step_time(
        compute=compute, memory=3.7, exposed=1.9, hidden=0.0, relaxation=relaxation
    )
    assert float(without) == float(plain)


def test_a_step_that_waits_as_long_as_it_streams_is_at_most_twice_as_fast() -> None:
    step = {"compute": 0.0, "memory": 5.0, "relaxation": Exact()}
    gains = [
        float(
            prefetched_step_time(**step, exposed=it, hidden=0.0)
            / prefetched_step_time(**step, exposed=it, hidden=it)
        )
        for it in (1.0, 5.0, 20.0)
    ]
    assert gains == pytest.approx([1.2, 2.0, 1.25])


def test_routed_experts_are_not_known_before_routing() -> None:
    weights = {"certain": 4.0, "routed": 8.0}
    assert foreseen_bytes(**weights, predicted=0.0) == 4.0
    assert foreseen_bytes(**weights, predicted=1.0) == 12.0


def test_a_blur_hides_less() -> None:
    at = {"collective": 3.0, "space": 7.0, "upcoming": 6.5, "bandwidth": 2.0}
    exact = float(hidden_time(**at, relaxation=Exact()))
    blurred = [float(hidden_time(**at, relaxation=Soft(it))) for it in (0.3, 0.1, 0.01)]
    assert blurred == sorted(blurred)
    assert blurred[-1] < exact
    assert blurred[-1] == pytest.approx(exact, rel=0.02)


def test_slopes() -> None:
    def hidden(**at):
        return hidden_time(**at, relaxation=Soft(0.2))

    slopes = assert_slopes(hidden, collective=3.0, space=7.0, upcoming=6.5, bandwidth=2.0)
    assert slopes["bandwidth"] < 0
    assert min(slopes["collective"], slopes["space"], slopes["upcoming"]) > 0

    def step(**at):
        return prefetched_step_time(**at, relaxation=Soft(0.2))

    slopes = assert_slopes(step, compute=2.0, memory=4.0, exposed=3.0, hidden=1.5)
    assert slopes["hidden"] < 0 < min(slopes["compute"], slopes["exposed"])
    assert_slopes(foreseen_bytes, certain=4.0, routed=8.0, predicted=0.4)
    assert_slopes(buffer_bytes, collective=3.0, bandwidth=2.0)


def test_space_is_worth_something_where_there_is_none() -> None:
    slope = jax.grad(
        lambda it: hidden_time(
            collective=3.0, space=it, upcoming=6.5, bandwidth=2.0, relaxation=Exact()
        )
    )(0.0)
    assert np.isfinite(slope)
    assert float(slope) == pytest.approx(0.5)
