"""Where a function of one positive number changes sign: bisection of its logarithm."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

HALVINGS = 60  # halvings of the bracket: a hundred decades shrink below the rounding of float64


def crossing(
    function: Callable[[jax.Array], jax.Array], low: jax.Array | float, high: jax.Array | float
) -> jax.Array:
    """Where a function falls through zero; it may jump there.

    Args:
        function: Positive below its root and negative above it.
        low: Lower end of the bracket, above 0.
        high: Its upper end.

    Returns:
        The root; NaN where the function has one sign at both ends.

    Examples:
        >>> round(float(crossing(lambda it: 9.0 - it**2, 0.1, 100.0)), 5)
        3.0
    """

    def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        middle = jnp.sqrt(ends[0] * ends[1])
        above = function(middle) > 0
        return jnp.where(above, middle, ends[0]), jnp.where(above, ends[1], middle)

    bracket = (jnp.asarray(low, float), jnp.asarray(high, float))
    ends = jax.lax.fori_loop(0, HALVINGS, halve, bracket)
    bracketed = (function(bracket[0]) > 0) & (function(bracket[1]) < 0)
    return jnp.where(bracketed, jnp.sqrt(ends[0] * ends[1]), jnp.nan)


def or_none(value: jax.Array | float) -> float | None:
    """A number for a record; none for one that is not finite.

    Examples:
        >>> or_none(1.5), or_none(math.nan)
        (1.5, None)
    """
    number = float(value)
    return number if math.isfinite(number) else None
