"""Times at the peaks, and uneven stages of a pipeline."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.roofline import compute_time, memory_time, stage_imbalance
from tests.laws.differences import assert_slopes


def test_a_dense_model_on_published_peaks() -> None:
    # 70e9 weights of a byte, 2 FLOP each for 64 users: eight chips of 3.35 TB/s and 1979 TFLOP/s
    assert memory_time(traffic=70e9, chips=8, bandwidth=3.35e12) == pytest.approx(2.61194e-3)
    work = 2 * 70e9 * 64
    assert compute_time(work=work, chips=8, throughput=1979e12) == pytest.approx(0.565942e-3)


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (compute_time, {"work": 8.0, "chips": 2.0, "throughput": 4.0}),
        (memory_time, {"traffic": 12.0, "chips": 2.0, "bandwidth": 3.0}),
    ],
)
def test_time_grows_with_the_load_and_falls_with_chips_and_rate(law, at) -> None:
    load, chips, rate = at
    slopes, time = assert_slopes(law, **at), float(law(**at))
    assert slopes[load] == pytest.approx(time / at[load])
    assert slopes[chips] == pytest.approx(-time / at[chips])
    assert slopes[rate] == pytest.approx(-time / at[rate])


def test_the_gradient_does_not_underflow_in_single_precision() -> None:
    def time(rate):
        return compute_time(work=jnp.float32(1e12), chips=jnp.float32(1e4), throughput=rate)

    slope = jax.grad(time)(jnp.float32(2e18))
    assert float(slope) == pytest.approx(-1e12 / 1e4 / 2e18**2, rel=1e-5)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_uneven_stages_cost_time(layers: int, stages: int) -> None:
    largest = -(-layers // stages)
    factor = stage_imbalance(layers=layers, largest=largest, stages=stages)
    assert factor >= 1
    assert (factor == 1) == (layers % stages == 0)


def test_imbalance_grows_with_the_largest_stage() -> None:
    slopes = assert_slopes(stage_imbalance, layers=61.0, largest=16.0, stages=4.0)
    assert slopes["largest"] == pytest.approx(4 / 61)
