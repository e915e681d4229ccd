"""The starts: they repeat, stay in the box, say why they ended, and lead to the best design."""

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.search.best_design import relaxed_incumbents
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.gradient_search import (
    TOLERANCE,
    _DescentState,
    _termination,
    relaxed_points,
)
from liminal_jax.optimization.search.termination import Termination, sentence
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.problem import Outcome
from tests.optimization.small import KEY, PLANNED, SCHEDULE, ended, small


def test_a_seed_repeats_itself():
    problem, points = ended("planned")
    again = relaxed_points(problem, unit_hypercube_of(problem), SCHEDULE, jax.random.key(KEY))
    for one, other in zip(jax.tree.leaves(points), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_starts_stay_in_the_box_and_most_of_them_keep_the_limits():
    problem, points = ended("planned")
    assert bool(jnp.all((points.unit >= 0) & (points.unit <= 1)))
    within = jnp.max(points.violation, axis=1) <= TOLERANCE
    assert float(within.mean()) > 0.5
    box = unit_hypercube_of(problem)
    for unit in points.unit[within]:
        at = np.asarray(box.values(unit))
        for value, variable in zip(at, problem.variables, strict=True):
            low, high = variable.grid.values[0], variable.grid.values[-1]
            assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)


def test_a_place_in_the_box_and_its_point_lead_to_each_other():
    problem, points = ended("planned")
    box = unit_hypercube_of(problem)
    for unit in points.unit:
        point = np.asarray(box.values(unit))
        np.testing.assert_allclose(box.unit(point), unit, atol=1e-12)


def test_starts_end_near_designs_from_which_good_ones_are_climbed_to():
    """Within a tenth of the best."""
    problem, points = ended("planned")
    bounded = bounded_problem_of(problem)
    found, again = relaxed_incumbents(problem, bounded, SCHEDULE, KEY)
    np.testing.assert_array_equal(points.unit, again.unit)
    best = proven(bounded, []).scores
    assert np.all(found.scores <= best + 1e-12)
    assert np.all(found.scores >= best - 0.1)


def test_starts_that_want_more_users_than_a_range_has_end_held_by_it():
    few = {"min": 1, "max": 64, "num": 13, "scale": "log"}
    problem = small("planned", design={**PLANNED["design"], "batch": few})
    points = relaxed_points(problem, unit_hypercube_of(problem), SCHEDULE, jax.random.key(KEY))
    endings = np.asarray(points.termination).tolist()
    assert endings.count(Termination.AT_BOUNDS) > len(endings) / 2


def state(*, score=1.0, violation=-1.0, gradient=0.0, midway=1.0, unit=1.0):
    numbers = {"gradient": jnp.asarray([gradient]), "midway": jnp.asarray(midway)}
    return _DescentState(
        unit=jnp.asarray([unit]),
        adam=(),
        multipliers=jnp.zeros(1),
        outcome=Outcome(score=jnp.asarray(score), violation=jnp.asarray([violation])),
        **numbers,
    )


def test_every_ending_has_its_cause_and_its_sentence():
    """A slope is that of what is descended: negative where more of the variable is better."""
    cases = {
        Termination.CONVERGED: [state(), state(gradient=-1.0, unit=0.5), state(gradient=1.0)],
        Termination.AT_BOUNDS: [state(gradient=-1.0), state(gradient=1.0, unit=0.0)],
        Termination.ITERATION_LIMIT: [state(midway=1.1), state(midway=0.9, gradient=-1.0)],
        Termination.INFEASIBLE: [state(violation=0.01), state(violation=0.01, midway=3.0)],
        Termination.UNBOUNDED: [state(score=float("inf"))],
        Termination.UNKNOWN: [state(score=float("nan")), state(violation=float("nan"))],
    }
    assert set(cases) == set(Termination)
    for termination, states in cases.items():
        assert [int(_termination(it)) for it in states] == [termination] * len(states)
    assert len({sentence(it, ["tp"]) for it in Termination}) == len(Termination)
