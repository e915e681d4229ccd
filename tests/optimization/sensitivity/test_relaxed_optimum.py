"""The relaxed optimum: better than where starts ended, within limits, and an optimum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import SoftSizes
from liminal_jax.optimization.search.best_design import find
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.sensitivity.fixed_integers import with_fixed_integers
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import (
    FEASIBILITY_TOLERANCE,
    SOLVER_TOLERANCE,
    refined,
)
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from tests.optimization.small import STUDIES, small, solved

pytestmark = pytest.mark.slow

NAMES = list(STUDIES)
SHARP = SoftSizes(1e-6)


def outcomes(gradients, units, categories, relaxation):
    return in_numpy(
        jax.vmap(
            lambda unit, row: gradients.problem.outcome(gradients.box.values(unit), row, relaxation)
        )
    )(units, categories)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_converged_within_limits_and_no_worse_than_the_design(name):
    problem, gradients, optima = solved(name)
    proof = proven(bounded_problem_of(problem), [])
    for best in optima:
        assert best.termination in (Termination.CONVERGED, Termination.AT_BOUNDS)
        assert best.multipliers.residual < 1e-5
        assert best.local.total_violation() <= FEASIBILITY_TOLERANCE
        assert np.all((best.unit >= 0) & (best.unit <= 1))
        # Kinks are blurred, so the relaxed reading may see the design itself as a little worse.
        assert best.score >= proof.scores[best.category] - 0.005
        assert best.score <= proof.scores[best.category] + 0.15
    assert {it.category for it in optima} == set(range(len(gradients.problem.categories)))


def test_whole_numbers_stay_as_they_are_in_the_best_design_of_each_category():
    problem, gradients, optima = solved("finished")
    proof = proven(bounded_problem_of(problem), [])
    assert [it.name for it in gradients.problem.variables] == ["batch"]
    degrees = {}
    for best in optima:
        indices = proof.indices[best.category]
        point, _ = design_grid_of(problem).at(jnp.asarray(indices))
        size = gradients.box.values(jnp.asarray(best.unit))
        case = gradients.problem.region.at(size, jnp.asarray(best.category))
        there = problem.region.at(point, jnp.asarray(best.category))
        assert float(case.batch) == float(size[0])
        assert jax.tree.leaves(case.mapping) == jax.tree.leaves(there.mapping)
        degrees[problem.categories[best.category]] = float(case.mapping.tp)
    assert len(set(degrees.values())) == 2


@pytest.mark.parametrize("name", NAMES)
def test_no_place_of_many_is_better(name):
    _, gradients, optima = solved(name)
    units = jax.random.uniform(jax.random.key(3), (20_000, len(gradients.problem.variables)))
    for best in optima:
        near = jnp.clip(best.unit + 0.05 * (units - 0.5), 0.0, 1.0)
        rows = jnp.full(len(units), best.category)
        for places in (units, near):
            seen = outcomes(gradients, places, rows, gradients.relaxation)
            fair = jnp.all(seen.violation <= SOLVER_TOLERANCE, axis=1)
            assert int(fair.sum()) > 100
            assert float(jnp.max(jnp.where(fair, seen.score, -jnp.inf))) <= best.score + 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_the_blur_of_the_last_temperature_is_half_a_per_cent_at_most(name):
    _, gradients, optima = solved(name)
    best = optima[0]
    unit, row = jnp.asarray(best.unit)[None], jnp.asarray([best.category])
    sharp = outcomes(gradients, unit, row, SHARP)
    assert float(sharp.score[0]) == pytest.approx(best.score, abs=0.005)
    assert float(jnp.max(sharp.violation)) <= 0.005


def test_an_end_of_a_range_that_holds_the_optimum_is_named():
    best = solved("planned").optima[0]
    assert best.termination is Termination.AT_BOUNDS
    assert best.at_bounds == ("compute_area",)
    assert "converged at a bound of the range of compute area of a die" in best.reason
    inside = solved("finished").optima[0]
    assert (inside.termination, inside.at_bounds) == (Termination.CONVERGED, ())


def test_a_solver_that_is_cut_off_says_so(monkeypatch):
    """And returns a start that meets the limits as it is rather than something worse."""
    _, gradients, optima = solved("finished")
    monkeypatch.setattr("liminal_jax.optimization.sensitivity.relaxed_optimum._slsqp", _stuck)
    start = optima[0].unit * 0.9
    found = refined(gradients, start, optima[0].category, gradients.unchanged())
    assert found.termination in (Termination.ITERATION_LIMIT, Termination.INFEASIBLE)
    assert np.array_equal(found.unit, start)


class _Nowhere:
    x = np.full(1, np.nan)


def _stuck(*_):
    return _Nowhere()


def test_a_study_that_cannot_be_met_ends_infeasible():
    _, gradients, optima = solved("finished")
    changes = gradients.unchanged()
    changes[gradients.parameters.paths.index("limit.utps")] = np.log(100.0)
    found = refined(gradients, optima[0].unit, optima[0].category, changes)
    assert found.termination is Termination.INFEASIBLE
    assert not found.feasible
    assert found.local.total_violation() > 0.1


def test_unknown_numbers_are_told():
    problem = small(
        "finished",
        design={"system": "groq-lp30", "chips": 4, "tp": 1, "batch": {"choices": [1, 2]}},
        objective={"minimise": "capital_cost"},
        constraints=[],
    )
    gradients = Gradients(problem, SHARP)
    found = refined(gradients, np.full(len(problem.variables), 0.5), 0, gradients.unchanged())
    assert found.termination is Termination.UNKNOWN
    assert "published numbers are missing" in found.reason


@pytest.mark.slow
def test_groups_that_share_users_leave_a_gradient_to_follow():
    """The best design of this study shares attention by groups of users, which are whole groups."""
    problem = problem_of(load_study("deepseek-v3-128k"))
    proof = find(problem).proof
    best = with_fixed_integers(problem, proof).optimum(0)
    assert best.termination in (Termination.CONVERGED, Termination.AT_BOUNDS)
    assert best.multipliers.residual < 1e-5
    assert best.score > float(np.max(proof.scores))
