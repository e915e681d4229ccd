"""The best design of a problem with its proof: gradients find it, branch and bound proves it.

Both run at once, each in a thread, and NumPy frees the interpreter for part of the time. Gradients
descend the soft model, and their designs prune boxes of the proof. The proof takes them after a
fixed round, for which it waits if it must: so which design of several equal ones is found does not
depend on which of the two was faster. Either can also run alone.
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import jax
import numpy as np

from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax._interrupts import uninterrupted
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.binding_limits import Binding, binding_limits
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget, Known, Statistics
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    Certificate,
    Proof,
    bounded_problem_of,
    certificate,
    nearest,
    of_the_steps,
    proven,
    unproven,
    with_designs,
)
from liminal_jax.optimization.search.continuum import (
    Continuum,
    between_values,
    continuum_reasons,
    has_ranges,
)
from liminal_jax.optimization.search.gradient_search import (
    KICKS,
    STARTS,
    GradientSearch,
    gradient_search,
)
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.shortfalls import (
    SHORTFALL_BUDGET,
    exceeding,
    missing_data,
    proof_reasons,
    unknown_numbers,
)
from liminal_jax.optimization.search.solution import Solution, judged_at, solution_at
from liminal_jax.study.problem import Problem
from liminal_jax.study.quantities import Fleet

JOINED = 24
"""Round of the proof after which it takes the designs that gradients have found. On two free cores
they are found by then in the built-in study; a proof of fewer rounds needs none."""


class Method(Enum):
    """How a design is found, and whether it is proven."""

    AUTO = "auto"
    GRADIENTS = "gradients"
    BOUND = "bound"


def method_of(word: str, source: str) -> Method:
    """A method by its name.

    Args:
        word: Its name.
        source: What an error names.

    Raises:
        InputError: there is none of that name.
    """
    names = [it.value for it in Method]
    if word not in names:
        hint = did_you_mean(word, names) or f"; there are {', '.join(names)}"
        raise InputError(source, [Mistake("method", f"there is no method {word!r}{hint}")])
    return Method(word)


def refuse_alone(word: str, source: str, option: str, asked: str) -> None:
    """Refuse a method that a question does not take by itself.

    Args:
        word: Name of the method.
        source: What an error names.
        option: How it was asked for.
        asked: What is asked, and how it is answered.

    Raises:
        InputError: it is not the one that is always taken.
    """
    if method_of(word, source) is not Method.AUTO:
        raise InputError(source, [Mistake(option, f"{asked}; leave it out, got {word!r}")])


class Closing(NamedTuple):
    """How a proof closes, round by round.

    Attributes:
        seconds: Time since the proof began [s].
        incumbent: Objective of the best design known; NaN where none is known.
        bound: Objective that no design beats.
    """

    seconds: list[float]
    incumbent: list[float]
    bound: list[float]


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
        gradients: What gradients found; None where they were not asked.
        closing: How the proof closed.
        seconds: Wall time of each part [s]: bounding the model, descents, polishing, the proof.
        binding: Limits that bind; for an infeasible problem those that the design exceeds.
        reasons: Messages: what is proven, and why.
        continuum: What lies between the values of ranges; None where there are no ranges.
    """

    problem: Problem
    bounded: BoundedProblem
    proof: Proof
    objective: float
    solution: Solution
    fleet: Fleet
    certificate: Certificate
    gradients: GradientSearch | None
    closing: Closing
    seconds: dict[str, float]
    binding: list[Binding]
    reasons: list[str]
    continuum: Continuum | None = None

    @property
    def feasible(self) -> bool:
        """Whether the design meets every limit."""
        return self.proof.feasible


