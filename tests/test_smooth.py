"""The two readings of every kink keep the bounds that the module states."""

import itertools
import math

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft, between

EXACT = Exact()
CLOSE = 1 + 1e-9
temperatures = st.floats(1e-3, 0.9)
numbers = st.floats(1e-9, 1e15)
fractions = st.floats(0, 50)
shortly = settings(max_examples=60, deadline=None)

soft_maximum = jax.jit(lambda t, *values: Soft(t).maximum(*values))
soft_minimum = jax.jit(lambda t, left, right: Soft(t).minimum(left, right))
soft_ceil = jax.jit(lambda t, value: Soft(t).ceil(value))
soft_floor = jax.jit(lambda t, value: Soft(t).floor(value))
soft_above = jax.jit(lambda t, value, threshold: Soft(t).above(value, threshold))


def test_exact_answers() -> None:
    assert float(EXACT.maximum(-1.0, 3.0, 2.0)) == 3
    assert float(EXACT.minimum(3.0, 2.0)) == 2
    assert float(EXACT.minimum(3.0, 0.0)) == 0
    assert float(EXACT.minimum(0.0, 0.0)) == 0
    assert [float(EXACT.ceil(value)) for value in (2.0, 2.1, -2.1)] == [2, 3, -2]
    assert [float(EXACT.floor(value)) for value in (2.0, 2.9, -2.1)] == [2, 2, -3]
    assert [float(EXACT.above(value, 2.0)) for value in (1.9, 2.0, 2.1)] == [0, 0, 1]


@shortly
@given(temperatures, numbers, numbers, numbers)
def test_maximum_is_within_a_factor(t: float, x: float, y: float, z: float) -> None:
    soft, most = float(soft_maximum(t, x, y, z)), max(x, y, z)
    assert most / CLOSE <= soft <= 3**t * most * CLOSE


@pytest.mark.parametrize("count", [2, 3, 4])
def test_maximum_of_equals_reaches_its_bound(count: int) -> None:
    assert float(Soft(0.5).maximum(*[7.0] * count)) == pytest.approx(7 * count**0.5)


@shortly
@given(temperatures, numbers, numbers)
def test_minimum_is_within_a_factor(t: float, x: float, y: float) -> None:
    soft, least = float(soft_minimum(t, x, y)), min(x, y)
    assert 2**-t * least / CLOSE <= soft <= least * CLOSE


@shortly
@given(temperatures, fractions)
def test_ceil_is_between_the_value_and_the_next_whole(t: float, value: float) -> None:
    soft, whole = float(soft_ceil(t, value)), math.ceil(value)
    assert value - 1e-12 <= soft <= whole + 1e-12
    assert whole - soft <= math.exp(-(value - math.floor(value)) / t) * CLOSE + 1e-12


@shortly
@given(temperatures, fractions)
def test_floor_is_between_the_last_whole_and_the_value(t: float, value: float) -> None:
    soft, whole = float(soft_floor(t, value)), math.floor(value)
    assert whole - 1e-12 <= soft <= value + 1e-12
    assert soft - whole <= math.exp(-(math.ceil(value) - value) / t) * CLOSE + 1e-12


@pytest.mark.parametrize("whole", [0.0, 1.0, 7.0, 61.0])
@pytest.mark.parametrize("t", [0.01, 0.1, 1.0])
def test_whole_numbers_stay(whole: float, t: float) -> None:
    assert float(soft_ceil(t, whole)) == whole
    assert float(soft_floor(t, whole)) == whole


@shortly
@given(temperatures, numbers, numbers)
def test_above_is_off_by_a_power_of_the_ratio(t: float, value: float, threshold: float) -> None:
    soft, hard = float(soft_above(t, value, threshold)), float(value > threshold)
    ratio = min(value / threshold, threshold / value)
    assert abs(soft - hard) <= ratio ** (1 / t) * CLOSE + 1e-12
    assert 0 <= soft <= 1


