"""The relaxed optimum near a design: refined until slopes and limits balance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, OptimizeResult, minimize

from liminal_jax.optimization.search.gradient_search import PRESSING
from liminal_jax.optimization.search.termination import Termination, sentence
from liminal_jax.optimization.sensitivity.gradients import Gradients, Local
from liminal_jax.optimization.sensitivity.multipliers import TOUCHING, Multipliers, multipliers

MET = 1e-6
"""Logarithm by which rounding may take an optimum beyond a limit."""

ROOM = 1e-8
"""Logarithm by which the solver may exceed a limit.

Limits that hold with equality, as those on held degrees may, lie beyond 0 by rounding alone; a
solver that must bring them to 0, and finds no slope to do it, gives up.
"""

BALANCED = 1e-4
"""Residual of the prices below which a place counts as an optimum."""

ATTEMPTS = 4
"""Times that the solver is started again where it stopped short of an optimum, but got further."""

STEPS = 100
"""Steps of one run; those that converge take a few dozen."""


@dataclass(frozen=True)
class RelaxedOptimum:
    """A refined place of the relaxed study.

    Attributes:
        unit: Place in the unit box.
        category: Its category.
        local: Score, limits and slopes there.
        multipliers: Lagrange multipliers of limits and of the ends of ranges there.
        termination: Why the search ended.
        held: Names of the variables that an end of their range keeps from moving on.
    """

    unit: np.ndarray
    category: int
    local: Local
    multipliers: Multipliers
    termination: Termination
    held: tuple[str, ...]

    @property
    def score(self) -> float:
        """Logarithm of the objective, with the sign that makes more better."""
        return self.local.score

    @property
    def feasible(self) -> bool:
        """Whether it meets every limit, with an objective that is finite."""
        return self.local.total_violation() <= MET and bool(np.isfinite(self.score))

    @property
    def reason(self) -> str:
        """Why the search ended, in words."""
        return sentence(self.termination, self.held)

    def merit(self) -> tuple[float, float]:
        """Orders optima: by violation beyond rounding, then by score."""
        violation = self.local.total_violation()
        return (0.0 if violation <= MET else -violation, self.score)


class _Remembered:
    """The relaxed study of one category, which remembers the last place it was asked about."""

    def __init__(self, gradients: Gradients, category: int, changes: np.ndarray):
        self._slopes, self._category, self._changes = gradients, category, changes
        self._last: tuple[np.ndarray, Local] | None = None

    def __call__(self, unit: np.ndarray) -> Local:
        """Score, limits and slopes at a place, moved into the box."""
        unit = np.clip(unit, 0.0, 1.0)
        if self._last is None or not np.array_equal(unit, self._last[0]):
            self._last = unit, self._slopes.at(unit, self._category, self._changes)
        return self._last[1]


def _solved(study: _Remembered, start: np.ndarray) -> OptimizeResult:
    """One run of sequential quadratic programming."""
    return minimize(
        fun=lambda unit: -study(unit).score,
        jac=lambda unit: -study(unit).along_box[0],
        x0=start,
        bounds=Bounds(0.0, 1.0),
        constraints={
            "type": "ineq",
            "fun": lambda unit: ROOM - study(unit).violation,
            "jac": lambda unit: -study(unit).along_box[1:],
        },
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": STEPS},
    )


def _optimum(
    gradients: Gradients, study: _Remembered, unit: np.ndarray, category: int
) -> RelaxedOptimum:
    """What there is to say of a place."""
    local = study(unit)
    worth = multipliers(local, unit)
    pressed = np.flatnonzero(worth.low + worth.high > PRESSING)
    held = tuple(gradients.problem.variables[it].name for it in pressed)
    return RelaxedOptimum(unit, category, local, worth, _ending(local, worth, held), held)


def _ending(local: Local, worth: Multipliers, held: Sequence[str]) -> Termination:
    if not local.known():
        return Termination.UNKNOWN
    if local.total_violation() > MET:
        return Termination.INFEASIBLE
    if np.isinf(local.score):
        return Termination.UNBOUNDED
    if worth.residual > BALANCED:
        return Termination.ITERATION_LIMIT
    return Termination.HELD if held else Termination.CONVERGED


def _ended(unit: np.ndarray) -> np.ndarray:
    """A place moved into the box, and to the ends that it touches."""
    inside = np.clip(unit, 0.0, 1.0)
    return np.where(inside < TOUCHING, 0.0, np.where(inside > 1 - TOUCHING, 1.0, inside))


def refined(
    gradients: Gradients, start: np.ndarray, category: int, changes: np.ndarray
) -> RelaxedOptimum:
    """The optimum that the solver reaches from a start, no worse than the start.

    Args:
        gradients: The relaxed study.
        start: Place in the unit box.
        category: Its category.
        changes: Logarithms of factors on the study's numbers.

    Returns:
        The optimum; its `termination` tells whether it is one.
    """
    study = _Remembered(gradients, category, changes)
    best = _optimum(gradients, study, np.clip(start, 0.0, 1.0), category)
    unit = best.unit
    for _ in range(ATTEMPTS):
        if not study(unit).smooth() or not len(unit):
            break
        unit = _ended(_solved(study, unit).x)
        found = _optimum(gradients, study, unit, category)
        # Where limits jump the solver wanders, and would again.
        further = found.merit() > best.merit()
        best = found if further else best
        if not further or found.termination in (Termination.CONVERGED, Termination.HELD):
            break
    return best
