"""Samples between the ends of axes: a Sobol sequence or a Latin hypercube, by scipy.

No point of a Sobol sequence depends on earlier ones: coordinates are linear functions over bits of
the number of a point. The points of an aligned block are therefore those of the first block,
exclusive-or one word per axis.

    Sobol (1967), USSR Comput. Math. Math. Phys. 7(4); scrambled: Matousek (1998), J. Complexity 14.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.stats import qmc
from typing_extensions import override

from liminal_jax.sweeps.axis import Axis

WORD = 32
"""Bits of a coordinate of a Sobol point."""

MOST_SOBOL = 2**WORD
"""Number of points after which a Sobol sequence of such words repeats."""

MOST_LATIN = 2**26
"""Largest number of coordinates of a Latin hypercube, which is kept whole, 8 bytes each."""


@dataclass(frozen=True)
class _Drawn(ABC):
    """Sampled points.

    Attributes:
        axes: The axes.
        size: Number of points.
        block: Number of points of a block, a power of two.
        seed: Seed of the samples.
        float_type: Type of all numbers.
    """

    axes: tuple[Axis, ...]
    size: int
    block: int
    seed: int
    float_type: np.dtype

    @property
    def pieces(self) -> int:
        """One: no axis is cut into pieces."""
        return 1

    @property
    def places(self) -> int:
        """Number of blocks."""
        return math.ceil(self.size / self.block)

    @property
    def inner(self) -> frozenset[int]:
        """Indices of the axes with the same values in each block: none."""
        return frozenset()

    @property
    def outer(self) -> frozenset[int]:
        """Indices of the axes that are one number per block: none."""
        return frozenset()

    def inner_inputs(self, piece: Int[Array, ""]) -> dict[int, Array]:
        """Empty: every axis is sampled."""
        del piece
        return {}

    def outer_indices(self, places: Int[Array, " blocks"]) -> dict[int, Array]:
        """Empty: every axis is sampled."""
        del places
        return {}

    def outer_inputs(self, places: Int[Array, " blocks"]) -> dict[int, Array]:
        """Empty: every axis is sampled."""
        del places
        return {}

    def valid(self, piece: Int[Array, ""], place: Int[Array, ""]) -> Bool[Array, " block"]:
        """Which points of a block are within the size of the sample."""
        del piece
        return place * self.block + jnp.arange(self.block) < self.size

    def first_index(self, piece: Array | int, place: Array | int) -> Array | int:
        """Number of the first point of a block."""
        del piece
        return place * self.block

    def length(self, piece: int, place: int) -> int:
        """Number of points of a block within the size of the sample; they come first."""
        del piece
        return min(self.block, self.size - place * self.block)

    def indices(self, numbers: Int[np.ndarray, " points"]) -> Int[np.ndarray, "points axes"]:
        """Indices of points by their numbers on axes with a list of values; 0 on others."""
        shares = self._shares(numbers)
        lengths = [1 if axis.drawn else len(axis.values) for axis in self.axes]
        return np.minimum((shares * lengths).astype(int), np.asarray(lengths, int) - 1)

    def values(self, numbers: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points axes"]:
        """Values of all axes at points by their numbers."""
        shares = self._shares(numbers).T
        inputs = self._placed(jnp.asarray(shares, self.float_type))
        columns = [np.asarray(inputs[axis], float) for axis in range(len(self.axes))]
        return np.stack(columns, axis=-1)

    def _placed(self, shares: Float[Array, "axes points"]) -> dict[int, Array]:
        """Values at shares of the axes, from 0 to below 1."""
        pairs = zip(self.axes, shares, strict=True)
        return {number: _placed(axis, share) for number, (axis, share) in enumerate(pairs)}

    @abstractmethod
    def _shares(self, numbers: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points axes"]:
        """Coordinates of points on each axis, from 0 to below 1."""

    @abstractmethod
    def given(self, first: int, count: int) -> np.ndarray:
        """Inputs of some blocks, one row per block."""

    @abstractmethod
    def drawn_inputs(self, given: Array) -> dict[int, Array]:
        """Values of all axes in a block, from its row of inputs."""


def _placed(axis: Axis, share: Float[Array, " points"]) -> Float[Array, " points"]:
    """Values of an axis at shares of its length."""
    low, high = axis.ends
    if not axis.drawn:
        values = jnp.asarray(axis.values, share.dtype)
        place = (share * len(axis.values)).astype(jnp.int32)
        return values[jnp.minimum(place, len(axis.values) - 1)]
    if axis.logarithmic:
        value = jnp.exp(math.log(low) + math.log(high / low) * share)
    else:
        value = low + (high - low) * share
    return jnp.clip(jnp.round(value) if axis.whole else value, low, high)


@dataclass(frozen=True)
class SobolPoints(_Drawn):
    """A scrambled Sobol sequence."""

    @cached_property
    def _engine(self) -> qmc.Sobol:
        return qmc.Sobol(len(self.axes), scramble=True, bits=WORD, rng=self.seed)

    @cached_property
    def _words(self) -> np.ndarray:
        """Coordinates of the first block as words, exactly; shape (axes, block)."""
        first = qmc.Sobol(len(self.axes), scramble=True, bits=WORD, rng=self.seed)
        shares = first.random(self.block)
        words = np.asarray(np.round(shares * 2.0**WORD), np.uint64).astype(np.uint32)
        return np.ascontiguousarray(words.T)

    def _steps(self, numbers: np.ndarray) -> np.ndarray:
        """Exclusive-or of the words of points with those of point 0; shape (points, axes)."""
        directions = np.asarray(self._engine._sv, np.uint64).astype(np.uint32)
        codes = np.asarray(numbers, np.uint64)
        codes = codes ^ (codes >> np.uint64(1))
        steps = np.zeros((len(codes), len(self.axes)), np.uint32)
        for bit in range(WORD):
            there = ((codes >> np.uint64(bit)) & np.uint64(1)).astype(bool)
            steps[there] ^= directions[:, bit]
        return steps

    def _shares(self, numbers: np.ndarray) -> np.ndarray:
        return (self._words[:, 0] ^ self._steps(numbers)) * 2.0**-WORD

    def given(self, first: int, count: int) -> np.ndarray:
        """A word for each block and axis."""
        return self._steps((first + np.arange(count)) * self.block)

    @override
    def drawn_inputs(self, given: Array) -> dict[int, Array]:
        words = jnp.asarray(self._words) ^ given[:, None]
        return self._placed(words.astype(self.float_type) * 2.0**-WORD)


@dataclass(frozen=True)
class LatinPoints(_Drawn):
    """A Latin hypercube: n points, one in each of n slices of every axis."""

    @cached_property
    def _all(self) -> np.ndarray:
        drawn = qmc.LatinHypercube(len(self.axes), rng=self.seed).random(self.size)
        past = self.places * self.block - self.size
        return np.pad(drawn, ((0, past), (0, 0)), mode="edge")

    def _shares(self, numbers: np.ndarray) -> np.ndarray:
        return self._all[numbers]

    def given(self, first: int, count: int) -> np.ndarray:
        """The coordinates themselves; rows past the last block repeat it."""
        blocks = self._all.reshape(self.places, self.block, len(self.axes))
        return blocks[np.minimum(first + np.arange(count), self.places - 1)]

    @override
    def drawn_inputs(self, given: Array) -> dict[int, Array]:
        return self._placed(given.astype(self.float_type).T)
