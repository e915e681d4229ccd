"""Sums of monomials as a short list of operations on arrays.

The list is evaluated in three stages: results that depend on the inner axes of a block alone, which
are the same in every block; results that depend on outer axes alone, which are one number per
block; and results that depend on both, the only ones that are computed for every point.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import erfinv

from liminal_jax._kinks import KINKS
from liminal_jax.bounds.program import along, constant, tabulated
from liminal_jax.sweeps.terms import (
    INPUT,
    SUM,
    Algebra,
    Monomial,
    Terms,
    inverse,
    product,
    value_of,
)

Operand: TypeAlias = int | float
"""A result by its index in the list, or a constant."""

_Function: TypeAlias = Callable[..., Any]


def slope_name(operation: str, operand: int) -> str:
    """Name of the operation that is the slope of another along one of its operands."""
    return f"{operation}/{operand}"


_OPERATIONS: dict[str, _Function] = {
    "add": lambda one, other: one + other,
    "and": jnp.logical_and,
    "ceil": jnp.ceil,
    "div": lambda one, other: one / other,
    "eq": lambda one, other: one == other,
    "erf_inv": erfinv,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "floor": jnp.floor,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "lt": lambda one, other: one < other,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "mul": lambda one, other: one * other,
    "ne": lambda one, other: one != other,
    "not": jnp.logical_not,
    "or": jnp.logical_or,
    "pow": lambda one, other: one**other,
    "select_n": lambda which, no, yes: jnp.where(which, yes, no),
    "sign": jnp.sign,
    "sqrt": jnp.sqrt,
    "sub": lambda one, other: one - other,
    **{name: partial(it.value, jnp) for name, it in KINKS.items()},
    **{
        slope_name(name, number): partial(slope, jnp)
        for name, it in KINKS.items()
        for number, slope in enumerate(it.slopes)
    },
}

_EITHER_WAY = ("add", "mul", "max", "min", "and", "or")
"""Commutative operations."""

_WHOLE = ("ceil", "floor")
"""Operations whose result jumps at whole numbers: their operands must keep the traced rounding."""


class Instruction(NamedTuple):
    """One operation.

    Attributes:
        operation: Its name; `INPUT` for an input.
        operands: Its operands; for an input its number.
        axes: Inputs that the result depends on.
    """

    operation: str
    operands: tuple[Operand, ...]
    axes: frozenset[int]


@dataclass(frozen=True)
class Program:
    """A function of some inputs as a list of operations.

    Attributes:
        instructions: The operations, each applied to earlier results.
        outputs: The outputs of the function, in order; constants where they do not vary.
    """

    instructions: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]

    @property
    def operations(self) -> Counter[str]:
        """Number of operations of each kind."""
        return Counter(it.operation for it in self.instructions if it.operation != INPUT)

    def worked(
        self,
        inputs: Mapping[int, Array],
        axes: frozenset[int],
        known: Mapping[int, Array],
    ) -> dict[int, Array]:
        """All results that depend on given inputs only.

        Args:
            inputs: Arrays that broadcast against each other, by number.
            axes: Numbers of the inputs that results may depend on.
            known: Results that are known already, by index.

        Returns:
            Results by index, the known ones included.
        """
        results = dict(known)
        for place, (operation, operands, needed) in enumerate(self.instructions):
            if place in results or not needed <= axes:
                continue
            if operation == INPUT:
                results[place] = inputs[int(operands[0])]
            else:
                values = [results[it] if isinstance(it, int) else it for it in operands]
                results[place] = _OPERATIONS[operation](*values)
        return results

    def results(self, known: Mapping[int, Array]) -> list[Array]:
        """The outputs, from results by index."""
        return [known[it] if isinstance(it, int) else jnp.asarray(it) for it in self.outputs]


class _Emission:
    """Emits instructions, each distinct one once."""

    def __init__(self, algebra: Algebra, inner: frozenset[int]):
        self.instructions: list[Instruction] = []
        self._algebra = algebra
        self._inner = inner
        self._places: dict[tuple, int] = {}
        self._sums: dict[Terms, Operand] = {}

    def _axes(self, operand: Operand) -> frozenset[int]:
        return self.instructions[operand].axes if isinstance(operand, int) else frozenset()

    def _emit(self, operation: str, *operands: Operand) -> Operand:
        if operation in _EITHER_WAY:
            operands = tuple(sorted(operands, key=lambda it: (isinstance(it, float), it)))
        key = (operation, *map(repr, operands))
        if key not in self._places:
            axes = frozenset().union(*map(self._axes, operands))
            self._places[key] = len(self.instructions)
            self.instructions.append(Instruction(operation, operands, axes))
        return self._places[key]

    def _atom(self, number: int) -> Operand:
        atom = self._algebra.atoms[number]
        if atom.operation == INPUT:
            key = (INPUT, atom.number)
            if key not in self._places:
                self._places[key] = len(self.instructions)
                axes = frozenset([atom.number])
                self.instructions.append(Instruction(INPUT, (atom.number,), axes))
            return self._places[key]
        if atom.operation == SUM:
            return self.sum(atom.operands[0])
        read = self._exact if atom.operation in _WHOLE else self.sum
        return self._emit(atom.operation, *map(read, atom.operands))

    def _factor(self, number: int, sign: int) -> Operand:
        atom = self._atom(number)
        return atom if sign > 0 else self._emit("div", 1.0, atom)

    def _stage(self, operand: Operand) -> tuple[int, str]:
        """Sort key: operands of one stage are combined first, so that later stages do less."""
        axes = self._axes(operand)
        part = 0 if axes <= self._inner else 1 if not axes & self._inner else 2
        return part, repr(sorted(axes))

    def _chained(self, operation: str, operands: list[Operand]) -> Operand:
        first, *others = sorted(operands, key=self._stage)
        parts: dict[int, Operand] = {}
        for operand in (first, *others):
            part = self._stage(operand)[0]
            done = part in parts
            parts[part] = self._emit(operation, parts[part], operand) if done else operand
        joined, *rest = parts.values()
        for operand in rest:
            joined = self._emit(operation, joined, operand)
        return joined

    def _monomial(self, monomial: Monomial, scale: float) -> Operand:
        factors = [
            self._factor(number, power) for number, power in monomial for _ in range(abs(power))
        ]
        if not factors:
            return scale
        if scale != 1.0:
            return self._emit("mul", self._chained("mul", factors), scale)
        return self._chained("mul", factors)

    def _exact(self, terms: Terms) -> Operand:
        """A sum in which each term has at most one division, as its last operation."""
        if value_of(terms) is not None:
            return self.sum(terms)
        return self._chained("add", [self._quotient(*term) for term in terms])

    def _quotient(self, monomial: Monomial, scale: float) -> Operand:
        above = tuple((number, power) for number, power in monomial if power > 0)
        below = inverse(tuple((number, power) for number, power in monomial if power < 0))
        whole = scale == round(scale)
        top = self._monomial(above, scale if whole else 1.0)
        if whole and not below:
            return top
        return self._emit("div", top, self._monomial(below, 1.0 if whole else 1 / scale))

    def sum(self, terms: Terms) -> Operand:
        """Emit a sum, once; returns its result."""
        if terms not in self._sums:
            value = value_of(terms)
            self._sums[terms] = self._sum(terms) if value is None else value
        return self._sums[terms]

    def _sum(self, terms: Terms) -> Operand:
        """Factor out the factor that most terms share, recursively (a greedy Horner scheme)."""
        if len(terms) == 1:
            return self._monomial(*terms[0])
        shares = Counter(
            (number, 1 if power > 0 else -1) for monomial, _ in terms for number, power in monomial
        )
        (number, sign), count = max(shares.items(), key=lambda it: (it[1], it[0]))
        if count == 1:
            return self._chained("add", [self._monomial(*term) for term in terms])
        inside, outside = [], []
        for monomial, value in terms:
            if dict(monomial).get(number, 0) * sign > 0:
                inside.append((product(monomial, ((number, -sign),)), value))
            else:
                outside.append((monomial, value))
        shared = self._chained("mul", [self.sum(tuple(sorted(inside))), self._factor(number, sign)])
        if not outside:
            return shared
        return self._chained("add", [shared, self.sum(tuple(outside))])


def program_of(
    function: Callable[..., Any],
    ranges: Sequence[tuple[float, float]],
    inner: frozenset[int] = frozenset(),
) -> Program:
    """The program of a function of real numbers.

    Args:
        function: Traceable by JAX; takes numbers and returns a pytree of numbers.
        ranges: Closed range of each of its arguments.
        inner: Indices of the arguments that vary within a block.

    Raises:
        NotImplementedError: the function has an operation that is not elementwise.
    """
    inputs = [varying(number, *ends) for number, ends in enumerate(ranges)]
    return program_over(function, inputs, ranges, inner)


def program_over(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    ranges: Sequence[tuple[float, float]],
    inner: frozenset[int] = frozenset(),
) -> Program:
    """The program of a function some of whose arguments are known.

    Args:
        function: Traceable by JAX; takes and returns pytrees of numbers.
        arguments: Its arguments, with entries made by `varying` for the inputs, and by
            `bounds.program.constant` for other numbers.
        ranges: Closed range of each input.
        inner: Numbers of the inputs that vary within a block.

    Raises:
        NotImplementedError: the function has an operation that is not elementwise.
    """
    traced = tabulated(function, arguments, tuple(2 for _ in ranges), 1)
    algebra = Algebra(ranges)
    sums = [algebra.terms(entry) for entry in traced]
    emission = _Emission(algebra, inner)
    outputs = tuple(emission.sum(terms) for terms in sums)
    return Program(tuple(emission.instructions), outputs)


def varying(number: int, low: float, high: float) -> Any:
    """An input for `program_over`: it has too many values for a table, so nothing is tabulated.

    Args:
        number: Number of the input.
        low: Least value.
        high: Greatest value.
    """
    entry = constant(0.0)
    entry[()] = along(number, [float(low), float(high)])
    return entry
