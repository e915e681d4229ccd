"""`liminal optimize` in one call: the proven optimum, its sensitivities and its robustness."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import Finding, Method, find
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.existing_chips import Existing, best_existing
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.solution import Solution, solution_at
from liminal_jax.optimization.sensitivity.fixed_integers import with_fixed_integers
from liminal_jax.optimization.sensitivity.overlap import (
    BestUnder,
    Pessimistic,
    best_under_less,
    kink,
    pessimistic,
)
from liminal_jax.optimization.sensitivity.shadow_prices import Sensitivity, sensitivities
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Problem


@dataclass(frozen=True)
class Relaxed:
    """The local optimum of the continuous variables near the best design, integers fixed.

    Attributes:
        objective: Its objective; not a bound, since it is a local optimum of a smoothed model.
        feasible: Whether it meets the limits.
        solution: The design.
        reason: Termination message of the solver.
    """

    objective: float
    feasible: bool
    solution: Solution
    reason: str


@dataclass(frozen=True)
class Alternative:
    """The best design of one category.

    Attributes:
        category: Its name.
        objective: Its objective; None where no feasible design is known.
        solution: The design; None where no feasible design is known.
        infeasibility: Why no feasible design is known; None where one is.
    """

    category: str
    objective: float | None
    solution: Solution | None
    infeasibility: str | None


@dataclass(frozen=True)
class Answer:
    """The result of a search, with its explanation.

    Attributes:
        best: The best design with its certificate.
        alternatives: Best design of each category.
        relaxed: The local optimum of the continuous variables; None where no design is feasible.
        sensitivities: Elasticities of the objective at that optimum.
        pessimistic: The problem solved again under less overlap of arithmetic and memory traffic.
        kink: A sentence where the design balances compute and memory time; None elsewhere.
        existing: The best with chips that exist, where the study plans chips of its own.
        seconds: Wall time of each stage, of comparisons worked out elsewhere that of waiting [s].
    """

    best: Finding
    alternatives: list[Alternative]
    relaxed: Relaxed | None
    sensitivities: list[Sensitivity]
    pessimistic: list[Pessimistic]
    kink: str | None
    existing: list[Existing]
    seconds: dict[str, float]

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self.best.problem


def alternatives(finding: Finding) -> list[Alternative]:
    """The best design of each category."""
    problem, proof, found = finding.problem, finding.proof, []
    for row, name in enumerate(problem.categories):
        infeasibility, score = proof.infeasibility(row), float(proof.scores[row])
        if infeasibility is not None:
            found.append(Alternative(name, None, None, infeasibility))
            continue
        solution = solution_at(problem, proof.indices[row])
        if finding.continuum is not None and row == finding.solution.row:
            found.append(Alternative(name, finding.objective, finding.solution, None))
            continue
        found.append(Alternative(name, problem.objective(score), solution, None))
    return found


def relaxation_of(finding: Finding) -> tuple[Relaxed, list[Sensitivity]]:
    """The local optimum of the continuous variables, and the elasticities there.

    Args:
        finding: A feasible design.
    """
    freed = with_fixed_integers(finding.problem, finding.proof)
    optimum, gradients = freed.optimum(0), freed.gradients
    relaxed = Relaxed(
        objective=finding.problem.objective(optimum.score),
        feasible=optimum.feasible,
        solution=freed.solution(optimum),
        reason=optimum.reason,
    )
    return relaxed, sensitivities(gradients, optimum) if optimum.feasible else []


class Comparisons:
    """What does not rest on the design that is found, worked out when it is asked for.

    Attributes:
        problem: The problem.
    """

    def __init__(self, problem: Problem):
        """Of a problem."""
        self.problem = problem

    def existing(self) -> list[Existing]:
        """What existing chips can do, where a study plans chips of its own."""
        file = self.problem.source
        if not isinstance(file, StudyFile) or file.design.system is not None:
            return []
        return best_existing(file)

    def best_under_less(self) -> list[BestUnder]:
        """The best designs under less overlap of arithmetic and memory traffic."""
        return best_under_less(self.problem)


def optimize(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
    method: Method = Method.AUTO,
    comparisons: Comparisons | None = None,
) -> Answer:
    """The best design of a problem, its certificate, and the sensitivities of its objective.

    Args:
        problem: A problem.
        schedule: Schedule of the descents.
        seed: Seed of their starts.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        clock: Seconds from some origin.
        method: Gradients, branch and bound, or both at once.
        comparisons: Where the design's comparisons are worked out; here where left out.

    Returns:
        The design with its certificate. Where no design meets every limit, `best.feasible` is
        false and `best.reasons` give the shortfall of each limit.
    """
    progress = Progress() if progress is None else progress
    begin = clock()
    finding = find(problem, schedule, seed, progress, budget, clock, method)
    return explained(finding, clock() - begin, progress, clock, comparisons)


def explained(
    finding: Finding,
    seconds: float,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
    comparisons: Comparisons | None = None,
) -> Answer:
    """What is to be said of a design that was found.

    Args:
        finding: What was found.
        seconds: Wall time that it took.
        progress: Called as the stages begin.
        clock: Seconds from some origin.
        comparisons: Where its comparisons are worked out; here where left out.
    """
    progress = Progress() if progress is None else progress
    comparisons = Comparisons(finding.problem) if comparisons is None else comparisons
    relaxed, elasticities, less = None, [], []
    begin = clock()
    if finding.feasible:
        progress.stage("explaining by gradients")
        relaxed, elasticities = relaxation_of(finding)
    explaining = clock()
    progress.stage("comparing with chips that exist")
    existing = comparisons.existing()
    comparing = clock()
    if finding.feasible:
        progress.stage("proving again under less overlap")
        less = pessimistic(finding.problem, finding.solution, comparisons.best_under_less())
    return Answer(
        best=finding,
        alternatives=alternatives(finding),
        relaxed=relaxed,
        sensitivities=elasticities,
        pessimistic=less,
        kink=kink(finding.fleet.instance) if finding.feasible else None,
        existing=existing,
        seconds={
            "search": seconds,
            "explain": explaining - begin,
            "existing chips": comparing - explaining,
            "less overlap": clock() - comparing,
        },
    )
