"""Descents of a relaxed problem from many starts at once: projected Adam, annealed.

Limits enter through an augmented Lagrangian; bounds of variables by projection, since a squashing
function never reaches an end of a range and makes designs there look infeasible. Adam takes the
steps, and the temperature of the relaxation falls from round to round. How the Lagrangian and its
gradient are worked out, in NumPy or compiled, is the caller's.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.termination import TOLERANCE, Termination, terminations


class Evaluated(NamedTuple):
    """A relaxed problem at a point of each start.

    Attributes:
        score: Score, of which more is better.
        violation: Log violation of each limit, at most 0 where it holds.
        gradient: Gradient of the augmented Lagrangian along the coordinates.
    """

    score: Float[np.ndarray, " starts"]
    violation: Float[np.ndarray, "starts limits"]
    gradient: Float[np.ndarray, "starts variables"]


Lagrangian: TypeAlias = Callable[[np.ndarray, np.ndarray, float, float], Evaluated]
"""A relaxed problem as descents see it: score, violations, and the gradient of the augmented
Lagrangian, of the coordinates in the unit hypercube (starts, variables), the multipliers of the
limits (starts, limits), the weight of squared violations, and the temperature."""


class History(NamedTuple):
    """What each start saw, step by step.

    Attributes:
        temperature: Temperature of the relaxation.
        score: Score of each start.
        violation: Largest log violation of each start.
    """

    temperature: Float[np.ndarray, " steps"]
    score: Float[np.ndarray, "steps starts"]
    violation: Float[np.ndarray, "steps starts"]


class Descents(NamedTuple):
    """Where the starts end.

    Attributes:
        unit: Coordinates in the unit hypercube.
        score: Score under the last relaxation.
        violation: Log violation of each limit under the last relaxation.
        multipliers: Multiplier of each limit, for the score.
        residual: Largest derivative of the Lagrangian along a variable that is free to move.
        termination: Termination status, as the number of a `Termination`.
        history: What each start saw on the way.
    """

    unit: Float[np.ndarray, "starts variables"]
    score: Float[np.ndarray, " starts"]
    violation: Float[np.ndarray, "starts limits"]
    multipliers: Float[np.ndarray, "starts limits"]
    residual: Float[np.ndarray, " starts"]
    termination: Int[np.ndarray, " starts"]
    history: History

    @property
    def feasible(self) -> np.ndarray:
        """Which starts end within the limits, with a finite score."""
        return np.isfinite(self.score) & np.all(self.violation <= TOLERANCE, axis=1)

    def best(self) -> int:
        """Number of the best start: of those within the limits, else that of least violation."""
        if self.feasible.any():
            return int(np.argmax(np.where(self.feasible, self.score, -np.inf)))
        excess = np.sum(np.maximum(self.violation, 0.0), axis=1)
        return int(np.argmin(np.where(np.isnan(excess), np.inf, excess)))

    def count(self, *terminations: Termination) -> int:
        """Starts that ended in one of some ways."""
        return int(np.isin(self.termination, [int(it) for it in terminations]).sum())


def _adam(schedule: Schedule) -> optax.GradientTransformation:
    """Adam with a cosine decay of the step size."""
    decay = optax.cosine_decay_schedule(schedule.rate, schedule.total(), schedule.settled)
    return optax.adam(decay)


@partial(jax.jit, static_argnames="schedule")
def _moved(
    schedule: Schedule, unit: Array, gradient: Array, state: optax.OptState
) -> tuple[Array, optax.OptState]:
    """One step within the hypercube; a start whose gradient is unknown stays."""
    known = jnp.all(jnp.isfinite(gradient), axis=1, keepdims=True)
    updates, state = _adam(schedule).update(jnp.where(known, gradient, 0.0), state)
    stepped = optax.apply_updates(unit, updates)
    return optax.projections.projection_box(stepped, 0.0, 1.0), state


def descend(
    lagrangian: Lagrangian,
    unit: Float[np.ndarray, "starts variables"],
    limits: int,
    schedule: Schedule,
    free: Bool[np.ndarray, " variables"] | None = None,
    further: Callable[[], bool] = lambda: True,
) -> Descents:
    """Descend from some starts.

    Args:
        lagrangian: The relaxed problem.
        unit: Starts, as coordinates in the unit hypercube.
        limits: Number of the limits.
        schedule: Temperature, penalty and steps.
        free: Which variables move; all where left out.
        further: Asked after each round, whether there is time for another.
    """
    moving = np.ones(unit.shape[1], bool) if free is None else free
    state = _adam(schedule).init(jnp.asarray(unit))
    multipliers = np.zeros((len(unit), limits))
    scores, violations, temperatures = [], [], []
    midway, here = np.zeros(len(unit)), np.asarray(unit)
    for number in range(schedule.total()):
        weight = float(schedule.weight(number))
        temperature = float(schedule.temperature(number))
        at = lagrangian(here, multipliers, weight, temperature)
        at = at._replace(gradient=np.where(moving, at.gradient, 0.0))
        scores.append(at.score)
        violations.append(np.max(at.violation, axis=1, initial=-np.inf))
        temperatures.append(temperature)
        in_round = (number + 1) % schedule.steps
        if in_round == schedule.steps // 2:
            midway = at.score
        if in_round == 0:
            multipliers = np.maximum(multipliers + weight * at.violation, 0.0)
        if number == schedule.total() - 1 or (in_round == 0 and not further()):
            # The last step only evaluates, so that what is told belongs to the point returned.
            held = _held(here, at.gradient)
            return Descents(
                unit=here,
                score=at.score,
                violation=at.violation,
                multipliers=multipliers,
                residual=_largest(at.gradient, ~held),
                termination=terminations(
                    at.score, midway, at.violation, _largest(at.gradient, held)
                ),
                history=History(
                    np.asarray(temperatures), np.asarray(scores), np.asarray(violations)
                ),
            )
        moved, state = _moved(schedule, here, at.gradient, state)
        here = np.asarray(moved)
    raise ValueError("a schedule has one step at least")


def _held(unit: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Which coordinates a derivative pushes into the bound where they are."""
    return ((unit <= 0.0) & (gradient > 0)) | ((unit >= 1.0) & (gradient < 0))


def _largest(gradient: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The largest derivative of each start along some coordinates."""
    return np.max(np.where(among, np.abs(gradient), 0.0), axis=1, initial=0.0)
