"""Uncertainty analysis: the optimum under every sample of uncertain numbers, and robust designs.

The numbers that have ranges are sampled, and the problem is solved again for each sample:

1. Local search starts from the nominal optima, for all samples in step: one compiled function
   evaluates the exact model under `jax.vmap` over the stacked hardware of all samples, and inside
   over designs.
2. Branch and bound proves the best design of each category for each sample in turn, warm-started
   with the best design known for it, those that won earlier samples included.
3. Every design met so far is evaluated under every sample, again under `jax.vmap`, and local search
   of the robust criterion starts from the best of them.

Designs of several structures are solved each by themselves, under the same samples.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import Proof, bounded_problem_of, proven
from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.uncertainty.rank_correlation import influences
from liminal_jax.optimization.uncertainty.result import (
    Regret,
    Spread,
    Standing,
    Trial,
    Uncertainty,
    breaches_of,
)
from liminal_jax.optimization.uncertainty.robustness import (
    Candidates,
    Order,
    RobustCriterion,
    by_regret,
    expected,
    regret,
    worst,
)
from liminal_jax.optimization.uncertainty.scenarios import ScenarioPool, Scenarios
from liminal_jax.results.words import quantity
from liminal_jax.study.problem import Problem
from liminal_jax.study.uncertain import Draws, drawn, sampled_parts, uncertain_numbers

FRESH = 4
"""Fresh samples per sample of a run. The reliability of a chosen design is estimated on samples it
was not chosen on: on its own samples the estimate is biased upwards."""


def _spread(values: np.ndarray) -> Spread | None:
    """Quantiles of the finite values; None where there is none."""
    known = values[np.isfinite(values)]
    return Spread(*np.quantile(known, [0.05, 0.5, 0.95]).tolist()) if len(known) else None


class _ScenarioSearch:
    """The search under every sample."""

    def __init__(self, problem: Problem, draws: Draws, fresh: Draws, budget: Budget):
        self.problem = problem
        self.draws = len(draws)
        self.scenarios = Scenarios(problem)
        self.parts = sampled_parts(problem, draws)
        self._fresh = sampled_parts(problem, fresh)
        self._budget = budget

    def objective(self, score: np.ndarray | float) -> np.ndarray:
        """The objective of scores; NaN where no design is feasible."""
        known = np.where(np.asarray(score) > INFEASIBLE, score, np.nan)
        return np.asarray(np.exp(known if self.problem.maximises else -known))

    def proof(self, draw: int | None, known: list[tuple[np.ndarray, float]]) -> Proof:
        """The best design of each category for one sample; None stands for nominal numbers."""
        if draw is None:
            return proven(bounded_problem_of(self.problem), known, self._budget)
        changed = jax.tree.map(lambda leaf: leaf[draw], self.parts).of(self.problem)
        return proven(bounded_problem_of(changed), known, self._budget)

    def pool(self, nominal: Proof) -> ScenarioPool:
        """A pool of the nominal optima, and the local optima they lead to under every sample."""
        pool = ScenarioPool(self.scenarios, self.parts, nominal.indices)
        for start in nominal.indices:
            everywhere = np.broadcast_to(start, (self.draws, len(start)))
            pool.add(self.scenarios.local_optima(self.parts, everywhere))
        return pool

    def known(self, pool: ScenarioPool, draw: int) -> list[tuple[np.ndarray, float]]:
        """The best feasible design of each category under one sample, with its score."""
        places = [int(pool.best(it)[draw]) for it in range(len(self.problem.categories))]
        return [
            (pool.designs[solution], float(pool.merits[draw, solution]))
            for solution in places
            if pool.merits[draw, solution] > INFEASIBLE
        ]

    def meets_fresh(self, design: np.ndarray) -> float:
        """Share of the fresh samples in which a design meets every limit."""
        return float(np.mean(self.scenarios.every(self._fresh, design[None]).merit > INFEASIBLE))

    def trial(self, design: np.ndarray, best: np.ndarray) -> Trial:
        """One design over all samples, given the best score of each."""
        outcomes = self.scenarios.every(self.parts, design[None])
        met = outcomes.merit[:, 0] > INFEASIBLE
        losses = np.where(met, regret(outcomes.score[:, 0], best, self.problem.maximises), np.nan)
        kept = losses[met]
        variables = zip(self.problem.variables, design[1:].tolist(), strict=True)
        objective = _spread(self.objective(outcomes.score[:, 0]))
        return Trial(
            category=self.problem.categories[design[0]],
            values={it.name: it.grid.values[at] for it, at in variables},
            objective=objective or Spread(math.nan, math.nan, math.nan),
            meets=float(np.mean(met)),
            meets_fresh=self.meets_fresh(design),
            breaches=breaches_of(self.problem.limits, outcomes.violation[:, 0]),
            regret=Regret(
                mean=float(np.mean(kept)),
                median=float(np.median(kept)),
                high=float(np.quantile(kept, 0.95)),
                worst=float(np.max(kept)),
            )
            if len(kept)
            else None,
            losses=losses,
        )


def _known(value: np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None


def _best_of_sample(problems: Sequence[Problem], proofs: Sequence[Proof]) -> str:
    """The outcome of one sample, for the progress log."""
    found = "no design meets every limit"
    row = int(np.argmax([np.max(it.scores) for it in proofs]))
    problem, proof = problems[row], proofs[row]
    if proof.feasible:
        category = problem.categories[proof.best()[0]]
        value = problem.objective(float(np.max(proof.scores)))
        found = f"{category}, {quantity(problem.goal.name, value, problem.goal.unit)}"
    complete = all(it.statistics.complete for it in proofs)
    left = "" if complete else "; the proof stopped early"
    return f"{found}{left}"


def draws_of(problems: Sequence[Problem], samples: int, seed: int) -> tuple[Draws, Draws]:
    """The uncertain numbers of a study, drawn: for the search, and fresh ones for its designs.

    A number that several structures share is drawn once for all of them.

    Args:
        problems: The study, as a problem for each structure.
        samples: Draws for the search, a power of two.
        seed: Of the draws.
    """
    every = {number.path: number for it in problems for number in uncertain_numbers(it)}
    numbers = list(every.values())
    chance, fresh_chance = np.random.default_rng(seed).spawn(2)
    return drawn(numbers, samples, chance), drawn(numbers, FRESH * samples, fresh_chance)


def uncertainty(
    problems: Sequence[Problem],
    draws: Draws,
    fresh: Draws,
    reliability: float = 0.95,
    budget: Budget | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Uncertainty:
    """The optimum under every sample of the uncertain numbers, and robust designs.

    All structures are solved under the same samples; the best design of a sample is the best over
    structures, and so is a robust design.

    Args:
        problems: Problems that ask the same, each of designs of one structure.
        draws: Samples of their uncertain numbers.
        fresh: Further samples, on which the reliability of the chosen designs is estimated.
        reliability: Share of the samples in which a robust design has to meet every limit.
        budget: When to stop each proof.
        progress: Callbacks.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    times = {"start": clock()}
    budget = Budget() if budget is None else budget
    searches = [_ScenarioSearch(it, draws, fresh, budget) for it in problems]
    times["draw"] = clock()

    progress.stage("proving the best design with nominal numbers")
    nominals = [it.proof(None, []) for it in searches]
    progress.stage("local search under all samples at once")
    pools = [it.pool(nominal) for it, nominal in zip(searches, nominals, strict=True)]
    times["climb"] = clock()

    progress.stage("the best design of each sample")
    proofs = []
    for draw in range(len(draws)):
        proofs.append([])
        for search, pool in zip(searches, pools, strict=True):
            proof = search.proof(draw, search.known(pool, draw))
            pool.add(proof.indices)
            proofs[-1].append(proof)
        progress.step(draw + 1, len(draws), _best_of_sample(problems, proofs[-1]))
    times["prove"] = clock()

    progress.stage("search for robust designs")
    scores, winners = _best_scores(pools, problems)
    best = np.where(winners >= 0, np.max(scores, axis=0), np.nan)

    def winner(regret: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Place | None:
        order = by_regret(RobustCriterion(regret, reliability), best, problems[0].maximises)
        found = [
            Candidates(it.scenarios, pool, order).winner()
            for it, pool in zip(searches, pools, strict=True)
        ]
        return _first_of(pools, found, order)

    robust, cautious = winner(expected), winner(worst)
    times["compare"] = clock()

    def trial(place: Place | None) -> Trial | None:
        if place is None:
            return None
        return searches[place.structure].trial(pools[place.structure].designs[place.design], best)

    thought = np.concatenate([it.scores for it in nominals])
    first = int(np.argmax([np.max(it.scores) for it in nominals]))
    objectives = searches[0].objective(best)
    names = tuple(name for it in problems for name in it.categories)
    answer = Uncertainty(
        problems=tuple(problems),
        draws=draws,
        fresh=len(fresh),
        reliability=reliability,
        objectives=objectives,
        winners=winners,
        optimum=_spread(objectives),
        thought=_known(searches[0].objective(np.max(thought))),
        standings=[
            _standing(
                name,
                searches[0].objective(scores[row]),
                winners == row,
                searches[0].objective(thought[row]),
            )
            for row, name in enumerate(names)
        ],
        nominal=(
            searches[first].trial(nominals[first].best(), best)
            if nominals[first].feasible
            else None
        ),
        robust=trial(robust),
        cautious=trial(cautious),
        candidates=sum(len(it.designs) for it in pools),
        influences=influences(draws, objectives, winners, names),
        proven=sum(all(it.statistics.complete for it in them) for them in proofs),
        boxes=sum(it.statistics.boxes for them in (nominals, *proofs) for it in them),
        seconds={},
    )
    times["judge"] = clock()
    seconds = {name: times[name] - times[before] for before, name in itertools.pairwise(times)}
    return dataclasses.replace(answer, seconds=seconds)


class Place(NamedTuple):
    """A design in the pools of all structures.

    Attributes:
        structure: Number of the structure.
        design: Place in its pool.
    """

    structure: int
    design: int


def _first_of(
    pools: Sequence[ScenarioPool], found: Sequence[int | None], order: Order
) -> Place | None:
    """The first of the designs that were found in each structure; None where none was found."""
    places = [Place(row, at) for row, at in enumerate(found) if at is not None]
    if not places:
        return None
    scores, merits = (
        np.stack([getattr(pools[row], name)[:, at] for row, at in places], axis=1)
        for name in ("scores", "merits")
    )
    return places[order(scores, merits)[0]]


def _standing(
    category: str, objectives: np.ndarray, wins: np.ndarray, thought: np.ndarray
) -> Standing:
    """One category over all samples, given its best objectives and whether it wins."""
    return Standing(
        category=category,
        wins=float(np.mean(wins)),
        feasible=float(np.mean(np.isfinite(objectives))),
        objective=_spread(objectives),
        thought=_known(thought),
        objectives=objectives,
    )


def _best_scores(
    pools: Sequence[ScenarioPool], problems: Sequence[Problem]
) -> tuple[Float[np.ndarray, "categories draws"], Int[np.ndarray, " draws"]]:
    """Best merit of each category under each sample, and the winner; -1 where none is feasible."""
    draws = np.arange(len(pools[0].merits))
    scores = np.stack(
        [
            pool.merits[draws, pool.best(row)]
            for pool, it in zip(pools, problems, strict=True)
            for row in range(len(it.categories))
        ]
    )
    winners = np.argmax(scores, axis=0)
    return scores, np.where(np.max(scores, axis=0) > INFEASIBLE, winners, -1)
