"""Bounds and designs found by prices, against lists of every design."""

import itertools
import time
import tomllib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import Exact, Free
from liminal_jax.optimization.coupled.assignment import (
    Assignment,
    all_places,
    outcome_of,
    point_at,
)
from liminal_jax.optimization.coupled.bounded_choice import BoundedChoices
from liminal_jax.optimization.coupled.columns import ColumnsOf
from liminal_jax.optimization.coupled.descent import descend
from liminal_jax.optimization.coupled.optimum import CoupledOptimum
from liminal_jax.optimization.coupled.priced_search import STARTS, PricedSearch, search_by_prices
from liminal_jax.optimization.coupled.pricing import Pricing
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.bundled import STUDIES
from liminal_jax.study.coupled import AbstractCoupled, Point
from liminal_jax.study.pools.problem import PoolsProblem
from liminal_jax.study.problem import FEASIBLE
from tests.optimization.coupled.instances import best_by_enumeration, house
from tests.study.test_pools import SMALL, changed, pools_at

FEW_STEPS = STARTS._replace(starts=4, rounds=2, steps=10)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def _first(pricing: Pricing) -> tuple[np.ndarray, ...]:
    """The first choice of every member."""
    axes = [len(it.bounds.trees) - len(it.trees) for it in pricing.choices]
    return tuple(np.zeros(count, int) for count in axes)


