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


def _augmented(outcome: Outcome, multipliers: Array, penalty: Array) -> Array:
    pressed = jnp.maximum(multipliers + penalty * outcome.excess, 0.0)
    return -outcome.score + jnp.sum(pressed**2 - multipliers**2) / (2 * penalty)


def _descent(
    problem: Problem, box: Box, schedule: Schedule, unit: Array, category: Array
) -> RelaxedPoint:
    """One start, from its place in the unit box to where it ends."""
    decay = optax.cosine_decay_schedule(schedule.rate, schedule.rounds * schedule.steps, 0.1)
    adam = optax.adam(decay)
    limits = len(problem.limits)

    def outcome(unit: Array, temperature: Array) -> Outcome:
        return problem.outcome(box.at(unit), category, Soft(temperature))

    def lagrangian(unit: Array, multipliers: Array, penalty: Array, temperature: Array) -> Array:
        return _augmented(outcome(unit, temperature), multipliers, penalty)

    def a_round(carry: tuple, weights: tuple) -> tuple[tuple, None]:
        unit, state, multipliers = carry
        penalty, temperature = weights

        def step(carry: tuple, _: None) -> tuple[tuple, None]:
            unit, state = carry
            slope = jax.grad(lagrangian)(unit, multipliers, penalty, temperature)
            updates, state = adam.update(slope, state)
            moved = optax.projections.projection_box(unit + updates, 0.0, 1.0)
            return (moved, state), None

        (unit, state), _ = jax.lax.scan(step, (unit, state), None, length=schedule.steps)
        excess = outcome(unit, temperature).excess
        multipliers = jnp.maximum(multipliers + penalty * excess, 0.0)
        return (unit, state, multipliers), None

    penalties = schedule.penalty * schedule.growth ** jnp.arange(schedule.rounds)
    temperatures = jnp.geomspace(schedule.hot, schedule.cold, schedule.rounds)
    begin = (unit, adam.init(unit), jnp.zeros(limits))
    (unit, _, multipliers), _ = jax.lax.scan(a_round, begin, (penalties, temperatures))
    last = outcome(unit, temperatures[-1])
    return RelaxedPoint(
        unit=unit,
        category=category,
        score=last.score,
        excess=last.excess,
        multipliers=multipliers,
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
