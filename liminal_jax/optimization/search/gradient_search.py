"""The relaxed stage: many starts at once, by gradients, under an annealed relaxation.

An augmented Lagrangian carries the limits (bounds of the box are kept by projection: squashing
them makes feasible designs look infeasible), Adam takes the steps, and the temperature of the
soft reading falls from round to round. What comes out is a set of good places on the lattice to
climb from; it proves nothing.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from liminal_jax._compile import unfused
from liminal_jax.optimization.search.annealing import Schedule, relaxation
from liminal_jax.optimization.search.augmented_lagrangian import augmented, raised
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.search.unit_hypercube import UnitHypercube
from liminal_jax.study.problem import Outcome, Problem

TOLERANCE = 1e-3
"""Logarithm by which a start may end beyond a limit: its steps are too coarse to end nearer."""

SETTLED = 1e-3
"""A start has converged whose score changes by less in the second half of its last round."""

PRESSING = 1e-3
"""Gain in score for the whole range of a variable above which its end holds the variable."""


class RelaxedPoint(eqx.Module):
    """Where one start ended.

    Attributes:
        unit: Place in the unit box.
        category: Its category.
        score: Score under the last relaxation.
        violation: Logarithm by which each limit is exceeded there.
        termination: Why it ended, as the number of an `Termination`.
    """

    unit: Float[Array, " variables"]
    category: Int[Array, ""]
    score: Float[Array, ""]
    violation: Float[Array, " limits"]
    termination: Int[Array, ""]


class _State(eqx.Module):
    """Where a start is, what pulls it, and how it stood in the middle of the round."""

    unit: Float[Array, " variables"]
    adam: optax.OptState
    multipliers: Float[Array, " limits"]
    outcome: Outcome
    slope: Float[Array, " variables"]
    midway: Float[Array, ""]


def _held(state: _State) -> Array:
    """Variables that the last slope presses against an end of their range."""
    below = (state.unit <= 0.0) & (state.slope > PRESSING)
    above = (state.unit >= 1.0) & (state.slope < -PRESSING)
    return below | above


def _ending(state: _State) -> Array:
    """Why a start ended, from how it stands after its last step."""
    outcome = state.outcome
    cases = [
        (jnp.isnan(outcome.score) | jnp.any(jnp.isnan(outcome.violation)), Termination.UNKNOWN),
        (jnp.any(outcome.violation > TOLERANCE), Termination.INFEASIBLE),
        (jnp.isinf(outcome.score), Termination.UNBOUNDED),
        (jnp.abs(outcome.score - state.midway) > SETTLED, Termination.ITERATION_LIMIT),
        (jnp.any(_held(state)), Termination.HELD),
    ]
    whether, endings = zip(*cases, strict=True)
    return jnp.select(
        list(whether), [jnp.asarray(int(it)) for it in endings], int(Termination.CONVERGED)
    )


def _descent(
    problem: Problem, box: UnitHypercube, schedule: Schedule, unit: Array, category: Array
) -> RelaxedPoint:
    """One start, from its place in the unit box to where it ends."""
    adam, limits = schedule.adam(), len(problem.limits)

    def lagrangian(
        unit: Array, multipliers: Array, weight: Array, temperature: Array
    ) -> tuple[Array, Outcome]:
        outcome = problem.outcome(box.values(unit), category, relaxation(temperature))
        return augmented(outcome, multipliers, weight), outcome

    def step(state: _State, number: Array) -> tuple[_State, None]:
        weight = schedule.weight(number)
        slope, outcome = jax.grad(lagrangian, has_aux=True)(
            state.unit, state.multipliers, weight, schedule.temperature(number)
        )
        updates, moments = adam.update(slope, state.adam)
        stepped = optax.apply_updates(state.unit, updates)
        moved = optax.projections.projection_box(stepped, 0.0, 1.0)
        last = number == schedule.total() - 1
        in_round = (number + 1) % schedule.steps
        return _State(
            # The last step only looks: what it sees belongs to the place that is returned.
            unit=jnp.where(last, state.unit, moved),
            adam=moments,
            multipliers=jnp.where(
                in_round == 0,
                raised(outcome.violation, state.multipliers, weight),
                state.multipliers,
            ),
            outcome=outcome,
            slope=slope,
            midway=jnp.where(in_round == schedule.steps // 2, outcome.score, state.midway),
        ), None

    begin = _State(
        unit=unit,
        adam=adam.init(unit),
        multipliers=jnp.zeros(limits),
        outcome=Outcome(score=jnp.zeros(()), violation=jnp.zeros(limits)),
        slope=jnp.zeros_like(unit),
        midway=jnp.zeros(()),
    )
    end, _ = jax.lax.scan(step, begin, jnp.arange(schedule.total()))
    return RelaxedPoint(
        unit=end.unit,
        category=category,
        score=end.outcome.score,
        violation=end.outcome.violation,
        termination=_ending(end),
    )


def descents(
    problem: Problem, box: UnitHypercube, schedule: Schedule, key: PRNGKeyArray
) -> RelaxedPoint:
    """Where starts drawn with a key end, leaves stacked; `schedule.starts` for each category."""
    categories = jnp.repeat(jnp.arange(len(problem.categories)), schedule.starts)
    units = jax.random.uniform(key, (len(categories), len(problem.variables)))
    descend = jax.vmap(lambda unit, category: _descent(problem, box, schedule, unit, category))
    return descend(units, categories)


def relaxed_points(
    problem: Problem, box: UnitHypercube, schedule: Schedule, key: PRNGKeyArray
) -> RelaxedPoint:
    """The same, compiled."""
    return unfused(lambda key: descents(problem, box, schedule, key))(key)
