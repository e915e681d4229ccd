"""What laws are asked for in several places is worked out once in an evaluation, and no more."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._once import evaluation, once

WORKED_OUT = []


class Pair(NamedTuple):
    first: object
    second: object


@once
def added(pair, count):
    """It tells when it is worked out."""
    WORKED_OUT.append(count)
    return pair.first + count * pair.second


@pytest.fixture(autouse=True)
def _afresh():
    WORKED_OUT.clear()


@evaluation
def twice(x, y):
    return added(Pair(x, y), 2.0) * added(Pair(x, y), 2.0)


@evaluation
def of_three_kinds(x, y):
    return added(Pair(x, y), 2.0) + added(Pair(y, x), 2.0) + added(Pair(x, y), 3.0)


@pytest.mark.parametrize("wrap", [lambda it: it, jax.jit], ids=["eager", "traced"])
def test_it_is_worked_out_once_for_the_same_arrays(wrap):
    assert float(wrap(twice)(jnp.asarray(3.0), jnp.asarray(2.0))) == 49.0
    assert WORKED_OUT == [2.0]


@pytest.mark.parametrize("wrap", [lambda it: it, jax.jit], ids=["eager", "traced"])
def test_other_arrays_and_other_numbers_are_worked_out_again(wrap):
    assert float(wrap(of_three_kinds)(jnp.asarray(3.0), jnp.asarray(2.0))) == 7 + 8 + 9
    assert WORKED_OUT == [2.0, 2.0, 3.0]


def test_an_evaluation_remembers_nothing_of_another():
    x, y = jnp.asarray(3.0), jnp.asarray(2.0)
    twice(x, y)
    twice(x, y)
    assert len(WORKED_OUT) == 2
    added(Pair(x, y), 2.0)
    added(Pair(x, y), 2.0)
    assert len(WORKED_OUT) == 4


def test_an_evaluation_within_another_is_a_part_of_it():
    @evaluation
    def outer(x, y):
        return twice(x, y) + twice(x, y)

    outer(jnp.asarray(3.0), jnp.asarray(2.0))
    assert len(WORKED_OUT) == 1


def test_what_is_traced_within_a_function_does_not_leave_it():
    @evaluation
    def scanned(x, y):
        def body(total, _):
            return total + added(Pair(x, y), 2.0), None

        before = added(Pair(x, y), 2.0)
        total, _ = jax.lax.scan(body, 0.0, None, length=3)
        return before + total + added(Pair(x, y), 2.0)

    assert float(jax.jit(scanned)(jnp.asarray(3.0), jnp.asarray(2.0))) == 5 * 7.0


def test_derivatives_and_batches_are_those_of_the_plain_function():
    def plain(x, y):
        return (x + 2.0 * y) ** 2

    x, y = jnp.asarray([3.0, 4.0]), jnp.asarray([2.0, 0.5])
    for transform in (
        jax.vmap,
        lambda it: jax.vmap(jax.grad(it)),
        lambda it: jax.vmap(jax.hessian(it)),
    ):
        np.testing.assert_array_equal(transform(twice)(x, y), transform(plain)(x, y))