class _Search:
    """The parts of a search, and what they report."""

    def __init__(
        self,
        problem: Problem,
        schedule: Schedule,
        seed: int,
        progress: Progress,
        clock: Callable[[], float],
    ):
        self._problem = problem
        self._schedule = schedule
        self._seed = seed
        self._progress = progress
        self._clock = clock
        self.closing = Closing([], [], [])
        self.seconds: dict[str, float] = {}

    def bounded(self) -> BoundedProblem:
        """The problem with bounds."""
        begin = self._clock()
        found = bounded_problem_of(self._problem)
        self.seconds["bound the model"] = self._clock() - begin
        return found

    def descended(self, bounded: Callable[[], BoundedProblem], kicks: int) -> GradientSearch:
        """What gradients find."""
        found = gradient_search(
            self._problem, bounded, self._schedule, self._seed, kicks, self._clock
        )
        self.seconds |= found.seconds
        return found

    def proven(
        self,
        bounded: BoundedProblem,
        known: Known,
        budget: Budget,
        joining: Callable[[int], Known] = lambda _: [],
    ) -> Proof:
        """What branch and bound proves."""
        begin = self._clock()

        def after(statistics: Statistics, score: float) -> None:
            seconds = self._clock() - begin
            best = self._problem.objective(score) if score > UNKNOWN else None
            self._note(seconds, score, max(statistics.open_score, score))
            self._progress.proven(statistics, best, seconds)

        found = proven(bounded, known, budget, after, joining)
        self.seconds["prove"] = self._clock() - begin
        return found

    def _note(self, seconds: float, score: float, bound: float) -> None:
        objective = self._problem.objective
        self.closing.seconds.append(seconds)
        self.closing.incumbent.append(objective(score) if score > UNKNOWN else math.nan)
        self.closing.bound.append(objective(bound) if bound > UNKNOWN else math.nan)

    def both(self, budget: Budget) -> tuple[BoundedProblem, Proof, GradientSearch]:
        """Gradients and branch and bound at once."""
        wide, bounded = jax.config.values["jax_enable_x64"], Future()

        def descents() -> GradientSearch:
            # What JAX is set to within a call holds for the thread of the call alone.
            with jax.enable_x64(wide):
                return self.descended(bounded.result, 0)

        with ThreadPoolExecutor(1) as pool:
            try:
                with uninterrupted():
                    found = pool.submit(descents)
                bounded.set_result(self.bounded())
            except BaseException:
                bounded.cancel()  # else an interrupted search would wait for its thread forever
                raise
            self._progress.stage("descending and proving at once", self._problem.lattice)
            proof = self.proven(
                bounded.result(),
                [],
                budget,
                lambda number: found.result().known if number == JOINED else [],
            )
            designs = found.result()
            return bounded.result(), with_designs(proof, designs.known, budget.gap), designs

    def gradients(self) -> tuple[BoundedProblem, Proof, GradientSearch]:
        """Gradients alone."""
        bounded = self.bounded()
        self._progress.stage("descending by gradients")
        found = self.descended(lambda: bounded, KICKS)
        return bounded, unproven(bounded, found.known), found

    def bound(self, budget: Budget) -> tuple[BoundedProblem, Proof, None]:
        """Branch and bound alone."""
        bounded = self.bounded()
        self._progress.stage("proving by branch and bound", self._problem.lattice)
        return bounded, self.proven(bounded, [], budget), None


def _reasons(
    method: Method,
    problem: Problem,
    bounded: BoundedProblem,
    proved: Certificate,
    binding: list[Binding],
) -> list[str]:
    if method is not Method.GRADIENTS:
        return proof_reasons(problem, bounded, proved, binding)
    alone = "gradients alone: nothing is proven of designs that they did not come to"
    exceeded = [f"the nearest has {exceeding(it)}" for it in binding if it.slack < 0]
    return ["; ".join([alone, *exceeded])]


def find(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
    method: Method = Method.BOUND,
) -> Finding:
    """The best design of a problem, with its certificate.

    Args:
        problem: A problem.
        schedule: Schedule of the descents.
        seed: Seed of their starts.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        clock: Seconds from some origin.
        method: Gradients, branch and bound, or both at once.

    Returns:
        The design with its certificate. Where no design meets every limit, `feasible` is false
        and `reasons` give the shortfall of each limit.
    """
    schedule = STARTS if schedule is None else schedule
    progress = Progress() if progress is None else progress
    budget = Budget() if budget is None else budget
    begin = clock()
    progress.stage("bounding the exact model")
    search = _Search(problem, schedule, seed, progress, clock)
    if method is Method.GRADIENTS:
        bounded, proof, gradients = search.gradients()
    elif method is Method.BOUND:
        bounded, proof, gradients = search.bound(budget)
    else:
        bounded, proof, gradients = search.both(budget)
    design = proof.best() if proof.feasible else nearest(bounded, SHORTFALL_BUDGET)
    design = np.zeros(len(bounded.shape), int) if design is None else design
    solution, continuum, notes = solution_at(problem, design), None, []
    if proof.feasible and has_ranges(problem):
        progress.stage("searching between the values of ranges")
        left = Budget(seconds=budget.seconds - (clock() - begin))
        continuum = between_values(problem, proof, left, clock)
        solution, notes = continuum.solution, continuum_reasons(continuum)
    progress.stage("evaluating the design")
    fleet, outcome = judged_at(problem, solution)
    score = float(outcome.score)
    known = float(np.max(proof.scores)) if proof.feasible else None
    proved = certificate(problem.lattice, proof.statistics, proof.slack, known, problem.objective)
    if continuum is not None:
        proved = of_the_steps(proved)
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
        gradients=gradients,
        closing=search.closing,
        seconds=search.seconds,
        binding=binding,
        reasons=missing
        or [
            *_reasons(method, problem, bounded, proved, binding),
            *notes,
            *missing_data(problem, bounded),
        ],
        continuum=continuum,
    )
