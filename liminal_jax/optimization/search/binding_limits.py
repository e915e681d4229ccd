"""The limits that bind a design of the lattice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.bounds.boxes import points
from liminal_jax.optimization.search.certificate import BoundedProblem
from liminal_jax.optimization.search.local_search import neighbours
from liminal_jax.study.problem import FEASIBLE, Limit, Problem


@dataclass(frozen=True)
class Binding:
    """A limit at a design.

    Attributes:
        constraint: Name of the quantity, or of the physical limit.
        limit: Its bound, in SI.
        value: The design's value, in SI.
        slack: Distance of the value from the bound; negative where the limit is exceeded.
        unit: Unit of all three.
    """

    constraint: str
    limit: float
    value: float
    slack: float
    unit: str


def binding_of(limit: Limit, violation: float) -> Binding:
    """A limit at a design, from its log violation."""
    value = limit.value(violation)
    slack = value - limit.bound if limit.at_least else limit.bound - value
    return Binding(
        constraint=limit.name, limit=limit.bound, value=value, slack=slack, unit=limit.unit
    )


def binding_limits(
    problem: Problem,
    bounded: BoundedProblem,
    design: Int[np.ndarray, " axes"],
    violation: Float[np.ndarray, " limits"],
) -> list[Binding]:
    """The limits that bind a design; for an infeasible one, those it exceeds.

    On a lattice limits seldom hold with equality, so a limit binds here that excludes a better
    neighbour, one move of the local search away. Where a better neighbour exceeds a single limit,
    that limit binds; where each exceeds several, the limits of those that exceed the fewest bind
    together.

    Args:
        problem: A problem.
        bounded: The same with bounds.
        design: Indices of the design.
        violation: Log violation of each limit.
    """
    bind = np.flatnonzero(violation > FEASIBLE).tolist()
    if not bind:
        near = neighbours(design[:, None], bounded.shape)
        _, high = bounded.bounds.over(points(near, bounded.bounds.trees))
        known = np.isfinite(high).all(axis=0)
        better = known & (high[0] > high[0, 0] + FEASIBLE)
        broken = (high[1:] > FEASIBLE)[:, better]
        counts = broken.sum(axis=0)
        if len(counts):
            bind = np.flatnonzero(broken[:, counts == counts.min()].any(axis=1)).tolist()
    return [binding_of(problem.limits[index], float(violation[index])) for index in bind]
