"""Where one start of the relaxed search ends."""

import equinox as eqx
from jaxtyping import Array, Float, Int


class RelaxedPoint(eqx.Module):
    """The end point of one start.

    Attributes:
        unit: Coordinates in the unit hypercube.
        category: Index of the category.
        score: Score under the last relaxation.
        violation: Log violation of each limit under the last relaxation.
        termination: Termination status, as the number of a `Termination`.
    """

    unit: Float[Array, " variables"]
    category: Int[Array, ""]
    score: Float[Array, ""]
    violation: Float[Array, " limits"]
    termination: Int[Array, ""]
