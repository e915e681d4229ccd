"""Array types of the laws and the leaves of the pytrees."""

from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

Scalar: TypeAlias = int | float | Float[Array, ""] | Int[Array, ""]
"""A number that a law takes or returns: an exact Python int where things are counted, an array
where they are differentiated or batched."""

Leaf: TypeAlias = Float[Array, "..."]
"""A continuous quantity of a design: always a float array, so that it can be differentiated,
batched with `vmap`, and changed without a second compilation."""

Flag: TypeAlias = Bool[Array, ""] | bool


def as_leaf(value: ArrayLike | np.ndarray) -> Leaf:
    """A quantity as a strongly typed float array, in float64 where x64 is enabled.

    Examples:
        >>> as_leaf(2).weak_type
        False
    """
    return jnp.asarray(value, dtype=jnp.result_type(float))
