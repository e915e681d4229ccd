"""The search under many draws of the numbers, against every design of every draw."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import Exact
from liminal_jax.data.ranges import UncertainNumber
from liminal_jax.optimization.search.branch_and_bound import MARGIN, UNKNOWN
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.uncertainty.analysis import uncertainty
from liminal_jax.optimization.uncertainty.rank_correlation import chance
from liminal_jax.optimization.uncertainty.robustness import RobustCriterion, expected, worst
from liminal_jax.study.problem import FEASIBLE
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import Draws, drawn, hardware_of_draws, uncertain_numbers
from tests.optimization.brute import study

pytestmark = pytest.mark.slow

SAMPLES = 8
DESIGN = {
    "memory": {"choices": ["hbm3e", "hbm4", "3d-dram"]},
    "stacks": {"choices": [1, 2, 4, 8]},
    "dies": 2,
    "compute_area": {"choices": ["300 mm2", "500 mm2"]},
    "sram": "0 MB",
    "link_bandwidth": "900 GB/s",
    "chips": {"choices": [4, 8, 12, 16, 20]},
    "tp": {"choices": [1, 2, 4]},
    "cp": 1,
    "pp": 1,
    "ep": 1,
    "batch": {"min": 1, "max": 256, "num": 8, "scale": "log"},
}
LIMITS = [
    {"quantity": "capital_cost", "at_most": "500 kUSD"},
    {"quantity": "utps", "at_least": 100},
]
# Bonded DRAM wins at its own range of prices whatever is drawn; here it may lose, too.
PRICE = {
    "value": 1.5,
    "unit": "USD/mm2",
    "low": 0.3,
    "high": 9,
    "source": "the test",
    "kind": "assumed",
    "note": "wide enough for another memory to win",
}
ASSUMED = {"memory": {"3d-dram": {"silicon_price": PRICE}}}


def problem_with(folder, **changes):
    changes = {"design": DESIGN, "constraints": LIMITS, "assumptions": ASSUMED, **changes}
    return problem_of(load_study(str(study(folder, "planned", **changes))))


def draws_of(problem, samples=SAMPLES, seed=0):
    chances = np.random.default_rng(seed).spawn(2)
    numbers = uncertain_numbers(problem)
    return [
        drawn(numbers, count, it) for count, it in zip((samples, 4 * samples), chances, strict=True)
    ]


def every_draw(problem, draws):
    """Scores and excesses of every design under each draw: in plain order, nothing searched."""
    lattice = design_grid_of(problem)
    rows = jnp.asarray(list(itertools.product(*map(range, lattice.shape))))

    @in_numpy
    def evaluated(hardware):
        changed = problem.with_system(hardware)
        return jax.vmap(lambda row: changed.outcome(*lattice.at(row), Exact()))(rows)

    stacked = hardware_of_draws(problem, draws)
    outcomes = [
        evaluated(jax.tree.map(lambda leaf, at=at: leaf[at], stacked)) for at in range(len(draws))
    ]
    scores = np.stack([np.asarray(it.score) for it in outcomes])
    met = np.stack([np.all(np.asarray(it.violation) <= FEASIBLE, axis=1) for it in outcomes])
    return np.asarray(rows), scores, met


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    return problem_with(tmp_path_factory.mktemp("uncertainty"))


@pytest.fixture(scope="module")
def draws(problem):
    return draws_of(problem)


@pytest.fixture(scope="module")
def answer(problem, draws):
    return uncertainty([problem], *draws, reliability=0.75)


@pytest.fixture(scope="module")
def every(problem, draws):
    return every_draw(problem, draws[0])


def row_of(trial, problem):
    """Indices of the design of a trial."""
    grids = [it.grid.values.index(trial.values[it.name]) for it in problem.variables]
    return [problem.categories.index(trial.category), *grids]


def test_the_best_of_each_draw_is_that_of_all_its_designs(problem, answer, every):
    rows, scores, met = every
    assert answer.proven == SAMPLES
    assert len(rows) == problem.lattice
    best = np.where(met, scores, -np.inf)
    for category, standing in enumerate(answer.standings):
        mine = best[:, rows[:, 0] == category].max(axis=1)
        known = np.isfinite(mine)
        assert standing.feasible == np.mean(known)
        np.testing.assert_array_equal(np.isfinite(standing.objectives), known)
        np.testing.assert_allclose(
            np.log(standing.objectives[known]), mine[known], rtol=0, atol=2 * MARGIN
        )
    solved = best.max(axis=1)
    assert np.all(np.isfinite(solved))
    np.testing.assert_allclose(np.log(answer.objectives), solved, rtol=0, atol=2 * MARGIN)
    winners = rows[best.argmax(axis=1), 0]
    assert answer.winners.tolist() == winners.tolist()
    assert [it.wins for it in answer.standings] == [
        float(np.mean(winners == it)) for it in range(3)
    ]
    assert len(set(winners.tolist())) > 1
    quantiles = np.quantile(np.exp(solved), [0.05, 0.5, 0.95])
    spread = (answer.optimum.low, answer.optimum.median, answer.optimum.high)
    assert spread == pytest.approx(quantiles.tolist(), rel=1e-8)


@pytest.mark.parametrize("name", ["nominal", "robust", "cautious"])
def test_a_design_loses_and_breaks_what_it_does_in_each_draw(name, problem, answer, every):
    rows, scores, met = every
    trial = getattr(answer, name)
    (at,) = np.flatnonzero(np.all(rows == row_of(trial, problem), axis=1))
    best = np.where(met, scores, -np.inf).max(axis=1)
    losses = 1 - np.exp(scores[:, at] - best)
    assert trial.meets == np.mean(met[:, at])
    np.testing.assert_array_equal(np.isfinite(trial.losses), met[:, at])
    kept = losses[met[:, at]]
    np.testing.assert_allclose(trial.losses[met[:, at]], kept, rtol=0, atol=1e-8)
    assert trial.regret.mean == pytest.approx(kept.mean(), abs=1e-8)
    assert trial.regret.worst == pytest.approx(kept.max(), abs=1e-8)
    middle = np.median(np.exp(scores[:, at]))
    assert trial.objective.median == pytest.approx(middle, rel=1e-12)
    assert (trial.meets < 1) == bool(trial.breaches)
    assert all(it.typical > 0 for it in trial.breaches)


def test_the_nominal_design_breaks_limits_that_are_named(answer):
    breaches = answer.nominal.breaches
    assert answer.nominal.meets < 1
    assert {it.constraint for it in breaches} <= {it.name for it in answer.problem.limits}
    assert breaches[0].share == max(it.share for it in breaches)
    assert breaches[0].share <= 1 - answer.nominal.meets <= sum(it.share for it in breaches)


@pytest.mark.parametrize(("name", "measure"), [("robust", expected), ("cautious", worst)])
def test_no_design_at_all_is_more_robust_here(name, measure, problem, answer, every):
    """On a lattice this small the local search finds the best of all designs."""
    rows, scores, met = every
    best = np.where(met, scores, -np.inf).max(axis=1)
    losses = np.where(met, 1 - np.exp(scores - best[:, None]), np.nan)
    order = RobustCriterion(measure, 0.75).order(losses, met)
    found = getattr(answer, name)
    (at,) = np.flatnonzero(np.all(rows == row_of(found, problem), axis=1))
    assert found.meets >= 0.75
    first = measure(losses[:, order[:1]], met[:, order[:1]])
    assert measure(losses[:, [at]], met[:, [at]]) == pytest.approx(first, abs=1e-8)
    (nominal,) = np.flatnonzero(np.all(rows == row_of(answer.nominal, problem), axis=1))
    places = order.tolist()
    assert places.index(at) <= places.index(nominal)


def test_reliability_comes_before_regret():
    met = np.array([[True, True, True], [True, True, False], [False, True, False]])
    losses = np.where(met, [[0.1, 0.5, 0.0], [0.3, 0.5, 0.0], [0.0, 0.5, 0.0]], np.nan)
    assert RobustCriterion(expected, 1.0).order(losses, met).tolist() == [1, 0, 2]
    assert RobustCriterion(expected, 2 / 3).order(losses, met).tolist() == [0, 1, 2]
    assert RobustCriterion(expected, 1 / 3).order(losses, met).tolist() == [2, 0, 1]
    assert expected(losses, met).tolist() == pytest.approx([0.2, 0.5, 0.0])
    assert worst(losses, met).tolist() == pytest.approx([0.3, 0.5, 0.0])


def test_fresh_draws_are_judged_as_well(problem, draws, answer):
    rows, _, met = every_draw(problem, draws[1])
    assert answer.fresh == 4 * SAMPLES == len(met)
    for trial in (answer.nominal, answer.robust, answer.cautious):
        (at,) = np.flatnonzero(np.all(rows == row_of(trial, problem), axis=1))
        assert trial.meets_fresh == np.mean(met[:, at])


def test_the_same_draws_give_the_same_answer(problem, draws, answer):
    again = uncertainty([problem], *draws, reliability=0.75)
    np.testing.assert_array_equal(again.objectives, answer.objectives)
    np.testing.assert_array_equal(again.winners, answer.winners)
    for name in ("nominal", "robust", "cautious"):
        assert getattr(again, name).values == getattr(answer, name).values
    assert again.influences == answer.influences


def test_numbers_without_width_change_nothing(problem):
    numbers = [
        dataclasses.replace(it, low=it.value, high=it.value) for it in uncertain_numbers(problem)
    ]
    draws, fresh = (drawn(numbers, count, np.random.default_rng(0)) for count in (4, 16))
    answer = uncertainty([problem], draws, fresh)
    proof = proven(bounded_problem_of(problem), [])
    np.testing.assert_allclose(answer.objectives, np.exp(proof.scores.max()), rtol=2 * MARGIN)
    assert set(answer.winners) == {int(proof.best()[0])}
    for trial in (answer.nominal, answer.robust, answer.cautious):
        assert (trial.meets, trial.meets_fresh, trial.breaches) == (1, 1, [])
        assert trial.losses.tolist() == [0] * 4
    for standing in answer.standings:
        assert standing.objectives == pytest.approx([standing.thought] * 4, rel=2 * MARGIN)
    assert all(it.strength == 0 for it in answer.influences)


def priced(problem, path, price):
    """The study with one number changed."""
    number = UncertainNumber(path, price, price, price, "paper")
    hardware = hardware_of_draws(problem, Draws((number,), np.array([[price]])))
    return problem.with_system(jax.tree.map(lambda leaf: leaf[0], hardware))


def test_wins_agree_with_the_number_at_which_the_winner_changes(problem):
    """One number decides; where, is found by halving its range with exhaustive proofs."""
    (number,) = (
        it for it in uncertain_numbers(problem) if it.path == "memory.3d-dram.silicon_price"
    )

    def wins(price):
        return (
            int(proven(bounded_problem_of(priced(problem, number.path, price)), []).best()[0]) == 2
        )

    low, high = number.low, number.high
    assert wins(low)
    assert not wins(high)
    while high / low > 1 + 1e-4:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if wins(middle) else (low, middle)
    draws, fresh = (drawn([number], count, np.random.default_rng(3)) for count in (16, 64))
    prices = draws.values[:, 0]
    assert not ((low < prices) & (prices < high)).any()
    answer = uncertainty([problem], draws, fresh)
    assert (answer.winners == 2).tolist() == (prices < low).tolist()
    assert 0 < answer.standings[2].wins == np.mean(prices < low) < 1
    (influence,) = answer.influences
    assert influence.optimum < -chance(16)
    assert influence.wins["3d-dram"] < -chance(16)


def test_a_study_that_is_infeasible_as_thought_may_be_feasible_otherwise(tmp_path, answer):
    """A floor between what is reached as thought and what is reached in the best draw."""
    floor = (answer.thought * answer.objectives.max()) ** 0.5
    assert floor > answer.thought
    limits = [*LIMITS, {"quantity": "stps", "at_least": floor}]
    harder = problem_with(tmp_path, constraints=limits)
    draws = draws_of(harder)
    np.testing.assert_array_equal(draws[0].values, answer.draws.values)
    other = uncertainty([harder], *draws)
    assert other.nominal is None
    assert other.thought is None
    assert (other.winners >= 0).tolist() == (answer.objectives >= floor).tolist()
    assert 0 < np.mean(other.winners >= 0) < 1
    assert np.isfinite(other.objectives).tolist() == (answer.objectives >= floor).tolist()
    assert other.robust is not None
    assert other.robust.meets <= np.mean(other.winners >= 0)


def test_a_study_that_no_draw_makes_feasible(tmp_path, answer):
    limits = [*LIMITS, {"quantity": "stps", "at_least": 10 * answer.objectives.max()}]
    problem = problem_with(tmp_path, constraints=limits)
    other = uncertainty([problem], *draws_of(problem))
    assert (other.winners == -1).all()
    assert other.optimum is None
    assert (other.nominal, other.robust, other.cautious) == (None, None, None)
    assert [it.objective for it in other.standings] == [None] * 3
    assert all(it.optimum is None for it in other.influences)
    assert proven(bounded_problem_of(problem), []).scores.tolist() == [UNKNOWN] * 3
