"""Descents of functions whose optimum is known, and why each start ended."""

import numpy as np
import pytest

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.descents import Evaluated, _held, _largest, descend
from liminal_jax.optimization.search.termination import Termination, sentence, terminations

SCHEDULE = Schedule(rounds=12, steps=40, settled=0.01)


def parabola(limit):
    """-(x - 0.8)^2 - (y - 0.3)^2 with x at most a limit."""
    top = np.array([0.8, 0.3])

    def at(unit, multipliers, weight, temperature):
        del temperature
        score = -np.sum((unit - top) ** 2, axis=1)
        violation = (unit[:, :1] - limit) * 2.0
        pressed = np.maximum(multipliers + weight * violation, 0.0)
        gradient = 2 * (unit - top)
        gradient[:, 0] += 2.0 * pressed[:, 0]
        return Evaluated(score, violation, gradient)

    return at


def test_descents_end_at_the_optimum_within_the_limits():
    starts = np.random.default_rng(3).random((9, 2))
    free = descend(parabola(2.0), starts, 1, SCHEDULE)
    np.testing.assert_allclose(free.unit, [[0.8, 0.3]] * 9, atol=1e-3)
    assert free.count(Termination.CONVERGED) == 9
    held = descend(parabola(0.5), starts, 1, SCHEDULE)
    np.testing.assert_allclose(held.unit, [[0.5, 0.3]] * 9, atol=1e-3)
    assert held.feasible.all()
    assert held.history.score.shape == (SCHEDULE.total(), 9)
    np.testing.assert_array_equal(held.history.score[-1], held.score)
    assert held.history.temperature[0] == pytest.approx(SCHEDULE.hot)
    assert held.history.temperature[-1] == pytest.approx(SCHEDULE.cold)


def test_what_is_held_stays_and_what_is_unknown_does_not_move():
    def at(unit, multipliers, weight, temperature):
        found = parabola(2.0)(unit, multipliers, weight, temperature)
        found.gradient[0], found.score[0] = np.nan, np.nan
        return found

    starts = np.random.default_rng(3).random((5, 2))
    ends = descend(at, starts, 1, SCHEDULE, free=np.array([False, True]))
    np.testing.assert_array_equal(ends.unit[:, 0], starts[:, 0])
    np.testing.assert_array_equal(ends.unit[0], starts[0])
    np.testing.assert_allclose(ends.unit[1:, 1], 0.3, atol=1e-3)
    assert ends.count(Termination.UNKNOWN) == 1
    assert ends.best() == 1 + int(np.argmax(ends.score[1:]))


def test_the_best_end_keeps_the_limits_before_it_is_good():
    ends = descend(parabola(2.0), np.full((3, 2), 0.5), 1, SCHEDULE._replace(rounds=1, steps=1))
    scores, violations = np.array([1.0, 2.0, 3.0]), np.array([[-1.0], [0.0], [0.1]])
    assert ends._replace(score=scores, violation=violations).best() == 1
    assert ends._replace(score=scores, violation=np.abs(violations) + 0.05).best() == 1


def ended(*, score=1.0, violation=-1.0, gradient=0.0, midway=1.0, unit=1.0):
    slope = np.array([[gradient]])
    pushed = _largest(slope, _held(np.array([[unit]]), slope))
    (found,) = terminations(np.array([score]), np.array([midway]), np.array([[violation]]), pushed)
    return found


def test_every_ending_has_its_cause_and_its_sentence():
    """A slope is that of what is descended: negative where more of the variable is better."""
    cases = {
        Termination.CONVERGED: [ended(), ended(gradient=-1.0, unit=0.5), ended(gradient=1.0)],
        Termination.AT_BOUNDS: [ended(gradient=-1.0), ended(gradient=1.0, unit=0.0)],
        Termination.ITERATION_LIMIT: [ended(midway=1.1), ended(midway=0.9, gradient=-1.0)],
        Termination.INFEASIBLE: [ended(violation=0.01), ended(violation=0.01, midway=3.0)],
        Termination.UNBOUNDED: [ended(score=float("inf"))],
        Termination.UNKNOWN: [ended(score=float("nan")), ended(violation=float("nan"))],
    }
    assert set(cases) == set(Termination)
    for termination, endings in cases.items():
        assert endings == [termination] * len(endings)
    assert len({sentence(it, ["tp"]) for it in Termination}) == len(Termination)
