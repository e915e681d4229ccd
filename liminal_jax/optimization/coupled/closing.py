"""The gap between bound and best design closed by listing what is left, where that is little.

A design costs at least the bound plus, for each member, what its choice costs at the prices above
the cheapest one. Choices for which that alone exceeds the best design are left out; where few
combinations of the others remain, all of them are judged, and the best of them is the optimum.
"""

import math

import numpy as np
from jaxtyping import Float

from liminal_jax.optimization.coupled.columns import Columns, Judge
from liminal_jax.optimization.coupled.exchange import Chosen, best_of
from liminal_jax.study.coupled import Point

MOST = 200_000
"""Combinations that are listed."""


def closed(
    judge: Judge,
    shared: Point,
    columns: Columns,
    prices: Float[np.ndarray, " totals"],
    room: float,
) -> Chosen | None:
    """The best of all designs that may beat the best one known.

    Args:
        judge: Judges totals.
        shared: What all share.
        columns: The choices of all members.
        prices: Prices of the totals of a bound.
        room: Cost of the best design less the bound; infinite where none is known.

    Returns:
        The best of them, which may exceed limits; None where there are too many, or none at all.
    """
    costs = np.where(columns.allowed, columns.totals @ prices, np.inf)
    above = costs - costs.min(axis=1, keepdims=True)
    left = [np.flatnonzero(row <= room) for row in np.where(np.isfinite(costs), above, np.nan)]
    if math.prod(len(it) for it in left) > MOST:
        return None
    grid = np.meshgrid(*left, indexing="ij")
    return best_of(judge, shared, columns, np.stack([it.ravel() for it in grid], axis=1))
