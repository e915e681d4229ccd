"""Requests whose classes choose for themselves: best designs and bounds against every design."""

import dataclasses
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
import pytest

from liminal_jax.optimization.coupled import descent
from liminal_jax.optimization.coupled.descent import STARTS
from liminal_jax.optimization.coupled.lagrangian import compiled
from liminal_jax.optimization.coupled.search import search
from liminal_jax.study.problem import FEASIBLE
from liminal_jax.study.requests.problem import RequestsProblem
from tests.optimization.coupled.instances import every_design, exact_outcomes
from tests.study.requests.cases import problem

FEW_STEPS = STARTS._replace(starts=2, rounds=3)

ASKED: dict[str, Any] = {
    "trace": {"file": "trace.csv", "classes": 3},
    "constraints": [
        {"quantity": "utps", "percentile": 55, "at_least": 500},
        {"quantity": "ttft", "percentile": 70, "at_most": 1},
        {"quantity": "e2e", "at_most": 10},
        {"quantity": "mean_e2e", "at_most": 10},
    ],
    "design": {
        "system": {"choices": ["h100", "h200"]},
        "clock": {"choices": [0.6, 1.0]},
        "tp": {"choices": [1, 2]},
        "batch": {"choices": [1, 16, 64]},
    },
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: Any) -> RequestsProblem:
    folder: Path = tmp_path_factory.mktemp("small")
    return problem(folder, ASKED)


def instance(small: RequestsProblem, seed: int) -> RequestsProblem:
    """The problem with random lengths, weights, limits and prices of chips."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.full(3, 3.0))
    prompts = np.exp(random.uniform(np.log(100), np.log(20_000), 3))
    answers = np.exp(random.uniform(np.log(20), np.log(1000), 3))
    group = small.group
    scale = random.uniform(0.5, 2.0, 4)
    slow, late = group.parts
    (long,) = group.everyone
    parts = tuple(
        dataclasses.replace(it, bound=it.bound * by)
        for it, by in ((slow, scale[0]), (late, 0.1 * scale[1]))
    )
    group = dataclasses.replace(
        group,
        designs=eqx.tree_at(
            lambda it: it.system.facility.energy_price,
            group.designs,
            group.designs.system.facility.energy_price * scale[3],
        ),
        parts=parts,
        everyone=(dataclasses.replace(long, bound=long.bound * scale[2]),),
        weights=weights,
        prompts=prompts,
        answers=answers,
        contexts=prompts + answers / 2,
    )
    *shares, mean = small.used
    mean = dataclasses.replace(mean, factor=mean.factor * random.uniform(3.0, 30.0))
    return dataclasses.replace(small, groups=(group,), used=(*shares, mean))


def assert_sound(found: RequestsProblem, seed: int) -> bool:
    """Compare with every design; whether one is feasible."""
    outcome = exact_outcomes(found, every_design(found))
    feasible = np.all(np.asarray(outcome.violation) <= FEASIBLE, axis=1)
    best = float(np.max(np.where(feasible, np.asarray(outcome.score), -np.inf)))
    answer = search(found, FEW_STEPS, seed)
    assert answer.best.feasible == feasible.any()
    if feasible.any():
        assert answer.best.score == pytest.approx(best, abs=1e-9)
        assert best - 1e-9 <= answer.open_score <= best + 1e-6
    else:
        assert answer.open_score == -np.inf
    return bool(feasible.any())


@pytest.mark.slow
def test_the_search_finds_the_best_of_all_designs(small: RequestsProblem) -> None:
    assert small.size == 4 * 6**3
    assert {assert_sound(instance(small, seed), seed) for seed in range(4)} == {True, False}


@pytest.mark.slow
def test_no_design_is_better_than_the_bound_of_fifty_problems(
    small: RequestsProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A list holds the numbers of its problem, a program serves them all.
    monkeypatch.setattr(descent, "lagrangian_of", compiled)
    known = [assert_sound(instance(small, seed), seed) for seed in range(50)]
    assert 25 < sum(known) < 50
