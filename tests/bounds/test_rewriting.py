"""Rewritten results: the same numbers, in narrower ranges."""

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.bounds.boxes import Boxes, points, whole
from liminal_jax.bounds.lattice import LatticeBounds
from liminal_jax.bounds.program import Step, Table, along, constant, tabulated
from liminal_jax.bounds.rewriting import rewritten

AXES = (
    np.asarray([1.0, 2.0, 4.0, 8.0]),
    np.asarray([0.5, 0.7, 1.0, 3.0, 9.0]),
    np.asarray([-1.0, 0.0, 2.0]),
    np.asarray([3.0, 5.0, 6.0]),
)
SHAPE = tuple(map(len, AXES))
PAIR = 20
"""Entries of a table of any two of the axes."""


def arguments(*axes):
    row = constant(np.zeros(len(AXES)))
    for axis, values in enumerate(axes or AXES):
        row[axis] = along(axis, values)
    return (row,)


def both_of(function, largest=PAIR, axes=AXES):
    traced = tabulated(function, arguments(*axes), SHAPE, largest)
    return traced, rewritten(traced, SHAPE, largest)


def steps_of(entry):
    """Names of the operations that a result takes, each step once."""
    seen, pending = {}, [entry]
    while pending:
        it = pending.pop()
        if isinstance(it, Step) and id(it) not in seen:
            seen[id(it)] = it.operation
            pending += it.operands
    return sorted(seen.values())


def random_function(seed):
    """A random formula of the axes; what is added, multiplied and compared is used again."""

    def function(row):
        random = np.random.default_rng(seed)
        known = [*row, jnp.asarray(0.0), jnp.asarray(1.0), jnp.asarray(0.3)]
        for _ in range(25):
            one, other, third = (known[int(it)] for it in random.integers(0, len(known), 3))
            known.append(
                [
                    lambda a, b, _: a + b,
                    lambda a, b, _: a * b,
                    lambda a, b, _: a * b,
                    lambda a, b, _: a - b,
                    lambda a, b, _: a / (1.0 + b * b),
                    lambda a, b, _: jnp.maximum(a, b),
                    lambda a, b, _: jnp.minimum(a, b),
                    lambda a, b, c: jnp.where(a > b, c, a),
                    lambda a, b, c: jnp.ceil(a / (2.0 + b * b)) + c,
                ][int(random.integers(0, 9))](one, other, third)
            )
        return jnp.stack(known[-3:])

    return function


@pytest.mark.parametrize("largest", [5, PAIR, 60])
@pytest.mark.parametrize("seed", range(12))
def test_points_keep_their_values_and_boxes_get_no_wider(seed, largest):
    its = LatticeBounds(random_function(seed), arguments(), SHAPE, largest)
    mine = its.sharpened()
    every = np.stack([it.ravel() for it in np.indices(SHAPE)]).astype(np.int32)
    exact = its.over(points(every, its.trees))[0]
    scale = 1e-12 * (1 + np.abs(exact))
    for found in mine.over(points(every, mine.trees)):
        assert (np.abs(found - exact) <= scale).all()
    nodes = [np.arange(2 * length - 1) for length in SHAPE]
    boxes = Boxes(
        np.stack([it.ravel() for it in np.meshgrid(*nodes, indexing="ij")]).astype(np.int32),
        mine.trees,
    )
    (low, high), (lower, higher) = mine.over(boxes), its.over(boxes)
    slack = 1e-12 * (1 + np.abs(exact).max())
    assert (low >= lower - slack).all()
    assert (high <= higher + slack).all()


def test_bounds_are_sharpened_once():
    bounds = LatticeBounds(random_function(0), arguments(), SHAPE)
    assert bounds.sharpened() is bounds.sharpened()
    assert bounds.sharpened() is not bounds


def test_a_factor_meets_what_it_depends_on():
    """Users over the time of a step, of which a part grows with them: exact, and one step less."""

    def rate(row):
        users, length, _, other = row
        return (users / jnp.maximum(users * length + 1.0, users * other))[None]

    (traced,), (found,) = both_of(rate)
    exact = [
        u / max(u * length + 1, u * other)
        for u in AXES[0]
        for length in AXES[1]
        for other in AXES[3]
    ]
    ends = [float(it[0]) for it in found.everywhere[:2]]
    np.testing.assert_allclose(ends, [min(exact), max(exact)], rtol=1e-12)
    assert float(traced.everywhere.high[0]) > 2 * max(exact)


