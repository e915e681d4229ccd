"""What an answer rests on that may not come true: how much arithmetic and memory traffic overlap.

A search pushes the time of arithmetic and that of memory towards each other, since the shorter of
them is hidden behind the longer: its optimum is where perfect overlap is worth most.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from liminal_jax.bounds.boxes import points
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    bounded_problem_of,
    proven,
)
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.solution import Solution, solution_of
from liminal_jax.performance.prediction import Prediction
from liminal_jax.study.problem import FEASIBLE, Problem

KINK = 0.05
"""Share of the longer time by which the shorter may differ for a design to sit on the kink."""

SECONDS = 20.0
"""Wall time for each proof; they take about as long as that of the study itself."""


class Overlap(NamedTuple):
    """An end of the range of what overlaps.

    Attributes:
        name: How results call it.
        between: Overlap between operators.
        within: Overlap within operators.
    """

    name: str
    between: float
    within: float


PESSIMISTIC = (Overlap("within operators", 0.0, 1.0), Overlap("none", 0.0, 0.0))
"""Nothing is fetched ahead of its operator; nothing passes at once."""


@dataclass(frozen=True)
class Pessimistic:
    """An answer under less overlap than its study assumes.

    Attributes:
        overlap: What overlaps, see `PESSIMISTIC`.
        of_design: Objective of the design that the study found.
        exceeded: Limits that it exceeds then.
        objective: Objective of the best design under this overlap; none where none meets the
            limits.
        solution: That design; none likewise.
        complete: Whether it is proven that none is better.
    """

    overlap: str
    of_design: float
    exceeded: tuple[str, ...]
    objective: float | None
    solution: Solution | None
    complete: bool


def with_overlap(problem: Problem, overlap: Overlap) -> Problem:
    """A study with another overlap of arithmetic and memory traffic."""
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


def _of_design(
    problem: Problem, bounded: BoundedProblem, solution: Solution
) -> tuple[float, tuple[str, ...]]:
    """Score of a design of the lattice, and the limits that it exceeds."""
    at = zip(problem.variables, solution.point, strict=True)
    indices = [solution.row, *(it.grid.values.index(value) for it, value in at)]
    design = points(np.asarray(indices)[:, None], bounded.bounds.trees)
    # Bounds of a single design are what is predicted of it, and nothing is traced again.
    score, *violations = bounded.bounds.over(design)[0][:, 0].tolist()
    exceeded = [
        limit.name
        for limit, violation in zip(problem.limits, violations, strict=True)
        if not violation <= FEASIBLE
    ]
    return score, tuple(exceeded)


def _under(problem: Problem, solution: Solution, overlap: Overlap) -> Pessimistic:
    problem = with_overlap(problem, overlap)
    bounded = bounded_problem_of(problem)
    score, exceeded = _of_design(problem, bounded, solution)
    lattice = design_grid_of(problem)
    proof = proven(bounded, [], Budget(gap=0.0, seconds=SECONDS))
    gain, best = float(np.max(proof.gains)), None
    if gain > UNKNOWN:
        point, category = lattice.at(jnp.asarray(proof.best()))
        best = solution_of(problem, np.asarray(point), int(category))
    return Pessimistic(
        overlap=overlap.name,
        of_design=problem.objective(score),
        exceeded=exceeded,
        objective=None if best is None else problem.objective(gain),
        solution=best,
        complete=proof.statistics.complete,
    )


def pessimistic(problem: Problem, solution: Solution) -> list[Pessimistic]:
    """The answer of a study where less overlaps than it assumes.

    Args:
        problem: The study.
        solution: The design that it found.
    """
    execution = problem.region.case.system.execution
    between, within = (
        float(jnp.ravel(leaf)[0])
        for leaf in (execution.overlap_between_operators, execution.overlap_within_operators)
    )
    return [
        _under(problem, solution, it)
        for it in PESSIMISTIC
        if (it.between, it.within) < (between, within) and it.within <= within
    ]


def kink(instance: Prediction) -> str | None:
    """The sentence that a design needs whose arithmetic and memory are busy for equally long.

    Args:
        instance: What is predicted of the design.
    """
    compute, memory = float(instance.compute_time), float(instance.memory_time)
    longer, shorter = max(compute, memory), min(compute, memory)
    if math.isnan(longer) or shorter < (1 - KINK) * longer:
        return None
    return (
        f"the optimum sits on the kink: arithmetic is busy for {compute * 1e3:.3g} ms of a step and"
        f" memory for {memory * 1e3:.3g} ms, so that the answer rests on their overlap"
    )
