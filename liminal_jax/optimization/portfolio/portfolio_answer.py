"""What the search for a shared chip found: the chip, each workload on it, and what each lost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax._smooth import Exact
from liminal_jax.hardware.system import System
from liminal_jax.optimization.portfolio.shared_branch_and_bound import Chip
from liminal_jax.optimization.portfolio.shared_limits import MemberBinding
from liminal_jax.optimization.search.best_design import placed
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.portfolio import Member, Portfolio
from liminal_jax.study.problem import Problem
from liminal_jax.study.quantities import Fleet


@dataclass(frozen=True)
class WorkloadOptimum:
    """The best that a workload can have from hardware of its own.

    Attributes:
        member: The workload.
        value: Its objective; none where no design is known that meets its limits.
        solution: The design; none likewise.
        gap: Share by which there may be a better one; none where that is open.
    """

    member: Member
    value: float | None
    solution: Solution | None
    gap: float | None


@dataclass(frozen=True)
class Served:
    """A workload on the shared chip.

    Attributes:
        member: The workload.
        value: Its objective.
        share: Its objective over the best that it can have alone, or the inverse where less is
            better: at most 1.
        solution: Its design.
        system: The hardware, which is the same for all.
        fleet: What the exact model says of it.
    """

    member: Member
    value: float
    share: float
    solution: Solution
    system: System
    fleet: Fleet


Cross = dict[str, dict[str, float | None]]
"""For the best chip for each workload, the share of its best that every workload gets from it; none
where that chip cannot serve it."""


@dataclass(frozen=True)
class PortfolioAnswer:
    """What a search found.

    Attributes:
        portfolio: The question.
        objective: Weighted geometric mean of the objectives on the shared chip; none where no chip
            is known that serves every workload.
        share: Weighted geometric mean of the shares; none likewise.
        served: The workloads on the shared chip; empty likewise.
        alone: The best for each.
        cross: The best chip for each, used for all.
        certificate: What is proven; its designs are chips, each with the best of all mappings.
        binding: Limits that bind.
        reasons: What happened, in sentences.
        seconds: Wall time by stage.
    """

    portfolio: Portfolio
    objective: float | None
    share: float | None
    served: tuple[Served, ...]
    alone: tuple[WorkloadOptimum, ...]
    cross: Cross
    certificate: Certificate
    binding: list[MemberBinding]
    reasons: list[str]
    seconds: dict[str, float]

    @property
    def feasible(self) -> bool:
        """Whether a chip is known that serves every workload."""
        return self.objective is not None


def _place(problem: Problem, chip: Chip, number: int) -> Solution:
    return placed(problem, design_grid_of(problem), chip.designs[number])


def alone_of(
    portfolio: Portfolio, own: Sequence[Chip | None], slacks: Sequence[float]
) -> tuple[WorkloadOptimum, ...]:
    """The best for each workload.

    Args:
        portfolio: The workloads.
        own: The best chip known for each, with the designs of all on it.
        slacks: Logarithm by which there may be a better one for each.
    """
    answers = []
    for number, (member, chip, slack) in enumerate(
        zip(portfolio.members, own, slacks, strict=True)
    ):
        if chip is None:
            answers.append(WorkloadOptimum(member, None, None, None))
            continue
        value = member.problem.objective(float(chip.scores[number]))
        gap = math.expm1(slack) if slack < -UNKNOWN / 2 else None
        answers.append(WorkloadOptimum(member, value, _place(member.problem, chip, number), gap))
    return tuple(answers)


def served_by(portfolio: Portfolio, chip: Chip, own: Sequence[Chip]) -> tuple[Served, ...]:
    """The workloads on a shared chip.

    Args:
        portfolio: The workloads.
        chip: The shared chip.
        own: The best chip known for each.
    """
    answers = []
    for number, member in enumerate(portfolio.members):
        problem, solution = member.problem, _place(member.problem, chip, number)
        case = case_at(problem, solution)
        fleet, system = case.fleet(Exact()), case.built(Exact())
        score = float(chip.scores[number])
        share = math.exp(score - float(own[number].scores[number]))
        value = problem.objective(score)
        answers.append(Served(member, value, share, solution, system, fleet))
    return tuple(answers)


def cross_of(portfolio: Portfolio, own: Sequence[Chip | None]) -> Cross:
    """The best chip for each workload, used for all; those without one are left out."""
    names = [it.name for it in portfolio.members]
    most = [
        np.nan if chip is None else float(chip.scores[number]) for number, chip in enumerate(own)
    ]
    return {
        name: {
            other: math.exp(score - best) if score > UNKNOWN else None
            for other, score, best in zip(names, chip.scores.tolist(), most, strict=True)
        }
        for name, chip in zip(names, own, strict=True)
        if chip is not None
    }
