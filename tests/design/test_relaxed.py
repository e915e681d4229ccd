"""The starts: they repeat, stay in the box, say why they ended; polishing only betters them."""

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax.design.box import box_of
from liminal_jax.design.ending import Ending, sentence
from liminal_jax.design.lattice import lattice_of
from liminal_jax.design.polish import polished, snapped
from liminal_jax.design.relaxed import (
    TOLERANCE,
    RelaxedPoint,
    _ending,
    _State,
    ranked,
    relaxed_points,
)
from liminal_jax.study.problem import Outcome
from tests.design.small import KEY, SCHEDULE, solved


def test_a_seed_repeats_itself():
    problem, points, *_ = solved("planned")
    again = relaxed_points(problem, box_of(problem), SCHEDULE, jax.random.key(KEY))
    for one, other in zip(jax.tree.leaves(points), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_polishing_never_worsens_a_start():
    problem, points, *_ = solved("planned")
    lattice = lattice_of(problem)
    starts = snapped(problem, box_of(problem), lattice, points)
    ends = polished(problem, lattice, starts)
    assert bool(jnp.all(ends.merit >= starts.merit))
    again = polished(problem, lattice, ends)
    np.testing.assert_array_equal(again.indices, ends.indices)
    assert bool(jnp.any(ends.merit > starts.merit))


def test_starts_stay_in_the_box_and_the_best_one_keeps_the_limits():
    problem, points, slopes, _ = solved("planned")
    assert bool(jnp.all((points.unit >= 0) & (points.unit <= 1)))
    best = ranked(points)[0]
    assert float(jnp.max(points.excess[best])) <= TOLERANCE
    at = np.asarray(slopes.box.at(points.unit[best]))
    for variable in problem.variables:
        low, high = variable.grid.values[0], variable.grid.values[-1]
        assert low * (1 - 1e-12) <= at[variable.position] <= high * (1 + 1e-12)


def test_the_best_start_is_held_by_the_range_that_holds_the_optimum():
    problem, points, _, optima = solved("planned")
    best = ranked(points)[0]
    held = [
        it.name for it, holds in zip(problem.variables, points.held[best], strict=True) if holds
    ]
    assert tuple(held) == optima[0].held


def state(*, score=1.0, excess=-1.0, slope=0.0, midway=1.0, unit=1.0):
    numbers = {"slope": jnp.asarray([slope]), "midway": jnp.asarray(midway)}
    return _State(
        unit=jnp.asarray([unit]),
        adam=(),
        multipliers=jnp.zeros(1),
        outcome=Outcome(score=jnp.asarray(score), excess=jnp.asarray([excess])),
        **numbers,
    )


def test_every_ending_has_its_cause_and_its_sentence():
    """A slope is that of what is descended: negative where more of the variable is better."""
    cases = {
        Ending.CONVERGED: [state(), state(slope=-1.0, unit=0.5), state(slope=1.0)],
        Ending.HELD: [state(slope=-1.0), state(slope=1.0, unit=0.0)],
        Ending.ITERATION_LIMIT: [state(midway=1.1), state(midway=0.9, slope=-1.0)],
        Ending.INFEASIBLE: [state(excess=0.01), state(excess=0.01, midway=3.0)],
        Ending.UNBOUNDED: [state(score=float("inf"))],
        Ending.UNKNOWN: [state(score=float("nan")), state(excess=float("nan"))],
    }
    assert set(cases) == set(Ending)
    for ending, states in cases.items():
        assert [int(_ending(it)) for it in states] == [ending] * len(states)
    assert len({sentence(it, ["tp"]) for it in Ending}) == len(Ending)


def test_ranks_go_by_limits_first_then_by_score():
    scores = jnp.asarray([1.0, 9.0, 2.0, 9.0, jnp.nan])
    excess = jnp.asarray([[0.0], [0.5], [-1.0], [jnp.nan], [-1.0]])
    none, zero = jnp.zeros(1, bool), jnp.zeros((), int)

    def one(score, excess):
        return RelaxedPoint(jnp.zeros(1), zero, score, excess, none, zero)

    points = jax.vmap(one)(scores, excess)
    assert ranked(points)[:3].tolist() == [2, 0, 1]
