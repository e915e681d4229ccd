"""The lattice of a problem: designs by the indices of their values."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax.study.problem import Problem


@dataclass(frozen=True)
class DesignGrid:
    """Designs as rows of indices: the category first, then each free variable.

    Attributes:
        shape: Number of categories, then of values of each variable.
        values: Values of each variable in SI, padded with its last one.
    """

    shape: tuple[int, ...]
    values: Float[Array, "variables longest"]

    def at(self, indices: Int[Array, " axes"]) -> tuple[Float[Array, " variables"], Int[Array, ""]]:
        """Point and category of a design."""
        return self.values[jnp.arange(len(self.values)), indices[1:]], indices[0]


def design_grid_of(problem: Problem) -> DesignGrid:
    """The lattice of a problem."""
    lengths = [len(variable.grid.values) for variable in problem.variables]
    longest = max(lengths, default=1)
    padded = [
        np.pad(np.asarray(variable.grid.values), (0, longest - length), mode="edge")
        for variable, length in zip(problem.variables, lengths, strict=True)
    ]
    return DesignGrid(
        shape=(len(problem.categories), *lengths),
        values=jnp.asarray(np.asarray(padded).reshape(len(lengths), longest), float),
    )
