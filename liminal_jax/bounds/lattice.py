"""Bounds of a traced function over boxes of a lattice."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, Extremes, Halves, halves
from liminal_jax.bounds.program import Entry, Step, Table, finite, tabulated
from liminal_jax.bounds.ranges import Ends, Range, defined, is_exact, rule_of
from liminal_jax.bounds.rewriting import rewritten

LARGEST_TABLE = 200_000
"""Entries up to which a result is kept as a table. With five times as many the built-in study is
set up in 0.6 s of processor time in the place of 0.16, and proven in 2.9 in the place of 1.0."""

BLOCK = 8192
"""Boxes bounded in one go: few enough for what is known of them to stay in the cache."""


class AbstractBounds(ABC):
    """Bounds of some results over boxes of a lattice.

    Attributes:
        trees: Runs of each axis.
    """

    trees: tuple[Halves, ...]

    @abstractmethod
    def over(
        self, boxes: Boxes
    ) -> tuple[Float[np.ndarray, "results boxes"], Float[np.ndarray, "results boxes"]]:
        """Lower and upper bounds of all results over some boxes."""

    def sharpened(self) -> "AbstractBounds":
        """The same with narrower ranges, which take some tenths of a second to set up.

        These themselves where there are none.
        """
        return self


class _Planned(NamedTuple):
    """How the range of an entry is found over some boxes.

    Attributes:
        entry: Number of the entry.
        ends: Its extremes where it is a table, else from ranges of operands to its ends.
        operands: Numbers of its operands.
        positive: Whether no value on the whole lattice is below 0.
        certain: Whether its ends are always defined, and above 0 where it is positive.
        last: Numbers of the entries that nothing needs after it.
    """

    entry: int
    ends: Extremes | Callable[..., Ends]
    operands: tuple[int, ...]
    positive: bool
    certain: bool
    last: tuple[int, ...]


class LatticeBounds(AbstractBounds):
    """Bounds of every result of a function over any box of a lattice.

    Sound up to rounding: no point of a box beats its bounds by more than the error of evaluating
    the function in float64. A box of one point has the results there as both ends. Both hold where
    every number on the way is finite; what infinite and undefined ones leave of a result is not
    promised.

    Attributes:
        trees: Runs of each axis.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        shape: tuple[int, ...],
        largest: int | None = None,
    ):
        """Trace and tabulate.

        Args:
            function: Traceable by JAX; takes and returns arrays.
            arguments: Its arguments, with entries made by `constant` and `along` for numbers.
            shape: Number of values of each axis.
            largest: Entries up to which a result is kept as a table; with fewer there is less to
                set up, and more boxes are needed; `LARGEST_TABLE` where left out.

        Raises:
            NotImplementedError: a primitive that no bounds are known for.
            RuntimeError: JAX computes in float32, too coarsely for a proof.
        """
        if jnp.result_type(float) != jnp.float64:
            message = "a proof needs float64; begin with: jax.config.update('jax_enable_x64', True)"
            raise RuntimeError(message)
        self.trees = tuple(halves(length) for length in shape)
        self._largest = largest or LARGEST_TABLE
        self._traced = tabulated(function, arguments, shape, self._largest)
        self._plan = _Plan(self._traced, self.trees)

    @property
    def axes(self) -> frozenset[int]:
        """Numbers of the axes that some result depends on."""
        return frozenset(axis for it in self._traced for axis in it.axes)

    @override
    def over(
        self, boxes: Boxes
    ) -> tuple[Float[np.ndarray, "results boxes"], Float[np.ndarray, "results boxes"]]:
        ends = np.empty((2, len(self._traced), len(boxes)))
        for begin in range(0, len(boxes), BLOCK):
            block = slice(begin, begin + BLOCK)
            for row, it in enumerate(self._plan.ranges(boxes.some(block))):
                ends[0, row, block], ends[1, row, block], _ = it
        return ends[0], ends[1]

    @override
    def sharpened(self) -> "LatticeBounds":
        return self._sharper

    @cached_property
    def _sharper(self) -> "LatticeBounds":
        shape = tuple(len(it.singles) for it in self.trees)
        sharper = copy(self)
        sharper._plan = _Plan(rewritten(self._traced, shape, self._largest), self.trees)
        return sharper


