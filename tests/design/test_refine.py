"""The relaxed optimum: better than where starts ended, within limits, and an optimum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import Soft
from liminal_jax.design.anneal import Schedule, relaxation
from liminal_jax.design.ending import Ending
from liminal_jax.design.refine import MET, ROOM, refined, relaxed_optima
from liminal_jax.design.relaxed import ranked
from liminal_jax.design.slopes import Slopes
from tests.design.small import SCHEDULE, STUDIES, small, solved, unmoved

NAMES = list(STUDIES)
SHARP = Soft(1e-6, rounding=1e8)


def outcomes(problem, slopes, units, categories, reading):
    return jax.jit(jax.vmap(lambda unit, row: problem.outcome(slopes.box.at(unit), row, reading)))(
        units, categories
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_converged_within_limits_and_no_worse_than_any_start(name):
    _, points, slopes, optima = solved(name)
    best = optima[0]
    assert best.ending in (Ending.CONVERGED, Ending.HELD)
    assert best.prices.residual < 1e-5
    assert best.local.violation() <= MET
    assert np.all((best.unit >= 0) & (best.unit <= 1))
    fair = [row for row in ranked(points) if bool(points.feasible()[row])]
    assert fair
    for row in fair:
        # A start may lie a little beyond a limit; what that is worth, it has to pay back.
        excess = np.maximum(np.asarray(points.excess[row]), 0.0)
        owed = best.prices.limits @ excess if int(points.category[row]) == best.category else 0.0
        assert best.score >= float(points.score[row]) - owed - 1e-6
    assert [it.score for it in optima] == sorted((it.score for it in optima), reverse=True)
    assert {it.category for it in optima} == set(range(len(slopes.problem.categories)))


@pytest.mark.parametrize("name", NAMES)
def test_no_place_of_many_is_better(name):
    problem, _, slopes, optima = solved(name)
    keys = jax.random.split(jax.random.key(3))
    units = jax.random.uniform(keys[0], (20_000, len(problem.variables)))
    near = jnp.clip(optima[0].unit + 0.05 * (units - 0.5), 0.0, 1.0)
    rows = jax.random.randint(keys[1], (20_000,), 0, len(problem.categories))
    reading = relaxation(SCHEDULE.cold)
    for places in (units, near):
        seen = outcomes(problem, slopes, places, rows, reading)
        fair = jnp.all(seen.excess <= ROOM, axis=1)
        assert int(fair.sum()) > 100
        assert float(jnp.max(jnp.where(fair, seen.score, -jnp.inf))) <= optima[0].score + 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_the_blur_of_the_last_temperature_is_half_a_per_cent_at_most(name):
    problem, _, slopes, optima = solved(name)
    assert slopes.temperature == Schedule().cold
    best = optima[0]
    unit, row = jnp.asarray(best.unit)[None], jnp.asarray([best.category])
    sharp = outcomes(problem, slopes, unit, row, SHARP)
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
    _, _, slopes, optima = solved("finished")
    monkeypatch.setattr("liminal_jax.design.refine._solved", _stuck)
    start = optima[0].unit * 0.9
    found = refined(slopes, start, optima[0].category, slopes.unchanged())
    assert found.ending in (Ending.ITERATION_LIMIT, Ending.INFEASIBLE)
    assert np.array_equal(found.unit, start)


class _Nowhere:
    x = np.full(2, np.nan)


def _stuck(*_):
    return _Nowhere()


def test_a_study_that_cannot_be_met_ends_infeasible():
    _, _, slopes, optima = solved("finished")
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
    points = unmoved(problem, jnp.full((1, 1), 0.5), jnp.zeros(1, int))
    (found,) = relaxed_optima(Slopes(problem, 0.005), points)
    assert found.ending is Ending.UNKNOWN
    assert "for want of published numbers" in found.reason
