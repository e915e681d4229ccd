"""The best design of a problem with its proof: branch and bound, and gradients where it stalls.

Branch and bound compiles nothing, and most problems are proven before gradients would be compiled.
Where one is not, many relaxed starts descend by gradients, are rounded to the lattice and improved
by local search; branch and bound then starts again with these incumbents.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from liminal_jax._kept import kept
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
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.local_search import LocalSearch
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.relaxed_point import RelaxedPoint
from liminal_jax.optimization.search.shortfalls import (
    SHORTFALL_BUDGET,
    proof_reasons,
    unknown_numbers,
)
from liminal_jax.optimization.search.solution import Solution, solution_at
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.case import Case
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.quantities import Fleet

PATIENCE = 30.0
"""Seconds of branch and bound before gradients are compiled. Compiling and descending take about as
long, so at most half of the time goes to the method that turns out not to be needed."""


@dataclass(frozen=True)
class Finding:
    """The best design of a problem with its certificate.

    Attributes:
        problem: The problem.
        bounded: The same with bounds.
        proof: The result of branch and bound.
        objective: Objective of the design, in SI.
        solution: The design; where none is feasible, that of the least total violation.
        fleet: The exact model's prediction of the whole system.
        certificate: What is proven of all designs of the lattice.
        binding: Limits that bind; for an infeasible problem those that the design exceeds.
        reasons: Messages: what is proven, and why.
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


def relaxed_incumbents(
    problem: Problem, bounded: BoundedProblem, schedule: Schedule, seed: int
) -> tuple[IncumbentOfEach, RelaxedPoint]:
    """Incumbents from relaxed search, rounding and local search, and the relaxed end points.

    Args:
        problem: A problem.
        bounded: The same with bounds.
        schedule: Schedule of the relaxed search.
        seed: Seed of the random starts.
    """
    # Few proofs need gradients, and optax takes a third of a second to import.
    from liminal_jax.optimization.search.gradient_search import relaxed_points

    box, lattice = unit_hypercube_of(problem), design_grid_of(problem)
    ends = relaxed_points(problem, box, schedule, jax.random.key(seed))
    near = jax.vmap(lambda unit: box.nearest(unit, lattice))(ends.unit)
    best = IncumbentOfEach(len(problem.categories), len(bounded.shape))
    starts = np.vstack([np.asarray(ends.category), np.asarray(near).T]).astype(int)
    LocalSearch(bounded, objective_bounds, best).run(starts, np.ones((1, starts.shape[1])))
    return best, ends


def _descent_reason(ends: RelaxedPoint) -> str:
    counts = Counter(Termination(int(it)) for it in np.asarray(ends.termination))
    converged = counts[Termination.CONVERGED] + counts[Termination.AT_BOUNDS]
    return (
        f"gradients helped the proof: of {sum(counts.values())} relaxed starts {converged}"
        f" converged, {counts[Termination.ITERATION_LIMIT]} reached the iteration limit within the"
        f" limits and {counts[Termination.INFEASIBLE]} outside them; local search started from the"
        " nearest designs of the lattice"
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
    """The proof, and messages on how it was found."""
    begin = clock()

    def attempt(known: IncumbentOfEach, seconds: float) -> Proof:
        progress.stage("proving by branch and bound", problem.lattice)
        started = clock()
        return proven(
            bounded,
            known.known(),
            Budget(gap=budget.gap, seconds=seconds),
            lambda statistics, score: progress.proven(
                statistics, problem.objective(score) if score > UNKNOWN else None, clock() - started
            ),
        )

    best = IncumbentOfEach(len(problem.categories), len(bounded.shape))
    proof = attempt(best, min(PATIENCE, budget.seconds))
    if proof.statistics.complete:
        return proof, []
    progress.stage("relaxed search by gradients")
    found, ends = relaxed_incumbents(problem, bounded, schedule, seed)
    for indices, score in zip(proof.indices, proof.scores.tolist(), strict=True):
        found.update_one(indices, score)
    return attempt(found, budget.seconds - (clock() - begin)), [_descent_reason(ends)]


@kept
def _evaluated(problem: Problem, case: Case, point: Array, row: Array) -> tuple[Fleet, Outcome]:
    """A design as the exact model sees it, compiled once for each study."""
    case = problem.with_case(case).region.at(point, row)
    fleet = case.fleet(Exact())
    return fleet, problem.judged(case, fleet, Exact())


def find(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Finding:
    """The best design of a problem, with its certificate.

    Args:
        problem: A problem.
        schedule: Schedule of the relaxed search, should it be needed.
        seed: Seed of its starts.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        clock: Seconds from some origin.

    Returns:
        The design with its certificate. Where no design meets every limit, `feasible` is false
        and `reasons` give the shortfall of each limit.
    """
    schedule = Schedule() if schedule is None else schedule
    progress = Progress() if progress is None else progress
    budget = Budget() if budget is None else budget
    progress.stage("bounding the exact model")
    bounded = bounded_problem_of(problem)
    proof, notes = _searched(problem, bounded, schedule, seed, progress, budget, clock)
    design = proof.best() if proof.feasible else nearest(bounded, SHORTFALL_BUDGET)
    design = np.zeros(len(bounded.shape), int) if design is None else design
    solution = solution_at(problem, design)
    progress.stage("evaluating the design")
    point, row = jnp.asarray(solution.point, float), jnp.asarray(solution.row)
    fleet, outcome = _evaluated(problem.without_numbers(), problem.region.case, point, row)
    score = float(outcome.score)
    known = score if proof.feasible else None
    proved = certificate(problem.lattice, proof.statistics, proof.slack, known, problem.objective)
    binding = binding_limits(problem, bounded, design, np.asarray(outcome.violation))
    missing = unknown_numbers(problem, outcome, solution.category)
    return Finding(
        problem=problem,
        bounded=bounded,
        proof=proof,
        objective=problem.objective(score),
        solution=solution,
        fleet=fleet,
        certificate=proved,
        binding=binding,
        reasons=missing or [*proof_reasons(problem, bounded, proved, binding), *notes],
    )