def test_a_table_of_separate_axes_is_taken_apart():
    """Of two factors that are one table, the one that fits is distributed."""

    def rate(row):
        one, two, three, four = row
        return ((one * two) / (one * four + (three + 2.0)))[None]

    (found,) = both_of(rate)[1]
    assert isinstance(found, Step)
    least, most = (float(it[0]) for it in found.everywhere[:2])
    exact = [
        a * b / (a * d + c + 2) for a in AXES[0] for b in AXES[1] for c in AXES[2] for d in AXES[3]
    ]
    np.testing.assert_allclose((least, most), (min(exact), max(exact)), rtol=1e-12)


def test_like_terms_are_one():
    def total(row):
        one, two, _, four = row
        return (one * two * four + two * (1.0 + one) * four)[None]

    (traced,), (found,) = both_of(total)
    assert len(steps_of(found)) < len(steps_of(traced))
    assert steps_of(found) == ["mul"]


def test_what_changes_nothing_is_left_out():
    def same(row):
        joined = row[0] * row[1] * row[3]
        return jnp.stack([joined * 1.0 + 0.0, joined / 1.0, jnp.maximum(joined, -5.0)])

    found = both_of(same)[1]
    assert {*map(id, found)} == {id(found[0])}
    assert steps_of(found[0]) == ["mul"]


def test_nothing_times_what_is_finite_is_nothing():
    def none(row):
        joined = row[0] * row[1] * row[3]
        return jnp.stack([joined * 0.0, joined * (0.0 * row[0])])

    for found in both_of(none)[1]:
        assert isinstance(found, Table)
        assert not found.values.any()


def test_nothing_times_what_is_unknown_stays_unknown():
    """A chip whose number nobody has published is no chip of which the number does not matter."""
    unknown = np.asarray([1.0, np.nan, 2.0, 4.0])

    def none(row):
        return (row[0] * row[1] * row[3] * 0.0)[None]

    bounds = LatticeBounds(none, arguments(unknown, *AXES[1:]), SHAPE, PAIR).sharpened()
    assert np.isinf(bounds.over(whole(bounds.trees))[1]).all()
    one = points(np.asarray([[1], [0], [0], [0]], np.int32), bounds.trees)
    assert np.isinf(bounds.over(one)[1]).all()


@pytest.mark.parametrize("jump", [jnp.ceil, jnp.floor, lambda it: jnp.where(it > 1.0, 1.0, 0.0)])
def test_what_jumps_keeps_the_operands_that_were_traced(jump):
    """A quotient that is a whole number as traced may be one rounding off as rewritten."""

    def whole_number(row):
        return (jump(row[0] * row[1] / row[3] / row[1]) + row[2])[None]

    (traced,), (found,) = both_of(whole_number, largest=5)
    every = np.stack([it.ravel() for it in np.indices(SHAPE)]).astype(np.int32)
    bounds = LatticeBounds(whole_number, arguments(), SHAPE, 5).sharpened()
    low, high = bounds.over(points(every, bounds.trees))
    one, two, three, four = (axis[it] for axis, it in zip(AXES, every, strict=True))
    exact = np.asarray(jump(jnp.asarray(one * two / four / two))) + three
    np.testing.assert_array_equal(low[0], exact)
    np.testing.assert_array_equal(high[0], exact)
    assert {"ceil", "floor", "gt"} & {*steps_of(traced)} <= {*steps_of(found)}


def test_a_difference_is_not_distributed_over():
    """a (1 - u) keeps its sign, which a - a u would lose."""

    def rest(row):
        share = jnp.minimum(row[1] / row[3] / 3.0, 1.0)
        return (row[0] * (1.0 - share * row[0] / 8.0))[None]

    (found,) = both_of(rest, largest=5)[1]
    assert found.everywhere.positive
