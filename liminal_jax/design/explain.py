"""Why a design is what it is: the limits that bind it."""

from dataclasses import dataclass

import jax
import numpy as np

from liminal_jax.design.lattice import Lattice
from liminal_jax.design.polish import Candidate, neighbours
from liminal_jax.study.problem import FEASIBLE, Limit, Problem


@dataclass(frozen=True)
class Binding:
    """A limit at a design.

    Attributes:
        constraint: Name of the quantity, or of the physical limit.
        limit: Its bound, in SI.
        value: The design's value, in SI.
        slack: How far the value is on the right side of the bound; negative where it is not.
        unit: Unit of all three.
    """

    constraint: str
    limit: float
    value: float
    slack: float
    unit: str


def binding_of(limit: Limit, excess: float) -> Binding:
    """A limit at a design, given the logarithm of how far it is exceeded."""
    value = limit.bound * float(np.exp(-excess if limit.at_least else excess))
    slack = value - limit.bound if limit.at_least else limit.bound - value
    return Binding(
        constraint=limit.name, limit=limit.bound, value=value, slack=slack, unit=limit.unit
    )


def binding_limits(problem: Problem, lattice: Lattice, candidate: Candidate) -> list[Binding]:
    """The limits that bind a design; for an infeasible one, those it exceeds.

    A limit binds that keeps the design from a better neighbour.

    A neighbour is one move of the local search away. Where a better one breaks a single limit,
    that limit binds; where each better one breaks several, those of the fewest bind together.
    """
    excess = np.asarray(candidate.outcome.excess)
    bind = [index for index, it in enumerate(excess) if it > FEASIBLE]
    if not bind:
        _, outcomes = jax.jit(lambda indices: neighbours(problem, lattice, indices))(
            candidate.indices
        )
        score, near = np.asarray(outcomes.score), np.asarray(outcomes.excess)
        broken = (near > FEASIBLE)[score > float(candidate.outcome.score) + FEASIBLE]
        counts = broken.sum(axis=1)
        if len(counts):
            bind = np.flatnonzero(broken[counts == counts.min()].sum(axis=0)).tolist()
    return [binding_of(problem.limits[index], float(excess[index])) for index in bind]
