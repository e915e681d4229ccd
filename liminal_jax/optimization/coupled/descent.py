"""The relaxed search: all variables of all members at once descend the soft model.

As for one design (see `search/gradient_search.py`): limits enter through an augmented Lagrangian,
bounds by projection, Adam takes the steps, and the temperature falls from round to round. All
starts go together; a round is one call of a compiled program, whatever the number of rounds.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Scalar
from liminal_jax._compile import kept_unfused
from liminal_jax.optimization.coupled.assignment import (
    Assignment,
    Places,
    nearest,
    outcome_of,
    own_limits,
)
from liminal_jax.optimization.search.annealing import Schedule, relaxation
from liminal_jax.optimization.search.augmented_lagrangian import augmented, raised
from liminal_jax.optimization.search.termination import TOLERANCE, Termination, terminations
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.coupled import AbstractCoupled, Point
from liminal_jax.study.problem import Outcome

STARTS = Schedule(starts=3, rounds=16, steps=40, penalty=1.0, growth=1.3)
"""Starts for each category of what is shared: with hundreds of variables starts end near each
other, and their number matters less than the steps of each."""


class Coordinates(NamedTuple):
    """Places in the unit hypercubes of what is shared, and of each group's members."""

    shared: Float[Array, " variables"]
    own: tuple[Float[Array, "members variables"], ...]


class Categories(NamedTuple):
    """Categories, which stay as they were drawn."""

    shared: Int[Array, ""]
    own: tuple[Int[Array, " members"], ...]


class _State(eqx.Module):
    """One descent."""

    unit: Coordinates
    adam: optax.OptState
    multipliers: Float[Array, " limits"]


class _Stand(NamedTuple):
    """Where a step was taken, and what it was taken by.

    Attributes:
        unit: Coordinates before the step.
        outcome: Their outcome.
        free: Largest derivative of the Lagrangian along a coordinate that is free to move.
        pushed: Largest derivative into a bound that holds.
    """

    unit: Coordinates
    outcome: Outcome
    free: Float[Array, ""]
    pushed: Float[Array, ""]


class Relaxed(NamedTuple):
    """Where the starts end, stacked by start.

    Attributes:
        unit: Coordinates.
        categories: Categories.
        score: Score under the last relaxation.
        violation: Log violation of each limit: of all together first, then of each member.
        multipliers: Multiplier of each limit, for the score.
        residual: Largest derivative of the Lagrangian along a variable that is free to move.
        termination: Termination status of each start.
        history: Score and largest violation of each start after each step.
        temperatures: Temperature of each step.
    """

    unit: Coordinates
    categories: Categories
    score: np.ndarray
    violation: np.ndarray
    multipliers: np.ndarray
    residual: np.ndarray
    termination: tuple[Termination, ...]
    history: Float[np.ndarray, "steps starts 2"]
    temperatures: Float[np.ndarray, " steps"]

    def order(self) -> Int[np.ndarray, " starts"]:
        """Numbers of the starts, the best first: feasible ones by score, others by violation."""
        worst = np.max(self.violation, axis=1, initial=0.0)
        known = np.isfinite(self.score) & np.isfinite(worst)
        outside = np.where(worst > TOLERANCE, worst, 0.0)
        return np.lexsort((-np.where(known, self.score, -np.inf), np.where(known, outside, np.inf)))

    def places(self, problem: AbstractCoupled, start: int) -> Places:
        """The places of the grid nearest to where a start ended."""
        own = zip(problem.groups, self.categories.own, self.unit.own, strict=True)
        return Places(
            nearest(
                problem,
                np.asarray(self.categories.shared[start]),
                np.asarray(self.unit.shared[start]),
            ),
            tuple(nearest(it, np.asarray(at[start]), np.asarray(u[start])) for it, at, u in own),
        )


def _assignment(problem: AbstractCoupled, categories: Categories, unit: Coordinates) -> Assignment:
    own = zip(problem.groups, categories.own, unit.own, strict=True)
    return Assignment(
        Point(categories.shared, unit_hypercube_of(problem).values(unit.shared)),
        tuple(Point(category, unit_hypercube_of(group).values(at)) for group, category, at in own),
    )


def _gradient(
    problem: AbstractCoupled,
    categories: Categories,
    unit: Coordinates,
    multipliers: Array,
    weight: Scalar,
    temperature: Scalar,
) -> tuple[Coordinates, Outcome]:
    """Gradient of the augmented Lagrangian, and the outcome."""

    def lagrangian(unit: Coordinates) -> tuple[Array, Outcome]:
        outcome = outcome_of(
            problem, _assignment(problem, categories, unit), relaxation(temperature)
        )
        return augmented(outcome, multipliers, weight), outcome

    return jax.grad(lagrangian, has_aux=True)(unit)


