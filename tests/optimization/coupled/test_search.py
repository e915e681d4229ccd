"""The engine for problems of many members, against lists of every design."""

from typing import Any

import jax
import numpy as np
import pytest

from liminal_jax._smooth import Exact
from liminal_jax.optimization.coupled.assignment import assignment_at, outcome_of
from liminal_jax.optimization.coupled.columns import ColumnsOf
from liminal_jax.optimization.coupled.descent import STARTS
from liminal_jax.optimization.coupled.dual import Dual, prices_at
from liminal_jax.optimization.coupled.search import search
from liminal_jax.study.coupled import Point
from liminal_jax.study.problem import FEASIBLE
from tests.optimization.coupled.instances import (
    best_by_enumeration,
    every_design,
    exact_outcomes,
    house,
)

FEW_STEPS = STARTS._replace(starts=2, rounds=3)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def _few_at_once(count: int, few: int) -> list[Any]:
    """Seeds, all but a few of which are slow together."""
    marks = [()] * few + [pytest.mark.slow] * (count - few)
    return [pytest.param(seed, marks=it) for seed, it in enumerate(marks)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_the_best_design_and_its_bound_equal_the_list_of_every_design(seed):
    problem = house(seed, members=2, tight=(0.15, 0.3, 0.5, 0.9)[seed % 4])
    found = search(problem, FEW_STEPS, seed)
    best = best_by_enumeration(problem)
    assert np.isfinite(best) == found.best.feasible
    if np.isfinite(best):
        assert found.best.score == pytest.approx(best, abs=1e-9)
        assert found.open_score >= best - 1e-9
        # So few members leave few combinations, all of which are listed.
        assert found.open_score == pytest.approx(best, abs=1e-8)
    else:
        assert found.open_score == -np.inf


@pytest.mark.parametrize("seed", _few_at_once(10, 2))
def test_bounds_hold_at_any_prices(seed):
    problem, random = house(seed, members=2), np.random.default_rng(seed)
    designs = every_design(problem)
    outcome = exact_outcomes(problem, designs)
    feasible = np.all(np.asarray(outcome.violation) <= FEASIBLE, axis=1)
    columns_of, dual = ColumnsOf(problem), Dual(problem)
    for place in np.unique(designs.shared, axis=0):
        here = feasible & np.all(designs.shared == place, axis=1)
        if not here.any():
            continue
        least = float(np.min(-np.asarray(outcome.score)[here]))
        shared = Point(
            jax.numpy.asarray(place[0]),
            jax.numpy.asarray([problem.variables[0].grid.values[place[1]]]),
        )
        columns = columns_of.at(shared)
        prices = prices_at(random.uniform(0.1, 3, 3), random.uniform(0, 1, 2))
        bound, least_ratios = dual.bounds(shared, prices, columns)
        assert bound <= least + 1e-12
        ascent = dual.ascent(shared, prices, columns)
        assert bound <= ascent.bound + 1e-12
        assert ascent.bound <= least + 1e-12
        ratios = np.exp(np.asarray(outcome.violation)[here][:, :2]).min(axis=0)
        assert np.all(least_ratios <= ratios + 1e-12)


@pytest.mark.slow
def test_many_members_are_bounded_closely():
    problem = house(1, members=60, tight=0.4)
    found = search(problem, STARTS, 0)
    assert problem.count == 125
    assert found.best.feasible
    assert found.searched == found.of == 8
    assert found.best.score >= found.snapped.score or not found.snapped.feasible
    assert found.open_score - found.best.score < 0.01  # 1 % of the cost


@pytest.mark.slow
def test_columns_give_what_the_model_gives():
    problem = house(3, members=4)
    found = search(problem, FEW_STEPS, 0)
    outcome = outcome_of(problem, assignment_at(problem, found.best.places), Exact())
    assert found.best.score == pytest.approx(float(outcome.score), rel=1e-12)
    assert found.best.violation == pytest.approx(np.asarray(outcome.violation)[:2], rel=1e-12)


@pytest.mark.slow
def test_what_no_choice_can_meet_is_told():
    problem = house(0, members=3, tight=-0.1)
    found = search(problem, FEW_STEPS, 0)
    assert not found.best.feasible
    assert found.open_score == -np.inf
    assert found.shortfalls.ratios[1] > 1
