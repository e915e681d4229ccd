"""Boxes of a lattice: on each axis a run of neighbouring values, got by halving.

The runs of an axis form a binary tree, whose root is the whole axis and whose leaves are its
values; a box is one node of the tree of each axis.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.bounds.program import Table


@dataclass(frozen=True)
class Halves:
    """The tree of runs of one axis, nodes numbered from the root, children after parents.

    Attributes:
        first: Index of the first value of each node.
        last: Index of its last value.
        lower: Node of its lower half; of a single value itself.
        upper: Node of its upper half; of a single value itself.
    """

    first: Int[np.ndarray, " nodes"]
    last: Int[np.ndarray, " nodes"]
    lower: Int[np.ndarray, " nodes"]
    upper: Int[np.ndarray, " nodes"]

    @cached_property
    def lengths(self) -> Int[np.ndarray, " nodes"]:
        """Values of each node."""
        return self.last - self.first + 1

    @cached_property
    def singles(self) -> Int[np.ndarray, " values"]:
        """For each value the node that holds no other."""
        nodes = np.flatnonzero(self.first == self.last)
        return nodes[np.argsort(self.first[nodes])]

    def single(self, index: int) -> int:
        """The node that holds one value only."""
        return int(self.singles[index])

    def extremes(self, values: np.ndarray, axis: int, extreme: np.ufunc) -> np.ndarray:
        """Minimum or maximum along a dimension, for every node."""
        found = np.empty((*values.shape[:axis], len(self.first), *values.shape[axis + 1 :]))
        rows = np.moveaxis(found, axis, 0)
        rows[self.singles] = np.moveaxis(values, axis, 0)
        for node in np.flatnonzero(self.first < self.last)[::-1].tolist():
            extreme(rows[self.lower[node]], rows[self.upper[node]], out=rows[node, ...])
        return found


def halves(length: int) -> Halves:
    """The tree of an axis with a number of values.

    Examples:
        >>> halves(3).lengths.tolist()
        [3, 2, 1, 1, 1]
    """
    runs, lower, upper = [(0, length - 1)], [], []
    for number, (first, last) in enumerate(runs):
        if first == last:
            lower.append(number)
            upper.append(number)
            continue
        middle = (first + last) // 2
        lower.append(len(runs))
        upper.append(len(runs) + 1)
        runs += [(first, middle), (middle + 1, last)]
    first, last = np.asarray(runs, np.int32).T
    return Halves(first, last, np.asarray(lower, np.int32), np.asarray(upper, np.int32))


def columns(rows: np.ndarray, which: np.ndarray | slice) -> np.ndarray:
    """Columns of some numbers, of a mask or of a slice, each row in one piece of memory.

    Indexing by numbers or a mask would put each column in one piece instead, and everything that
    is then done row by row would take many times as long.

    Examples:
        >>> columns(np.arange(6).reshape(2, 3), np.array([True, False, True])).tolist()
        [[0, 2], [3, 5]]
    """
    if isinstance(which, slice):
        return rows[:, which]
    return rows.take(np.flatnonzero(which) if which.dtype == bool else which, axis=1)


class Boxes:
    """Some boxes.

    Attributes:
        nodes: Node of each axis.
        trees: Tree of each axis.
    """

    def __init__(self, nodes: Int[np.ndarray, "axes boxes"], trees: tuple[Halves, ...]):
        self.nodes = nodes
        self.trees = trees

    def __len__(self) -> int:
        """Number of boxes."""
        return self.nodes.shape[1]

    @property
    def lengths(self) -> Int[np.ndarray, "axes boxes"]:
        """Values on each axis."""
        return np.stack(
            [tree.lengths[row] for tree, row in zip(self.trees, self.nodes, strict=True)]
        )

    @property
    def designs(self) -> Float[np.ndarray, " boxes"]:
        """Points of the lattice in each box."""
        return np.prod(self.lengths, axis=0, dtype=float)

    @property
    def first(self) -> Int[np.ndarray, "axes boxes"]:
        """Indices of the first value on each axis."""
        return np.stack([tree.first[row] for tree, row in zip(self.trees, self.nodes, strict=True)])

    @property
    def middle(self) -> Int[np.ndarray, "axes boxes"]:
        """Indices of the value in the middle on each axis."""
        last = [tree.last[row] for tree, row in zip(self.trees, self.nodes, strict=True)]
        return (self.first + np.stack(last)) // 2

    def some(self, which: np.ndarray | slice) -> "Boxes":
        """The boxes of some numbers, of a mask or of a slice."""
        return Boxes(columns(self.nodes, which), self.trees)

    def halved(self, axes: Int[np.ndarray, " boxes"]) -> "Boxes":
        """Both halves of each box, each along its given axis: all lower ones, then all upper."""
        lower, upper = self.nodes.copy(), self.nodes.copy()
        for axis, tree in enumerate(self.trees):
            mine = axes == axis
            lower[axis, mine] = tree.lower[lower[axis, mine]]
            upper[axis, mine] = tree.upper[upper[axis, mine]]
        return Boxes(np.concatenate([lower, upper], axis=1), self.trees)

    def with_others(self, others: "Boxes") -> "Boxes":
        """These boxes and others of the same lattice."""
        return Boxes(np.concatenate([self.nodes, others.nodes], axis=1), self.trees)


def points(indices: Int[np.ndarray, "axes boxes"], trees: tuple[Halves, ...]) -> Boxes:
    """Boxes of one point each, from the indices of its values."""
    nodes = np.empty(indices.shape, np.int32)
    for axis, tree in enumerate(trees):
        nodes[axis] = tree.singles[indices[axis]]
    return Boxes(nodes, trees)


def whole(trees: tuple[Halves, ...]) -> Boxes:
    """The lattice as one box."""
    return Boxes(np.zeros((len(trees), 1), np.int32), trees)


class Extremes:
    """Least and greatest entry of a table over any box.

    Along an axis on which the table only rises or only falls they lie at the ends of the box; for
    the other axes they are kept for every node.
    """

    def __init__(self, table: Table, trees: tuple[Halves, ...]):
        values = np.asarray(table.values, float)
        unknown = np.isnan(values)
        low = high = values
        if unknown.any():
            low, high = np.where(unknown, -np.inf, values), np.where(unknown, np.inf, values)
        self._axes = table.axes
        self._ways = table.ways
        # The last first: its rows are the shortest in memory, and the array is still small.
        for dimension, axis in reversed([*enumerate(table.axes)]):
            if self._ways[dimension] == "both":
                low = trees[axis].extremes(low, dimension, np.minimum)
                high = trees[axis].extremes(high, dimension, np.maximum)
        self._shape = low.shape
        self._low, self._high = low.ravel(), high.ravel()
        self._least, self._greatest = (self._keys(end) for end in ("least", "greatest"))

    def _keys(self, end: str) -> list[tuple]:
        """What the places of an end depend on: along the first axis, along the first two, ..."""
        steps = [
            (axis, _index_of(way, end), length)
            for axis, way, length in zip(self._axes, self._ways, self._shape, strict=True)
        ]
        return [tuple(steps[: count + 1]) for count in range(len(steps))]

    def over(self, boxes: Boxes, places: dict) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest entries.

        Args:
            boxes: Where.
            places: Places found before for the same boxes by other tables; new ones are added.
        """
        return (
            self._low.take(_places(self._least, boxes, places)),
            self._high.take(_places(self._greatest, boxes, places)),
        )


def _index_of(way: str, end: str) -> str:
    """Which number of a node tells the entry: its own, or that of its first or last value."""
    if way == "both":
        return "node"
    return "first" if (way == "up") == (end == "least") else "last"


def _places(keys: list[tuple], boxes: Boxes, places: dict) -> np.ndarray:
    """Places of an end in a flat table, from those along fewer axes."""
    if not keys:
        return np.zeros(len(boxes), np.intp)
    *fewer, key = keys
    if key not in places:
        axis, index, length = key[-1]
        here = _index(boxes, axis, index, places)
        places[key] = (
            _places(fewer, boxes, places) * length + here if fewer else here.astype(np.intp)
        )
    return places[key]


def _index(boxes: Boxes, axis: int, index: str, places: dict) -> np.ndarray:
    nodes, tree = boxes.nodes[axis], boxes.trees[axis]
    if index == "node":
        return nodes
    if (axis, index) not in places:
        places[axis, index] = (tree.first if index == "first" else tree.last).take(nodes)
    return places[axis, index]
