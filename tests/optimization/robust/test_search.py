"""Robust designs, against every design in every future."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liminal_jax.optimization.robust.measure import Mean, Quantile, Worst
from liminal_jax.optimization.robust.search import by_measure, robust_design
from liminal_jax.optimization.search.gradient_search import STARTS
from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.study.uncertain import Draws, uncertain_numbers
from tests.optimization.uncertainty.test_analysis import (
    LIMITS,
    draws_of,
    every_draw,
    problem_with,
    row_of,
)

pytestmark = pytest.mark.slow

SCHEDULE = STARTS._replace(starts=2, rounds=4, steps=10)
MEASURES = {"mean": Mean(), "worst": Worst(), "middle": Quantile(0.5)}
RELIABILITY = 0.75
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    return problem_with(tmp_path_factory.mktemp("robust"))


@pytest.fixture(scope="module")
def draws(problem):
    return draws_of(problem)


@pytest.fixture(scope="module")
def answers(problem, draws):
    return {
        name: robust_design(problem, *draws, it, RELIABILITY, SCHEDULE)
        for name, it in MEASURES.items()
    }


@pytest.fixture(scope="module")
def every(problem, draws):
    return every_draw(problem, draws[0])


def at(rows, tried, problem):
    (place,) = np.flatnonzero(np.all(rows == row_of(tried, problem), axis=1))
    return place


@pytest.mark.parametrize("name", MEASURES)
def test_no_design_of_all_is_more_robust_here(name, problem, answers, every):
    rows, scores, met = every
    measure, answer = MEASURES[name], answers[name]
    reliable = np.mean(met, axis=0) >= RELIABILITY
    best = np.max(measure.of(scores, problem.maximises)[reliable])
    assert reliable.any()
    assert answer.feasible
    assert np.log(answer.robust.measure) == pytest.approx(best, abs=1e-9)
    assert answer.candidates <= len(rows)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("which", ["robust", "nominal"])
def test_a_design_does_what_it_does_in_each_future(name, which, problem, answers, every):
    rows, scores, met = every
    tried = getattr(answers[name], which)
    place = at(rows, tried, problem)
    objectives = np.exp(scores[:, place])
    np.testing.assert_allclose(tried.objectives, objectives, rtol=1e-12)
    assert tried.spread.mean == pytest.approx(objectives.mean(), rel=1e-12)
    assert tried.spread.worst == pytest.approx(objectives.min(), rel=1e-12)
    assert tried.meets == np.mean(met[:, place])
    assert (tried.meets < 1) == bool(tried.breaches)
    of = {
        "mean": objectives.mean(),
        "worst": objectives.min(),
        "middle": np.sort(objectives)[len(objectives) // 2 - 1],
    }
    assert tried.measure == pytest.approx(of[name], rel=1e-12)


def test_each_design_is_best_by_its_own_measure(answers):
    for name, answer in answers.items():
        for other in answers.values():
            mine = MEASURES[name].of(np.log(other.robust.objectives)[:, None], True)[0]
            assert np.log(answer.robust.measure) >= mine - 1e-9
        assert answer.robust.measure >= answers["worst"].robust.spread.worst * (1 - 1e-9)


def test_robust_is_never_worse_than_a_nominal_optimum_that_keeps_the_limits_as_often(
    problem, draws
):
    """One future in which the limits hold is enough here, so that both keep them."""
    often = 1 / len(draws[0])
    answer = robust_design(problem, *draws, Mean(), often, SCHEDULE)
    assert answer.nominal.meets >= often
    assert answer.robust.measure >= answer.nominal.measure
    assert answer.gain >= 0


def test_one_future_of_nominal_numbers_is_the_nominal_optimum(problem):
    numbers = tuple(uncertain_numbers(problem))
    values = np.array([[it.value for it in numbers]])
    thought = Draws(numbers, values)
    answer = robust_design(problem, thought, thought, Quantile(0.5), 1.0, SCHEDULE)
    assert answer.robust.values == answer.nominal.values
    assert answer.robust.category == answer.nominal.category
    assert answer.robust.measure == pytest.approx(answer.robust.thought, rel=1e-12)
    assert (answer.price, answer.gain) == (0, 0)
    assert (answer.robust.meets, answer.robust.meets_fresh) == (1, 1)


def test_a_study_that_no_future_makes_feasible(tmp_path):
    limits = [*LIMITS, {"quantity": "stps", "at_least": 1e12}]
    hard = problem_with(tmp_path, constraints=limits)
    answer = robust_design(hard, *draws_of(hard, 4), Worst(), 0.5, SCHEDULE)
    assert answer.robust is None
    assert answer.nominal is None
    assert not answer.feasible
    record = answer.to_dict()
    assert record["objective"]["value"] is None
    assert "no design that was tried meets every limit" in answer.report()


def test_reliability_comes_before_the_measure_and_violation_before_nothing():
    merits = np.array([[1.0, 5.0, INFEASIBLE - 2], [1.0, INFEASIBLE - 1, INFEASIBLE - 3]])
    scores = np.array([[1.0, 5.0, 9.0], [1.0, 5.0, 9.0]])
    assert by_measure(Mean(), 1.0, True)(scores, merits).tolist() == [0, 1, 2]
    assert by_measure(Mean(), 0.5, True)(scores, merits).tolist() == [1, 0, 2]


PROGRAM = """
import json, tempfile, jax, numpy as np
from pathlib import Path
jax.config.update("jax_enable_x64", True)
from tests.optimization.robust.test_search import *
from tests.optimization.uncertainty.test_analysis import DESIGN
few = {**DESIGN, "memory": {"choices": ["hbm4", "3d-dram"]}, "stacks": 4, "compute_area": "300 mm2"}
problem = problem_with(Path(tempfile.mkdtemp()), design=few)
answer = robust_design(problem, *draws_of(problem, 64), Mean(), RELIABILITY, SCHEDULE)
record = {k: it for k, it in answer.to_dict().items() if k not in ("seconds", "stages")}
print(json.dumps([len(jax.devices()), record, answer.robust.objectives.tolist()]))
"""


def told(devices):
    """What the program prints last, with so many devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_same_on_one_device_and_eight():
    (one, *here), (eight, *spread) = told(1), told(8)
    assert (one, eight) == (1, 8)
    assert here == spread
