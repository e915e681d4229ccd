"""Where points lie: every point of a grid once, and the very points that scipy draws."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from liminal_jax.sweeps.axis import Axis
from liminal_jax.sweeps.grid import grid_points
from liminal_jax.sweeps.intervals import covered, missing, share, union
from liminal_jax.sweeps.sample import LatinPoints, SobolPoints

DOUBLE = np.dtype(float)


def axes_of(lengths):
    return tuple(
        Axis(f"a{number}", "", tuple(np.arange(length) + 100.0 * number))
        for number, length in enumerate(lengths)
    )


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=0, max_size=3).map(tuple), st.sampled_from([1, 4, 10, 64])
)
def test_blocks_hold_every_point_of_a_grid_once(lengths, size):
    points = grid_points(axes_of(lengths), size, DOUBLE)
    seen = []
    for piece in range(points.pieces):
        for place in range(points.places):
            first = int(points.first_index(piece, place))
            numbers = first + np.arange(points.length(piece, place))
            valid = np.asarray(points.valid(jnp.asarray(piece), jnp.asarray(place)))
            assert valid.sum() == len(numbers)
            assert valid[: len(numbers)].all()
            inputs = {
                **points.inner_inputs(jnp.asarray(piece)),
                **points.outer_inputs(jnp.asarray([place])),
            }
            values = points.values(numbers)
            for axis in range(len(lengths)):
                column = np.broadcast_to(np.asarray(inputs[axis]), (points.block,))
                assert column[: len(numbers)].tolist() == values[:, axis].tolist()
            seen += numbers.tolist()
    assert sorted(seen) == list(range(points.size))
    assert points.block <= max(size, 1) or points.rows == 1


@pytest.mark.parametrize("seed", [0, 7])
def test_sobol_blocks_are_scipys(seed):
    axes = tuple(Axis(f"a{it}", "", (0.0, 1.0), drawn=True) for it in range(5))
    points = SobolPoints(axes, 1000, 64, seed, DOUBLE)
    whole = qmc.Sobol(5, scramble=True, bits=32, rng=seed).random(1024)
    assert np.array_equal(points.values(np.arange(1024)), whole)
    given_ = points.given(3, 2)
    block = points.drawn_inputs(jnp.asarray(given_[1]))
    drawn = np.stack([block[it] for it in range(5)], axis=-1)
    assert np.array_equal(drawn, whole[256:320])


def test_latin_blocks_are_scipys():
    axes = tuple(Axis(f"a{it}", "", (0.0, 1.0), drawn=True) for it in range(3))
    points = LatinPoints(axes, 100, 32, 5, DOUBLE)
    whole = qmc.LatinHypercube(3, rng=5).random(100)
    assert np.array_equal(points.values(np.arange(100)), whole)
    for axis in range(3):
        assert sorted((whole[:, axis] * 100).astype(int)) == list(range(100))


def test_draws_follow_their_scales():
    axes = (
        Axis("log", "", (1.0, 100.0), drawn=True, logarithmic=True),
        Axis("whole", "", (1.0, 9.0), drawn=True, whole=True),
        Axis("list", "", (2.0, 4.0, 8.0, 16.0)),
    )
    drawn = SobolPoints(axes, 4096, 1024, 0, DOUBLE).values(np.arange(4096))
    assert abs(np.median(drawn[:, 0]) - 10.0) < 0.1
    assert set(drawn[:, 1]) == set(np.arange(1.0, 10.0))
    values, counts = np.unique(drawn[:, 2], return_counts=True)
    assert values.tolist() == [2.0, 4.0, 8.0, 16.0]
    assert counts.tolist() == [1024] * 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6), st.integers(1, 5))
def test_spans_and_what_is_missing_make_the_whole(pairs, parts):
    intervals = union([(min(it), max(it)) for it in pairs])
    done = {number for first, last in intervals for number in range(first, last)}
    assert done == {number for pair in pairs for number in range(min(pair), max(pair))}
    left = missing(intervals, 40)
    assert covered(left) + covered(intervals) == 40
    shares = [share(left, part, parts) for part in range(parts)]
    assert union([it for each in shares for it in each]) == left
    assert max(map(covered, shares)) - min(map(covered, shares)) <= 1
