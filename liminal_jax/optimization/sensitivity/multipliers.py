r"""Lagrange multipliers of limits and of variable bounds at an optimum.

At an optimum x of a score s subject to violations e_i <= 0 and bounds there are multipliers with

    grad s = sum_i p_i grad e_i + sum_j (h_j - l_j) u_j,    p, h, l >= 0

over the active limits and bounds, u_j the unit vectors (Karush, Kuhn and Tucker). They are found by
non-negative least squares, which needs no linear independence of the constraints; the residual
measures how far x is from an optimum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from liminal_jax.optimization.sensitivity.gradients import Local

ACTIVE_TOLERANCE = 1e-6
"""A limit is active if its violation exceeds minus this; a bound, if its coordinate is so near."""

LEAST_GRADIENT = 1e-6
"""Norm of the gradient below which a limit constrains no variable."""


@dataclass(frozen=True)
class Multipliers:
    """Lagrange multipliers.

    Attributes:
        limits: Increase of the score per unit of log violation allowed, for each limit.
        low: Increase of the score per unit of the hypercube by which the lower bound moves out.
        high: The same for the upper bound.
        residual: Norm of the KKT residual over that of the score's gradient, from 0 to 1; 1 where
            score or limits are not finite.
    """

    limits: np.ndarray
    low: np.ndarray
    high: np.ndarray
    residual: float


def multipliers(local: Local, unit: np.ndarray) -> Multipliers:
    """The multipliers at a point.

    Args:
        local: Score, violations and Jacobian at the point.
        unit: Coordinates of the point in the unit hypercube.
    """
    if not local.smooth():
        return Multipliers(
            np.zeros_like(local.violation), *(np.zeros_like(unit),) * 2, residual=1.0
        )
    score, violation = local.along_box[0], local.along_box[1:]
    gradients = np.linalg.norm(violation, axis=1)
    limits = np.flatnonzero((local.violation > -ACTIVE_TOLERANCE) & (gradients > LEAST_GRADIENT))
    low, high = np.flatnonzero(unit < ACTIVE_TOLERANCE), np.flatnonzero(unit > 1 - ACTIVE_TOLERANCE)
    ends = np.eye(len(unit))
    columns = np.concatenate([violation[limits], -ends[low], ends[high]]).T
    steepness = np.linalg.norm(score)
    if columns.size and steepness > 0:
        found, left = nnls(columns, score)
    else:
        found, left = np.zeros(columns.shape[1]), steepness
    at_limits, at_low, at_high = np.split(found, [len(limits), len(limits) + len(low)])
    return Multipliers(
        limits=_spread(limits, at_limits, len(violation)),
        low=_spread(low, at_low, len(unit)),
        high=_spread(high, at_high, len(unit)),
        residual=float(left / steepness) if steepness > 0 else 0.0,
    )


def _spread(rows: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    """Values in their rows, zeros in the others."""
    spread = np.zeros(length)
    spread[rows] = values
    return spread
