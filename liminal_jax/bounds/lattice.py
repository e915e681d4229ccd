"""Bounds of a traced function over boxes of a lattice."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, Extremes, Halves, halves, whole
from liminal_jax.bounds.program import Entry, Step, Table, tabulated
from liminal_jax.bounds.ranges import Range, ranged

LARGEST_TABLE = 200_000
"""Entries up to which a result is kept as a table. With five times as many the built-in study is
set up in 2.1 s of processor time in the place of 0.15 s, and proven in 1.8 in the place of 2.1."""

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
        self._results = tabulated(function, arguments, shape, largest or LARGEST_TABLE)
        self._order = _ordered(self._results)
        self._extremes = {
            id(entry): Extremes(entry, self.trees)
            for entry in self._order
            if isinstance(entry, Table)
        }
        everywhere = self._ranges(whole(self.trees), None)
        self._positive = {key: it.positive for key, it in everywhere.items()}

    @property
    def axes(self) -> frozenset[int]:
        """Numbers of the axes that some result depends on."""
        tables = [it for it in self._order if isinstance(it, Table)]
        return frozenset(axis for it in tables for axis in it.axes)

    @override
    def over(
        self, boxes: Boxes
    ) -> tuple[Float[np.ndarray, "results boxes"], Float[np.ndarray, "results boxes"]]:
        ends = np.empty((2, len(self._results), len(boxes)))
        for begin in range(0, len(boxes), BLOCK):
            block = slice(begin, begin + BLOCK)
            ranges = self._ranges(boxes.some(block), self._positive)
            for row, entry in enumerate(self._results):
                ends[0, row, block], ends[1, row, block], _ = ranges[id(entry)]
        return ends[0], ends[1]

    def _ranges(self, boxes: Boxes, positive: dict[int, bool] | None) -> dict[int, Range]:
        """Range of every entry; what is positive everywhere is found where it is not given."""
        ranges: dict[int, Range] = {}
        places: dict = {}
        for entry in self._order:
            key = id(entry)
            if isinstance(entry, Table):
                low, high = self._extremes[key].over(boxes, places)
            else:
                operands = [ranges[id(it)] for it in entry.operands]
                low, high, _ = ranged(entry.operation, operands, entry.parameters)
            known = bool(np.all(low >= 0)) if positive is None else positive[key]
            # What is undefined at an end still has the sign that holds everywhere.
            ranges[key] = Range(np.maximum(low, 0.0) if known else low, high, known)
        return ranges


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
