"""The design that does best in many futures at once.

1. Branch and bound proves the nominal optimum, the best design with every number as it is thought.
2. Gradients of the measure over all samples at once lead relaxed starts down the soft model; the
   nominal optimum of each category is one of them.
3. Where they end is snapped to the grid. The neighbourhoods of the best designs are evaluated under
   every sample on the exact model until no neighbour is better. The nominal optima take part, so
   what is found is never worse in its own measure than a nominal optimum that is as reliable.
"""

import itertools
import time
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float, Int

from liminal_jax.optimization.robust.futures import Futures, compiled_futures, listed_futures
from liminal_jax.optimization.robust.measure import AbstractMeasure
from liminal_jax.optimization.robust.result import RobustOptimum, Tried, spread_of
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import Finding, find
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.descents import Descents, descend
from liminal_jax.optimization.search.gradient_search import STARTS, Starts, snapped, starts_of
from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.solution import solution_at
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.optimization.uncertainty.result import breaches_of
from liminal_jax.optimization.uncertainty.robustness import Candidates, Order
from liminal_jax.optimization.uncertainty.scenarios import ScenarioOutcomes, ScenarioPool, Scenarios
from liminal_jax.study.problem import Problem
from liminal_jax.study.uncertain import Draws, Sampled, sampled_parts

SCHEDULE = STARTS._replace(starts=4)
"""Starts of each category: every step is taken under all samples."""


def excess_of(merits: np.ndarray) -> np.ndarray:
    """Total log violation of the limits, from merits; 0 where all limits hold."""
    return np.where(merits > INFEASIBLE, 0.0, INFEASIBLE - merits)


def by_measure(measure: AbstractMeasure, reliability: float, maximise: bool) -> Order:
    """The order of designs by a measure, those that are not reliable last.

    Of two designs that meet all limits in too few samples the one with the smaller shortfall is
    better, then that with the smaller violation in the mean.

    Args:
        measure: What counts of the objective.
        reliability: Share of the samples in which every limit has to hold.
        maximise: Whether more of the objective is better.
    """

    def order(scores: np.ndarray, merits: np.ndarray) -> np.ndarray:
        met = merits > INFEASIBLE
        # Less a margin, so that rounding of the product does not require one sample more.
        required = np.ceil(reliability * len(met) - 1e-9)
        shortfall = np.maximum(required - np.sum(met, axis=0), 0)
        excess = np.mean(excess_of(merits), axis=0)
        value = measure.of(np.where(np.isnan(scores), -np.inf, scores), maximise)
        return np.lexsort((-value, np.where(shortfall > 0, excess, 0.0), shortfall))

    return order


def _starts(problem: Problem, nominal: Finding, schedule: Schedule, seed: int) -> Starts:
    """Random starts of each category; the first of a category is its nominal optimum, if any."""
    begin, box = starts_of(problem, schedule, seed), unit_hypercube_of(problem)
    for row in range(len(problem.categories)):
        if nominal.proof.infeasibility(row) is None:
            point = np.asarray(solution_at(problem, nominal.proof.indices[row]).point)
            begin.unit[row * schedule.starts] = box.unit(point)
    return begin


def descended_futures(futures: Futures, starts: Starts, schedule: Schedule) -> Descents:
    """Where starts end that descend under all samples at once.

    Args:
        futures: A problem under many samples.
        starts: Where they begin.
        schedule: Temperature, penalty and steps.
    """
    try:
        lagrangian = listed_futures(futures, starts.category)
    except NotImplementedError:
        # An objective or a limit of the user's own that only JAX can differentiate.
        lagrangian = compiled_futures(futures, starts.category, schedule.starts)
    limits = len(futures.problem.limits)
    return descend(lagrangian, starts.unit, limits, schedule, starts.free)


def _column(outcomes: ScenarioOutcomes, row: int) -> ScenarioOutcomes:
    """What one of several designs does."""
    return ScenarioOutcomes(*(it[:, row] for it in outcomes))


