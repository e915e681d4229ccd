"""Uncertainty analysis: the optimum under every sample of uncertain numbers, and robust designs.

The numbers that have ranges are sampled, and the problem is solved again for each sample:

1. Local search starts from the nominal optima, for all samples in step: one compiled function
   evaluates the exact model under `jax.vmap` over the stacked hardware of all samples, and inside
   over designs.
2. Branch and bound proves the best design of each category for each sample in turn, warm-started
   with the best design known for it, those that won earlier samples included.
3. Every design met so far is evaluated under every sample, again under `jax.vmap`, and local search
   of the robust criterion starts from the best of them.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable

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
    RobustCriterion,
    by_regret,
    expected,
    regret,
    worst,
)
from liminal_jax.optimization.uncertainty.scenarios import ScenarioPool, Scenarios
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

    def standing(
        self, row: int, scores: np.ndarray, winners: np.ndarray, nominal: Proof
    ) -> Standing:
        """One category over all samples, given its best scores and the winners."""
        objectives = self.objective(scores)
        return Standing(
            category=self.problem.categories[row],
            wins=float(np.mean(winners == row)),
            feasible=float(np.mean(np.isfinite(objectives))),
            objective=_spread(objectives),
            thought=_known(self.objective(nominal.scores[row])),
            objectives=objectives,
        )


def _known(value: np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sample_note(runs: _ScenarioSearch, draw: int, proof: Proof) -> str:
    """The outcome of one sample, for the progress log."""
    found = "no design meets every limit"
    if proof.feasible:
        category = runs.problem.categories[proof.best()[0]]
        found = f"{category}, {float(runs.objective(np.max(proof.scores))):.4g}"
    left = "" if proof.statistics.complete else "; the proof stopped early"
    return f"sample {draw + 1} of {runs.draws}: {found}{left}"


def draws_of(problem: Problem, samples: int, seed: int) -> tuple[Draws, Draws]:
    """The uncertain numbers of a study, drawn: for the search, and fresh ones for its designs.

    Args:
        problem: A study.
        samples: Draws for the search, a power of two.
        seed: Of the draws.
    """
    numbers = uncertain_numbers(problem)
    chance, fresh_chance = np.random.default_rng(seed).spawn(2)
    return drawn(numbers, samples, chance), drawn(numbers, FRESH * samples, fresh_chance)


def uncertainty(
    problem: Problem,
    draws: Draws,
    fresh: Draws,
    reliability: float = 0.95,
    budget: Budget | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Uncertainty:
    """The optimum under every sample of the uncertain numbers, and robust designs.

    Args:
        problem: A problem.
        draws: Samples of its uncertain numbers.
        fresh: Further samples, on which the reliability of the chosen designs is estimated.
        reliability: Share of the samples in which a robust design has to meet every limit.
        budget: When to stop each proof.
        progress: Callbacks.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    times = {"start": clock()}
    runs = _ScenarioSearch(problem, draws, fresh, Budget() if budget is None else budget)
    times["draw"] = clock()

    progress.stage("proving the best design with nominal numbers")
    nominal = runs.proof(None, [])
    progress.stage("local search under all samples at once")
    pool = runs.pool(nominal)
    times["climb"] = clock()

    proofs = []
    for draw in range(runs.draws):
        proof = runs.proof(draw, runs.known(pool, draw))
        pool.add(proof.indices)
        proofs.append(proof)
        progress.stage(_sample_note(runs, draw, proof))
    times["prove"] = clock()

    progress.stage("search for robust designs")
    scores, winners = _best_scores(pool, problem)
    best = np.where(winners >= 0, np.max(scores, axis=0), np.nan)

    def winner(regret: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> int | None:
        order = by_regret(RobustCriterion(regret, reliability), best, problem.maximises)
        return Candidates(runs.scenarios, pool, order).winner()

    robust, cautious = winner(expected), winner(worst)
    times["compare"] = clock()

    def trial(solution: int | None) -> Trial | None:
        return None if solution is None else runs.trial(pool.designs[solution], best)

    objectives = runs.objective(best)
    answer = Uncertainty(
        problem=problem,
        draws=draws,
        fresh=len(fresh),
        reliability=reliability,
        objectives=objectives,
        winners=winners,
        optimum=_spread(objectives),
        thought=_known(runs.objective(np.max(nominal.scores))),
        standings=[runs.standing(row, scores[row], winners, nominal) for row in range(len(scores))],
        nominal=runs.trial(nominal.best(), best) if nominal.feasible else None,
        robust=trial(robust),
        cautious=trial(cautious),
        candidates=len(pool.designs),
        influences=influences(draws, objectives, winners, problem.categories),
        proven=sum(proof.statistics.complete for proof in proofs),
        boxes=sum(proof.statistics.boxes for proof in (nominal, *proofs)),
        seconds={},
    )
    times["judge"] = clock()
    seconds = {name: times[name] - times[before] for before, name in itertools.pairwise(times)}
    return dataclasses.replace(answer, seconds=seconds)


def _best_scores(
    pool: ScenarioPool, problem: Problem
) -> tuple[Float[np.ndarray, "categories draws"], Int[np.ndarray, " draws"]]:
    """Best merit of each category under each sample, and the winner; -1 where none is feasible."""
    draws = np.arange(len(pool.merits))
    rows = range(len(problem.categories))
    scores = np.stack([pool.merits[draws, pool.best(row)] for row in rows])
    winners = np.argmax(scores, axis=0)
    return scores, np.where(np.max(scores, axis=0) > INFEASIBLE, winners, -1)
