"""What the primitives of JAX compute, in NumPy: on a few numbers it is much sooner done.

Results agree with those of XLA to rounding. Moves work on arrays of any objects.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

Lengths: TypeAlias = Sequence[Any]
"""Lengths, places or axes: whole numbers of Python or of NumPy."""

Number: TypeAlias = Any
"""An array, or what NumPy computes from single numbers."""

Operation: TypeAlias = Callable[..., Any]
"""From arrays and static parameters to an array; of those with several results, to a list."""


def _select(which: Number, *cases: Number) -> Number:
    if len(cases) == 2:
        return np.where(which, cases[1], cases[0])
    return np.asarray(np.choose(np.asarray(which, int), cases))


def _power(base: Number, *, y: int) -> Number:
    return np.asarray(base**y)


def _converted(value: Number, *, new_dtype: Any) -> Number:
    return value.astype(new_dtype)


FEW = 64
"""Numbers for which XLA is asked, where NumPy has no function: to import SciPy's takes an eighth of
a second."""


def _special(by_xla: str, by_scipy: str) -> Operation:
    """A function that NumPy lacks."""

    def run(value: Number) -> Number:
        if np.size(value) <= FEW:
            from jax import lax

            return np.asarray(getattr(lax, by_xla)(value))
        from scipy import special

        return getattr(special, by_scipy)(value)

    return run


ELEMENTWISE: dict[str, Operation] = {
    "add": np.add,
    "and": np.logical_and,
    "asinh": np.arcsinh,
    "ceil": np.ceil,
    "convert_element_type": _converted,
    "div": np.divide,
    "eq": np.equal,
    "erf_inv": _special("erf_inv", "erfinv"),
    "exp": np.exp,
    "expm1": np.expm1,
    "floor": np.floor,
    "ge": np.greater_equal,
    "gt": np.greater,
    "integer_pow": _power,
    "le": np.less_equal,
    "log": np.log,
    "log1p": np.log1p,
    "lt": np.less,
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
    "ne": np.not_equal,
    "neg": np.negative,
    "not": np.logical_not,
    "or": np.logical_or,
    "pow": np.power,
    "select_n": _select,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "square": np.square,
    "sub": np.subtract,
}
"""Primitives that work on each entry for itself, and for which bounds are known."""

_ONLY_TRUTHS = ("and", "not", "or")
_NEVER_WHOLE = ("div", "integer_pow", "pow")


def means_the_same(name: str, kind: str, operands: int) -> bool:
    """Whether NumPy does what an elementwise primitive does: nothing bitwise, no whole quotient.

    Args:
        name: Name of the primitive.
        kind: Kind of its first operand, as NumPy has it.
        operands: Number of its operands.
    """
    if name in _ONLY_TRUTHS:
        return kind == "b"
    if name in _NEVER_WHOLE:
        return kind == "f"
    return name != "select_n" or operands <= 3


def _broadcast(value: Number, *, shape: Lengths, broadcast_dimensions: Lengths) -> Number:
    lengths = dict(zip(broadcast_dimensions, value.shape, strict=True))
    return np.broadcast_to(value.reshape([lengths.get(it, 1) for it in range(len(shape))]), shape)


def _sliced(
    value: Number,
    *,
    start_indices: Lengths,
    limit_indices: Lengths,
    strides: Lengths | None,
) -> Number:
    steps = [1] * value.ndim if strides is None else strides
    return value[tuple(map(slice, start_indices, limit_indices, steps))]


def _split(value: Number, *, sizes: Lengths, axis: int) -> list[Number]:
    return np.split(value, np.cumsum(sizes)[:-1], axis)


def _unstacked(value: Number, *, axis: int) -> list[Number]:
    rows = np.moveaxis(value, axis, 0)
    return [rows[number, ...] for number in range(len(rows))]


MOVES: dict[str, Operation] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": lambda *values, dimension: np.concatenate(values, dimension),
    "expand_dims": lambda value, *, dimensions: np.expand_dims(value, tuple(dimensions)),
    "reshape": lambda value, *, new_sizes: value.reshape(new_sizes),
    "rev": lambda value, *, dimensions: np.flip(value, dimensions),
    "slice": _sliced,
    "split": _split,
    "squeeze": lambda value, *, dimensions: np.squeeze(value, tuple(dimensions)),
    "stack": lambda *values, axis: np.stack(values, axis),
    "transpose": lambda value, *, permutation: np.transpose(value, permutation),
    "unstack": _unstacked,
}
"""Primitives that only move entries."""

FOLDS: dict[str, tuple[str, np.ufunc]] = {
    "reduce_and": ("and", np.logical_and),
    "reduce_max": ("max", np.maximum),
    "reduce_min": ("min", np.minimum),
    "reduce_or": ("or", np.logical_or),
    "reduce_sum": ("add", np.add),
}
"""Primitives that fold entries by another one: its name, and what it is."""


def _window(value: Number, starts: Sequence[Number], sizes: Lengths) -> tuple[slice, ...]:
    """A part of an array that begins where it is told, or as near as it fits into the array."""
    at = [
        min(max(int(start), 0), length - size)
        for start, length, size in zip(starts, value.shape, sizes, strict=True)
    ]
    return tuple(slice(it, it + size) for it, size in zip(at, sizes, strict=True))


def _cut(value: Number, *starts: Number, slice_sizes: Lengths) -> Number:
    return value[_window(value, starts, slice_sizes)]


def _replaced(value: Number, part: Number, *starts: Number) -> Number:
    changed = np.array(value)
    changed[_window(value, starts, part.shape)] = part
    return changed


def _scattered(value: Number, places: Number, part: Number, *, dimension_numbers: Any) -> Number:
    """One part of an array replaced, which begins at the places along some dimensions."""
    starts = np.zeros(value.ndim, int)
    starts[[*dimension_numbers.scatter_dims_to_operand_dims]] = places
    return _replaced(value, part, *starts)


def _is_one_part(parameters: dict[str, Any]) -> bool:
    """Whether a scatter replaces one part, moved to where it fits."""
    it = parameters["dimension_numbers"]
    whole = not it.inserted_window_dims and not it.operand_batching_dims
    clipped = getattr(parameters["mode"], "name", "") == "CLIP"
    one = [*it.update_window_dims] == [*range(len(it.update_window_dims))]
    return whole and clipped and one and parameters["update_jaxpr"] is None


def _padded(value: Number, filling: Number, *, padding_config: Any) -> Number:
    """Padding of at least 0 before, after and between."""
    before, after, between = np.asarray(padding_config, int).reshape(-1, 3).T
    lengths = np.asarray(value.shape, int)
    inside = lengths + np.maximum(lengths - 1, 0) * between
    padded = np.full(before + inside + after, filling)
    places = zip(before, before + inside, between + 1, strict=True)
    padded[tuple(slice(*it) for it in places)] = value
    return padded


def _counted(*, dtype: Any, shape: Lengths, dimension: int) -> Number:
    """Numbers from 0 along a dimension."""
    line = np.arange(shape[dimension], dtype=dtype)
    lengths = [-1 if it == dimension else 1 for it in range(len(shape))]
    return np.broadcast_to(line.reshape(lengths), shape)


def _place_of_largest(value: Number, *, axes: Lengths, index_dtype: Any) -> Number:
    return np.argmax(value, axes[0]).astype(index_dtype)


def in_numpy(name: str, parameters: dict[str, Any], kind: str, operands: int) -> Operation | None:
    """A primitive in NumPy; none where it is done by JAX.

    Args:
        name: Name of the primitive.
        parameters: Its static parameters.
        kind: Kind of its first operand, as NumPy has it.
        operands: Number of its operands.
    """
    if parameters.get("out_dtype") is not None:
        return None
    static = {key: it for key, it in parameters.items() if key in _STATIC.get(name, parameters)}
    run = _known(name, parameters, kind, operands)
    return partial(run, **static) if run is not None and static else run


def _known(name: str, parameters: dict[str, Any], kind: str, operands: int) -> Operation | None:
    if name in ELEMENTWISE:
        return ELEMENTWISE[name] if means_the_same(name, kind, operands) else None
    if name == "pad" and any(part < 0 for it in parameters["padding_config"] for part in it):
        return None
    if name == "scatter" and not _is_one_part(parameters):
        return None
    return _OTHERS.get(name)


def _folding(operation: np.ufunc) -> Operation:
    return lambda value, *, axes: operation.reduce(value, axis=tuple(axes))


_OTHERS: dict[str, Operation] = {
    **MOVES,
    **{name: _folding(operation) for name, (_, operation) in FOLDS.items()},
    "abs": np.abs,
    "argmax": _place_of_largest,
    "dynamic_slice": _cut,
    "dynamic_update_slice": _replaced,
    "iota": _counted,
    "is_finite": np.isfinite,
    "logistic": _special("logistic", "expit"),
    "pad": _padded,
    "scatter": _scattered,
}
"""Primitives for which no bounds are known, or that are no laws of numbers."""

_STATIC = {
    **dict.fromkeys(ELEMENTWISE, ("new_dtype", "y")),
    **dict.fromkeys(FOLDS, ("axes",)),
    "abs": (),
    "argmax": ("axes", "index_dtype"),
    "broadcast_in_dim": ("shape", "broadcast_dimensions"),
    "iota": ("dtype", "shape", "dimension"),
    "is_finite": (),
    "logistic": (),
    "reshape": ("new_sizes",),
    "scatter": ("dimension_numbers",),
}
"""Parameters that change what a primitive computes, of those that have others too."""

SEVERAL = ("split", "unstack")
"""Primitives with a list of results."""
