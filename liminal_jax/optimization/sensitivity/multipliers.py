r"""Prices of limits and of the ends of ranges at an optimum, from what balances there.

At an optimum x of a score s under violation e_i <= 0 in a box there are prices with

    grad s = sum_i p_i grad e_i + sum_j (h_j - l_j) u_j,    p, h, l >= 0

over the limits and ends that x touches, u_j the unit vectors (Karush, Kuhn and Tucker). They are
found by non-negative least squares; what is left over tells how far x is from an optimum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from liminal_jax.optimization.sensitivity.gradients import Local

TOUCHING = 1e-6
"""Excess above minus this touches its limit; a place in the unit box so near its end touches it."""

FLAT = 1e-6
"""A limit whose slopes are all below this over the whole box keeps no variable from moving."""


@dataclass(frozen=True)
class Multipliers:
    """What limits and ends of ranges are worth.

    Attributes:
        limits: Gain in score for each unit of logarithm by which a limit is loosened.
        low: Gain in score for each unit of the box by which the low end of a range moves out.
        high: Likewise of the high end.
        residual: Part of the score's slope that they leave unbalanced, from 0 to 1; 1 where there
            is no slope because score or limits are not finite.
    """

    limits: np.ndarray
    low: np.ndarray
    high: np.ndarray
    residual: float


def multipliers(local: Local, unit: np.ndarray) -> Multipliers:
    """Prices at a place.

    Args:
        local: Score, limits and slopes there.
        unit: The place in the unit box.
    """
    if not local.smooth():
        return Multipliers(
            np.zeros_like(local.violation), *(np.zeros_like(unit),) * 2, residual=1.0
        )
    score, violation = local.along_box[0], local.along_box[1:]
    gradients = np.linalg.norm(violation, axis=1)
    limits = np.flatnonzero((local.violation > -TOUCHING) & (gradients > FLAT))
    low, high = np.flatnonzero(unit < TOUCHING), np.flatnonzero(unit > 1 - TOUCHING)
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
