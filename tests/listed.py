"""Functions of tests as predictions are evaluated: traced, and never compiled.

A derivative of the model takes many times as long to compile as all differences that it is held to.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax

from liminal_jax._traced import Traced, traced


def in_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A pure function of arrays, traced once for each structure; within a trace as it stands."""
    known: dict[Any, Traced] = {}

    @wraps(function)
    def call(*args: Any) -> Any:
        leaves, structure = jax.tree.flatten(args)
        if any(isinstance(it, jax.core.Tracer) for it in leaves):
            return function(*args)
        key = structure, tuple((jax.numpy.shape(it), jax.numpy.result_type(it)) for it in leaves)
        if key not in known:
            known[key] = traced(function, *args)
        return known[key].evaluated(leaves)

    return call
