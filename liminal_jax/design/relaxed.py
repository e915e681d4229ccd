"""The relaxed stage: many starts at once, by gradients, under an annealed relaxation.

An augmented Lagrangian carries the limits (bounds of the box are kept by projection: squashing
them makes feasible designs look infeasible), Adam takes the steps, and the temperature of the
soft reading falls from round to round. What comes out is a set of good places to start the search
on the lattice, and an estimate of what continuous freedom would be worth; it proves nothing.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Soft
from liminal_jax.design.box import Box
from liminal_jax.study.problem import Outcome, Problem


class Schedule(NamedTuple):
    """How the relaxed stage proceeds.

    Attributes:
        starts: Starts in each category.
        rounds: Rounds, after each of which multipliers, penalty and temperature change.
        steps: Gradient steps in a round.
        rate: Step of Adam in the unit box at the beginning; it falls to a tenth.
        hot: First temperature.
        cold: Last temperature.
        penalty: First weight of squared violations.
        growth: Factor on that weight in each round.
    """

    starts: int = 32
    rounds: int = 12
    steps: int = 50
    rate: float = 0.05
    hot: float = 0.5
    cold: float = 0.02
    penalty: float = 10.0
    growth: float = 1.5


class RelaxedPoint(eqx.Module):
    """Where one start ended.

    Attributes:
        unit: Place in the unit box.
        category: Its category.
        score: Score under the last relaxation.
        excess: Logarithm by which each limit is exceeded there.
        multipliers: Gain in score for each unit of logarithm that a limit is loosened.
    """

    unit: Float[Array, " variables"]
    category: Int[Array, ""]
    score: Float[Array, ""]
    excess: Float[Array, " limits"]
    multipliers: Float[Array, " limits"]

    def violation(self) -> Array:
        """The largest excess, at least 0."""
        return jnp.maximum(jnp.max(self.excess, axis=-1), 0.0)


WHOLE_NUMBERS_FREE = 100.0
"""Rounding at which stages, ranks and instances are practically real numbers."""


def relaxation(temperature: Scalar) -> Soft:
    """The reading of the relaxed stage: kinks blurred, numbers that should be whole set free."""
    return Soft(temperature, rounding=WHOLE_NUMBERS_FREE)


def _augmented(outcome: Outcome, multipliers: Array, penalty: Array) -> Array:
    pressed = jnp.maximum(multipliers + penalty * outcome.excess, 0.0)
    return -outcome.score + jnp.sum(pressed**2 - multipliers**2) / (2 * penalty)


class _State(eqx.Module):
    """Where a start is, and what pulls it."""

    unit: Float[Array, " variables"]
    adam: optax.OptState
    multipliers: Float[Array, " limits"]
    outcome: Outcome


def _descent(
    problem: Problem, box: Box, schedule: Schedule, unit: Array, category: Array
) -> RelaxedPoint:
    """One start, from its place in the unit box to where it ends."""
    steps = schedule.rounds * schedule.steps
    adam = optax.adam(optax.cosine_decay_schedule(schedule.rate, steps, 0.1))
    limits = len(problem.limits)

    def lagrangian(
        unit: Array, multipliers: Array, penalty: Array, temperature: Array
    ) -> tuple[Array, Outcome]:
        outcome = problem.outcome(box.at(unit), category, relaxation(temperature))
        return _augmented(outcome, multipliers, penalty), outcome

    def step(state: _State, number: Array) -> tuple[_State, None]:
        share = (number // schedule.steps) / max(schedule.rounds - 1, 1)
        penalty = schedule.penalty * schedule.growth ** (number // schedule.steps)
        temperature = schedule.hot * (schedule.cold / schedule.hot) ** share
        slope, outcome = jax.grad(lagrangian, has_aux=True)(
            state.unit, state.multipliers, penalty, temperature
        )
        updates, moments = adam.update(slope, state.adam)
        stepped = optax.apply_updates(state.unit, updates)
        moved = optax.projections.projection_box(stepped, 0.0, 1.0)
        last = number == steps - 1
        raised = jnp.maximum(state.multipliers + penalty * outcome.excess, 0.0)
        ends_round = (number + 1) % schedule.steps == 0
        return _State(
            # The last step only looks: what it sees belongs to the place that is returned.
            unit=jnp.where(last, state.unit, moved),
            adam=moments,
            multipliers=jnp.where(ends_round, raised, state.multipliers),
            outcome=outcome,
        ), None

    unseen = Outcome(score=jnp.zeros(()), excess=jnp.zeros(limits))
    begin = _State(unit=unit, adam=adam.init(unit), multipliers=jnp.zeros(limits), outcome=unseen)
    end, _ = jax.lax.scan(step, begin, jnp.arange(steps))
    return RelaxedPoint(
        unit=end.unit,
        category=category,
        score=end.outcome.score,
        excess=end.outcome.excess,
        multipliers=end.multipliers,
    )


def relaxed_points(
    problem: Problem, box: Box, schedule: Schedule, key: PRNGKeyArray
) -> RelaxedPoint:
    """Where all starts ended, leaves stacked; `schedule.starts` for each category."""
    categories = jnp.repeat(jnp.arange(len(problem.categories)), schedule.starts)
    units = jax.random.uniform(key, (len(categories), len(problem.variables)))
    descend = jax.vmap(lambda unit, category: _descent(problem, box, schedule, unit, category))
    return jax.jit(descend)(units, categories)


def best_relaxed(points: RelaxedPoint, tolerance: float = 1e-3) -> tuple[RelaxedPoint, bool]:
    """The start with the best score among those within the limits, and whether there is one.

    Where none is, the start that violates them least.
    """
    violation = jax.vmap(RelaxedPoint.violation)(points)
    fair = violation <= tolerance
    some = bool(jnp.any(fair))
    rank = jnp.where(fair, points.score, -jnp.inf) if some else -violation
    index = jnp.argmax(rank)
    return jax.tree.map(lambda leaf: leaf[index], points), some
