"""Both relaxations of every non-smooth function keep the bounds that the module states."""

import itertools
import math

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft

EXACT = Exact()
CLOSE = 1 + 1e-9
temperatures = st.floats(1e-3, 0.9)
numbers = st.floats(1e-9, 1e15)
fractions = st.floats(0, 50)
wholes = st.integers(1, 2000)
counts = st.floats(1, 2000)
shortly = settings(max_examples=60, deadline=None)

soft_maximum = jax.jit(lambda t, *values: Soft(t).maximum(*values))
soft_minimum = jax.jit(lambda t, left, right: Soft(t).minimum(left, right))
soft_ceil = jax.jit(lambda t, value: Soft(t).ceil(value))
soft_floor = jax.jit(lambda t, value: Soft(t).floor(value))
soft_exceeds = jax.jit(lambda t, count, whole: Soft(t).exceeds(count, whole))
soft_fewest = jax.jit(lambda t, count, whole: Soft(t).fewest(count, whole))
soft_share = jax.jit(lambda t, ratio: Soft(t).share(ratio))


def test_exact_answers() -> None:
    assert float(EXACT.maximum(-1.0, 3.0, 2.0)) == 3
    assert float(EXACT.minimum(3.0, 2.0)) == 2
    assert float(EXACT.minimum(3.0, 0.0)) == 0
    assert float(EXACT.minimum(0.0, 0.0)) == 0
    assert [float(EXACT.ceil(value)) for value in (2.0, 2.1, -2.1)] == [2, 3, -2]
    assert [float(EXACT.floor(value)) for value in (2.0, 2.9, -2.1)] == [2, 2, -3]
    # Halfway, in logarithms, from 2 to 3 is 6^(1/2) = 2.449.
    assert [float(EXACT.exceeds(count, 2.0)) for count in (2.0, 2.44, 2.46, 3.0)] == [0, 0, 1, 1]
    assert [float(EXACT.fewest(count, 2.0)) for count in (1.0, 2.0, 3.0)] == [1, 2, 2]
    assert [float(EXACT.share(ratio)) for ratio in (0.0, 0.5, 1.0, 7.0)] == [0, 0.5, 1, 1]


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


@pytest.mark.parametrize("t", [0.001, 0.1, 0.5, 2.0])
def test_a_step_is_exact_on_whole_numbers(t: float) -> None:
    for whole in (1.0, 2.0, 8.0, 36.0, 72.0, 576.0, 1e6):
        near = (1.0, whole - 1, whole, whole + 1, 3 * whole)
        steps = [(float(soft_exceeds(t, it, whole)), float(it > whole)) for it in near if it > 0]
        assert [soft for soft, _ in steps] == [exact for _, exact in steps]
        halfway = math.sqrt(whole * (whole + 1))
        assert float(soft_exceeds(t, halfway, whole)) == pytest.approx(0.5)


def test_a_step_is_exact_on_whole_numbers_in_single_precision() -> None:
    with jax.enable_x64(False):
        for whole in (1.0, 8.0, 72.0, 576.0, 2000.0):
            assert float(Soft(0.1).exceeds(jnp.float32(whole), jnp.float32(whole))) == 0
            assert float(Soft(0.1).exceeds(jnp.float32(whole + 1), jnp.float32(whole))) == 1


@pytest.mark.parametrize("whole", [1.0, 8.0, 72.0])
def test_a_step_steepens_as_the_temperature_falls(whole: float) -> None:
    a_third = whole * (1 + 1 / whole) ** (1 / 3)
    rises = [float(soft_exceeds(t, a_third, whole)) for t in (2.0, 0.5, 0.1, 0.02)]
    assert rises == sorted(rises, reverse=True)
    assert 0 < rises[-1] < 1e-10 < 0.3 < rises[0] < 0.5


@shortly
@given(temperatures, counts, wholes)
def test_the_fewest_are_within_a_part_of_one(t: float, count: float, whole: int) -> None:
    soft, least = float(soft_fewest(t, count, float(whole))), min(count, whole)
    assert 1 - 1e-12 <= soft <= least * CLOSE
    assert least - soft <= t / 4 + 1e-9
    if abs(count - whole) >= t:
        assert soft == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("t", [0.01, 0.1, 1.0])
def test_one_stays_one(t: float) -> None:
    for other in (1.0, 1.5, 2.0, 1e6):
        assert float(soft_fewest(t, 1.0, other)) == 1
        assert float(soft_fewest(t, other, 1.0)) == 1


