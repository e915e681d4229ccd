"""Every way of searching, on a study small enough to look at each design."""

import math

import numpy as np
import pytest

from experiments.rivals.judge import WORST, Judge
from experiments.rivals.race import Caps, Race
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from tests.optimization.brute import every_design, study

pytestmark = pytest.mark.slow

METHODS = pytest.importorskip("experiments.optimisers", reason="needs the extra compare").METHODS

UNKNOWN = {
    "design": {"system": {"choices": ["xpu-hbm3"]}},
    "constraints": [{"quantity": "capital_cost", "at_most": 1e6}],
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    changes = {
        "design": {"cp": None, "ep": None, "pp": None},
        "constraints": [{"quantity": "utps", "at_least": 60}],
    }
    return load_study(str(study(tmp_path_factory.mktemp("small"), "finished", **changes)))


@pytest.fixture(scope="module")
def problem(file):
    return problem_of(file)


@pytest.fixture(scope="module")
def designs(file):
    return every_design("finished", file)


@pytest.fixture(scope="module")
def optimum(designs):
    return max(it.score for it in designs if it.feasible)


def endless():
    return Race(math.inf, Caps(math.inf, 10**9))


@pytest.mark.parametrize("width", [1, 7])
def test_designs_are_judged_by_the_exact_model(problem, designs, width):
    some = designs[:: len(designs) // 10]
    race = endless()
    judged = Judge(problem, width)(race, np.asarray([it.indices for it in some]))
    assert race.evaluations == len(some)
    assert judged.score == pytest.approx([it.score for it in some])
    assert judged.feasible.tolist() == [it.feasible for it in some]
    assert 0 < sum(judged.feasible) < len(some)
    assert race.best == pytest.approx(max(it.score for it in some if it.feasible))
    over = [sum(max(it, 0.0) for it in row.violation.values()) for row in some]
    loss = [3 * violation - it.score for violation, it in zip(over, some, strict=True)]
    assert judged.penalised(3.0) == pytest.approx(loss)


def test_what_cannot_be_judged_is_as_bad_as_can_be(tmp_path):
    """No published power: a limit on it cannot be judged."""
    file = load_study(str(study(tmp_path, "finished", **UNKNOWN)))
    judge = Judge(problem_of(file), 1)
    race = endless()
    judged = judge(race, np.zeros((1, len(judge.shape)), int))
    assert judged.violation.max() == WORST
    assert not judged.feasible.any()
    assert race.best == -math.inf


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "SciPy DE",
        "pymoo GA",
        "CatCMAwM",
        "Optuna TPE",
        "Optuna CMA-ES",
        "Optuna NSGA-II",
        "climbs",
        "descents in turn",
        "optimize",
        "proof alone",
    ],
)
def test_each_finds_the_best_design(problem, optimum, name):
    race = Race(optimum, Caps(seconds=60.0, evaluations=10**7))
    METHODS[name].prepare(problem)(0, race)
    assert race.best == pytest.approx(optimum, abs=1e-9)
    assert race.evaluations > 0
    assert (race.proof is not None) == (name in ("optimize", "proof alone"))


def test_another_seed_is_another_search(problem):
    search = METHODS["CatCMAwM"].prepare(problem)
    found = []
    for seed in (0, 0, 1):
        race = Race(math.inf, Caps(math.inf, evaluations=30))
        search(seed, race)
        found.append([step.score for step in race.steps])
    assert found[0] == found[1] != found[2]


def test_methods_have_names_of_their_own():
    assert all(name == method.name for name, method in METHODS.items())
    assert sum(method.ours for method in METHODS.values()) == 5
