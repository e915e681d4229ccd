r"""Parametric sensitivity of the relaxed optimum, by the implicit function theorem.

With the active set fixed (limits with a positive multiplier, variables at a bound) an optimum x
with multipliers p solves

    grad_x L(x, p, t) = 0,   e_a(x, t) = 0,   L = s - sum_a p_a e_a

in the free variables x and the multipliers of the active limits a. Its derivative along a
parameter t is

    | H  -E' | |dx|     | d grad_x L / dt |
    | E   0  | |dp| = - | d e_a / dt      |

with H the Hessian of L and E the Jacobian of e_a.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum

SINGULAR = 1e-6
"""Singular values below this share of the largest count as zero: the optimum is not unique."""

DETERMINED = 1e-3
"""Largest component of the null space along a variable that counts as determined."""

UNBALANCED = 1e-6
"""Largest unbalanced share of a right-hand side; above it no solution keeps the active set."""


@dataclass(frozen=True)
class ParametricSensitivity:
    """Elasticity of each variable at the optimum with respect to each parameter.

    Attributes:
        elasticities: A row for each variable, a column for each parameter; 0 for variables at a
            bound, NaN for undetermined ones, or where no solution keeps the active set.
        undetermined: Variables that can move without loss, since the optimum is not unique.
    """

    elasticities: np.ndarray
    undetermined: tuple[str, ...]


def parametric_sensitivity(gradients: Gradients, optimum: RelaxedOptimum) -> ParametricSensitivity:
    """The first-order response of a relaxed optimum to every parameter of the study.

    Args:
        gradients: The relaxed problem.
        optimum: Its optimum.
    """
    problem, local, duals = gradients.problem, optimum.local, optimum.multipliers
    names = [it.name for it in problem.variables]
    free = np.flatnonzero((duals.low == 0.0) & (duals.high == 0.0))
    active = np.flatnonzero(duals.limits)
    curvature = gradients.curvature(
        optimum.unit, optimum.category, gradients.unchanged(), np.append(1.0, -duals.limits)
    )
    limits = local.along_box[1 + active][:, free]
    system = np.block(
        [
            [curvature.along_box[np.ix_(free, free)], -limits.T],
            [limits, np.zeros((len(active), len(active)))],
        ]
    )
    right_side = -np.concatenate([curvature.along_numbers[free], local.along_numbers[1 + active]])
    solution, null_space = _least_norm_solution(system, right_side)
    undetermined = np.linalg.norm(null_space[: len(free)], axis=1) > DETERMINED
    units = np.where(undetermined[:, None], np.nan, solution[: len(free)])
    elasticities = np.zeros((len(names), gradients.parameters.count))
    elasticities[free] = _relative(gradients, optimum)[free, None] * units
    return ParametricSensitivity(elasticities, tuple(names[it] for it in free[undetermined]))


def _relative(gradients: Gradients, optimum: RelaxedOptimum) -> np.ndarray:
    """Derivative of the logarithm of each variable along its coordinate; NaN for one at 0."""
    unit = jnp.asarray(optimum.unit)
    here = np.asarray(gradients.box.values(unit))
    there = np.where(here > 0, here, 1.0)
    return np.where(here > 0, np.asarray(gradients.box.stretch(unit)) / there, np.nan)


def _least_norm_solution(
    system: np.ndarray, right_side: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The solution of least norm for each column, and a basis of the null space.

    Returns:
        Solutions, NaN in the columns that have none; the null space, a column for each direction.
    """
    # The KKT matrix is singular where the optimum is not unique (two variables enter the model only
    # as a product, say) or constraints are redundant. A right-hand side with a part outside the
    # range then has no solution with this active set: the active set changes at once.
    left, values, right = np.linalg.svd(system)
    nonzero = values > SINGULAR * values.max(initial=0.0)
    balanced = left[:, nonzero].T @ right_side
    solution = right[nonzero].T @ (balanced / values[nonzero, None])
    short = np.linalg.norm(left[:, ~nonzero].T @ right_side, axis=0)
    whole = np.linalg.norm(right_side, axis=0)
    return np.where(short > UNBALANCED * np.maximum(whole, 1e-300), np.nan, solution), right[
        ~nonzero
    ].T
