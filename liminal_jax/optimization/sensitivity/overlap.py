"""Robustness of an optimum to the assumed overlap of arithmetic and memory traffic.

A search balances compute time and memory time, since the shorter is hidden behind the longer: its
optimum is where the assumption of perfect overlap matters most.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import best_of_all, bounded_problem_of
from liminal_jax.optimization.search.solution import Solution, judged_at, solution_at
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


class BestUnder(NamedTuple):
    """The best design of a lattice under an overlap.

    Attributes:
        overlap: The overlap.
        indices: Indices of the design; None where none is feasible.
        score: Its score.
        complete: Whether the proof is complete.
    """

    overlap: Overlap
    indices: tuple[int, ...] | None
    score: float
    complete: bool


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


def best_under_less(problem: Problem) -> list[BestUnder]:
    """The best design under each overlap that is less than the problem assumes, by a proof."""
    execution = problem.region.case.system.execution
    between, within = (
        float(np.ravel(leaf)[0])
        for leaf in (execution.overlap_between_operators, execution.overlap_within_operators)
    )
    return [
        _best_under(problem, it)
        for it in PESSIMISTIC
        if (it.between, it.within) < (between, within) and it.within <= within
    ]


def _best_under(problem: Problem, overlap: Overlap) -> BestUnder:
    bounded = bounded_problem_of(with_overlap(problem, overlap))
    best, statistics = best_of_all(bounded, Budget(gap=0.0, seconds=SECONDS))
    indices = None if best.indices is None else tuple(map(int, best.indices))
    return BestUnder(overlap, indices, best.score, statistics.complete)


def pessimistic(
    problem: Problem, solution: Solution, best: Iterable[BestUnder]
) -> list[Pessimistic]:
    """The optima under less overlap, and what the study's design reaches there.

    Args:
        problem: The problem.
        solution: Its best design, which may lie between the values of ranges.
        best: The best designs of its lattice, of `best_under_less`.
    """
    return [_pessimistic(with_overlap(problem, it.overlap), solution, it) for it in best]


def _pessimistic(problem: Problem, solution: Solution, best: BestUnder) -> Pessimistic:
    _, outcome = judged_at(problem, solution)
    score, violations = float(outcome.score), np.asarray(outcome.violation).tolist()
    exceeded = tuple(
        limit.name
        for limit, violation in zip(problem.limits, violations, strict=True)
        if not violation <= FEASIBLE
    )
    found = None if best.indices is None else solution_at(problem, np.asarray(best.indices))
    own = not exceeded and (found is None or score > best.score)
    return Pessimistic(
        overlap=best.overlap.name,
        of_design=problem.objective(score),
        exceeded=exceeded,
        objective=problem.objective(score if own else best.score) if own or found else None,
        solution=solution if own else found,
        complete=best.complete,
    )


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
