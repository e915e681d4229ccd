"""Laws that are asked for in several places, worked out once in an evaluation.

Attention, collectives and limits all ask how a group divides the heads, and each answer is dozens
of operations: traced again each time, they would be most of a program. What is remembered is found
by the arrays themselves, not by their values, so it is what would be worked out again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import jax
from jax.extend.core import get_opaque_trace_state

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


class _Remembered(NamedTuple):
    """What a function gave.

    Attributes:
        trace: Where: what is traced in one function does not exist in another.
        leaves: Of what; they live on, so that no other array takes the place of one of them.
        output: The result.
    """

    trace: Any
    leaves: list[Any]
    output: Any


_MEMORY: ContextVar[dict[Any, _Remembered] | None] = ContextVar("_MEMORY", default=None)


@contextmanager
def _evaluation() -> Iterator[None]:
    if _MEMORY.get() is not None:
        yield
        return
    token = _MEMORY.set({})
    try:
        yield
    finally:
        _MEMORY.reset(token)


def evaluation(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """A function in which, and in all that it calls, functions of `once` remember."""

    @wraps(function)
    def evaluated(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        with _evaluation():
            return function(*args, **kwargs)

    return evaluated


def once(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """A pure function of pytrees, worked out once for the same arrays within an evaluation."""

    @wraps(function)
    def remembered(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        memory = _MEMORY.get()
        if memory is None:
            return function(*args, **kwargs)
        leaves, structure = jax.tree.flatten((args, kwargs))
        key = (function, structure, *[_identity(it) for it in leaves])
        trace, found = get_opaque_trace_state(), memory.get(key)
        if found is None or found.trace != trace:
            found = memory[key] = _Remembered(trace, leaves, function(*args, **kwargs))
        return cast("Output", found.output)

    return remembered


def _identity(leaf: Any) -> Any:
    """A number of Python is its value; an array is itself."""
    return (type(leaf), leaf) if isinstance(leaf, bool | int | float) else id(leaf)
