r"""How the relaxed optimum moves when a number changes: implicit differentiation.

With the active set held (limits with a price, variables at the ends of their ranges) an optimum x
with prices p solves

    grad_x L(x, p, t) = 0,   e_a(x, t) = 0,   L = s - sum_a p_a e_a

in the free variables x and the prices of the active limits a, so that along a number t

    | H  -E' | |dx|     | d grad_x L / dt |
    | E   0  | |dp| = - | d e_a / dt      |

with H the second slopes of L and E the slopes of e_a.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum

SINGULAR = 1e-6
"""Singular values below this share of the largest count as zero: the optimum is a flat valley."""

INVOLVED = 1e-3
"""A variable with a larger part in a direction of the valley is not determined."""

UNSOLVED = 1e-6
"""A number leaves the active set where more than this share of its effect cannot be balanced."""


@dataclass(frozen=True)
class ParametricSensitivity:
    """Per cent by which each variable moves for one per cent of each number.

    Attributes:
        elasticities: A row for each variable, a column for each number; 0 for variables that the
            ends of their ranges hold, NaN for those that are not determined, or where the active
            set cannot be held.
        undetermined: Variables that can move along a flat valley at no loss.
    """

    elasticities: np.ndarray
    undetermined: tuple[str, ...]


def parametric_sensitivity(gradients: Gradients, optimum: RelaxedOptimum) -> ParametricSensitivity:
    """How a relaxed optimum moves with every number of the study, to first order.

    Args:
        gradients: The relaxed study.
        optimum: Its optimum.
    """
    problem, local, worth = gradients.problem, optimum.local, optimum.multipliers
    names = [it.name for it in problem.variables]
    free = np.flatnonzero((worth.low == 0.0) & (worth.high == 0.0))
    active = np.flatnonzero(worth.limits)
    curved = gradients.curvature(
        optimum.unit, optimum.category, gradients.unchanged(), np.append(1.0, -worth.limits)
    )
    limits = local.along_box[1 + active][:, free]
    system = np.block(
        [
            [curved.along_box[np.ix_(free, free)], -limits.T],
            [limits, np.zeros((len(active), len(active)))],
        ]
    )
    effect = -np.concatenate([curved.along_numbers[free], local.along_numbers[1 + active]])
    solution, valley = _solved(system, effect)
    loose = np.linalg.norm(valley[: len(free)], axis=1) > INVOLVED
    units = np.where(loose[:, None], np.nan, solution[: len(free)])
    elasticities = np.zeros((len(names), gradients.parameters.count))
    elasticities[free] = _relative(gradients, optimum)[free, None] * units
    return ParametricSensitivity(elasticities, tuple(names[it] for it in free[loose]))


def _relative(gradients: Gradients, optimum: RelaxedOptimum) -> np.ndarray:
    """Growth of the logarithm of each variable along the box; NaN for a variable at 0."""
    unit = jnp.asarray(optimum.unit)
    here = np.asarray(gradients.box.values(unit))
    there = np.where(here > 0, here, 1.0)
    return np.where(here > 0, np.asarray(gradients.box.stretch(unit)) / there, np.nan)


def _solved(system: np.ndarray, effect: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least solution of a linear system for each column, and what it leaves open.

    Returns:
        Solutions, NaN where there is none; directions along which the system is singular.
    """
    left, values, right = np.linalg.svd(system)
    sound = values > SINGULAR * values.max(initial=0.0)
    balanced = left[:, sound].T @ effect
    solution = right[sound].T @ (balanced / values[sound, None])
    short = np.linalg.norm(left[:, ~sound].T @ effect, axis=0)
    whole = np.linalg.norm(effect, axis=0)
    return np.where(short > UNSOLVED * np.maximum(whole, 1e-300), np.nan, solution), right[~sound].T
