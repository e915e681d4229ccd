"""A grid cut into blocks: dense boxes of its last axes, at one place of its first ones.

The last axes, of which as many are taken as fit, vary within a block; the first of them is cut into
pieces where it does not fit whole. All blocks of a piece have the same values inside, so whatever
depends on these alone is worked out once for all of them; the other axes are one number a block.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax.sweeps.axis import Axis, points_of


@dataclass(frozen=True)
class GridPoints:
    """The points of a grid, in the order in which its last axis changes quickest.

    Attributes:
        axes: What varies.
        split: The axis that is cut into pieces; it and those after it vary within a block.
        rows: Its values in a block.
        float_type: Of all numbers.
    """

    axes: tuple[Axis, ...]
    split: int
    rows: int
    float_type: np.dtype

    @property
    def size(self) -> int:
        """Points."""
        return points_of(self.axes)

    @property
    def block(self) -> int:
        """Points of a block, with those past the end of the axis that is cut."""
        return self.rows * points_of(self.axes[self.split + 1 :])

    @property
    def pieces(self) -> int:
        """Pieces of the axis that is cut."""
        return math.ceil(len(self.axes[self.split].values) / self.rows) if self.axes else 1

    @property
    def places(self) -> int:
        """Blocks of each piece: places of the axes that are one number a block."""
        return points_of(self.axes[: self.split])

    @property
    def inner(self) -> frozenset[int]:
        """Axes that vary within a block."""
        return frozenset(range(self.split, len(self.axes)))

    @property
    def outer(self) -> frozenset[int]:
        """Axes that are one number a block."""
        return frozenset(range(self.split))

    def inner_indices(self, piece: Int[Array, ""]) -> dict[int, Int[Array, " block"]]:
        """Places on the axes within a block; past the end of an axis, its last."""
        rest, indices = jnp.arange(self.block), {}
        for axis in reversed(sorted(self.inner)):
            length = self.rows if axis == self.split else len(self.axes[axis].values)
            indices[axis] = rest % length
            rest = rest // length
        if self.axes:
            indices[self.split] = indices[self.split] + piece * self.rows
        return indices

    def _taken(self, axis: int, indices: Array) -> Array:
        values = jnp.asarray(self.axes[axis].values, self.float_type)
        return values[jnp.minimum(indices, len(values) - 1)]

    def inner_inputs(self, piece: Int[Array, ""]) -> dict[int, Float[Array, " block"]]:
        """Values of the axes that vary within the blocks of a piece."""
        return {axis: self._taken(axis, it) for axis, it in self.inner_indices(piece).items()}

    def outer_indices(self, places: Int[Array, " blocks"]) -> dict[int, Int[Array, " blocks"]]:
        """Places on the axes that are one number a block."""
        indices = {}
        for axis in reversed(range(self.split)):
            length = len(self.axes[axis].values)
            indices[axis] = places % length
            places = places // length
        return indices

    def outer_inputs(self, places: Int[Array, " blocks"]) -> dict[int, Float[Array, " blocks"]]:
        """Values of the axes that are one number a block."""
        return {axis: self._taken(axis, it) for axis, it in self.outer_indices(places).items()}

    def drawn_inputs(self, given: Array) -> dict[int, Array]:
        """None: a grid is not drawn."""
        del given
        return {}

    def given(self, first: int, count: int) -> np.ndarray:
        """What the device must be told of some blocks: nothing."""
        del first
        return np.zeros((count, 0), self.float_type)

    def valid(self, piece: Int[Array, ""], place: Int[Array, ""]) -> Bool[Array, " block"]:
        """Which points of a block are on the grid."""
        del place
        if not self.axes:
            return jnp.ones(1, bool)
        return self.inner_indices(piece)[self.split] < len(self.axes[self.split].values)

    def first_index(self, piece: Array | int, place: Array | int) -> Array | int:
        """The number of the first point of a block."""
        within = points_of(self.axes[self.split + 1 :])
        length = len(self.axes[self.split].values) if self.axes else 1
        return (place * length + piece * self.rows) * within

    def length(self, piece: int, place: int) -> int:
        """Points of a block that are on the grid; they are the first of it."""
        del place
        if not self.axes:
            return 1
        left = len(self.axes[self.split].values) - piece * self.rows
        return min(self.rows, left) * points_of(self.axes[self.split + 1 :])

    def indices(self, numbers: Int[np.ndarray, " points"]) -> Int[np.ndarray, "points axes"]:
        """Places of points, by their numbers, on all axes."""
        shape = tuple(len(axis.values) for axis in self.axes)
        if not shape:
            return np.zeros((len(numbers), 0), int)
        return np.stack(np.unravel_index(numbers, shape), axis=-1)

    def values(self, numbers: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points axes"]:
        """Values of points, by their numbers, of all axes."""
        columns = [
            np.asarray(axis.values)[place]
            for axis, place in zip(self.axes, self.indices(numbers).T, strict=True)
        ]
        return np.stack(columns, axis=-1) if columns else np.zeros((len(numbers), 0))


def grid_points(axes: tuple[Axis, ...], block: int, float_type: np.dtype) -> GridPoints:
    """The points of a grid in blocks of about some size.

    Args:
        axes: What varies, the quickest last.
        block: Points that a block should have at most.
        float_type: Of all numbers.
    """
    split, within = max(len(axes) - 1, 0), 1
    while split > 0 and within * len(axes[split].values) * 2 <= block:
        within *= len(axes[split].values)
        split -= 1
    length = len(axes[split].values) if axes else 1
    pieces = math.ceil(length / max(block // within, 1))
    return GridPoints(axes, split, math.ceil(length / pieces), np.dtype(float_type))
