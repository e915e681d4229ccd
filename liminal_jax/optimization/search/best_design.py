"""The best design of a study with its proof: branch and bound first, gradients where it needs help.

Branch and bound needs no compiling, and most studies are proven before gradients would be compiled.
Where one is not, many relaxed starts descend by gradients, are snapped to the lattice and climb on;
what they find prunes the proof, which then begins again.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._smooth import Exact
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.binding_limits import Binding, binding_limits
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget, IncumbentOfEach
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    Certificate,
    Proof,
    bounded_problem_of,
    certificate,
    nearest,
    objective_bounds,
    proven,
)
from liminal_jax.optimization.search.design_grid import DesignGrid, design_grid_of
from liminal_jax.optimization.search.gradient_search import RelaxedPoint, relaxed_points
from liminal_jax.optimization.search.local_search import LocalSearch
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.shortfalls import (
    WHAT_IS_LACKING,
    proof_reasons,
    unknown_numbers,
)
from liminal_jax.optimization.search.solution import Solution, solution_of
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.problem import Problem
from liminal_jax.study.quantities import Fleet

PATIENCE = 30.0
"""Seconds that the proof has to itself; about as long as gradients take to be compiled and used, so
that at most half of the time is spent on the wrong one of both."""


@dataclass(frozen=True)
class Finding:
    """The best design of a study, and what is proven of it.

    Attributes:
        problem: The study.
        bounded: Its lattice.
        proof: What branch and bound found.
        objective: Objective of the design.
        solution: The design; where none is feasible, the one that violates the limits least.
        fleet: What the exact model says of it.
        certificate: What is proven.
        binding: Limits that bind; for an infeasible study those that cannot be met.
        reasons: What happened, in sentences.
    """

    problem: Problem
    bounded: BoundedProblem
    proof: Proof
    objective: float
    solution: Solution
    fleet: Fleet
    certificate: Certificate
    binding: list[Binding]
    reasons: list[str]

    @property
    def feasible(self) -> bool:
        """Whether the design meets every limit."""
        return self.proof.feasible


def placed(problem: Problem, lattice: DesignGrid, indices: np.ndarray) -> Solution:
    """The place of a design of the lattice."""
    point, category = lattice.at(jnp.asarray(indices))
    return solution_of(problem, np.asarray(point), int(category))


def descended(
    problem: Problem, bounded: BoundedProblem, schedule: Schedule, seed: int
) -> tuple[IncumbentOfEach, RelaxedPoint]:
    """What gradients lead to: the best designs near to where relaxed starts ended, and those ends.

    Args:
        problem: A study.
        bounded: Its lattice.
        schedule: How the relaxed stage proceeds.
        seed: Of the starts.
    """
    box, lattice = unit_hypercube_of(problem), design_grid_of(problem)
    ends = relaxed_points(problem, box, schedule, jax.random.key(seed))
    near = jax.vmap(lambda unit: box.nearest(unit, lattice))(ends.unit)
    best = IncumbentOfEach(len(problem.categories), len(bounded.shape))
    starts = np.vstack([np.asarray(ends.category), np.asarray(near).T]).astype(int)
    LocalSearch(bounded, objective_bounds, best).climb(starts, np.ones((1, starts.shape[1])))
    return best, ends


def _descent_reason(ends: RelaxedPoint) -> str:
    counts = Counter(Termination(int(it)) for it in np.asarray(ends.termination))
    converged = counts[Termination.CONVERGED] + counts[Termination.HELD]
    return (
        f"gradients helped the proof: of {sum(counts.values())} relaxed starts {converged}"
        f" converged, {counts[Termination.ITERATION_LIMIT]} were stopped within the limits and"
        f" {counts[Termination.INFEASIBLE]} outside them; local search went on from the designs"
        " next to them"
    )


def _searched(
    problem: Problem,
    bounded: BoundedProblem,
    schedule: Schedule,
    seed: int,
    progress: Progress,
    budget: Budget,
    clock: Callable[[], float],
) -> tuple[Proof, list[str]]:
    """The proof, and what there is to say of how it came about."""
    begin = clock()

    def attempt(known: IncumbentOfEach, seconds: float) -> Proof:
        progress.stage("proving by branch and bound", problem.lattice)
        started = clock()
        return proven(
            bounded,
            known.known(),
            Budget(gap=budget.gap, seconds=seconds),
            lambda statistics, gain: progress.proven(
                statistics, problem.objective(gain) if gain > UNKNOWN else None, clock() - started
            ),
        )

    best = IncumbentOfEach(len(problem.categories), len(bounded.shape))
    proof = attempt(best, min(PATIENCE, budget.seconds))
    if proof.statistics.complete:
        return proof, []
    progress.stage("relaxed search by gradients")
    found, ends = descended(problem, bounded, schedule, seed)
    for indices, gain in zip(proof.indices, proof.gains.tolist(), strict=True):
        found.learn(indices, gain)
    return attempt(found, budget.seconds - (clock() - begin)), [_descent_reason(ends)]


def find(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Finding:
    """The best design of a study, and the proof.

    Args:
        problem: A study.
        schedule: How the relaxed stage proceeds, if it comes to that.
        seed: Of its starts.
        progress: Told what happens.
        budget: When to stop.
        clock: Seconds from some origin.

    Returns:
        The design with its certificate and reasons. That no design meets every limit is an answer
        too: `feasible` is false then, and `reasons` say what must give.
    """
    schedule = Schedule() if schedule is None else schedule
    progress = Progress() if progress is None else progress
    budget = Budget() if budget is None else budget
    progress.stage("bounding the exact model")
    bounded = bounded_problem_of(problem)
    proof, told = _searched(problem, bounded, schedule, seed, progress, budget, clock)
    design = proof.best() if proof.feasible else nearest(bounded, WHAT_IS_LACKING)
    design = np.zeros(len(bounded.shape), int) if design is None else design
    solution = placed(problem, design_grid_of(problem), design)
    progress.stage("evaluating the design")
    fleet, outcome = jax.jit(
        lambda point, row: (
            fleet := (case := problem.region.at(point, row)).fleet(Exact()),
            problem.judged(case, fleet, Exact()),
        )
    )(jnp.asarray(solution.point, float), jnp.asarray(solution.row))
    score = float(outcome.score)
    known = score if proof.feasible else None
    proved = certificate(problem.lattice, proof.statistics, proof.slack, known, problem.objective)
    binding = binding_limits(problem, bounded, design, np.asarray(outcome.violation))
    unjudged = unknown_numbers(problem, outcome, solution.category)
    return Finding(
        problem=problem,
        bounded=bounded,
        proof=proof,
        objective=problem.objective(score),
        solution=solution,
        fleet=fleet,
        certificate=proved,
        binding=binding,
        reasons=unjudged or [*proof_reasons(problem, bounded, proved, binding), *told],
    )