@shortly
@given(temperatures, numbers, numbers, st.floats(1, 10))
def test_all_grow_with_their_arguments(t: float, x: float, y: float, factor: float) -> None:
    more = x * factor
    assert soft_maximum(t, more, y) >= soft_maximum(t, x, y) / CLOSE
    assert soft_minimum(t, more, y) >= soft_minimum(t, x, y) / CLOSE
    assert soft_above(t, more, y) >= soft_above(t, x, y)
    assert soft_above(t, y, more) <= soft_above(t, y, x)


@shortly
@given(temperatures, fractions, st.floats(0, 3))
def test_roundings_grow_with_their_argument(t: float, value: float, step: float) -> None:
    assert soft_ceil(t, value + step) >= soft_ceil(t, value) - 1e-12
    assert soft_floor(t, value + step) >= soft_floor(t, value) - 1e-12


@shortly
@given(temperatures, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.integers(-100, 100))
def test_units_do_not_matter(t: float, x: float, y: float, power: int) -> None:
    scale = 2.0**power
    assert float(soft_maximum(t, scale * x, scale * y)) == pytest.approx(
        scale * float(soft_maximum(t, x, y)), rel=1e-12
    )
    assert float(soft_minimum(t, scale * x, scale * y)) == pytest.approx(
        scale * float(soft_minimum(t, x, y)), rel=1e-12
    )
    assert float(soft_above(t, scale * x, scale * y)) == pytest.approx(
        float(soft_above(t, x, y)), rel=1e-9, abs=1e-12
    )


def test_readings_meet_as_the_temperature_falls() -> None:
    def worst(t: float) -> float:
        soft = Soft(t)
        pairs = itertools.product((1.0, 1.3, 2.6), (0.9, 1.7, 5.2))
        return max(
            max(
                abs(float(soft.maximum(x, y) - EXACT.maximum(x, y))),
                abs(float(soft.minimum(x, y) - EXACT.minimum(x, y))),
                abs(float(soft.above(x, y) - EXACT.above(x, y))),
                abs(float(soft.ceil(x) - EXACT.ceil(x))),
                abs(float(soft.floor(y) - EXACT.floor(y))),
            )
            for x, y in pairs
        )

    errors = [worst(t) for t in (0.3, 0.1, 0.03, 0.01, 0.003)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1
    assert errors[-1] < 1e-4


@pytest.mark.parametrize("values", [(0.0, 0.0), (0.0, 2.0), (3.0, 3.0), (1e-300, 1e300)])
@pytest.mark.parametrize("t", [0.01, 0.5])
def test_gradients_are_finite_at_zero_and_at_ties(values: tuple[float, float], t: float) -> None:
    gradient = jax.grad(lambda pair: Soft(t).maximum(pair[0], pair[1]))(jnp.asarray(values))
    assert bool(jnp.all(jnp.isfinite(gradient)))
    assert bool(jnp.all(gradient >= 0))


@pytest.mark.parametrize("x", [0.5, 1.2, 4.9])
@pytest.mark.parametrize("name", ["ceil", "floor"])
def test_the_soft_ceiling_has_a_slope_where_the_true_one_has_none(name: str, x: float) -> None:
    assert float(jax.grad(getattr(Soft(0.3), name))(x)) > 0
    assert float(jax.grad(getattr(EXACT, name))(x)) == 0


@pytest.mark.parametrize("whole", [1.0, 8.0, 72.0])
def test_a_step_of_whole_numbers_stands_between_them(whole: float) -> None:
    assert whole < float(between(whole)) < whole + 1
    assert float(EXACT.above(whole, between(whole))) == 0
    assert float(EXACT.above(whole + 1, between(whole))) == 1
    low, high = (float(Soft(0.05).above(it, between(whole))) for it in (whole, whole + 1))
    assert low == pytest.approx(1 - high)
