"""The search: proven, then explained."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import Finding, find, placed
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.solution import Solution
from liminal_jax.optimization.sensitivity.fixed_integers import with_fixed_integers
from liminal_jax.optimization.sensitivity.overlap import Pessimistic, kink, pessimistic
from liminal_jax.optimization.sensitivity.shadow_prices import Sensitivity, sensitivities
from liminal_jax.study.problem import Problem


@dataclass(frozen=True)
class Relaxed:
    """The best design with its sizes free, see `design.held`.

    Attributes:
        objective: Objective of the relaxed optimum; an estimate of what freedom of the sizes is
            worth, no bound.
        feasible: Whether it meets the limits.
        solution: Where it is.
        reason: Why its search ended.
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
        objective: Its objective; none where no design is known that meets the limits.
        solution: Where it is; none likewise.
        lacking: Why there is none.
    """

    category: str
    objective: float | None
    solution: Solution | None
    lacking: str | None


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes:
        best: The best design, and what is proven of it.
        alternatives: Best design of each category.
        relaxed: The best design with its sizes free; none where no design meets the limits.
        sensitivities: What limits and numbers are worth there.
        pessimistic: The answer under less overlap of arithmetic and memory.
        kink: That the design sits on the kink between both; none where it does not.
        seconds: Wall time by stage.
    """

    best: Finding
    alternatives: list[Alternative]
    relaxed: Relaxed | None
    sensitivities: list[Sensitivity]
    pessimistic: list[Pessimistic]
    kink: str | None
    seconds: dict[str, float]

    @property
    def problem(self) -> Problem:
        """The study."""
        return self.best.problem


def _alternatives(finding: Finding) -> list[Alternative]:
    problem, proof, found = finding.problem, finding.proof, []
    for row, name in enumerate(problem.categories):
        lacking, gain = proof.lacking(row), float(proof.gains[row])
        if lacking is not None:
            found.append(Alternative(name, None, None, lacking))
            continue
        solution = placed(problem, design_grid_of(problem), proof.indices[row])
        found.append(Alternative(name, problem.objective(gain), solution, None))
    return found


def _explained(finding: Finding) -> tuple[Relaxed, list[Sensitivity]]:
    """The best design with its sizes free, and what limits and numbers are worth there."""
    freed = with_fixed_integers(finding.problem, finding.proof)
    optimum, gradients = freed.optimum(0), freed.gradients
    relaxed = Relaxed(
        objective=finding.problem.objective(optimum.score),
        feasible=optimum.feasible,
        solution=freed.solution(optimum),
        reason=optimum.reason,
    )
    return relaxed, sensitivities(gradients, optimum) if optimum.feasible else []


def optimize(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Answer:
    """The best design of a study, the proof, and what its numbers are worth.

    Args:
        problem: A study.
        schedule: How the relaxed starts proceed, if the proof needs their help.
        seed: Of these starts.
        progress: Told what happens.
        budget: When to stop proving.
        clock: Seconds from some origin.

    Returns:
        The design with its certificate and reasons. A study that no design can satisfy is an
        answer too: `best.feasible` is false and `best.reasons` say what must give.
    """
    progress = Progress() if progress is None else progress
    begin = clock()
    finding = find(problem, schedule, seed, progress, budget, clock)
    found = clock()
    relaxed, worth, less = None, [], []
    if finding.feasible:
        progress.stage("explaining by gradients")
        relaxed, worth = _explained(finding)
    explained = clock()
    if finding.feasible:
        progress.stage("proving again under less overlap")
        less = pessimistic(finding.problem, finding.solution)
    return Answer(
        best=finding,
        alternatives=_alternatives(finding),
        relaxed=relaxed,
        sensitivities=worth,
        pessimistic=less,
        kink=kink(finding.fleet.instance) if finding.feasible else None,
        seconds={
            "search": found - begin,
            "explain": explained - found,
            "less overlap": clock() - explained,
        },
    )
