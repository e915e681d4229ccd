"""Functions of tests as predictions are evaluated: traced, and never compiled.

A derivative of the model takes many times as long to compile as all differences that it is held to.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax

from liminal_jax._traced import traced


def in_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A pure function of arrays, traced once for each structure; within a trace as it stands."""
    known: dict[Any, Any] = {}

    @wraps(function)
    def call(*args: Any) -> Any:
        leaves, structure = jax.tree.flatten(args)
        if any(isinstance(it, jax.core.Tracer) for it in leaves):
            return function(*args)
        key = structure, tuple((jax.numpy.shape(it), jax.numpy.result_type(it)) for it in leaves)
        if key not in known:
            known[key] = traced(function, *args), jax.eval_shape(function, *args)
        trace, shapes = known[key]
        found = map(jax.numpy.asarray, trace.run(*map(jax.numpy.asarray, leaves)))
        return jax.tree.unflatten(jax.tree.structure(shapes), [*found])

    return call
