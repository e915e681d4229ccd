"""A traced function as tables and a short program that joins them.

A design space is a product of a few short axes, and most intermediate results of a model depend on
few of them: traffic on the batch and the degrees of parallelism, the price of a chip on its parts.
Such a result is computed once for all combinations of its axes, as a table, whose extremes over any
box are exact. Only what joins many axes remains as steps, for which ranges must be propagated.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import jax
import numpy as np

from liminal_jax._kinks import KINKS
from liminal_jax._monotone import MONOTONE
from liminal_jax._primitives import ELEMENTWISE, FOLDS, MOVES, Operation
from liminal_jax._traced import Equation, Traced, traced
from liminal_jax.bounds.ranges import Range, defined, ranged

ROUNDING = 1e-15
"""Relative difference of two numbers that only rounding sets apart: a few times its error."""


@dataclass(frozen=True, eq=False)
class Table:
    """A result for every combination of the values of some axes.

    Attributes:
        axes: Numbers of the axes it depends on, ascending.
        values: Results, one dimension for each axis.
    """

    axes: tuple[int, ...]
    values: np.ndarray

    @cached_property
    def everywhere(self) -> Range:
        """Its range over the whole lattice."""
        values = np.asarray(self.values, float)
        low, high = defined(values.min(keepdims=True).ravel(), values.max(keepdims=True).ravel())
        return Range(low, high, bool(low >= 0))

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """Whether it rises ("up") or falls ("down") along each axis, or "both"; with NaN, both."""
        values = np.asarray(self.values, float)
        return tuple(_way(np.moveaxis(values, dimension, 0)) for dimension in range(values.ndim))


def _way(rows: np.ndarray) -> str:
    """Whether rows rise or fall, or both."""
    ahead, behind = rows[1:], rows[:-1]
    with np.errstate(invalid="ignore"):
        slack = ROUNDING * np.abs(behind)
        if np.all(ahead >= behind - slack):
            return "up"
        return "down" if np.all(ahead <= behind + slack) else "both"


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

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """Numbers of the axes it depends on, ascending."""
        return joined_axes(self.operands)

    @cached_property
    def everywhere(self) -> Range:
        """Its range over the whole lattice, or a wider one."""
        ends = ranged(self.operation, [it.everywhere for it in self.operands], self.parameters)
        return ends._replace(positive=bool(ends.low >= 0))


Entry: TypeAlias = Table | Step
"""A scalar result of the traced function."""


def finite(entry: Entry) -> bool:
    """Whether a result is a finite number everywhere."""
    return bool(np.isfinite(entry.everywhere[:2]).all())


def whole_names() -> tuple[str, ...]:
    """Names of the functions that are operations here, and not what they do."""
    return (*sorted(MONOTONE), *KINKS)


def operation_of(name: str) -> Operation:
    """What computes a result from numbers, by the name of an operation."""
    if name in KINKS:
        return partial(KINKS[name].value, np)
    return MONOTONE[name].at if name in MONOTONE else ELEMENTWISE[name]


_STATIC = ("new_dtype", "y")
"""Parameters that change what an elementwise primitive computes."""


_PICKS = ("dynamic_slice", "gather")
"""Primitives that pick entries of their first operand, by places that may depend on an axis."""


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


def joined_axes(entries: Iterable[Entry]) -> tuple[int, ...]:
    """Numbers of the axes that some entries depend on, ascending."""
    return tuple(sorted(set().union(*(it.axes for it in entries))))


def _aligned(table: Table, axes: tuple[int, ...]) -> np.ndarray:
    """The values of a table, with a dimension for each of some axes."""
    lengths = dict(zip(table.axes, table.values.shape, strict=True))
    return table.values.reshape([lengths.get(axis, 1) for axis in axes])


def _identity(entry: Entry) -> object:
    """The key of an entry among others; that of a constant is its value."""
    if isinstance(entry, Table) and not entry.axes:
        return entry.values.dtype.str, entry.values.tobytes()
    return id(entry)


class Entries:
    """Makes entries: tables where they are small enough, else steps; each distinct one once."""

    def __init__(self, shape: tuple[int, ...], largest: int):
        """Nothing made yet.

        Args:
            shape: Number of values of each axis.
            largest: Entries up to which a result is kept as a table.
        """
        self.shape = shape
        self._largest = largest
        self._known: dict[tuple, tuple[tuple[Entry, ...], Entry]] = {}

    def size(self, axes: Iterable[int]) -> int:
        """Entries of a table of some axes."""
        return math.prod(self.shape[axis] for axis in axes)

    def fits(self, axes: Iterable[int]) -> bool:
        """Whether a result of some axes is kept as a table."""
        return self.size(axes) <= self._largest

    def of(self, name: str, operands: tuple[Entry, ...], static: dict[str, Any]) -> Entry:
        """The result of an operation."""
        return self._made(self._computed, name, operands, static)

    def step(self, name: str, operands: tuple[Entry, ...]) -> Entry:
        """The result of an operation, as a step whatever its size."""
        return self._made(Step, name, operands, {})

    def _made(
        self, make: Callable[..., Entry], name: str, operands: tuple[Entry, ...], static: dict
    ) -> Entry:
        """A result; the same operation on the same operands gives the same one."""
        key = (make is Step, name, *map(str, static.values()), *map(_identity, operands))
        if key not in self._known:
            # Operands are stored with the result, so that their `id` is not reused.
            self._known[key] = operands, make(name, operands, static)
        return self._known[key][1]

    def _computed(self, name: str, operands: tuple[Entry, ...], static: dict) -> Entry:
        tables = [it for it in operands if isinstance(it, Table)]
        axes = joined_axes(tables)
        if len(tables) < len(operands) or not self.fits(axes):
            return Step(name, operands, static)
        with np.errstate(all="ignore"):
            values = operation_of(name)(*(_aligned(table, axes) for table in tables), **static)
        return Table(axes, np.asarray(values))


class _Tabulation:
    """Evaluates a traced function on entries."""

    def __init__(self, entries: Entries):
        self._entries = entries

    def run(self, trace: Traced, arguments: Sequence[np.ndarray]) -> list[Entry]:
        """Every number of the results, in order, given the entries of the arguments."""
        known = dict(zip(trace.inputs, arguments, strict=True))
        known.update({place: constant(value) for place, value in trace.constants.items()})
        for equation in trace.equations:
            results = self._equation(equation, [known[it] for it in equation.operands])
            known.update(zip(equation.results, results, strict=True))
        return [entry for it in trace.outputs for entry in known[it].ravel()]

    def _equation(self, equation: Equation, operands: list[np.ndarray]) -> list[np.ndarray]:
        name, parameters = equation.name, equation.parameters
        if name in MONOTONE or name in KINKS:
            return [self._elementwise(name, {}, operands)]
        if name in MOVES:
            return equation.of(*operands)
        if name in FOLDS:
            return [self._folded(FOLDS[name][0], parameters["axes"], operands[0])]
        if name == "argmax":
            return [self._place_of_largest(equation, operands[0])]
        if name in _PICKS and not joined_axes(it for index in operands[1:] for it in index.flat):
            return [self._picked(equation, *operands)]
        if name in ELEMENTWISE and equation.primitive is None:
            static = {key: parameters[key] for key in _STATIC if key in parameters}
            return [self._elementwise(name, static, operands)]
        return self._by_cases(equation, operands)

    def _folded(self, name: str, axes: tuple[int, ...], operand: np.ndarray) -> np.ndarray:
        rows = np.moveaxis(operand, axes, range(len(axes)))
        rows = rows.reshape(-1, *rows.shape[len(axes) :])
        folded = rows[0, ...]
        for row in range(1, len(rows)):
            folded = self._elementwise(name, {}, [folded, rows[row, ...]])
        return folded

    def _place_of_largest(self, equation: Equation, operand: np.ndarray) -> np.ndarray:
        """The first place of the largest entry along an axis, by comparing one after the other."""
        parameters = equation.parameters
        (axis,), dtype = parameters["axes"], parameters["index_dtype"]
        rows = np.moveaxis(operand, axis, 0)
        largest, place = rows[0, ...], constant(np.zeros(rows.shape[1:], dtype))
        for row in range(1, len(rows)):
            there = constant(np.full(rows.shape[1:], row, dtype))
            better = self._elementwise("gt", {}, [rows[row, ...], largest])
            place = self._elementwise("select_n", {}, [better, place, there])
            largest = self._elementwise("max", {}, [largest, rows[row, ...]])
        return place

    def _elementwise(self, name: str, static: dict, operands: list[np.ndarray]) -> np.ndarray:
        if all(operand.ndim == 0 for operand in operands):
            return _filled(
                (), [self._entries.of(name, tuple(it.item() for it in operands), static)]
            )
        shape = np.broadcast_shapes(*(operand.shape for operand in operands))
        columns = [np.broadcast_to(operand, shape).ravel() for operand in operands]
        return _filled(
            shape, (self._entries.of(name, row, static) for row in zip(*columns, strict=True))
        )

    def _picked(self, equation: Equation, operand: np.ndarray, *where: np.ndarray) -> np.ndarray:
        """The entries of an array at known places."""
        places = np.arange(operand.size).reshape(operand.shape)
        (picked,) = equation.of(places, *(self._at(it, {}) for it in where))
        return operand.ravel()[np.asarray(picked)]

    def _by_cases(self, equation: Equation, operands: list[np.ndarray]) -> list[np.ndarray]:
        """Results of any primitive, evaluated for each combination of its axes by itself."""
        entries = [entry for operand in operands for entry in operand.ravel()]
        if any(isinstance(entry, Step) for entry in entries):
            raise NotImplementedError(
                f"no bounds are known for {equation.name!r} of many variables"
            )
        axes = joined_axes(entries)
        lengths = [self._entries.shape[axis] for axis in axes]
        cases = []
        for place in np.ndindex(*lengths):
            arrays = [
                self._at(operand, dict(zip(axes, place, strict=True))) for operand in operands
            ]
            cases.append(equation.of(*arrays))
        return [
            self._tables(axes, lengths, [np.asarray(case[number]) for case in cases])
            for number in range(len(equation.results))
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
    function: Callable[..., Any], arguments: Sequence[Any], shape: tuple[int, ...], largest: int
) -> list[Entry]:
    """The scalar results of a function over a lattice.

    Args:
        function: Traceable by JAX; takes and returns arrays.
        arguments: Its arguments, with entries made by `constant` and `along` for numbers.
        shape: Number of values of each axis.
        largest: Entries up to which a result is kept as a table.

    Returns:
        Every number that the function returns, in the order of its flattened result.

    Raises:
        NotImplementedError: a primitive that no bounds are known for.
    """
    examples = jax.tree.map(_example, arguments)
    trace = traced(function, *examples, whole=whole_names())
    entries = [it for it in jax.tree.leaves(arguments) if isinstance(it, np.ndarray)]
    return _Tabulation(Entries(shape, largest)).run(trace, entries)


def _example(argument: Any) -> Any:
    """Numbers of the shape and type of some entries; anything else as it is."""
    if not isinstance(argument, np.ndarray):
        return argument
    first = [np.asarray(table.values).ravel()[0] for table in argument.ravel()]
    return np.asarray(first).reshape(argument.shape)