def _slopes(unit: Coordinates, gradient: Coordinates) -> tuple[Array, Array]:
    """The largest derivatives: of coordinates that are free to move, and into bounds that hold."""
    ends = [
        ((at <= 0.0) & (slope > 0)) | ((at >= 1.0) & (slope < 0))
        for at, slope in zip(jax.tree.leaves(unit), jax.tree.leaves(gradient), strict=True)
    ]
    held = jnp.concatenate([it.ravel() for it in ends])
    slopes = jnp.abs(jnp.concatenate([it.ravel() for it in jax.tree.leaves(gradient)]))
    free = jnp.max(jnp.where(held, 0.0, slopes), initial=0.0)
    return free, jnp.max(jnp.where(held, slopes, 0.0), initial=0.0)


def _starts(problem: AbstractCoupled, count: int, seed: int) -> tuple[Categories, Coordinates]:
    """Random starts, each category of what is shared as often as the others.

    The first start of each category begins in the middle of all ranges.
    """
    random = np.random.default_rng(seed)
    total = len(problem.categories) * count
    middle = (np.arange(total) % count) == 0

    def drawn(*shape: int) -> Array:
        unit = random.uniform(size=(total, *shape))
        return jnp.asarray(np.where(middle.reshape(-1, *(1 for _ in shape)), 0.5, unit))

    categories = Categories(
        jnp.asarray(np.repeat(np.arange(len(problem.categories)), count)),
        tuple(
            jnp.asarray(random.integers(len(it.categories), size=(total, len(it.members))))
            for it in problem.groups
        ),
    )
    own = tuple(drawn(len(it.members), len(it.variables)) for it in problem.groups)
    return categories, Coordinates(drawn(len(problem.variables)), own)


def _adam(schedule: Schedule) -> optax.GradientTransformation:
    """Adam with a cosine decay of the step size to a hundredth."""
    return optax.adam(optax.cosine_decay_schedule(schedule.rate, schedule.total(), 0.01))


def _step(
    problem: AbstractCoupled,
    schedule: Schedule,
    categories: Categories,
    state: _State,
    number: Array,
) -> tuple[_State, tuple[_Stand, Array]]:
    """The state after a step; where it was taken, and its score and violation."""
    weight, temperature = schedule.weight(number), schedule.temperature(number)
    gradient, outcome = _gradient(
        problem, categories, state.unit, state.multipliers, weight, temperature
    )
    updates, moments = _adam(schedule).update(gradient, state.adam)
    moved: Any = jax.tree.map(
        lambda at, change: jnp.clip(at + change, 0.0, 1.0), state.unit, updates
    )
    last = (number + 1) % schedule.steps == 0
    multipliers = jnp.where(
        last, raised(outcome.violation, state.multipliers, weight), state.multipliers
    )
    stand = _Stand(state.unit, outcome, *_slopes(state.unit, gradient))
    told = jnp.stack([outcome.score, jnp.max(outcome.violation, initial=0.0)])
    return _State(moved, moments, multipliers), (stand, told)


@kept_unfused
def _round(
    problem: AbstractCoupled,
    schedule: Schedule,
    categories: Categories,
    state: _State,
    first: Array,
) -> tuple[_State, _Stand, Array]:
    """The states of all starts after a round, how their last steps stood, and what they told."""

    def each(categories: Categories, state: _State) -> tuple[_State, _Stand, Array]:
        after, (stands, told) = jax.lax.scan(
            lambda state, number: _step(problem, schedule, categories, state, number),
            state,
            first + jnp.arange(schedule.steps),
        )
        return after, jax.tree.map(lambda it: it[-1], stands), told

    return jax.vmap(each)(categories, state)


def descend(
    problem: AbstractCoupled,
    schedule: Schedule = STARTS,
    seed: int = 0,
    seconds: float = np.inf,
    clock: Callable[[], float] = time.perf_counter,
) -> Relaxed:
    """Descend from random starts.

    Args:
        problem: A problem.
        schedule: Number of starts, rounds and steps; temperatures and weights.
        seed: Seed of the starts.
        seconds: Wall time after which no further round begins [s].
        clock: Seconds from some origin.
    """
    categories, unit = _starts(problem, schedule.starts, seed)
    limits = len(problem.limits) + sum(own_limits(problem))
    adam = _adam(schedule)
    state = jax.vmap(lambda it: _State(it, adam.init(it), jnp.zeros(limits)))(unit)
    begin = clock()
    state, stand, told = _round(problem, schedule, categories, state, jnp.asarray(0))
    history = [told]
    for number in range(1, schedule.rounds):
        if clock() - begin > seconds:
            break
        state, stand, told = _round(
            problem, schedule, categories, state, jnp.asarray(number * schedule.steps)
        )
        history.append(told)
    every = np.concatenate([np.asarray(it).swapaxes(0, 1) for it in history])
    score, violation = np.asarray(stand.outcome.score), np.asarray(stand.outcome.violation)
    before = every[-(schedule.steps // 2), :, 0]
    endings = terminations(score, before, violation, np.asarray(stand.pushed))
    return Relaxed(
        unit=stand.unit,
        categories=categories,
        score=score,
        violation=violation,
        multipliers=np.asarray(state.multipliers),
        residual=np.asarray(stand.free),
        termination=tuple(map(Termination, endings.tolist())),
        history=every,
        temperatures=np.asarray(schedule.temperature(jnp.arange(len(every)))),
    )
