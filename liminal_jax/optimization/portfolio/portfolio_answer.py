"""The result of a portfolio search: the common chip, each workload on it, and the losses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax._smooth import Exact
from liminal_jax.hardware.system import System
from liminal_jax.optimization.portfolio.shared_branch_and_bound import Chip
from liminal_jax.optimization.portfolio.shared_limits import MemberBinding
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.solution import Solution, case_at, solution_at
from liminal_jax.study.portfolio import Member, Portfolio
from liminal_jax.study.problem import Problem
from liminal_jax.study.quantities import Fleet


@dataclass(frozen=True)
class WorkloadOptimum:
    """The per-workload optimum: the best design with hardware for one workload alone.

    Attributes:
        member: The workload.
        value: Its objective, in SI; None where no feasible design is known.
        solution: The design; None where no feasible design is known.
        gap: Relative optimality gap; None where it is unbounded.
    """

    member: Member
    value: float | None
    solution: Solution | None
    gap: float | None


@dataclass(frozen=True)
class Deployed:
    """A workload deployed on the common chip.

    Attributes:
        member: The workload.
        value: Its objective, in SI.
        share: Its objective over that of its own optimum, or the inverse where less is better: at
            most 1.
        solution: Its design.
        system: The hardware, which is the same for all workloads.
        fleet: The exact model's prediction of the whole system.
    """

    member: Member
    value: float
    share: float
    solution: Solution
    system: System
    fleet: Fleet


Cross = dict[str, dict[str, float | None]]
"""By workload of the chip, then by workload deployed on it: the share of the latter's own optimum
that it reaches; None where the chip cannot serve it."""


@dataclass(frozen=True)
class PortfolioAnswer:
    """The result of a portfolio search.

    Attributes:
        portfolio: The portfolio.
        objective: Weighted geometric mean of the objectives on the common chip; None where no
            chip is known that serves every workload.
        share: Weighted geometric mean of the shares; None where `objective` is.
        served: The workloads on the common chip; empty where no chip serves all.
        alone: The per-workload optima.
        cross: Every workload on the chip of every workload's optimum.
        certificate: What is proven; its designs are chips, each with the best mappings.
        binding: Limits that bind.
        reasons: Messages: what is proven, and why.
        seconds: Wall time of each stage [s].
    """

    portfolio: Portfolio
    objective: float | None
    share: float | None
    served: tuple[Deployed, ...]
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


def _solution(problem: Problem, chip: Chip, number: int) -> Solution:
    return solution_at(problem, chip.designs[number])


def workload_optima(
    portfolio: Portfolio, own: Sequence[Chip | None], slacks: Sequence[float]
) -> tuple[WorkloadOptimum, ...]:
    """The per-workload optima.

    Args:
        portfolio: The workloads.
        own: The best chip known for each, with the designs of all workloads on it.
        slacks: Logarithm by which the bound of each lies above it.
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
        answers.append(WorkloadOptimum(member, value, _solution(member.problem, chip, number), gap))
    return tuple(answers)


def deployments(portfolio: Portfolio, chip: Chip, own: Sequence[Chip]) -> tuple[Deployed, ...]:
    """The workloads deployed on a common chip.

    Args:
        portfolio: The workloads.
        chip: The common chip.
        own: The best chip known for each.
    """
    answers = []
    for number, member in enumerate(portfolio.members):
        problem, solution = member.problem, _solution(member.problem, chip, number)
        case = case_at(problem, solution)
        fleet, system = case.fleet(Exact()), case.built(Exact())
        score = float(chip.scores[number])
        share = math.exp(score - float(own[number].scores[number]))
        value = problem.objective(score)
        answers.append(Deployed(member, value, share, solution, system, fleet))
    return tuple(answers)


def cross_shares(portfolio: Portfolio, own: Sequence[Chip | None]) -> Cross:
    """Every workload on the chip of every other workload's optimum, where there is one."""
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
