"""The space of a problem as a unit hypercube: each variable scaled to its range."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup
from liminal_jax.study.problem import Problem


@dataclass(frozen=True)
class UnitHypercube:
    """A bijection between the unit hypercube and the ranges of the variables.

    Positive variables are scaled logarithmically, since most of the model is convex in logarithms;
    a variable whose range begins at 0 is scaled linearly.

    Attributes:
        low: Least value of each variable.
        high: Greatest value of each variable.
        logarithmic: Whether it is scaled in logarithms.
    """

    low: np.ndarray
    high: np.ndarray
    logarithmic: np.ndarray

    def values(self, unit: Float[Array, "*points variables"]) -> Float[Array, "*points variables"]:
        """Value of each variable at points of the hypercube."""
        # `where` differentiates both branches, so each gets arguments at which it is finite.
        safe_low = np.where(self.logarithmic, self.low, 1.0)
        safe_high = np.where(self.logarithmic, self.high, 1.0)
        scaled = safe_low * jnp.exp(unit * np.log(safe_high / safe_low))
        linear = self.low + unit * (self.high - self.low)
        return jnp.where(self.logarithmic, scaled, linear)

    def stretched(
        self, unit: Float[np.ndarray, "*points variables"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values of some points of the hypercube, and their derivatives along their coordinates."""
        low = np.where(self.logarithmic, self.low, 1.0)
        ratio = np.log(np.where(self.logarithmic, self.high, 1.0) / low)
        scaled = low * np.exp(unit * ratio)
        values = np.where(self.logarithmic, scaled, self.low + unit * (self.high - self.low))
        return values, np.where(self.logarithmic, scaled * ratio, self.high - self.low)

    def unit(self, point: np.ndarray) -> np.ndarray:
        """Coordinates in the hypercube of a point within the ranges."""
        safe = [np.where(self.logarithmic, it, 1.0) for it in (point, self.low)]
        ratio = np.where(self.logarithmic, self.high, np.e) / safe[1]
        linear = (point - self.low) / (self.high - self.low)
        return np.where(self.logarithmic, np.log(safe[0] / safe[1]) / np.log(ratio), linear)

    def stretch(self, unit: Float[Array, " variables"]) -> Float[Array, " variables"]:
        """Derivative of each variable along its own coordinate, in the variable's unit."""
        here = self.values(unit)
        ratio = np.where(self.logarithmic, self.high / np.where(self.logarithmic, self.low, 1.0), 1)
        return jnp.where(self.logarithmic, here * np.log(ratio), self.high - self.low)

    def nearest(
        self, unit: Float[np.ndarray, "starts variables"], grids: Sequence[Sequence[float]]
    ) -> Int[np.ndarray, "variables starts"]:
        """Indices of the grid values nearest to some points of the hypercube.

        Args:
            unit: Coordinates of the points.
            grids: Values of each variable.
        """
        here, _ = self.stretched(unit)
        near = np.empty((len(grids), len(unit)), int)
        for axis, grid in enumerate(grids):
            values, targets = np.asarray(grid, float), here[:, axis]
            if self.logarithmic[axis]:
                values, targets = np.log(values), np.log(targets)
            near[axis] = np.argmin(np.abs(values[:, None] - targets), axis=0)
        return near


def unit_hypercube_of(chosen: Problem | AbstractCoupled | AbstractGroup) -> UnitHypercube:
    """The unit hypercube of the variables of a problem, or of those that members choose."""
    grids = [variable.grid.values for variable in chosen.variables]
    low = np.asarray([grid[0] for grid in grids], float)
    return UnitHypercube(
        low=low,
        high=np.asarray([grid[-1] for grid in grids], float),
        logarithmic=low > 0,
    )
