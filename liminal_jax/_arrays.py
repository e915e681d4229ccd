"""Array types of the laws and the leaves of the pytrees."""

from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Int

Scalar: TypeAlias = int | float | Float[Array, ""] | Int[Array, ""]
"""A number that a law takes or returns: an exact Python int where things are counted, an array
where they are differentiated or batched."""

Leaf: TypeAlias = Float[Array, "..."]
"""A continuous quantity of a design: always a float array, so that it can be differentiated,
batched with `vmap`, and changed without a second compilation."""

Truth: TypeAlias = Bool[Array, ""]
"""A traced yes or no."""


def as_leaf(value: ArrayLike) -> Leaf:
    """A quantity as a strongly typed float array, in float64 where x64 is enabled.

    Examples:
        >>> as_leaf(2).weak_type
        False
    """
    return jnp.asarray(value, dtype=jnp.result_type(float))


def optional_leaf(value: ArrayLike | None) -> Leaf | None:
    """A quantity that some have and others lack; which, is part of the structure."""
    return None if value is None else as_leaf(value)
