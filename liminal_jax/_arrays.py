"""Array types of the laws and the leaves of the pytrees."""

from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import dtypes
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
    kind = dtypes.canonicalize_dtype(float)
    if isinstance(value, jax.Array) and value.dtype == kind and not jax.typeof(value).weak_type:
        return value
    # NumPy converts a number of Python; JAX would compile a program for it.
    number = np.asarray(value, kind) if isinstance(value, int | float) else value
    return jnp.asarray(number, dtype=kind)


def optional_leaf(value: ArrayLike | None) -> Leaf | None:
    """A quantity that some have and others lack; which, is part of the structure."""
    return None if value is None else as_leaf(value)
