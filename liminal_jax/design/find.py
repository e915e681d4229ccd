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
from liminal_jax.design.anneal import Schedule
from liminal_jax.design.box import box_of
from liminal_jax.design.branch import UNKNOWN, BestOfEach, Budget
from liminal_jax.design.certify import (
    Certificate,
    Ground,
    Proof,
    certificate,
    ground_of,
    judged_objective,
    nearest,
    proven,
)
from liminal_jax.design.climb import Climber
from liminal_jax.design.ending import Ending
from liminal_jax.design.explain import Binding, binding_limits
from liminal_jax.design.lattice import Lattice, lattice_of
from liminal_jax.design.place import Place, place_of
from liminal_jax.design.progress import Progress
from liminal_jax.design.reasons import WHAT_IS_LACKING, proof_reasons, unknown_numbers
from liminal_jax.design.relaxed import RelaxedPoint, relaxed_points
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
        ground: Its lattice.
        proof: What branch and bound found.
        objective: Objective of the design.
        place: The design; where none is feasible, the one that violates the limits least.
        fleet: What the exact model says of it.
        certificate: What is proven.
        binding: Limits that bind; for an infeasible study those that cannot be met.
        reasons: What happened, in sentences.
    """

    problem: Problem
    ground: Ground
    proof: Proof
    objective: float
    place: Place
    fleet: Fleet
    certificate: Certificate
    binding: list[Binding]
    reasons: list[str]

    @property
    def feasible(self) -> bool:
        """Whether the design meets every limit."""
        return self.proof.feasible


def placed(problem: Problem, lattice: Lattice, indices: np.ndarray) -> Place:
    """The place of a design of the lattice."""
    point, category = lattice.at(jnp.asarray(indices))
    return place_of(problem, np.asarray(point), int(category))


def descended(
    problem: Problem, ground: Ground, schedule: Schedule, seed: int
) -> tuple[BestOfEach, RelaxedPoint]:
    """What gradients lead to: the best designs near to where relaxed starts ended, and those ends.

    Args:
        problem: A study.
        ground: Its lattice.
        schedule: How the relaxed stage proceeds.
        seed: Of the starts.
    """
    box, lattice = box_of(problem), lattice_of(problem)
    ends = relaxed_points(problem, box, schedule, jax.random.key(seed))
    near = jax.vmap(lambda unit: box.nearest(unit, lattice))(ends.unit)
    best = BestOfEach(len(problem.categories), len(ground.shape))
    starts = np.vstack([np.asarray(ends.category), np.asarray(near).T]).astype(int)
    Climber(ground, judged_objective, best).climb(starts, np.ones((1, starts.shape[1])))
    return best, ends


def _descent_reason(ends: RelaxedPoint) -> str:
    counts = Counter(Ending(int(it)) for it in np.asarray(ends.ending))
    converged = counts[Ending.CONVERGED] + counts[Ending.HELD]
    return (
        f"gradients helped the proof: of {sum(counts.values())} relaxed starts {converged}"
        f" converged, {counts[Ending.ITERATION_LIMIT]} were stopped within the limits and"
        f" {counts[Ending.INFEASIBLE]} outside them; the designs next to them were climbed from"
    )


def _searched(
    problem: Problem,
    ground: Ground,
    schedule: Schedule,
    seed: int,
    progress: Progress,
    budget: Budget,
    clock: Callable[[], float],
) -> tuple[Proof, list[str]]:
    """The proof, and what there is to say of how it came about."""
    begin = clock()

    def attempt(known: BestOfEach, seconds: float) -> Proof:
        progress.stage("proving by branch and bound", problem.lattice)
        started = clock()
        return proven(
            ground,
            known.known(),
            Budget(gap=budget.gap, seconds=seconds),
            lambda tally, gain: progress.proven(
                tally, problem.objective(gain) if gain > UNKNOWN else None, clock() - started
            ),
        )

    best = BestOfEach(len(problem.categories), len(ground.shape))
    proof = attempt(best, min(PATIENCE, budget.seconds))
    if proof.tally.complete:
        return proof, []
    progress.stage("relaxed search by gradients")
    found, ends = descended(problem, ground, schedule, seed)
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
    ground = ground_of(problem)
    proof, told = _searched(problem, ground, schedule, seed, progress, budget, clock)
    design = proof.best() if proof.feasible else nearest(ground, WHAT_IS_LACKING)
    design = np.zeros(len(ground.shape), int) if design is None else design
    place = placed(problem, lattice_of(problem), design)
    progress.stage("evaluating the design")
    fleet, outcome = jax.jit(
        lambda point, row: (
            (case := problem.region.at(point, row)).fleet(Exact()),
            problem.outcome_of(case, Exact()),
        )
    )(jnp.asarray(place.point, float), jnp.asarray(place.row))
    score = float(outcome.score)
    known = score if proof.feasible else None
    proved = certificate(problem.lattice, proof.tally, proof.slack, known, problem.objective)
    binding = binding_limits(problem, ground, design, np.asarray(outcome.excess))
    unjudged = unknown_numbers(problem, outcome, place.category)
    return Finding(
        problem=problem,
        ground=ground,
        proof=proof,
        objective=problem.objective(score),
        place=place,
        fleet=fleet,
        certificate=proved,
        binding=binding,
        reasons=unjudged or [*proof_reasons(problem, ground, proved, binding), *told],
    )
