"""What is kept of all points: in any order, of any split, the same."""

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.sweeps.goal import Best, ParetoFront, Rows, nondominated


def some_rows(count, goals, seed):
    """Points with many equal values."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 12, (count, goals)).astype(float)
    return Rows(np.arange(count), scores, rng.integers(0, 4, count))


def plain_front(rows):
    kept = []
    for number, gain in zip(rows.numbers, rows.scores, strict=True):
        beaten = any(
            np.all(its >= gain) and (np.any(its > gain) or other < number)
            for other, its in zip(rows.numbers, rows.scores, strict=True)
        )
        if not beaten:
            kept.append(number)
    return set(kept)


@pytest.mark.parametrize("goals", [1, 2, 3])
def test_a_front_is_what_no_point_dominates(goals):
    rows = some_rows(300, goals, goals)
    front = nondominated(rows)
    assert set(front.numbers) == plain_front(rows)


@pytest.mark.parametrize("make", ["best", "by", "front"])
def test_the_outcome_hangs_on_no_order(make):
    rows = some_rows(400, 2, 3)
    made = {
        "best": lambda: Best((0,), Rows.none(1), count=7),
        "by": lambda: Best((0,), Rows.none(1), count=2, groups=4),
        "front": lambda: ParetoFront((0, 1), Rows.none(2)),
    }[make]
    if make == "best":
        rows = rows._replace(groups=rows.groups * 0)
    outcomes = []
    for seed in range(4):
        kept, order = made(), np.random.default_rng(seed).permutation(400)
        for part in np.array_split(order, 5 + seed):
            kept.take(rows.at(part))
            kept.take(rows.at(part[:3]))  # What is told twice counts once.
        outcomes.append(kept.rows)
    for other in outcomes[1:]:
        for mine, its in zip(outcomes[0], other, strict=True):
            assert np.array_equal(mine, its)


def test_the_best_are_the_best():
    rows = some_rows(200, 1, 5)._replace(groups=np.zeros(200, int))
    kept = Best((0,), Rows.none(1), count=5)
    kept.take(rows)
    order = sorted(range(200), key=lambda it: (-rows.scores[it, 0], it))
    assert kept.rows.numbers.tolist() == order[:5]


def test_broken_limits_never_pass():
    kept = ParetoFront((0, 1), Rows.none(2))
    kept.take(Rows(np.arange(2), np.full((2, 2), -np.inf), np.zeros(2, int)))
    assert len(kept.rows.numbers) == 0


@pytest.mark.parametrize("first", [0, 1000])
@pytest.mark.parametrize("kind", ["best", "front"])
def test_a_filter_lets_through_all_that_matters(kind, first):
    """Points before and after those that are known, in number, equal ones among them."""
    known = some_rows(300, 2, 8)
    known = known._replace(numbers=known.numbers + 500, groups=known.groups * 0)
    kept = Best((0,), Rows.none(1), count=9)
    if kind == "front":
        kept = ParetoFront((0, 1), Rows.none(2))
    kept.take(known)
    rows = some_rows(2000, 2, 9)
    rows = rows._replace(numbers=rows.numbers + first, groups=rows.groups * 0)
    passed = np.asarray(
        kept.passed(
            {name: jnp.asarray(it) for name, it in kept.filter(0, 0).items()},
            jnp.asarray(rows.scores.T),
            jnp.zeros(2000, int),
            jnp.asarray(first),
        )
    )
    before = kept.rows
    kept.take(rows.at(np.flatnonzero(passed)))
    filtered = kept.rows
    kept.rows = before
    kept.take(rows)
    assert filtered.numbers.tolist() == kept.rows.numbers.tolist()
    assert passed.mean() < 0.5 or first == 0
