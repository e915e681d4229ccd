"""The relaxed search: multi-start projected gradient descent under an annealed relaxation.

Limits enter through an augmented Lagrangian; bounds of variables by projection, since a squashing
function never reaches an end of a range and makes designs there look infeasible. Adam takes the
steps, and the temperature of the relaxation falls from round to round. The result is a set of
starts for the local search on the lattice; it proves nothing.
"""

from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from liminal_jax._compile import unfused
from liminal_jax._smooth import Soft
from liminal_jax.optimization.search.annealing import Schedule, relaxation
from liminal_jax.optimization.search.augmented_lagrangian import augmented, raised
from liminal_jax.optimization.search.relaxed_point import RelaxedPoint
from liminal_jax.optimization.search.termination import LEAST_REDUCED_GRADIENT, Termination
from liminal_jax.optimization.search.unit_hypercube import UnitHypercube
from liminal_jax.study.problem import Limit, Outcome
from liminal_jax.study.region import Variable

TOLERANCE = 1e-3
"""Largest log violation of a start that counts as feasible: steps are too coarse to end nearer."""

SCORE_TOLERANCE = 1e-3
"""A start has converged if its score changes by less in the second half of its last round."""


@runtime_checkable
class Relaxable(Protocol):
    """What a relaxed search needs of a problem."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the alternatives."""
        ...

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What is free."""
        ...

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Limits in the order of `Outcome.violation`."""
        ...

    def outcome(
        self, point: Float[Array, " variables"], category: Int[Array, ""], relaxation: Soft, /
    ) -> Outcome:
        """Objective and limits at a point."""
        ...


class _DescentState(eqx.Module):
    """The state of one descent; `midway` is the score in the middle of the current round."""

    unit: Float[Array, " variables"]
    adam: optax.OptState
    multipliers: Float[Array, " limits"]
    outcome: Outcome
    gradient: Float[Array, " variables"]
    midway: Float[Array, ""]


def _at_bounds(state: _DescentState) -> Array:
    """Variables at a bound that the last gradient pushes outwards."""
    below = (state.unit <= 0.0) & (state.gradient > LEAST_REDUCED_GRADIENT)
    above = (state.unit >= 1.0) & (state.gradient < -LEAST_REDUCED_GRADIENT)
    return below | above


def _adam(schedule: Schedule) -> optax.GradientTransformation:
    """Adam with a cosine decay of the step size to a tenth."""
    return optax.adam(optax.cosine_decay_schedule(schedule.rate, schedule.total(), 0.1))


def _termination(state: _DescentState) -> Array:
    """The termination status of a state after its last step."""
    outcome = state.outcome
    cases = [
        (jnp.isnan(outcome.score) | jnp.any(jnp.isnan(outcome.violation)), Termination.UNKNOWN),
        (jnp.any(outcome.violation > TOLERANCE), Termination.INFEASIBLE),
        (jnp.isinf(outcome.score), Termination.UNBOUNDED),
        (jnp.abs(outcome.score - state.midway) > SCORE_TOLERANCE, Termination.ITERATION_LIMIT),
        (jnp.any(_at_bounds(state)), Termination.AT_BOUNDS),
    ]
    whether, endings = zip(*cases, strict=True)
    return jnp.select(
        list(whether), [jnp.asarray(int(it)) for it in endings], int(Termination.CONVERGED)
    )


def _descent(
    problem: Relaxable, box: UnitHypercube, schedule: Schedule, unit: Array, category: Array
) -> RelaxedPoint:
    """One descent, from a point of the unit hypercube."""
    adam, limits = _adam(schedule), len(problem.limits)

    def lagrangian(
        unit: Array, multipliers: Array, weight: Array, temperature: Array
    ) -> tuple[Array, Outcome]:
        outcome = problem.outcome(box.values(unit), category, relaxation(temperature))
        return augmented(outcome, multipliers, weight), outcome

    def step(state: _DescentState, number: Array) -> tuple[_DescentState, None]:
        weight = schedule.weight(number)
        gradient, outcome = jax.grad(lagrangian, has_aux=True)(
            state.unit, state.multipliers, weight, schedule.temperature(number)
        )
        updates, moments = adam.update(gradient, state.adam)
        stepped = optax.apply_updates(state.unit, updates)
        moved = optax.projections.projection_box(stepped, 0.0, 1.0)
        last = number == schedule.total() - 1
        in_round = (number + 1) % schedule.steps
        return _DescentState(
            # The last step only evaluates, so outcome and gradient belong to the point returned.
            unit=jnp.where(last, state.unit, moved),
            adam=moments,
            multipliers=jnp.where(
                in_round == 0,
                raised(outcome.violation, state.multipliers, weight),
                state.multipliers,
            ),
            outcome=outcome,
            gradient=gradient,
            midway=jnp.where(in_round == schedule.steps // 2, outcome.score, state.midway),
        ), None

    begin = _DescentState(
        unit=unit,
        adam=adam.init(unit),
        multipliers=jnp.zeros(limits),
        outcome=Outcome(score=jnp.zeros(()), violation=jnp.zeros(limits)),
        gradient=jnp.zeros_like(unit),
        midway=jnp.zeros(()),
    )
    end, _ = jax.lax.scan(step, begin, jnp.arange(schedule.total()))
    return RelaxedPoint(
        unit=end.unit,
        category=category,
        score=end.outcome.score,
        violation=end.outcome.violation,
        termination=_termination(end),
    )


class Starts(eqx.Module):
    """Where descents begin, stacked.

    Attributes:
        unit: Coordinates in the unit hypercube.
        category: Index of the category.
    """

    unit: Float[Array, "starts variables"]
    category: Int[Array, " starts"]


def random_starts(problem: Relaxable, schedule: Schedule, key: PRNGKeyArray) -> Starts:
    """`schedule.starts` random starts for each category."""
    categories = jnp.repeat(jnp.arange(len(problem.categories)), schedule.starts)
    return Starts(jax.random.uniform(key, (len(categories), len(problem.variables))), categories)


def descents(
    problem: Relaxable, box: UnitHypercube, schedule: Schedule, starts: Starts
) -> RelaxedPoint:
    """Where starts end, stacked."""
    return jax.vmap(lambda it: _descent(problem, box, schedule, it.unit, it.category))(starts)


def relaxed_points(
    problem: Relaxable, box: UnitHypercube, schedule: Schedule, key: PRNGKeyArray
) -> RelaxedPoint:
    """Where random starts end, `schedule.starts` of them for each category; compiled."""
    begin = random_starts(problem, schedule, key)
    return unfused(lambda it: descents(problem, box, schedule, it))(begin)
