"""The relaxed optimum: better than where starts ended, within limits, and an optimum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import SoftSizes
from liminal_jax.design.certify import ground_of, proven
from liminal_jax.design.ending import Ending
from liminal_jax.design.lattice import lattice_of
from liminal_jax.design.refine import MET, ROOM, refined
from liminal_jax.design.slopes import Slopes
from tests.design.small import STUDIES, small, solved

pytestmark = pytest.mark.slow

NAMES = list(STUDIES)
SHARP = SoftSizes(1e-6)


def outcomes(slopes, units, categories, reading):
    return jax.jit(
        jax.vmap(lambda unit, row: slopes.problem.outcome(slopes.box.values(unit), row, reading))
    )(units, categories)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_converged_within_limits_and_no_worse_than_the_design(name):
    problem, slopes, optima = solved(name)
    proof = proven(ground_of(problem), [])
    for best in optima:
        assert best.ending in (Ending.CONVERGED, Ending.HELD)
        assert best.prices.residual < 1e-5
        assert best.local.violation() <= MET
        assert np.all((best.unit >= 0) & (best.unit <= 1))
        # Kinks are blurred, so the relaxed reading may see the design itself as a little worse.
        assert best.score >= proof.gains[best.category] - 0.005
        assert best.score <= proof.gains[best.category] + 0.15
    assert {it.category for it in optima} == set(range(len(slopes.problem.categories)))


def test_whole_numbers_stay_as_they_are_in_the_best_design_of_each_category():
    problem, slopes, optima = solved("finished")
    proof = proven(ground_of(problem), [])
    assert [it.name for it in slopes.problem.variables] == ["batch"]
    degrees = {}
    for best in optima:
        indices = proof.indices[best.category]
        point, _ = lattice_of(problem).at(jnp.asarray(indices))
        size = slopes.box.values(jnp.asarray(best.unit))
        case = slopes.problem.region.at(size, jnp.asarray(best.category))
        there = problem.region.at(point, jnp.asarray(best.category))
        assert float(case.batch) == float(size[0])
        assert jax.tree.leaves(case.mapping) == jax.tree.leaves(there.mapping)
        degrees[problem.categories[best.category]] = float(case.mapping.tp)
    assert len(set(degrees.values())) == 2


@pytest.mark.parametrize("name", NAMES)
def test_no_place_of_many_is_better(name):
    _, slopes, optima = solved(name)
    units = jax.random.uniform(jax.random.key(3), (20_000, len(slopes.problem.variables)))
    for best in optima:
        near = jnp.clip(best.unit + 0.05 * (units - 0.5), 0.0, 1.0)
        rows = jnp.full(len(units), best.category)
        for places in (units, near):
            seen = outcomes(slopes, places, rows, slopes.reading)
            fair = jnp.all(seen.excess <= ROOM, axis=1)
            assert int(fair.sum()) > 100
            assert float(jnp.max(jnp.where(fair, seen.score, -jnp.inf))) <= best.score + 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_the_blur_of_the_last_temperature_is_half_a_per_cent_at_most(name):
    _, slopes, optima = solved(name)
    best = optima[0]
    unit, row = jnp.asarray(best.unit)[None], jnp.asarray([best.category])
    sharp = outcomes(slopes, unit, row, SHARP)
    assert float(sharp.score[0]) == pytest.approx(best.score, abs=0.005)
    assert float(jnp.max(sharp.excess)) <= 0.005


def test_an_end_of_a_range_that_holds_the_optimum_is_named():
    best = solved("planned").optima[0]
    assert best.ending is Ending.HELD
    assert best.held == ("compute_area",)
    assert "held by the range of compute_area" in best.reason
    inside = solved("finished").optima[0]
    assert (inside.ending, inside.held) == (Ending.CONVERGED, ())


def test_a_solver_that_is_cut_off_says_so(monkeypatch):
    """And returns a start that meets the limits as it is rather than something worse."""
    _, slopes, optima = solved("finished")
    monkeypatch.setattr("liminal_jax.design.refine._solved", _stuck)
    start = optima[0].unit * 0.9
    found = refined(slopes, start, optima[0].category, slopes.unchanged())
    assert found.ending in (Ending.ITERATION_LIMIT, Ending.INFEASIBLE)
    assert np.array_equal(found.unit, start)


class _Nowhere:
    x = np.full(1, np.nan)


def _stuck(*_):
    return _Nowhere()


def test_a_study_that_cannot_be_met_ends_infeasible():
    _, slopes, optima = solved("finished")
    changes = slopes.unchanged()
    changes[slopes.parameters.paths.index("limit.utps")] = np.log(100.0)
    found = refined(slopes, optima[0].unit, optima[0].category, changes)
    assert found.ending is Ending.INFEASIBLE
    assert not found.feasible
    assert found.local.violation() > 0.1


def test_unknown_numbers_are_told():
    problem = small(
        "finished",
        design={"system": "groq-lp30", "chips": 4, "tp": 1, "batch": {"choices": [1, 2]}},
        objective={"minimise": "capital_cost"},
        constraints=[],
    )
    slopes = Slopes(problem, SHARP)
    found = refined(slopes, np.full(len(problem.variables), 0.5), 0, slopes.unchanged())
    assert found.ending is Ending.UNKNOWN
    assert "for want of published numbers" in found.reason
