"""Ranges of operations hold every result of numbers in the ranges of the operands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._primitives import ELEMENTWISE
from liminal_jax.bounds.ranges import Range, ranged

ANY = ("add", "sub", "mul", "div", "max", "min", "gt", "ge", "lt", "le")
ONE = ("neg", "ceil", "floor", "sign", "exp", "expm1")
POSITIVE = ("log", "log1p", "sqrt")
POINTS = 7

numbers = st.floats(-50.0, 50.0).map(lambda it: round(it, 2))


def spread(low, high):
    return np.linspace(low, high, POINTS)


def range_of(ends, positive=False):
    low, high = sorted(ends)
    return Range(np.asarray([low]), np.asarray([high]), positive)


def assert_holds(found, results):
    results = results[~np.isnan(results)]
    rounding = 1e-12 * np.where(np.isfinite(results), np.abs(results), 0.0)
    assert (results >= found.low[0] - rounding).all()
    assert (results <= found.high[0] + rounding).all()


@pytest.mark.parametrize("name", ANY)
@settings(deadline=None)
@given(ends=st.tuples(numbers, numbers, numbers, numbers), shift=st.booleans())
def test_two_operands(name, ends, shift):
    """Of any signs, and where both are known to be positive."""
    one, other = sorted(ends[:2]), sorted(ends[2:])
    if shift:
        one, other = [it + 50 for it in one], [it + 50 for it in other]
    found = ranged(name, [range_of(one, shift), range_of(other, shift)], {})
    left, right = np.meshgrid(spread(*one), spread(*other))
    with np.errstate(all="ignore"):
        results = np.asarray(ELEMENTWISE[name](left, right), float)
    assert_holds(found, results)


@pytest.mark.parametrize("name", ONE + POSITIVE)
@settings(deadline=None)
@given(ends=st.tuples(numbers, numbers))
def test_one_operand(name, ends):
    ends = sorted(abs(it) for it in ends) if name in POSITIVE else sorted(ends)
    found = ranged(name, [range_of(ends)], {})
    with np.errstate(all="ignore"):
        assert_holds(found, ELEMENTWISE[name](spread(*ends)))


@settings(deadline=None)
@given(ends=st.tuples(numbers, numbers), power=st.integers(1, 5))
def test_whole_powers(ends, power):
    found = ranged("integer_pow", [range_of(ends)], {"y": power})
    assert_holds(found, spread(*sorted(ends)) ** power)


def test_a_square_over_zero_begins_at_zero():
    found = ranged("integer_pow", [range_of((-2.0, 3.0))], {"y": 2})
    assert (found.low[0], found.high[0]) == (0.0, 9.0)


@settings(deadline=None)
@given(ends=st.tuples(numbers, numbers, numbers, numbers), inverse=st.booleans())
def test_powers_of_positive_numbers(ends, inverse):
    base = sorted(abs(it) + 0.5 for it in ends[:2])
    exponents = sorted(it / 10 * (-1 if inverse else 1) for it in ends[2:])
    found = ranged("pow", [range_of(base, positive=True), range_of(exponents)], {})
    left, right = np.meshgrid(spread(*base), spread(*exponents))
    assert_holds(found, left**right)


@settings(deadline=None)
@given(ends=st.tuples(numbers, numbers, numbers, numbers), truth=st.sampled_from([0, 1, 2]))
def test_a_choice_holds_the_cases_that_may_be_chosen(ends, truth):
    which = [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)][truth]
    no, yes = sorted(ends[:2]), sorted(ends[2:])
    found = ranged("select_n", [range_of(which), range_of(no), range_of(yes)], {})
    chosen = {0: no, 1: yes, 2: [min(no[0], yes[0]), max(no[1], yes[1])]}[truth]
    assert [found.low[0], found.high[0]] == chosen


def test_a_divisor_that_may_be_zero_leaves_everything_open():
    found = ranged("div", [range_of((1.0, 2.0)), range_of((-1.0, 1.0))], {})
    assert (found.low[0], found.high[0]) == (-np.inf, np.inf)


def test_what_is_undefined_at_an_end_is_open():
    found = ranged("sub", [range_of((np.inf, np.inf)), range_of((np.inf, np.inf))], {})
    assert (found.low[0], found.high[0]) == (-np.inf, np.inf)


def test_an_operation_without_a_rule_is_refused_by_name():
    with pytest.raises(NotImplementedError, match="'sin'"):
        ranged("sin", [range_of((0.0, 1.0))], {})
    with pytest.raises(NotImplementedError, match="negative"):
        ranged("pow", [range_of((-1.0, 1.0)), range_of((0.5, 0.5))], {})
