"""Bounds of small functions: tables, steps, and whatever a trace may hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.bounds.boxes import Boxes, Extremes, halves, whole
from liminal_jax.bounds.lattice import LatticeBounds
from liminal_jax.bounds.program import Step, Table, along, constant, tabulated
from liminal_jax.laws.caching import popular_hit_rate, recent_hit_rate
from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.speculation import accepted_tokens, checked_experts

SHAPE = (5, 4, 7)
AXES = (
    np.asarray([-2.0, -0.5, 0.0, 1.0, 3.0]),
    np.asarray([1.0, 2.0, 4.0, 8.0]),
    np.asarray([0.1, 0.5, 0.7, 1.0, 1.5, 2.0, 9.0]),
)


def arguments():
    row = constant(np.zeros(3))
    for axis, values in enumerate(AXES):
        row[axis] = along(axis, values)
    return (row,)


def everywhere(function):
    grid = np.stack([it.ravel() for it in np.meshgrid(*AXES, indexing="ij")], axis=1)
    return np.asarray(jax.vmap(function)(jnp.asarray(grid))).reshape(*SHAPE, -1)


def plain(row):
    x, y, z = row
    return jnp.stack([x * y + z, jnp.maximum(x, z) / y, jnp.sqrt(z) - x**2])


def shapes(row):
    matrix = jnp.outer(row, row[::-1])
    return jnp.concatenate([matrix.sum(axis=0), matrix.T.reshape(-1)[2:5], matrix.max()[None]])


def branches(row):
    x, y, z = row
    chosen = jnp.where(x * z > y - 3, jnp.log(y) * z, jnp.floor(z * 3) + x)
    return jnp.stack([chosen, jnp.where((x > 0) & (z <= 1), y, -z), jnp.sign(x - z)])


def nested(row):
    return jnp.stack([jax.jit(lambda it: jnp.clip(it, 0.2, 4.0).min())(row * 2), row[2] ** 1.5])


def rates(row):
    """Laws that are bounded as a whole: of a cache of more and of fewer items than there are."""
    x, y, z = row
    recent = recent_hit_rate(items=40.0 / y, exponent=z / 4, cached=jnp.abs(x) * y)
    popular = popular_hit_rate(items=y * z + 1, exponent=z / 9, cached=x + 2, choices=y)
    return jnp.stack([recent, popular - z])


def decoding(row):
    """Tokens of a step with drafts, and experts of as many tokens with an overlap."""
    x, y, z = row
    tokens = accepted_tokens(drafts=x + 2, acceptance=1 / y, decay=z / 9)
    first, more = (
        expected_distinct_experts(experts=64.0, top_k=4.0, tokens=it) for it in (y, y * (x + 3))
    )
    return jnp.stack([tokens, checked_experts(first=first, independent=more, fresh=z / 9)])


def endless(row):
    """Steps that are undefined or without end at some ends of boxes."""
    x, y, z = row
    odds = (z - 0.1) / (x + y - 1.0)
    return jnp.stack([odds * x, jnp.log(x + 2.0) * z - y, jnp.sqrt(x + z) / (x * y)])


FUNCTIONS = (plain, shapes, branches, nested, rates, decoding)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("largest", [1, 8, 30, 1000])
def test_every_point_of_every_box_lies_within_its_bounds(function, largest, monkeypatch):
    """However little fits into tables."""
    monkeypatch.setattr("liminal_jax.bounds.lattice.LARGEST_TABLE", largest)
    bounds = LatticeBounds(function, arguments(), SHAPE)
    exact = everywhere(function)
    rows = [np.arange(len(tree.first)) for tree in bounds.trees]
    nodes = np.stack([it.ravel() for it in np.meshgrid(*rows, indexing="ij")]).astype(np.int32)
    boxes = Boxes(nodes, bounds.trees)
    low, high = bounds.over(boxes)
    for number, (first, lengths) in enumerate(zip(boxes.first.T, boxes.lengths.T, strict=True)):
        inside = exact[tuple(slice(a, a + n) for a, n in zip(first, lengths, strict=True))]
        inside = inside.reshape(-1, exact.shape[-1])
        assert (low[:, number] <= inside.min(axis=0) + 1e-12).all()
        assert (high[:, number] >= inside.max(axis=0) - 1e-12).all()
    single = boxes.designs == 1
    np.testing.assert_allclose(low[:, single], high[:, single], atol=1e-12)


@pytest.mark.parametrize("function", [*FUNCTIONS, endless])
@pytest.mark.parametrize("largest", [1, 8, 30])
def test_bounds_are_those_of_checking_whether_every_end_is_defined(function, largest, monkeypatch):
    def found():
        bounds = LatticeBounds(function, arguments(), SHAPE, largest)
        rows = [np.arange(len(tree.first)) for tree in bounds.trees]
        nodes = np.stack([it.ravel() for it in np.meshgrid(*rows, indexing="ij")])
        return bounds.over(Boxes(nodes.astype(np.int32), bounds.trees))

    mine = found()
    monkeypatch.setattr("liminal_jax.bounds.lattice.is_exact", lambda _: False)
    np.testing.assert_array_equal(mine, found())


@pytest.mark.parametrize("function", [rates, decoding])
def test_monotone_laws_are_bounded_exactly_whatever_fits_into_tables(function, monkeypatch):
    monkeypatch.setattr("liminal_jax.bounds.lattice.LARGEST_TABLE", 1)
    bounds = LatticeBounds(lambda row: function(row)[0], arguments(), SHAPE)
    low, high = bounds.over(whole(bounds.trees))
    exact = everywhere(function)[..., 0]
    np.testing.assert_allclose((low[0, 0], high[0, 0]), (exact.min(), exact.max()), rtol=1e-12)


def test_bounds_are_exact_where_everything_is_a_table():
    bounds = LatticeBounds(plain, arguments(), SHAPE)
    low, high = bounds.over(whole(bounds.trees))
    exact = everywhere(plain).reshape(-1, 3)
    np.testing.assert_allclose(low[:, 0], exact.min(axis=0), atol=1e-14)
    np.testing.assert_allclose(high[:, 0], exact.max(axis=0), atol=1e-14)


def test_what_depends_on_few_axes_is_a_table_and_what_joins_them_a_step():
    product, total = tabulated(
        lambda row: jnp.stack([row[0] * row[1], row[0] * row[1] + row[2]]), arguments(), SHAPE, 20
    )
    assert isinstance(product, Table)
    assert product.axes == (0, 1)
    np.testing.assert_array_equal(product.values, np.outer(AXES[0], AXES[1]))
    assert isinstance(total, Step)
    assert (total.operation, total.operands[0]) == ("add", product)


def test_the_same_operation_is_done_once():
    one, other = tabulated(lambda row: jnp.stack([row[0] * row[1]] * 2), arguments(), SHAPE, 99)
    assert one is other


def test_a_primitive_that_bounds_do_not_know_is_tabulated_by_cases():
    (found,) = tabulated(lambda row: jnp.cumsum(row[:2])[1:], arguments(), SHAPE, 99)
    assert isinstance(found, Table)
    np.testing.assert_allclose(found.values, AXES[0][:, None] + AXES[1])


def test_a_primitive_that_bounds_do_not_know_is_refused_where_it_joins_many_axes():
    with pytest.raises(NotImplementedError, match="cumsum"):
        tabulated(lambda row: jnp.cumsum(row * row[::-1]), arguments(), SHAPE, 4)


def looped(row):
    return jax.lax.fori_loop(0, 4, lambda _, it: it + 1.0, row[:1])


def whole_numbers(row):
    counts = jnp.floor(row[1:2]).astype(int)
    return ((counts // 3) + (counts & 6)).astype(float)


@pytest.mark.parametrize("function", [looped, whole_numbers])
def test_what_only_looks_like_a_known_primitive_is_done_by_jax(function):
    (found,) = tabulated(function, arguments(), SHAPE, 99)
    exact = everywhere(function)[..., 0]
    axis = found.axes[0]
    np.testing.assert_allclose(found.values, np.moveaxis(exact, axis, 0)[:, 0, 0])


def test_a_proof_needs_double_precision():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(RuntimeError, match="jax_enable_x64"):
            LatticeBounds(plain, arguments(), SHAPE)
    finally:
        jax.config.update("jax_enable_x64", True)


def test_what_is_not_needed_is_not_computed():
    (found,) = tabulated(lambda row: (jnp.argmax(row), row[:1] * 2)[1], arguments(), SHAPE, 5)
    np.testing.assert_array_equal(found.values, 2 * AXES[0])


def test_a_table_of_any_shape_tells_its_extremes():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 5))
    values[:, 2:] = np.sort(values[:, 2:], axis=0)
    trees = (halves(6), halves(5))
    for table in (values, np.sort(values, axis=0), -np.sort(values, axis=1)):
        extremes = Extremes(Table((0, 1), table), trees)
        for one in range(len(trees[0].first)):
            for other in range(len(trees[1].first)):
                box = Boxes(np.asarray([[one], [other]], np.int32), trees)
                low, high = extremes.over(box, {})
                (a, b), (n, m) = box.first[:, 0], box.lengths[:, 0]
                inside = table[a : a + n, b : b + m]
                assert (low[0], high[0]) == (inside.min(), inside.max())


def test_unknown_numbers_leave_the_range_open():
    values = np.asarray([1.0, np.nan, 3.0])
    extremes = Extremes(Table((0,), values), (halves(3),))
    low, high = extremes.over(whole((halves(3),)), {})
    assert (low[0], high[0]) == (-np.inf, np.inf)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_halves_cover_an_axis(length):
    tree = halves(length)
    assert (tree.first[0], tree.last[0]) == (0, length - 1)
    assert len(tree.first) == 2 * length - 1
    assert [tree.first[tree.single(it)] for it in range(length)] == list(range(length))
    for node in range(len(tree.first)):
        if tree.lengths[node] > 1:
            lower, upper = tree.lower[node], tree.upper[node]
            assert tree.lengths[lower] + tree.lengths[upper] == tree.lengths[node]
            assert tree.last[lower] + 1 == tree.first[upper]
        else:
            assert tree.lower[node] == tree.upper[node] == node
