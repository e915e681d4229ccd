"""A traced function as tables and a short program that joins them.

A design space is a product of a few short axes, and most intermediate results of a model depend on
few of them: traffic on the batch and the degrees of parallelism, the price of a chip on its parts.
Such a result is computed once for all combinations of its axes, as a table, whose extremes over any
box are exact. Only what joins many axes remains as steps, for which ranges must be propagated.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal
from scipy.special import erfinv

from liminal_jax._monotone import MONOTONE


@dataclass(frozen=True, eq=False)
class Table:
    """A result for every combination of the values of some axes.

    Attributes:
        axes: Numbers of the axes it depends on, ascending.
        values: Results, one dimension for each axis.
    """

    axes: tuple[int, ...]
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Step:
    """A result that joins too many axes for a table.

    Attributes:
        operation: Name of the primitive, or of a monotone law.
        operands: Its operands.
        parameters: Static parameters of the primitive.
    """

    operation: str
    operands: "tuple[Entry, ...]"
    parameters: dict[str, Any]


Entry: TypeAlias = Table | Step
"""A scalar result of the traced function."""

_Operation: TypeAlias = Callable[..., np.ndarray]


def _select(which: np.ndarray, *cases: np.ndarray) -> np.ndarray:
    return np.asarray(np.choose(np.asarray(which, int), cases))


def _power(base: np.ndarray, *, y: int) -> np.ndarray:
    return np.asarray(base**y)


def _converted(value: np.ndarray, *, new_dtype: Any) -> np.ndarray:
    return value.astype(new_dtype)


ELEMENTWISE: dict[str, _Operation] = {
    "add": np.add,
    "and": np.logical_and,
    "asinh": np.arcsinh,
    "ceil": np.ceil,
    "convert_element_type": _converted,
    "div": np.divide,
    "eq": np.equal,
    "erf_inv": erfinv,
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
"""Primitives that work on each entry for itself."""


def _operation(name: str) -> _Operation:
    """What computes a result from numbers, by the name of a primitive or of a monotone law."""
    return MONOTONE[name].at if name in MONOTONE else ELEMENTWISE[name]


_ALSO_CALLED = {"add_any": "add"}
"""Primitives equal to another one: derivatives are summed by a separate primitive."""

_MOVES = {
    "broadcast_in_dim",
    "concatenate",
    "expand_dims",
    "reshape",
    "rev",
    "slice",
    "squeeze",
    "split",
    "stack",
    "transpose",
    "unstack",
}
"""Primitives that only move entries."""

_FOLDS = {
    "reduce_and": "and",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_or": "or",
    "reduce_sum": "add",
}
"""Primitives that fold entries by another one."""

_STATIC = ("new_dtype", "y")
"""Parameters that change what an elementwise primitive computes."""


def _filled(shape: tuple[int, ...], entries: Iterable[Entry]) -> np.ndarray:
    """An array of entries."""
    filled = np.empty(math.prod(shape), object)
    for index, entry in enumerate(entries):
        filled[index] = entry
    return filled.reshape(shape)


def constant(value: Any) -> np.ndarray:
    """Entries that depend on no axis.

    Args:
        value: An array or number.
    """
    array = np.asarray(value)
    return _filled(array.shape, (Table((), np.asarray(it)) for it in array.ravel()))


def along(axis: int, values: Any) -> Table:
    """The entry that takes the values of an axis."""
    return Table((axis,), np.asarray(values))


def _joined_axes(tables: Sequence[Table]) -> tuple[int, ...]:
    return tuple(sorted(set().union(*(table.axes for table in tables))))


def _aligned(table: Table, axes: tuple[int, ...]) -> np.ndarray:
    """The values of a table, with a dimension for each of some axes."""
    lengths = dict(zip(table.axes, table.values.shape, strict=True))
    return table.values.reshape([lengths.get(axis, 1) for axis in axes])


_CALLS = ("closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "jit", "pjit", "remat2")
"""Primitives that call a function once."""


def _inner(equation: JaxprEqn) -> ClosedJaxpr | Jaxpr | None:
    """The function that an equation calls, if it does nothing else."""
    if equation.primitive.name not in _CALLS:
        return None
    return equation.params.get("jaxpr", equation.params.get("call_jaxpr"))


def needed(jaxpr: Jaxpr) -> list[JaxprEqn]:
    """The equations that the results depend on, in order."""
    wanted = {var for var in jaxpr.outvars if not isinstance(var, Literal)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if wanted.isdisjoint(equation.outvars):
            continue
        wanted |= {var for var in equation.invars if not isinstance(var, Literal)}
        kept.append(equation)
    return kept[::-1]


_ONLY_TRUTHS = ("and", "not", "or")
_NEVER_WHOLE = ("div", "integer_pow", "pow")


def _means_the_same(equation: JaxprEqn) -> bool:
    """Whether NumPy does what the primitive does: nothing bitwise, no quotient of integers."""
    name, first = equation.primitive.name, equation.invars[0].aval
    kind = first.dtype.kind if isinstance(first, ShapedArray) else ""
    if name in _ONLY_TRUTHS:
        return kind == "b"
    if name in _NEVER_WHOLE:
        return kind == "f"
    if name == "select_n":
        return len(equation.invars) <= 3
    return True


def _identity(entry: Entry) -> object:
    """The key of an entry among others; that of a constant is its value."""
    if isinstance(entry, Table) and not entry.axes:
        return entry.values.dtype.str, entry.values.tobytes()
    return id(entry)


class _Tabulation:
    """Evaluates a jaxpr on entries."""

    def __init__(self, shape: tuple[int, ...], largest: int):
        self._shape = shape
        self._largest = largest
        self._known: dict[tuple, tuple[tuple[Entry, ...], Entry]] = {}

    def run(
        self, jaxpr: Jaxpr, constants: Sequence[np.ndarray], arguments: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Entries of the results, given those of constants and arguments."""
        known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))

        def read(variable: Any) -> np.ndarray:
            return constant(variable.val) if isinstance(variable, Literal) else known[variable]

        for equation in needed(jaxpr):
            results = self._equation(equation, [read(it) for it in equation.invars])
            known.update(zip(equation.outvars, results, strict=True))
        return [read(it) for it in jaxpr.outvars]

    def _equation(self, equation: JaxprEqn, operands: list[np.ndarray]) -> list[np.ndarray]:
        name, inner = equation.primitive.name, _inner(equation)
        if equation.params.get("name") in MONOTONE:
            return [self._elementwise(equation.params["name"], {}, operands)]
        name = _ALSO_CALLED.get(name, name)
        if isinstance(inner, ClosedJaxpr):
            return self.run(inner.jaxpr, [constant(it) for it in inner.consts], operands)
        if inner is not None:
            return self.run(inner, [], operands)
        if name in _MOVES:
            return self._moved(equation, operands)
        if name in _FOLDS:
            return [self._folded(_FOLDS[name], equation.params["axes"], operands[0])]
        if name == "argmax":
            return [self._place_of_largest(equation, operands[0])]
        if name in ELEMENTWISE and _means_the_same(equation):
            static = {key: equation.params[key] for key in _STATIC if key in equation.params}
            return [self._elementwise(name, static, operands)]
        return self._by_cases(equation, operands)

    def _moved(self, equation: JaxprEqn, operands: list[np.ndarray]) -> list[np.ndarray]:
        """Entries moved as the primitive moves their numbers."""
        pool = np.concatenate([operand.ravel() for operand in operands])
        ends = np.cumsum([operand.size for operand in operands])
        numbers = [
            np.arange(end - operand.size, end).reshape(operand.shape)
            for operand, end in zip(operands, ends, strict=True)
        ]
        results = equation.primitive.bind(*numbers, **equation.params)
        moved = results if equation.primitive.multiple_results else [results]
        return [_filled(it.shape, pool[it.ravel()]) for it in map(np.asarray, moved)]

    def _folded(self, name: str, axes: tuple[int, ...], operand: np.ndarray) -> np.ndarray:
        rows = np.moveaxis(operand, axes, range(len(axes)))
        rows = rows.reshape(-1, *rows.shape[len(axes) :])
        folded = rows[0, ...]
        for row in range(1, len(rows)):
            folded = self._elementwise(name, {}, [folded, rows[row, ...]])
        return folded

    def _place_of_largest(self, equation: JaxprEqn, operand: np.ndarray) -> np.ndarray:
        """The first place of the largest entry along an axis, by comparing one after the other."""
        (axis,), dtype = equation.params["axes"], equation.params["index_dtype"]
        rows = np.moveaxis(operand, axis, 0)
        largest, place = rows[0, ...], constant(np.zeros(rows.shape[1:], dtype))
        for row in range(1, len(rows)):
            there = constant(np.full(rows.shape[1:], row, dtype))
            better = self._elementwise("gt", {}, [rows[row, ...], largest])
            place = self._elementwise("select_n", {}, [better, place, there])
            largest = self._elementwise("max", {}, [largest, rows[row, ...]])
        return place

    def _elementwise(self, name: str, static: dict, operands: list[np.ndarray]) -> np.ndarray:
        shape = np.broadcast_shapes(*(operand.shape for operand in operands))
        columns = [np.broadcast_to(operand, shape).ravel() for operand in operands]
        return _filled(
            shape, (self._entry(name, static, row) for row in zip(*columns, strict=True))
        )

    def _entry(self, name: str, static: dict, operands: tuple[Entry, ...]) -> Entry:
        """One result; the same operation on the same operands gives the same entry."""
        key = (name, *map(str, static.values()), *map(_identity, operands))
        if key not in self._known:
            # Operands are stored with the result, so that their `id` is not reused.
            self._known[key] = operands, self._computed(name, static, operands)
        return self._known[key][1]

    def _computed(self, name: str, static: dict, operands: tuple[Entry, ...]) -> Entry:
        tables = [it for it in operands if isinstance(it, Table)]
        if len(tables) < len(operands):
            return Step(name, operands, static)
        axes = _joined_axes(tables)
        if math.prod(self._shape[axis] for axis in axes) > self._largest:
            return Step(name, operands, static)
        with np.errstate(all="ignore"):
            values = _operation(name)(*(_aligned(table, axes) for table in tables), **static)
        return Table(axes, np.asarray(values))

    def _by_cases(self, equation: JaxprEqn, operands: list[np.ndarray]) -> list[np.ndarray]:
        """Results of any primitive, evaluated for each combination of its axes by itself."""
        name = equation.primitive.name
        entries = [entry for operand in operands for entry in operand.ravel()]
        if any(isinstance(entry, Step) for entry in entries):
            raise NotImplementedError(f"no bounds are known for {name!r} of many variables")
        axes = _joined_axes(entries)
        lengths = [self._shape[axis] for axis in axes]
        cases = []
        for place in np.ndindex(*lengths):
            arrays = [
                self._at(operand, dict(zip(axes, place, strict=True))) for operand in operands
            ]
            results = equation.primitive.bind(*arrays, **equation.params)
            cases.append(results if equation.primitive.multiple_results else [results])
        return [
            self._tables(axes, lengths, [np.asarray(case[number]) for case in cases])
            for number in range(len(equation.outvars))
        ]

    def _at(self, operand: np.ndarray, place: dict[int, int]) -> np.ndarray:
        """The numbers of an array of tables at one place."""
        numbers = [
            table.values[tuple(place[axis] for axis in table.axes)] for table in operand.ravel()
        ]
        return np.asarray(numbers).reshape(operand.shape)

    def _tables(
        self, axes: tuple[int, ...], lengths: list[int], cases: list[np.ndarray]
    ) -> np.ndarray:
        stacked = np.stack([case.ravel() for case in cases], axis=-1)
        tables = (Table(axes, row.reshape(lengths)) for row in stacked)
        return _filled(cases[0].shape, tables)


def tabulated(
    function: Callable[..., Any],
    arguments: Sequence[np.ndarray],
    shape: tuple[int, ...],
    largest: int,
) -> list[Entry]:
    """The scalar results of a function over a lattice.

    Args:
        function: Traceable by JAX; takes and returns arrays.
        arguments: Entries of each argument, made by `constant` and `along`.
        shape: Number of values of each axis.
        largest: Entries up to which a result is kept as a table.

    Returns:
        Every number that the function returns, in the order of its flattened result.

    Raises:
        NotImplementedError: a primitive that no bounds are known for.
    """
    examples = [_example(argument) for argument in arguments]
    closed = jax.make_jaxpr(function)(*examples)
    run = _Tabulation(shape, largest).run
    results = run(closed.jaxpr, [constant(it) for it in closed.consts], arguments)
    return [entry for result in results for entry in result.ravel()]


def _example(argument: np.ndarray) -> np.ndarray:
    """Numbers of the shape and type of some entries."""
    first = [np.asarray(table.values).ravel()[0] for table in argument.ravel()]
    return np.asarray(first).reshape(argument.shape)
