"""Each kink as one operation: what `Soft` says, its slopes, its ends, and where it is none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._kinks import KINKS
from liminal_jax._smooth import Exact, Free, Soft

RNG = np.random.default_rng(11)
COUNT = 4000
TEMPERATURES = (0.4, 0.05, 0.005)


def operands(name):
    """Counts and sizes, many of them close to a corner."""
    left = 10 ** RNG.uniform(-1.0, 3.0, COUNT)
    near = left * (1 + 0.1 * RNG.standard_normal(COUNT))
    right = np.where(RNG.random(COUNT) < 0.5, near, 10 ** RNG.uniform(-1.0, 3.0, COUNT))
    if name == "kink_share":
        return (np.where(RNG.random(COUNT) < 0.5, left, 1 + 0.3 * RNG.standard_normal(COUNT)) ** 2,)
    if name == "kink_maximum":
        return left, np.abs(right)
    return 1.0 + left, np.maximum(np.round(np.abs(right)), 1.0)


def soft(name, temperature):
    return getattr(Soft(temperature), name.removeprefix("kink_"))


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", KINKS)
def test_values_are_those_of_the_soft_reading(name, temperature):
    given = operands(name)
    expected = jax.vmap(soft(name, temperature))(*map(jnp.asarray, given))
    found = KINKS[name].value(np, *given, temperature)
    # The sigmoid of a step magnifies rounding by up to the inverse of the temperature, squared.
    close = {"rtol": 1e-9, "atol": 1e-12}
    np.testing.assert_allclose(found, expected, **close)
    free = getattr(Free(temperature), name.removeprefix("kink_"))
    np.testing.assert_allclose(jax.vmap(free)(*map(jnp.asarray, given)), expected, **close)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", KINKS)
def test_slopes_are_the_derivatives(name, temperature):
    given, kink = operands(name), KINKS[name]
    value = kink.value(np, *given, temperature)
    for number, slope in enumerate(kink.slopes):
        derived = jax.vmap(jax.grad(soft(name, temperature), number))(*map(jnp.asarray, given))
        found = slope(np, value, *given, temperature)
        scale = np.max(np.abs(derived))
        np.testing.assert_allclose(found, derived, rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", KINKS)
def test_values_stay_between_their_ends(name, temperature):
    given, kink = operands(name), KINKS[name]
    value = kink.value(np, *given, temperature)
    for _ in range(200):
        at = RNG.integers(0, COUNT, 2)
        ends = [tuple(sorted(it[at])) for it in given] + [(temperature, temperature)]
        low, high = kink.ends(*ends)
        assert np.all(value[at] >= low - 1e-12 * abs(low))
        assert np.all(value[at] <= high + 1e-12 * abs(high))
        equal = kink.equal(*ends)
        if equal is not None:
            np.testing.assert_allclose(value[at], given[equal][at], rtol=1e-12)


def test_a_kink_is_equal_to_an_operand_only_where_it_must_be():
    t = (0.1, 0.3)
    assert KINKS["kink_maximum"].equal((2.0, 5.0), (0.0, 0.0), t) == 0
    assert KINKS["kink_maximum"].equal((0.0, 0.0), (2.0, 5.0), t) == 1
    assert KINKS["kink_maximum"].equal((2.0, 5.0), (0.0, 1e-9), t) is None
    assert KINKS["kink_fewest"].equal((1.0, 3.0), (8.0, 8.0), t) == 0
    assert KINKS["kink_fewest"].equal((9.0, 30.0), (8.0, 8.0), t) == 1
    assert KINKS["kink_fewest"].equal((7.9, 30.0), (8.0, 8.0), t) is None
    assert KINKS["kink_share"].equal((0.0, 0.6), t) == 0
    assert KINKS["kink_share"].equal((0.0, 0.8), t) is None


def test_whole_numbers_are_free_and_the_rest_is_soft():
    free = Free(0.01)
    assert [float(it(2.9)) for it in (free.ceil, free.floor, free.largest_part)] == [2.9] * 3
    assert float(free.minimum(3.0, 4.0)) == pytest.approx(float(Soft(0.01).minimum(3.0, 4.0)))
    assert float(free.maximum(3.0, 4.0, 5.0)) == pytest.approx(5.0, rel=1e-3)
    assert float(free.maximum(7.0)) == float(Exact().maximum(7.0))