class _Trials:
    """Judges designs under the samples, fresh samples and the nominal numbers."""

    def __init__(
        self,
        problem: Problem,
        scenarios: Scenarios,
        measure: AbstractMeasure,
        parts: Sampled,
        fresh: Sampled,
    ):
        case, draws = problem.region.case, len(jax.tree.leaves(parts)[0])
        self._problem, self._scenarios, self._measure = problem, scenarios, measure
        self._parts, self._fresh = parts, fresh
        self._thought = jax.tree.map(
            lambda it: np.broadcast_to(it, (draws, *np.shape(it))),
            Sampled(case.system, case.algorithm),
        )

    def tried(self, designs: Int[np.ndarray, "designs axes"]) -> list[Tried]:
        """Some designs in every future."""
        thought, outcomes, fresh = (
            self._scenarios.every(parts, designs)
            for parts in (self._thought, self._parts, self._fresh)
        )
        known = zip(designs, self._values(outcomes.score), self._values(fresh.score), strict=True)
        return [
            self._tried(
                design,
                one,
                other,
                _column(thought, row),
                _column(outcomes, row),
                _column(fresh, row),
            )
            for row, (design, one, other) in enumerate(known)
        ]

    def _values(self, scores: Float[np.ndarray, "draws designs"]) -> list[float]:
        """The measure of designs, as an objective."""
        problem = self._problem
        found = self._measure.of(scores, problem.maximises)
        return [problem.objective(it) for it in found.tolist()]

    def _tried(
        self,
        design: np.ndarray,
        measure: float,
        measure_fresh: float,
        thought: ScenarioOutcomes,
        outcomes: ScenarioOutcomes,
        fresh: ScenarioOutcomes,
    ) -> Tried:
        problem, solution = self._problem, solution_at(self._problem, design)
        objectives = np.exp(outcomes.score if problem.maximises else -outcomes.score)
        return Tried(
            category=solution.category,
            values=solution.values,
            thought=problem.objective(float(thought.score[0])),
            meets_thought=bool(thought.merit[0] > INFEASIBLE),
            measure=measure,
            spread=spread_of(objectives, problem.maximises),
            meets=float(np.mean(outcomes.merit > INFEASIBLE)),
            measure_fresh=measure_fresh,
            meets_fresh=float(np.mean(fresh.merit > INFEASIBLE)),
            breaches=breaches_of(problem.limits, outcomes.violation),
            excess=float(np.mean(excess_of(outcomes.merit))),
            objectives=objectives,
        )


def robust_design(
    problem: Problem,
    draws: Draws,
    fresh: Draws,
    measure: AbstractMeasure,
    reliability: float = 0.95,
    schedule: Schedule = SCHEDULE,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> RobustOptimum:
    """The design of the best measure over samples that meets all limits in a share of them.

    Args:
        problem: A problem.
        draws: Samples of its uncertain numbers.
        fresh: Further samples, on which the designs are judged again: of those that it was chosen
            by, a design makes too good an impression.
        measure: What counts of the objective.
        reliability: Share of the samples in which every limit has to hold.
        schedule: Schedule of the relaxed search.
        seed: Of its starts.
        progress: Callbacks.
        budget: When to stop the proof of the nominal optimum.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    times = {"begin": clock()}
    nominal = find(problem, seed=seed, progress=progress, budget=budget, clock=clock)
    times["nominal"] = clock()

    progress.stage(f"gradients under {len(draws)} samples at once")
    parts = sampled_parts(problem, draws)
    begin = _starts(problem, nominal, schedule, seed)
    ends = descended_futures(Futures(problem, parts, measure, reliability), begin, schedule)
    times["descend"] = clock()

    progress.stage("local search under all samples")
    scenarios = Scenarios(problem)
    pool = ScenarioPool(scenarios, parts, nominal.proof.indices)
    near = pool.add(snapped(problem, begin, ends).T)
    order = by_measure(measure, reliability, problem.maximises)
    found = Candidates(scenarios, pool, order).winner()
    times["search"] = clock()

    progress.stage("judging by fresh samples")
    trials = _Trials(problem, scenarios, measure, parts, sampled_parts(problem, fresh))
    relaxed = float(ends.score[ends.best()]) if ends.feasible.any() else None
    first = near[order(pool.scores[:, near], pool.merits[:, near])[0]]
    rounded = float(measure.of(pool.scores[:, [first]], problem.maximises)[0])
    best = nominal.proof.best() if nominal.feasible else None
    designs = [
        it for it in (best, None if found is None else pool.designs[found]) if it is not None
    ]
    judged = trials.tried(np.asarray(designs)) if designs else []
    answer = RobustOptimum(
        problem=problem,
        draws=draws,
        fresh=len(fresh),
        measure=measure,
        reliability=reliability,
        nominal=None if best is None else judged[0],
        robust=None if found is None else judged[-1],
        rounded=problem.objective(rounded),
        relaxed=None if relaxed is None else problem.objective(relaxed),
        starts=len(ends.score),
        within=int(ends.feasible.sum()),
        converged=ends.count(Termination.CONVERGED, Termination.AT_BOUNDS),
        candidates=len(pool.designs),
        findings=(nominal,),
        seconds={},
    )
    times["judge"] = clock()
    answer.seconds.update(
        {name: times[name] - times[before] for before, name in itertools.pairwise(times)}
    )
    return answer