class _Plan:
    """How the ranges of some results are found over boxes."""

    def __init__(self, results: Sequence[Entry], trees: tuple[Halves, ...]):
        order = _ordered(results)
        numbers = {id(entry): number for number, entry in enumerate(order)}
        self._results = [numbers[id(entry)] for entry in results]
        self._constants: dict[int, Range] = {}
        with np.errstate(all="ignore"):
            self._steps = self._planned(order, numbers, trees)

    def _planned(
        self, order: Sequence[Entry], numbers: dict[int, int], trees: tuple[Halves, ...]
    ) -> list[_Planned]:
        """How the ranges of entries that depend on an axis are found; those of others are known."""
        operands = [_operands(entry, numbers) for entry in order]
        uses = {entry: number for number, them in enumerate(operands) for entry in them}
        plan = []
        for number, entry in enumerate(order):
            its, positive = operands[number], entry.everywhere.positive
            if isinstance(entry, Table) and not entry.axes:
                self._constants[number] = entry.everywhere
                continue
            # A box is a part of the lattice, so its ends lie between those of the lattice: rounding
            # keeps the order of sums, products and whatever else is exact. Where those are finite,
            # nothing is undefined on the way.
            known = all(finite(order[at]) for at in (number, *its))
            certain = isinstance(entry, Table) or (known and is_exact(entry.operation))
            last = tuple({at for at in its if uses[at] == number} - {*self._results})
            plan.append(_Planned(number, _ends_of(entry, trees), its, positive, certain, last))
        return plan

    def ranges(self, boxes: Boxes) -> list[Range]:
        """Ranges of the results; others are dropped after their last use, so that memory is reused.

        A constant has one end for all boxes.
        """
        found, places = dict(self._constants), {}
        with np.errstate(all="ignore"):
            for it in self._steps:
                found[it.entry] = _range(it, boxes, places, found)
                for entry in it.last:
                    del found[entry]
        return [found[it] for it in self._results]


def _operands(entry: Entry, numbers: dict[int, int]) -> tuple[int, ...]:
    """Numbers of the operands of an entry."""
    return tuple(numbers[id(it)] for it in entry.operands) if isinstance(entry, Step) else ()


def _ends_of(entry: Entry, trees: tuple[Halves, ...]) -> Extremes | Callable[..., Ends]:
    """What gives the ends of the range of an entry."""
    if isinstance(entry, Table):
        return Extremes(entry, trees)
    return partial(rule_of(entry.operation), **entry.parameters)


def _range(it: _Planned, boxes: Boxes, places: dict, found: dict[int, Range]) -> Range:
    """The range of an entry, given those of its operands."""
    if isinstance(it.ends, Extremes):
        low, high = it.ends.over(boxes, places)
    else:
        low, high = it.ends(*[found[operand] for operand in it.operands])
    if not it.certain:
        low, high = defined(low, high)
        # What is undefined at an end still has the sign that holds everywhere.
        low = np.maximum(low, 0.0) if it.positive else low
    return Range(low, high, it.positive)


def _ordered(results: Sequence[Entry]) -> list[Entry]:
    """The entries that some results depend on, operands first."""
    order: dict[int, Entry] = {}
    pending: list[Entry] = list(reversed(results))
    while pending:
        entry = pending[-1]
        operands = entry.operands if isinstance(entry, Step) else ()
        missing = [it for it in operands if id(it) not in order]
        if id(entry) not in order and missing:
            pending += missing
            continue
        order.setdefault(id(entry), entry)
        pending.pop()
    return list(order.values())
