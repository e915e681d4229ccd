r"""The augmented Lagrangian: score and limits as one function to minimise.

    L(x) = -s(x) + sum_i (max(m_i + w e_i(x), 0)^2 - m_i^2) / (2 w)

with score s, violation e_i (at most 0 where limit i holds), multipliers m_i >= 0 and weight w. At a
minimum of L, max(m_i + w e_i, 0) is a better estimate of the Lagrange multipliers than m_i.

References:
    Rockafellar (1974), SIAM J. Control 12, 268: the form for inequalities.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from liminal_jax._arrays import Scalar
from liminal_jax.study.problem import Outcome


def raised(
    violation: Float[Array, " limits"], multipliers: Float[Array, " limits"], weight: Scalar
) -> Float[Array, " limits"]:
    """Updated multipliers, max(m + w e, 0): higher where a limit is exceeded.

    Examples:
        >>> [float(it) for it in raised(jnp.array([0.5, -2.0]), jnp.array([1.0, 1.0]), 4.0)]
        [3.0, 0.0]
    """
    return jnp.maximum(multipliers + weight * violation, 0.0)


def augmented(
    outcome: Outcome, multipliers: Float[Array, " limits"], weight: Scalar
) -> Float[Array, ""]:
    """The augmented Lagrangian of an outcome, to be minimised.

    Examples:
        >>> outcome = Outcome(score=jnp.array(3.0), violation=jnp.array([0.5, -2.0]))
        >>> float(augmented(outcome, jnp.array([0.0, 0.0]), 4.0))
        -2.5
    """
    pressed = raised(outcome.violation, multipliers, weight)
    return -outcome.score + jnp.sum(pressed**2 - multipliers**2) / (2 * weight)
