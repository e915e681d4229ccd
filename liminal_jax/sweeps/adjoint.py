"""The gradient of a program, as further operations of it: reverse accumulation on the list.

Each operation passes the slope of a weighted sum of the outputs on to its operands, last operation
first. The weights are inputs, so that one list serves any sum, such as a Lagrangian whose
multipliers change; and since it is a list again, what is used twice is worked out once, and it runs
in NumPy or compiled by JAX. Value and gradient take a few times the operations of the value,
however many inputs there are.

Griewank and Walther (2008), Evaluating Derivatives, SIAM, chapter 3.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from liminal_jax._kinks import KINKS
from liminal_jax._monotone import MONOTONE
from liminal_jax.sweeps.program import Instruction, Operand, Program, slope_name
from liminal_jax.sweeps.terms import INPUT

_Rule: TypeAlias = Callable[..., list[Operand | None]]
"""Slopes along the operands, of the slope along the result, the result and the operands."""


class _Reverse:
    """Emits the operations of a gradient after those of a program."""

    def __init__(self, program: Program):
        self.instructions = list(program.instructions)
        self._places = {
            (it.operation, *map(repr, it.operands)): place
            for place, it in enumerate(program.instructions)
        }
        self.rules: dict[str, _Rule] = {
            "add": lambda slope, *_: [slope, slope],
            "div": self._divided,
            "erf_inv": self._erf_inv,
            "exp": lambda slope, value, _: [self.mul(slope, value)],
            "expm1": lambda slope, value, _: [self.mul(slope, self.add(value, 1.0))],
            "log": lambda slope, _, one: [self.emit("div", slope, one)],
            "log1p": lambda slope, _, one: [self.emit("div", slope, self.add(one, 1.0))],
            "max": lambda slope, _, one, other: self._larger("ge", slope, one, other),
            "min": lambda slope, _, one, other: self._larger("le", slope, one, other),
            "mul": lambda slope, _, one, other: [self.mul(slope, other), self.mul(slope, one)],
            "pow": self._powered,
            "select_n": self._selected,
            "sqrt": lambda slope, value, _: [
                self.emit("div", self.mul(slope, 0.5), value),
            ],
            "sub": lambda slope, *_: [slope, self.mul(slope, -1.0)],
        }

    def input(self, number: int) -> Operand:
        """An input."""
        place = self._places.get((INPUT, repr(number)))
        if place is not None:
            return place
        return self._add(Instruction(INPUT, (number,), frozenset([number])))

    def _add(self, it: Instruction) -> Operand:
        key = (it.operation, *map(repr, it.operands))
        if key not in self._places:
            self._places[key] = len(self.instructions)
            self.instructions.append(it)
        return self._places[key]

    def emit(self, operation: str, *operands: Operand) -> Operand:
        """An operation, once."""
        axes = [self.instructions[it].axes for it in operands if isinstance(it, int)]
        return self._add(Instruction(operation, operands, frozenset().union(*axes)))

    def mul(self, one: Operand, other: Operand) -> Operand:
        """A product; of constants and of ones none is emitted."""
        if isinstance(one, float):
            one, other = other, one
        if isinstance(one, float) and isinstance(other, float):
            return one * other
        if isinstance(other, float) and other in (0.0, 1.0):
            return one if other else 0.0
        return self.emit("mul", one, other)

    def add(self, one: Operand, other: Operand) -> Operand:
        """A sum; of nothing none is emitted."""
        if isinstance(one, float):
            one, other = other, one
        if isinstance(one, float) and isinstance(other, float):
            return one + other
        return one if other == 0.0 and isinstance(other, float) else self.emit("add", one, other)

    def _divided(self, slope: Operand, value: Operand, _: Operand, below: Operand) -> list:
        part = self.emit("div", slope, below)
        return [part, self.mul(self.mul(part, value), -1.0)]

    def _erf_inv(self, slope: Operand, value: Operand, _: Operand) -> list:
        bell = self.emit("exp", self.mul(value, value))
        return [self.mul(slope, self.mul(bell, math.sqrt(math.pi) / 2))]

    def _larger(self, first: str, slope: Operand, one: Operand, other: Operand) -> list:
        which = self.emit(first, one, other)
        return [
            self.emit("select_n", which, 0.0, slope),
            self.emit("select_n", which, slope, 0.0),
        ]

    def _selected(self, slope: Operand, _: Operand, which: Operand, *__: Operand) -> list:
        return [
            None,
            self.emit("select_n", which, slope, 0.0),
            self.emit("select_n", which, 0.0, slope),
        ]

    def _powered(self, slope: Operand, value: Operand, base: Operand, exponent: Operand) -> list:
        lower = self.emit("pow", base, self.add(exponent, -1.0))
        along = self.mul(self.mul(slope, value), self.emit("log", base))
        return [self.mul(self.mul(slope, exponent), lower), along]

    def slopes(self, slope: Operand, place: int, wanted: Sequence[bool]) -> list[Operand | None]:
        """Slopes along the operands of an operation, of those that are wanted."""
        operation, operands, _ = self.instructions[place]
        if operation in KINKS or operation in MONOTONE:
            given = (place, *operands) if operation in KINKS else operands
            return [
                self.mul(slope, self.emit(slope_name(operation, number), *given)) if it else None
                for number, it in enumerate(wanted)
            ]
        if operation not in self.rules:
            return [None for _ in operands]
        found = self.rules[operation](slope, place, *operands)
        return [it if want else None for it, want in zip(found, wanted, strict=True)]


def with_gradient(program: Program, along: Sequence[int], weights: int) -> Program:
    """A program of the outputs of another, then of the gradient of their weighted sum.

    Args:
        program: A program.
        along: Numbers of the inputs along which the gradient is taken.
        weights: Number of the input that is the weight of the first output; the weights of the
            others follow.

    Raises:
        NotImplementedError: an operation has no known derivative.
    """
    reverse, wanted = _Reverse(program), frozenset(along)
    slopes: dict[int, Operand] = {}

    def pass_on(operand: Operand, slope: Operand | None) -> None:
        if slope is None or not isinstance(operand, int):
            return
        slopes[operand] = reverse.add(slopes[operand], slope) if operand in slopes else slope

    for number, output in enumerate(program.outputs):
        pass_on(output, reverse.input(weights + number))
    for place in range(len(program.instructions) - 1, -1, -1):
        it = program.instructions[place]
        if it.operation == INPUT or place not in slopes or not it.axes & wanted:
            continue
        active = [
            isinstance(operand, int) and bool(program.instructions[operand].axes & wanted)
            for operand in it.operands
        ]
        found = reverse.slopes(slopes[place], place, active)
        for operand, slope in zip(it.operands, found, strict=False):
            pass_on(operand, slope)
    gradient = tuple(slopes.get(int(reverse.input(number)), 0.0) for number in along)
    return _pruned(Program(tuple(reverse.instructions), (*program.outputs, *gradient)))


def _pruned(program: Program) -> Program:
    """A program without the operations that no output needs."""
    wanted = {it for it in program.outputs if isinstance(it, int)}
    for place in range(len(program.instructions) - 1, -1, -1):
        it = program.instructions[place]
        if place in wanted and it.operation != INPUT:
            wanted.update(operand for operand in it.operands if isinstance(operand, int))
    renamed = {place: number for number, place in enumerate(sorted(wanted))}

    def moved(operand: Operand) -> Operand:
        return renamed[operand] if isinstance(operand, int) else operand

    instructions = []
    for place in sorted(wanted):
        it = program.instructions[place]
        operands = it.operands if it.operation == INPUT else tuple(map(moved, it.operands))
        instructions.append(Instruction(it.operation, operands, it.axes))
    return Program(tuple(instructions), tuple(map(moved, program.outputs)))
