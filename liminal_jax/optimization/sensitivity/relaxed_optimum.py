"""The relaxed optimum near a design, by sequential quadratic programming to the KKT conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, OptimizeResult, minimize

from liminal_jax.optimization.search.termination import (
    LEAST_REDUCED_GRADIENT,
    Termination,
    sentence,
)
from liminal_jax.optimization.sensitivity.gradients import Gradients, Local
from liminal_jax.optimization.sensitivity.multipliers import (
    ACTIVE_TOLERANCE,
    Multipliers,
    multipliers,
)

FEASIBILITY_TOLERANCE = 1e-6
"""Largest log violation of an optimum that counts as feasible."""

SOLVER_TOLERANCE = 1e-8
"""Log violation that the solver is allowed.

A limit that fixed degrees meet with equality may be violated by rounding alone; its gradient is 0,
so SLSQP could not reduce the violation and would fail.
"""

KKT_TOLERANCE = 1e-4
"""KKT residual below which a point counts as an optimum."""

ATTEMPTS = 4
"""Runs of the solver, each from where the last one improved but stopped short of an optimum."""

STEPS = 100
"""Largest number of iterations of one run; those that converge take a few dozen."""


@dataclass(frozen=True)
class RelaxedOptimum:
    """A local optimum of the relaxed problem.

    Attributes:
        unit: Coordinates in the unit hypercube.
        category: Index of the category.
        local: Score, violations and Jacobian.
        multipliers: Lagrange multipliers of limits and of variable bounds.
        termination: Termination status.
        at_bounds: Names of the variables at a bound with a multiplier above the least.
    """

    unit: np.ndarray
    category: int
    local: Local
    multipliers: Multipliers
    termination: Termination
    at_bounds: tuple[str, ...]

    @property
    def score(self) -> float:
        """Logarithm of the objective, with the sign that makes more better."""
        return self.local.score

    @property
    def feasible(self) -> bool:
        """Whether it meets every limit, with a finite objective."""
        return self.local.total_violation() <= FEASIBILITY_TOLERANCE and bool(
            np.isfinite(self.score)
        )

    @property
    def reason(self) -> str:
        """The termination message."""
        return sentence(self.termination, self.at_bounds)

    def merit(self) -> tuple[float, float]:
        """Orders optima: by violation above the tolerance, then by score."""
        violation = self.local.total_violation()
        return (0.0 if violation <= FEASIBILITY_TOLERANCE else -violation, self.score)


class _LastEvaluation:
    """The relaxed problem of one category, with its last evaluation cached.

    SLSQP calls for values and Jacobians of objective and constraints one by one, at the same point.
    """

    def __init__(self, gradients: Gradients, category: int, changes: np.ndarray):
        self._slopes, self._category, self._changes = gradients, category, changes
        self._last: tuple[np.ndarray, Local] | None = None

    def __call__(self, unit: np.ndarray) -> Local:
        """Score, violations and Jacobian at a point, clipped to the hypercube."""
        unit = np.clip(unit, 0.0, 1.0)
        if self._last is None or not np.array_equal(unit, self._last[0]):
            self._last = unit, self._slopes.at(unit, self._category, self._changes)
        return self._last[1]


def _slsqp(study: _LastEvaluation, start: np.ndarray) -> OptimizeResult:
    """One run of sequential quadratic programming."""
    return minimize(
        fun=lambda unit: -study(unit).score,
        jac=lambda unit: -study(unit).along_box[0],
        x0=start,
        bounds=Bounds(0.0, 1.0),
        constraints={
            "type": "ineq",
            "fun": lambda unit: SOLVER_TOLERANCE - study(unit).violation,
            "jac": lambda unit: -study(unit).along_box[1:],
        },
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": STEPS},
    )


def _optimum(
    gradients: Gradients, study: _LastEvaluation, unit: np.ndarray, category: int
) -> RelaxedOptimum:
    """A point with its multipliers and termination status."""
    local = study(unit)
    duals = multipliers(local, unit)
    pushed = np.flatnonzero(duals.low + duals.high > LEAST_REDUCED_GRADIENT)
    at_bounds = tuple(gradients.problem.variables[it].name for it in pushed)
    return RelaxedOptimum(
        unit,
        category,
        local,
        duals,
        _termination(local, duals, at_bounds),
        at_bounds,
    )


def _termination(local: Local, duals: Multipliers, at_bounds: Sequence[str]) -> Termination:
    if not local.known():
        return Termination.UNKNOWN
    if local.total_violation() > FEASIBILITY_TOLERANCE:
        return Termination.INFEASIBLE
    if np.isinf(local.score):
        return Termination.UNBOUNDED
    if duals.residual > KKT_TOLERANCE:
        return Termination.ITERATION_LIMIT
    return Termination.AT_BOUNDS if at_bounds else Termination.CONVERGED


def _snapped_to_bounds(unit: np.ndarray) -> np.ndarray:
    """A point clipped to the hypercube, with coordinates near a bound moved onto it."""
    inside = np.clip(unit, 0.0, 1.0)
    return np.where(
        inside < ACTIVE_TOLERANCE, 0.0, np.where(inside > 1 - ACTIVE_TOLERANCE, 1.0, inside)
    )


def refined(
    gradients: Gradients, start: np.ndarray, category: int, changes: np.ndarray
) -> RelaxedOptimum:
    """The local optimum that the solver reaches from a start, never worse than the start.

    Args:
        gradients: The relaxed problem.
        start: Coordinates in the unit hypercube.
        category: Index of the category.
        changes: Logarithms of factors on the parameters.

    Returns:
        The best point; its `termination` says whether it is an optimum.
    """
    study = _LastEvaluation(gradients, category, changes)
    best = _optimum(gradients, study, np.clip(start, 0.0, 1.0), category)
    unit = best.unit
    for _ in range(ATTEMPTS):
        if not study(unit).smooth() or not len(unit):
            break
        unit = _snapped_to_bounds(_slsqp(study, unit).x)
        found = _optimum(gradients, study, unit, category)
        # Where limits jump the solver wanders without an improvement, and another run would too.
        further = found.merit() > best.merit()
        best = found if further else best
        if not further or found.termination in (Termination.CONVERGED, Termination.AT_BOUNDS):
            break
    return best
