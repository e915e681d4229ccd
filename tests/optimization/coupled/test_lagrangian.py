"""The Lagrangian of many members, by lists: against the soft model itself, and differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import Free
from liminal_jax.optimization.coupled import lagrangian
from liminal_jax.optimization.coupled.assignment import outcome_of, own_limits
from liminal_jax.optimization.coupled.descent import STARTS, _starts, descend
from liminal_jax.optimization.coupled.lagrangian import assignment, compiled, listed
from liminal_jax.study.problem import Outcome
from liminal_jax.study.questions import BUILDERS, load_question
from tests.optimization.coupled.instances import house
from tests.optimization.coupled.test_requests import ASKED
from tests.study.requests.cases import problem as requests_problem

HEAT, WEIGHT = 0.2, 3.0
STEP = 1e-6
FEW_STEPS = STARTS._replace(starts=2, rounds=3)


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    return requests_problem(tmp_path_factory.mktemp("small"), ASKED)


@in_numpy
def _outcome(problem, categories, unit) -> Outcome:
    return outcome_of(problem, assignment(problem, categories, unit), Free(HEAT))


def _value(at, multipliers):
    """The augmented Lagrangian of what was evaluated, by its definition."""
    pressed = np.maximum(multipliers + WEIGHT * at.violation, 0.0)
    return -at.score + np.sum(pressed**2 - multipliers**2, axis=1) / (2 * WEIGHT)


@pytest.fixture(scope="module")
def layers():
    file = load_question("which-layers-at-four-bits")
    return BUILDERS[type(file)](file)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["requests", "layers"])
def test_members_are_listed_with_what_they_differ_in_as_rows(name, request):
    problem, random = request.getfixturevalue(name), np.random.default_rng(0)
    categories, unit = _starts(problem, 2, 1)
    assert len(unit) == 2 * len(problem.categories)
    # The first start is in the middle of all ranges, where a loss may have a kink.
    unit = np.clip(unit + 0.01 * random.random(unit.shape), 2 * STEP, 1 - 2 * STEP)
    multipliers = random.random((len(unit), len(problem.limits) + sum(own_limits(problem))))
    at = listed(problem, categories)
    found = at(unit, multipliers, WEIGHT, HEAT)
    for start in range(len(unit)):
        kinds = jax.tree.map(lambda it, start=start: it[start], categories)
        known = _outcome(problem, kinds, jnp.asarray(unit[start]))
        assert found.score[start] == pytest.approx(float(known.score), rel=1e-12)
        assert found.violation[start] == pytest.approx(np.asarray(known.violation), abs=1e-12)
    for axis in range(unit.shape[1]):
        step = np.zeros_like(unit)
        step[:, axis] = STEP
        above, below = (at(unit + it, multipliers, WEIGHT, HEAT) for it in (step, -step))
        slope = (_value(above, multipliers) - _value(below, multipliers)) / (2 * STEP)
        assert found.gradient[:, axis] == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.slow
def test_what_differs_in_more_than_rows_is_compiled(monkeypatch):
    problem = house(0)
    categories, unit = _starts(problem, 2, 0)
    with pytest.raises(NotImplementedError):
        listed(problem, categories)
    asked = []
    monkeypatch.setattr(
        lagrangian, "compiled", lambda *given: asked.append(given) or compiled(*given)
    )
    relaxed = descend(problem, FEW_STEPS, 0)
    assert len(asked) == 1
    assert relaxed.history.shape == (FEW_STEPS.total(), len(unit), 2)
    assert relaxed.multipliers.shape == relaxed.violation.shape
    assert np.isfinite(relaxed.residual).all()


@pytest.mark.slow
def test_time_ends_descents_after_a_round(requests):
    ticks = iter(range(1000))
    relaxed = descend(requests, FEW_STEPS, 0, seconds=1.5, clock=lambda: float(next(ticks)))
    assert len(relaxed.history) == 2 * FEW_STEPS.steps
    whole = descend(requests, FEW_STEPS, 0)
    assert len(whole.history) == FEW_STEPS.total()
    assert (relaxed.history == whole.history[: len(relaxed.history)]).all()
