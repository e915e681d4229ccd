"""Types and shapes are checked at the first calls of each function, and then again."""

import jax.numpy as jnp
import pytest
from jaxtyping import Array, Float, TypeCheckError, jaxtyped

from liminal_jax.laws.roofline import memory_time
from tests.checked import CALLS, check_again, checked


@jaxtyped(typechecker=checked)
def dot(one: Float[Array, " n"], other: Float[Array, " n"]) -> Float[Array, ""]:
    return jnp.sum(one * other)


def test_the_first_calls_are_checked_and_then_again():
    good, wrong = jnp.ones(3), jnp.ones(1)
    with pytest.raises(TypeCheckError):
        dot(good, wrong)
    for _ in range(CALLS):
        dot(good, good)
    assert float(dot(good, wrong)) == 3
    check_again()
    with pytest.raises(TypeCheckError):
        dot(good, wrong)


def test_the_package_is_checked():
    with pytest.raises(TypeCheckError):
        memory_time(traffic="much", chips=1.0, bandwidth=1.0)