@pytest.mark.parametrize("whole", [2.0, 8.0, 72.0])
def test_the_fewest_of_equals_by_hand(whole: float) -> None:
    # w - 1 others blurred over h = t (w - 1) / w: h/4 less at the tie
    assert float(soft_fewest(0.1, whole, whole)) == pytest.approx(whole - 0.025 * (1 - 1 / whole))


@shortly
@given(temperatures, st.floats(0, 5))
def test_a_share_is_within_a_factor(t: float, ratio: float) -> None:
    soft, share = float(soft_share(t, ratio)), min(ratio, 1.0)
    assert (1 - t / 4) * share - 1e-12 <= soft <= share + 1e-12
    if abs(ratio - 1) >= t:
        assert soft == pytest.approx(share, abs=1e-12)


def test_a_share_of_equals_by_hand() -> None:
    # (1 + 0.2 - 1)^2 / 0.8 of what is missed
    assert float(soft_share(0.2, 1.0)) == pytest.approx(0.95)
    assert float(soft_share(5.0, 1.0)) == pytest.approx(0.75)
    assert float(soft_share(5.0, 0.0)) == 0


@shortly
@given(temperatures, numbers, numbers, st.floats(1, 10))
def test_all_grow_with_their_arguments(t: float, x: float, y: float, factor: float) -> None:
    more = x * factor
    assert soft_maximum(t, more, y) >= soft_maximum(t, x, y) / CLOSE
    assert soft_minimum(t, more, y) >= soft_minimum(t, x, y) / CLOSE
    assert soft_exceeds(t, more, y) >= soft_exceeds(t, x, y)
    assert soft_exceeds(t, y, more) <= soft_exceeds(t, y, x)


@shortly
@given(temperatures, counts, counts, st.floats(0, 2))
def test_counts_and_shares_grow_with_their_arguments(
    t: float, count: float, whole: float, step: float
) -> None:
    fewest = soft_fewest(t, count, whole)
    assert soft_fewest(t, count + step, whole) >= fewest / CLOSE
    assert soft_fewest(t, count, whole + step) >= fewest / CLOSE
    assert soft_share(t, count / whole + step) >= soft_share(t, count / whole) / CLOSE


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


def test_readings_meet_as_the_temperature_falls() -> None:
    def worst(t: float) -> float:
        soft = Soft(t)
        pairs = itertools.product((1.0, 1.3, 2.6), (0.9, 1.7, 5.2))
        return max(
            max(
                abs(float(soft.maximum(x, y) - EXACT.maximum(x, y))),
                abs(float(soft.minimum(x, y) - EXACT.minimum(x, y))),
                abs(float(soft.exceeds(x, y) - EXACT.exceeds(x, y))),
                abs(float(soft.fewest(x, y + 0.1) - EXACT.fewest(x, y + 0.1))),
                abs(float(soft.share(x) - EXACT.share(x))),
                abs(float(soft.ceil(x) - EXACT.ceil(x))),
                abs(float(soft.floor(y) - EXACT.floor(y))),
            )
            for x, y in pairs
        )

    errors = [worst(t) for t in (0.3, 0.1, 0.03, 0.01, 0.003)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1
    assert errors[-1] < 1e-3


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


@pytest.mark.parametrize("count", [1.0, 1.2, 7.99, 8.0, 8.01, 8.5, 8.99, 9.0, 9.01, 500.0])
@pytest.mark.parametrize("whole", [1.0, 8.0, 500.0])
@pytest.mark.parametrize("t", [0.005, 0.1, 1.0])
def test_gradients_of_counts_are_finite_and_of_the_right_sign(
    t: float, count: float, whole: float
) -> None:
    step = jax.grad(lambda it: Soft(t).exceeds(it[0], it[1]))(jnp.asarray([count, whole]))
    fewest = jax.grad(lambda it: Soft(t).fewest(it[0], it[1]))(jnp.asarray([count, whole]))
    share = jax.grad(Soft(t).share)(count / whole)
    assert 0 <= float(step[0]) < math.inf
    assert -math.inf < float(step[1]) <= 0
    assert bool(jnp.all((fewest >= 0) & (fewest <= 1 + 1e-12)))
    assert 0 <= float(share) <= 1


@pytest.mark.parametrize("values", [(1e-190, 1e-190), (1e-200, 3e-190), (0.0, 1e-170), (0.0, 1.0)])
@pytest.mark.parametrize("t", [0.01, 0.5])
def test_gradients_of_the_smaller_are_finite_however_small(
    values: tuple[float, float], t: float
) -> None:
    gradient = jax.grad(lambda pair: Soft(t).minimum(pair[0], pair[1]))(jnp.asarray(values))
    assert bool(jnp.all(jnp.isfinite(gradient)))
