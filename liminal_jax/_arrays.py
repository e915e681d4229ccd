"""Array types of the laws and the leaves of the pytrees."""

import math
from functools import lru_cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import dtypes
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Bool, Float, Int

Scalar: TypeAlias = int | float | Float[Array, ""] | Int[Array, ""]
"""A number that a law takes or returns: an exact Python int where things are counted, an array
where they are differentiated or batched."""

Leaf: TypeAlias = Float[Array, "..."]
"""A continuous quantity of a design: always a float array, so that it can be differentiated,
batched with `vmap`, and changed without a second compilation."""

Truth: TypeAlias = Bool[Array, ""]
"""A traced yes or no."""


MOST = 10_000
"""Numbers of which the array is kept."""


def as_leaf(value: ArrayLike) -> Leaf:
    """A quantity as a strongly typed float array, in float64 where x64 is enabled.

    Examples:
        >>> as_leaf(2).weak_type
        False
    """
    kind = dtypes.canonicalize_dtype(float)
    if isinstance(value, int | float):
        number = float(value)
        device = jax.config.values["jax_default_device"]
        return _of_number(number, math.copysign(1.0, number), kind, device)
    if isinstance(value, jax.Array) and value.dtype == kind and not jax.typeof(value).weak_type:
        return value
    return jnp.asarray(value, dtype=kind)


@lru_cache(maxsize=MOST)
def _of_number(value: float, sign: float, kind: np.dtype, device: Any) -> Leaf:
    """The array of a number, by its sign too, since 0 is -0; to make one takes 70 us."""
    del sign, device
    # A trace that the caller is in the middle of is over before the array is asked for again.
    with jax.ensure_compile_time_eval():
        # NumPy converts a number of Python; JAX would compile a program for it.
        return jnp.asarray(np.asarray(value, kind))


def as_number(value: Leaf) -> Any:
    """An array as an exact number of Python; as it is where it is traced."""
    return value if isinstance(value, Tracer) else float(value)


def numpy_for(*numbers: Any) -> Any:
    """NumPy, which is quicker, for numbers that are known; JAX's where one of them is traced."""
    return jnp if any(isinstance(it, Tracer) for it in numbers) else np


def optional_leaf(value: ArrayLike | None) -> Leaf | None:
    """A quantity that some have and others lack; which, is part of the structure."""
    return None if value is None else as_leaf(value)
