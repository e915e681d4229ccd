"""Robustness of an optimum to the assumed overlap of arithmetic and memory traffic.

A search balances compute time and memory time, since the shorter is hidden behind the longer: its
optimum is where the assumption of perfect overlap matters most.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from liminal_jax.bounds.boxes import points
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    best_of_all,
    bounded_problem_of,
)
from liminal_jax.optimization.search.solution import Solution, solution_at
from liminal_jax.performance.prediction import Prediction
from liminal_jax.study.problem import FEASIBLE, Problem

KINK = 0.05
"""Largest relative difference of compute and memory time that counts as balanced."""

SECONDS = 20.0
"""Wall time of each proof, which takes about as long as that of the study itself [s]."""


class Overlap(NamedTuple):
    """A combination of overlaps, each from 0 (none) to 1 (perfect).

    Attributes:
        name: Name in results.
        between: Overlap between operators.
        within: Overlap within operators.
    """

    name: str
    between: float
    within: float


PESSIMISTIC = (Overlap("within operators", 0.0, 1.0), Overlap("none", 0.0, 0.0))
"""No prefetch ahead of an operator; no overlap at all."""


@dataclass(frozen=True)
class Pessimistic:
    """The optimum under less overlap than the study assumes.

    Attributes:
        overlap: Name of the overlap.
        of_design: Objective of the study's design under this overlap.
        exceeded: Limits that the study's design exceeds under this overlap.
        objective: Objective of the best design under this overlap; None where none is feasible.
        solution: That design; None where none is feasible.
        complete: Whether the proof is complete.
    """

    overlap: str
    of_design: float
    exceeded: tuple[str, ...]
    objective: float | None
    solution: Solution | None
    complete: bool


def with_overlap(problem: Problem, overlap: Overlap) -> Problem:
    """The problem with another overlap of arithmetic and memory traffic."""
    system = problem.region.case.system
    execution = system.execution
    between, within = (
        jnp.full_like(leaf, value)
        for leaf, value in (
            (execution.overlap_between_operators, overlap.between),
            (execution.overlap_within_operators, overlap.within),
        )
    )
    changed = dataclasses.replace(
        execution, overlap_between_operators=between, overlap_within_operators=within
    )
    return problem.with_system(dataclasses.replace(system, execution=changed))


def _evaluated(
    problem: Problem, bounded: BoundedProblem, solution: Solution
) -> tuple[float, tuple[str, ...]]:
    """Score of a design of the lattice, and the limits that it exceeds."""
    at = zip(problem.variables, solution.point, strict=True)
    indices = [solution.row, *(it.grid.values.index(value) for it, value in at)]
    design = points(np.asarray(indices)[:, None], bounded.bounds.trees)
    # The bounds of a box of a single design are exact, and nothing is traced again.
    score, *violations = bounded.bounds.over(design)[0][:, 0].tolist()
    exceeded = [
        limit.name
        for limit, violation in zip(problem.limits, violations, strict=True)
        if not violation <= FEASIBLE
    ]
    return score, tuple(exceeded)


def _holding(problem: Problem, solution: Solution) -> Problem:
    """The problem with a design's values on its grids: in ranges they may lie between steps."""
    variables = tuple(
        it
        if value in it.grid.values
        else dataclasses.replace(
            it,
            grid=dataclasses.replace(it.grid, values=tuple(sorted({*it.grid.values, value}))),
        )
        for it, value in zip(problem.variables, solution.point, strict=True)
    )
    return dataclasses.replace(
        problem, region=dataclasses.replace(problem.region, variables=variables)
    )


def _under(problem: Problem, solution: Solution, overlap: Overlap) -> Pessimistic:
    problem = with_overlap(problem, overlap)
    bounded = bounded_problem_of(problem)
    score, exceeded = _evaluated(problem, bounded, solution)
    best, statistics = best_of_all(bounded, Budget(gap=0.0, seconds=SECONDS))
    found = None if best.indices is None else solution_at(problem, best.indices)
    return Pessimistic(
        overlap=overlap.name,
        of_design=problem.objective(score),
        exceeded=exceeded,
        objective=None if found is None else problem.objective(best.score),
        solution=found,
        complete=statistics.complete,
    )


def pessimistic(problem: Problem, solution: Solution) -> list[Pessimistic]:
    """The optima under each overlap that is less than the problem assumes.

    Args:
        problem: The problem.
        solution: Its best design.
    """
    execution = problem.region.case.system.execution
    between, within = (
        float(np.ravel(leaf)[0])
        for leaf in (execution.overlap_between_operators, execution.overlap_within_operators)
    )
    whole = _holding(problem, solution)
    return [
        _under(whole, solution, it)
        for it in PESSIMISTIC
        if (it.between, it.within) < (between, within) and it.within <= within
    ]


def kink(instance: Prediction) -> str | None:
    """A sentence where compute and memory time of a design are balanced; None elsewhere.

    Args:
        instance: The prediction of one instance.
    """
    compute, memory = float(instance.compute_time), float(instance.memory_time)
    longer, shorter = max(compute, memory), min(compute, memory)
    if math.isnan(longer) or shorter < (1 - KINK) * longer:
        return None
    return (
        f"the optimum sits on the kink: arithmetic is busy for {compute * 1e3:.3g} ms of a step and"
        f" memory for {memory * 1e3:.3g} ms, so that the answer rests on their overlap"
    )
