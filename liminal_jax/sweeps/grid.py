"""A grid in blocks: all combinations of the inner (last) axes, at one point of the outer ones.

As many axes are inner as fit into a block; the first of them is cut into pieces where it does not
fit whole. All blocks of a piece have the same inner values, so results that depend on these alone
are computed once for all of them; outer axes are one number per block.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax.sweeps.axis import Axis, points_of


@dataclass(frozen=True)
class GridPoints:
    """The points of a grid in row-major order: the last axis varies fastest.

    Attributes:
        axes: The axes.
        split: Index of the axis that is cut into pieces, the first inner axis.
        rows: Number of its values in a block.
        float_type: Type of all numbers.
    """

    axes: tuple[Axis, ...]
    split: int
    rows: int
    float_type: np.dtype

    @property
    def size(self) -> int:
        """Number of points."""
        return points_of(self.axes)

    @property
    def block(self) -> int:
        """Number of points of a block, with those past the end of the axis that is cut."""
        return self.rows * points_of(self.axes[self.split + 1 :])

    @property
    def pieces(self) -> int:
        """Number of pieces of the axis that is cut."""
        return math.ceil(len(self.axes[self.split].values) / self.rows) if self.axes else 1

    @property
    def places(self) -> int:
        """Number of blocks of each piece: points of the outer axes."""
        return points_of(self.axes[: self.split])

    @property
    def inner(self) -> frozenset[int]:
        """Indices of the axes that vary within a block."""
        return frozenset(range(self.split, len(self.axes)))

    @property
    def outer(self) -> frozenset[int]:
        """Indices of the axes that are one number per block."""
        return frozenset(range(self.split))

    def inner_indices(self, piece: Int[Array, ""]) -> dict[int, Int[Array, " block"]]:
        """Indices on the inner axes within a block; `_taken` clips those past an end."""
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
        """Values of the inner axes in the blocks of a piece."""
        return {axis: self._taken(axis, it) for axis, it in self.inner_indices(piece).items()}

    def outer_indices(self, places: Int[Array, " blocks"]) -> dict[int, Int[Array, " blocks"]]:
        """Indices on the outer axes of some blocks."""
        indices = {}
        for axis in reversed(range(self.split)):
            length = len(self.axes[axis].values)
            indices[axis] = places % length
            places = places // length
        return indices

    def outer_inputs(self, places: Int[Array, " blocks"]) -> dict[int, Float[Array, " blocks"]]:
        """Values of the outer axes of some blocks."""
        return {axis: self._taken(axis, it) for axis, it in self.outer_indices(places).items()}

    def drawn_inputs(self, given: Array) -> dict[int, Array]:
        """Empty: a grid has no sampled axes."""
        del given
        return {}

    def given(self, first: int, count: int) -> np.ndarray:
        """Inputs of some blocks: none."""
        del first
        return np.zeros((count, 0), self.float_type)

    def valid(self, piece: Int[Array, ""], place: Int[Array, ""]) -> Bool[Array, " block"]:
        """Which points of a block are on the grid."""
        del place
        if not self.axes:
            return jnp.ones(1, bool)
        return self.inner_indices(piece)[self.split] < len(self.axes[self.split].values)

    def first_index(self, piece: Array | int, place: Array | int) -> Array | int:
        """Number of the first point of a block."""
        within = points_of(self.axes[self.split + 1 :])
        length = len(self.axes[self.split].values) if self.axes else 1
        return (place * length + piece * self.rows) * within

    def length(self, piece: int, place: int) -> int:
        """Number of points of a block that are on the grid; they come first."""
        del place
        if not self.axes:
            return 1
        left = len(self.axes[self.split].values) - piece * self.rows
        return min(self.rows, left) * points_of(self.axes[self.split + 1 :])

    def indices(self, numbers: Int[np.ndarray, " points"]) -> Int[np.ndarray, "points axes"]:
        """Indices on all axes of points by their numbers."""
        shape = tuple(len(axis.values) for axis in self.axes)
        if not shape:
            return np.zeros((len(numbers), 0), int)
        return np.stack(np.unravel_index(numbers, shape), axis=-1)

    def values(self, numbers: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points axes"]:
        """Values of all axes at points by their numbers."""
        columns = [
            np.asarray(axis.values)[place]
            for axis, place in zip(self.axes, self.indices(numbers).T, strict=True)
        ]
        return np.stack(columns, axis=-1) if columns else np.zeros((len(numbers), 0))


def grid_points(axes: tuple[Axis, ...], block: int, float_type: np.dtype) -> GridPoints:
    """The points of a grid in blocks of about a given size.

    Args:
        axes: The axes, the last varying fastest.
        block: Largest number of points of a block.
        float_type: Type of all numbers.
    """
    split, within = max(len(axes) - 1, 0), 1
    while split > 0 and within * len(axes[split].values) * 2 <= block:
        within *= len(axes[split].values)
        split -= 1
    length = len(axes[split].values) if axes else 1
    pieces = math.ceil(length / max(block // within, 1))
    return GridPoints(axes, split, math.ceil(length / pieces), np.dtype(float_type))