def _searched(problem: AbstractCoupled) -> tuple[PricedSearch, float]:
    pricing = Pricing(problem)
    known = PricedSearch(pricing, time.perf_counter)
    planes = known.climb(0, known.start(_first(pricing)), lambda: True)
    return known, known.close(planes, 0.0, lambda: True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_no_design_of_all_beats_the_bound(seed):
    problem = house(seed, members=2, tight=(0.15, 0.3, 0.5, 0.9)[seed % 4])
    known, bound = _searched(problem)
    best = best_by_enumeration(problem)
    found = known.best
    if not np.isfinite(best):
        assert found is None or not found.feasible
        return
    assert bound >= best - 1e-9
    if found is not None and found.feasible:
        assert found.score <= best + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_the_cheapest_choice_is_that_of_a_list(seed):
    problem, random = house(seed, members=2), np.random.default_rng(seed)
    member = int(random.integers(3))
    group = (0, 0, 1)[member]
    choices = BoundedChoices(problem, group, (0, 1, 0)[member])
    columns_of, places = ColumnsOf(problem), all_places(problem)
    prices = random.uniform(0, 2, 3) * (random.random(3) < 0.7)
    costs = []
    for place in places:
        columns = columns_of.at(point_at(problem, place))
        cost = np.where(columns.allowed, columns.totals @ prices, np.inf)[member]
        costs.append(np.min(cost))
        found = choices.cheapest(prices, choices.at(place))
        assert found.statistics.complete
        assert found.bound <= costs[-1] + 1e-12
        assert found.cost == pytest.approx(costs[-1], rel=1e-9, abs=1e-12)
    box = choices.cheapest(prices, choices.everywhere)
    assert box.cost == pytest.approx(min(costs), rel=1e-9, abs=1e-12)
    table = random.uniform(0, 2, (3, len(places)))
    by_place = [
        np.min(np.where(columns.allowed, columns.totals @ table[:, row], np.inf)[member])
        - 0.1 * row
        for row, columns in enumerate(columns_of.at(point_at(problem, it)) for it in places)
    ]
    shape = [len(tree.singles) for tree in choices.trees]
    credit = 0.1 * np.arange(len(places)).reshape(shape)
    found = choices.cheapest(table.reshape(3, *shape), choices.everywhere, credit=credit)
    assert found.cost == pytest.approx(min(by_place), rel=1e-9, abs=1e-9)
    assert found.bound <= min(by_place) + 1e-9


def test_negative_prices_are_refused():
    problem = house(0, members=2)
    choices = BoundedChoices(problem, 1)
    with pytest.raises(ValueError, match="must not be negative"):
        choices.cheapest(np.asarray([1.0, -1.0, 0.0]), choices.everywhere)


@pytest.fixture(scope="module")
def small_pools(tmp_path_factory) -> PoolsProblem:
    tables = changed(
        SMALL,
        requests={"rate": {"choices": [2, 4, 8]}},
        constraints=[
            {"quantity": "power_provisioned", "at_most": "60 kW"},
            {"quantity": "ttft", "at_most": "600 ms"},
            {"quantity": "utps", "at_least": 50},
        ],
    )
    tables["pools"] = {
        "prefill": {
            "system": {"choices": ["h100", "h200"]},
            "tp": {"choices": [1, 2, 4]},
            "ep": {"choices": [1, 2, 4]},
            "batch": {"choices": [1, 2]},
        },
        "decode": {
            "system": {"choices": ["h100", "h200"]},
            "tp": {"choices": [2, 4, 8]},
            "ep": {"choices": [1, 4]},
            "batch": {"choices": [8, 32, 128, 512]},
        },
    }
    with jax.enable_x64(True):
        return pools_at(tables, tmp_path_factory.mktemp("pools"))


def _every_pair(problem: PoolsProblem) -> float:
    """The best score of all pairs of pools at every rate."""
    columns_of, best = ColumnsOf(problem), -np.inf
    judged = jax.jit(jax.vmap(lambda s, t: problem.judged(s, t, Exact()), in_axes=(None, 0)))
    for place in all_places(problem):
        shared = point_at(problem, place)
        columns = columns_of.at(shared)
        rows = [np.flatnonzero(it) for it in columns.allowed]
        pairs = np.asarray(list(itertools.product(*rows)), int).reshape(-1, 2)
        totals = columns.totals[0, pairs[:, 0]] + columns.totals[1, pairs[:, 1]]
        if len(totals):
            outcome = judged(shared, jnp.asarray(totals))
            inside = np.all(np.asarray(outcome.violation) <= FEASIBLE, axis=1)
            best = max(best, np.max(np.asarray(outcome.score)[inside], initial=-np.inf))
    return float(best)


@pytest.mark.slow
def test_pools_are_the_best_of_all_pairs(small_pools):
    known, bound = _searched(small_pools)
    best = _every_pair(small_pools)
    assert known.best is not None
    assert known.best.feasible
    assert known.best.score == pytest.approx(best, abs=1e-9)
    assert best - 1e-9 <= bound <= best + 0.05


BASE: dict[str, dict[str, Any]] = {
    "requests": {"rate": 64, "tpot": "20 ms", "micro_batches": 3},
    "prefill": {
        "memory": "hbm3e",
        "stacks": 4,
        "dies": 4,
        "compute_area": "500 mm2",
        "sram": "0 MB",
        "tp": 1,
        "pp": 8,
        "ep": 1,
        "attention": "data-parallel",
        "batch": 2,
    },
    "attention": {
        "memory": "hbm4",
        "stacks": 4,
        "dies": 4,
        "compute_area": "350 mm2",
        "sram": "0 MB",
        "tp": 1,
        "attention": "split-sequence",
        "batch": 119,
    },
    "experts": {
        "memory": "3d-dram",
        "stacks": 4,
        "dies": 4,
        "compute_area": "350 mm2",
        "sram": "128 MB",
        "tp": 4,
        "ep": 2,
        "attention": "split-sequence",
        "batch": 518,
    },
}
"""A design of the shipped study that is within its limits."""


def _cut_down(seed: int) -> dict[str, Any]:
    """The shipped study with two values each of some variables, and one of the others."""
    random = np.random.default_rng(seed)
    tables = tomllib.loads((STUDIES / "three-pools-for-long-prompts.toml").read_text())

    def cut(part: dict[str, Any], base: dict[str, Any], free: int) -> None:
        names = sorted(base)
        chosen = random.choice(names, free, replace=False)
        for name in names:
            grid = part[name]
            if name not in chosen:
                part[name] = base[name]
            elif "choices" in grid:
                others = [it for it in grid["choices"] if it != base[name]]
                part[name] = {"choices": [base[name], others[int(random.integers(len(others)))]]}
            else:
                amount, *unit = str(base[name]).split()
                factor = float(random.choice([0.5, 0.75, 1.25, 1.5]))
                other = max(round(float(amount) * factor), 1)
                values = sorted({float(amount), float(other)})
                part[name] = {"choices": [" ".join([f"{it:g}", *unit]) for it in values]}
                if not unit:
                    part[name] = {"choices": [int(it) for it in values]}

    cut(tables["requests"], BASE["requests"], 2)
    for name in ("prefill", "attention", "experts"):
        cut(tables["pools"][name], BASE[name], 5)
    (capital,) = (it for it in tables["constraints"] if it["quantity"] == "capital_cost")
    capital["at_most"] = f"{random.uniform(0.95, 1.3):.3f} MUSD"
    return tables


def _best_of_all(pricing: Pricing) -> float:
    """The best score of every combination of choices at every point of what is shared."""
    terms = []
    for member, choices in enumerate(pricing.choices):
        own = np.asarray(list(np.ndindex(*choices.shape))).T
        terms.append(pricing.everywhere(member, own))
    best = -np.inf
    for point in range(pricing.places.shape[1]):
        allowed = [totals[worst[:, point] <= FEASIBLE, point] for totals, worst in terms]
        summed = np.zeros((1, len(pricing.problem.totals)))
        for totals in allowed:
            summed = (summed[:, None] + totals[None]).reshape(-1, summed.shape[1])
        if len(summed):
            scores, violations = pricing.judge(np.full(len(summed), point), summed)
            inside = np.all(violations <= FEASIBLE, axis=1)
            best = max(best, float(np.max(scores[inside], initial=-np.inf)))
    return best


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_three_pools_cut_down_are_the_best_of_all_combinations(seed, tmp_path):
    problem = pools_at(_cut_down(seed), tmp_path)
    known, bound = _searched(problem)
    best = _best_of_all(known.pricing)
    assert np.isfinite(best)
    assert known.best is not None
    assert known.best.feasible
    assert known.best.score == pytest.approx(best, abs=1e-9)
    assert best - 1e-9 <= bound <= best + 0.05


@pytest.mark.slow
def test_the_gradient_of_lists_is_that_of_the_soft_model(small_pools):
    relaxed = descend(small_pools, FEW_STEPS, 3)
    heat = float(FEW_STEPS.temperature(FEW_STEPS.total() - 1))
    assert relaxed.history.shape[0] == FEW_STEPS.total()
    for start in range(2):
        own = tuple(
            Point(category[start], unit_hypercube_of(group).values(unit[start]))
            for group, category, unit in zip(
                small_pools.groups, relaxed.categories.own, relaxed.unit.own, strict=True
            )
        )
        shared = Point(
            relaxed.categories.shared[start],
            unit_hypercube_of(small_pools).values(relaxed.unit.shared[start]),
        )
        outcome = outcome_of(small_pools, Assignment(shared, own), Free(heat))
        assert float(outcome.score) == pytest.approx(relaxed.score[start], rel=1e-9)
        assert np.asarray(outcome.violation) == pytest.approx(relaxed.violation[start], abs=1e-9)


@pytest.mark.slow
def test_pools_within_no_limits_are_told_which_and_by_how_much(small_pools):
    limits = tuple(
        it if it.name != "ttft" else type(it)(it.name, it.at_least, 1e-3, it.unit, it.of)
        for it in small_pools.limits
    )
    problem = jax.tree.map(lambda it: it, small_pools)
    object.__setattr__(problem, "limits", limits)
    found = search_by_prices(problem, FEW_STEPS, 0, budget=Budget(seconds=60.0))
    optimum = CoupledOptimum(found, {"kind": "coupled", "schema": 1, "name": "small"})
    assert not optimum.feasible
    (told,) = (it for it in optimum.reasons if it.startswith("ttft: at most 0.001 is asked"))
    least = float(told.split("nearer than ")[1].split(",")[0])
    assert 1e-3 < least <= 0.2


@pytest.mark.slow
def test_pools_are_answered_as_other_questions_are(small_pools):
    found = search_by_prices(small_pools, FEW_STEPS, 0, budget=Budget(seconds=60.0))
    optimum = CoupledOptimum(
        found, {"kind": "coupled", "schema": 1, "name": "small", "about": "", "constraints": []}
    )
    record = optimum.to_dict()
    assert record["feasible"]
    assert [it["name"] for it in record["members"]] == ["prefill", "decode"]
    assert record["certificate"]["relative_gap"] < 0.05
    assert optimum.objective == pytest.approx(np.exp(_every_pair(small_pools)), rel=1e-9)
    assert optimum.page().sections
