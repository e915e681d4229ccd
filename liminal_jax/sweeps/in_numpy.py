"""A program evaluated in NumPy, row by row of its inputs: nothing is compiled.

A row of a few hundred numbers takes an operation about a microsecond, so a program of thousands of
operations takes milliseconds where compiling it would take seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from liminal_jax._kinks import KINKS
from liminal_jax._monotone import MONOTONE
from liminal_jax._primitives import ELEMENTWISE
from liminal_jax.sweeps.program import Program, slope_name
from liminal_jax.sweeps.terms import INPUT

_SLOPES: dict[str, Callable[..., Any]] = {
    **{
        slope_name(name, number): partial(slope, np)
        for name, it in KINKS.items()
        for number, slope in enumerate(it.slopes)
    },
    **{
        slope_name(name, number): it.slope(number)
        for name, it in MONOTONE.items()
        for number in range(len(it.rises))
    },
}


def _operation(name: str) -> Callable[..., Any]:
    if name in _SLOPES:
        return _SLOPES[name]
    if name in KINKS:
        return partial(KINKS[name].value, np)
    return MONOTONE[name].at if name in MONOTONE else ELEMENTWISE[name]


class InNumpy:
    """A program evaluated in stages: what depends on the first inputs, then the rest.

    Examples:
        >>> from liminal_jax.sweeps.program import program_of
        >>> program = program_of(lambda x, y: 2.0 * x * y + x, [(1.0, 2.0), (0.0, 9.0)])
        >>> stages = InNumpy(program, [frozenset([0, 1])])
        >>> stages.given({0: np.array([1.0, 2.0]), 1: np.array([3.0, 0.5])}, 0)
        >>> stages.outputs()
        [array([7., 4.])]
    """

    def __init__(self, program: Program, stages: Sequence[frozenset[int]]):
        """Sort the operations into stages.

        Args:
            program: A program.
            stages: Numbers of the inputs that are known from each stage on, all in the last.
        """
        self._outputs = program.outputs
        self._values: list[Any] = [None] * len(program.instructions)
        self._inputs: list[list[tuple[int, int]]] = [[] for _ in stages]
        self._steps: list[list[tuple]] = [[] for _ in stages]
        known: set[int] = set()
        for stage, axes in enumerate(stages):
            for place, it in enumerate(program.instructions):
                if place in known or not it.axes <= axes:
                    continue
                known.add(place)
                if it.operation == INPUT:
                    self._inputs[stage].append((int(it.operands[0]), place))
                    continue
                operands = tuple(map(self._place, it.operands))
                self._steps[stage].append((_operation(it.operation), operands, place))

    def _place(self, operand: Any) -> int:
        if isinstance(operand, int):
            return operand
        self._values.append(np.asarray(operand))
        return len(self._values) - 1

    def given(self, inputs: Mapping[int, Any], stage: int) -> None:
        """Work out what depends on the inputs of the stages so far alone.

        Args:
            inputs: Arrays that broadcast against each other, by number of the input.
            stage: Number of the stage.
        """
        values = self._values
        for number, place in self._inputs[stage]:
            values[place] = inputs[number]
        with np.errstate(all="ignore"):
            for operation, operands, place in self._steps[stage]:
                values[place] = operation(*[values[it] for it in operands])

    def outputs(self, first: int = 0, last: int | None = None) -> list[Any]:
        """Some of the outputs, in order."""
        found = self._outputs[first:last]
        return [self._values[it] if isinstance(it, int) else np.asarray(it) for it in found]
