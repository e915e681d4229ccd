"""Functions that are evaluated as lists of operations: traced, and never compiled.

What is asked of some hundreds of designs takes seconds to compile, and milliseconds to run.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer

from liminal_jax._traced import Traced, traced

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def in_numpy(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """A pure function of pytrees, traced once for each structure; within a trace as it stands.

    What of the arguments is neither an array nor a number is told apart as `eqx.filter_jit` does.

    Args:
        function: The function; it takes its arguments by their positions.
    """
    known: dict[Any, Traced] = {}

    def of_arrays(*args: Any) -> Output:
        # A function within another: what is at the top of a module may be found by its name, and
        # its code may have changed.
        return cast("Any", function)(*args)

    @wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        numbers, rest = eqx.partition(args, eqx.is_array_like)
        leaves, structure = jax.tree.flatten(numbers)
        if kwargs or any(isinstance(it, Tracer) for it in leaves):
            return function(*args, **kwargs)
        arrays = [*map(jnp.asarray, leaves)]
        others, form = jax.tree.flatten(rest)
        key = structure, form, tuple(others), tuple(map(jax.typeof, arrays))
        if key not in known:
            known[key] = traced(
                of_arrays, *eqx.combine(jax.tree.unflatten(structure, arrays), rest)
            )
        return cast("Output", known[key].evaluated(arrays))

    return call
