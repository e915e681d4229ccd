"""The space of a problem as a unit hypercube: each variable scaled to its range."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax.optimization.search.design_grid import DesignGrid
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
        self, unit: Float[Array, " variables"], lattice: DesignGrid
    ) -> Int[Array, " variables"]:
        """Indices of the lattice values nearest to a point of the hypercube."""
        here = self.values(unit)
        places = jnp.where(
            self.logarithmic[:, None], jnp.log(jnp.maximum(lattice.values, 1e-300)), lattice.values
        )
        target = jnp.where(self.logarithmic, jnp.log(jnp.maximum(here, 1e-300)), here)
        return jnp.argmin(jnp.abs(places - target[:, None]), axis=1)


def unit_hypercube_of(problem: Problem) -> UnitHypercube:
    """The unit hypercube of a problem."""
    grids = [variable.grid.values for variable in problem.variables]
    low = np.asarray([grid[0] for grid in grids])
    return UnitHypercube(
        low=low,
        high=np.asarray([grid[-1] for grid in grids]),
        logarithmic=low > 0,
    )
