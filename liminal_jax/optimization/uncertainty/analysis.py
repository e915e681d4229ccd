"""How sure an answer is when the numbers behind it are not.

The numbers that have ranges are drawn many times over. For each draw the whole search is run again:

1. Local search climbs from the designs that are best with the numbers as they are thought to be,
   for all draws in step: one compiled function evaluates the exact model under `jax.vmap` over the
   stacked hardware of all draws, and in it over designs.
2. Branch and bound proves the best design of each category for each draw in turn, starting from
   the best that is known for it, among the designs that won earlier draws too.
3. Everything that was met on the way is evaluated under every draw, again under `jax.vmap`, and
   from the most robust of it local search climbs on.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Int

from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import Proof, bounded_problem_of, proven
from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.uncertainty.rank_correlation import Influence, influences
from liminal_jax.optimization.uncertainty.robustness import (
    Candidates,
    RobustCriterion,
    expected,
    regret,
    worst,
)
from liminal_jax.optimization.uncertainty.scenarios import ScenarioPool, Scenarios
from liminal_jax.study.problem import FEASIBLE, Problem
from liminal_jax.study.uncertain import Draws, hardware_of_draws

FRESH = 4
"""Fresh draws, for each draw of a run, on which designs are tried that were chosen on the others;
else a design that fits the draws it was chosen on would look surer than it is."""


@dataclass(frozen=True)
class Spread:
    """Quantiles of a quantity over the draws in which it is known.

    Attributes:
        low: 5 % lie below.
        median: Half lie below.
        high: 95 % lie below.
    """

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A category over all draws.

    Attributes:
        category: Its name.
        wins: Share of the draws in which the best design is of this category.
        feasible: Share of the draws in which a design of it meets every limit.
        objective: Best objective; none where no design ever meets the limits.
        thought: Best objective with the numbers as they are thought to be; none likewise.
        objectives: Best objective of each draw; NaN where no design meets every limit.
    """

    category: str
    wins: float
    feasible: float
    objective: Spread | None
    thought: float | None
    objectives: Float[np.ndarray, " draws"]


@dataclass(frozen=True)
class Breach:
    """A limit that a design breaks in some draws.

    Attributes:
        constraint: The limit.
        share: Share of the draws.
        typical: Share by which it is exceeded then, median.
    """

    constraint: str
    share: float
    typical: float


@dataclass(frozen=True)
class Regret:
    """Share of the best objective that a design gives away, where it meets every limit.

    Attributes:
        mean: Over the draws.
        median: Half of the draws lie below.
        high: 95 % of the draws lie below.
        worst: The largest.
    """

    mean: float
    median: float
    high: float
    worst: float


@dataclass(frozen=True)
class Trial:
    """One design over all draws.

    Attributes:
        category: Its category.
        values: Values of its free variables, in SI.
        objective: Its objective, whether limits hold or not.
        meets: Share of the draws in which every limit holds.
        meets_fresh: The same over draws that no choice was made on.
        breaches: Limits that are broken, the most often broken first.
        regret: Over the draws in which every limit holds; none where there is no such draw.
        losses: Regret of each draw; NaN where a limit is broken.
    """

    category: str
    values: dict[str, float]
    objective: Spread
    meets: float
    meets_fresh: float
    breaches: list[Breach]
    regret: Regret | None
    losses: Float[np.ndarray, " draws"]


@dataclass(frozen=True)
class Uncertainty:
    """How sure an answer is.

    Attributes:
        problem: The study.
        draws: The numbers.
        fresh: Number of fresh draws.
        reliability: Share of the draws in which a robust design has to meet every limit.
        objectives: Best objective of each draw; NaN where no design meets every limit.
        winners: Category of the best design of each draw; -1 likewise.
        optimum: Best objective over the draws; none where none has a feasible design.
        thought: Best objective with the numbers as they are thought to be; none likewise.
        standings: Each category over all draws.
        nominal: The design that is best with the numbers as they are thought to be.
        robust: The design of least expected regret among those tried that are reliable.
        cautious: The design whose largest regret is least, likewise.
        candidates: Designs tried under every draw.
        influences: What decides, the strongest first.
        proven: Draws whose best designs are proven.
        boxes: Boxes bounded in all proofs.
        seconds: Wall time by stage.
    """

    problem: Problem
    draws: Draws
    fresh: int
    reliability: float
    objectives: Float[np.ndarray, " draws"]
    winners: Int[np.ndarray, " draws"]
    optimum: Spread | None
    thought: float | None
    standings: list[Standing]
    nominal: Trial | None
    robust: Trial | None
    cautious: Trial | None
    candidates: int
    influences: list[Influence]
    proven: int
    boxes: int
    seconds: dict[str, float]


def _spread(values: np.ndarray) -> Spread | None:
    """Quantiles of what is known; none where nothing is."""
    known = values[np.isfinite(values)]
    return Spread(*np.quantile(known, [0.05, 0.5, 0.95]).tolist()) if len(known) else None


def _parts(hardware: PlannedSystem | System, size: int) -> Iterator[PlannedSystem | System]:
    """Stacked hardware in parts of one size."""
    count = len(jax.tree.leaves(hardware)[0])
    for begin in range(0, count, size):
        yield jax.tree.map(lambda leaf, at=begin: leaf[at : at + size], hardware)


class _Runs:
    """The search, run again for every draw."""

    def __init__(self, problem: Problem, draws: Draws, fresh: Draws, budget: Budget):
        self.problem = problem
        self.draws = len(draws)
        self.trials = Scenarios(problem)
        self.hardware = hardware_of_draws(problem, draws)
        self._fresh = list(_parts(hardware_of_draws(problem, fresh), self.draws))
        self._budget = budget

    def objective(self, score: np.ndarray | float) -> np.ndarray:
        """The objective of scores; NaN where none is known."""
        known = np.where(np.asarray(score) > INFEASIBLE, score, np.nan)
        return np.asarray(np.exp(known if self.problem.maximises else -known))

    def proof(self, draw: int | None, known: list[tuple[np.ndarray, float]]) -> Proof:
        """The best design of each category for one draw; none is the numbers as thought."""
        if draw is None:
            return proven(bounded_problem_of(self.problem), known, self._budget)
        hardware = jax.tree.map(lambda leaf: leaf[draw], self.hardware)
        changed = self.problem.with_system(hardware)
        return proven(bounded_problem_of(changed), known, self._budget)

    def pool(self, nominal: Proof) -> ScenarioPool:
        """The best designs of the numbers as thought, and where they lead in every draw."""
        pool = ScenarioPool(self.trials, self.hardware, nominal.indices)
        for start in nominal.indices:
            everywhere = np.broadcast_to(start, (self.draws, len(start)))
            pool.add(self.trials.climbed(self.hardware, everywhere))
        return pool

    def known(self, pool: ScenarioPool, draw: int) -> list[tuple[np.ndarray, float]]:
        """The best feasible design of each category under one draw, with its score."""
        places = [int(pool.best(it)[draw]) for it in range(len(self.problem.categories))]
        return [
            (pool.designs[solution], float(pool.merits[draw, solution]))
            for solution in places
            if pool.merits[draw, solution] > INFEASIBLE
        ]

    def meets_fresh(self, design: np.ndarray) -> float:
        """Share of the fresh draws in which a design meets every limit."""
        met = [self.trials.every(part, design[None]).merit > INFEASIBLE for part in self._fresh]
        return float(np.mean(met))

    def trial(self, design: np.ndarray, best: np.ndarray) -> Trial:
        """One design over all draws, given the best score of each."""
        judged = self.trials.every(self.hardware, design[None])
        met = judged.merit[:, 0] > INFEASIBLE
        losses = np.where(met, regret(judged.score[:, 0], best, self.problem.maximises), np.nan)
        kept = losses[met]
        variables = zip(self.problem.variables, design[1:].tolist(), strict=True)
        objective = _spread(self.objective(judged.score[:, 0]))
        return Trial(
            category=self.problem.categories[design[0]],
            values={it.name: it.grid.values[at] for it, at in variables},
            objective=objective or Spread(math.nan, math.nan, math.nan),
            meets=float(np.mean(met)),
            meets_fresh=self.meets_fresh(design),
            breaches=self._breaches(judged.violation[:, 0]),
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

    def _breaches(self, violation: Float[np.ndarray, "draws limits"]) -> list[Breach]:
        found = [
            Breach(limit.name, float(np.mean(broken)), float(np.expm1(np.median(over[broken]))))
            for limit, over in zip(self.problem.limits, violation.T, strict=True)
            if (broken := over > FEASIBLE).any()
        ]
        return sorted(found, key=lambda it: -it.share)

    def standing(
        self, row: int, scores: np.ndarray, winners: np.ndarray, nominal: Proof
    ) -> Standing:
        """One category over all draws, given its best scores and who wins."""
        objectives = self.objective(scores)
        return Standing(
            category=self.problem.categories[row],
            wins=float(np.mean(winners == row)),
            feasible=float(np.mean(np.isfinite(objectives))),
            objective=_spread(objectives),
            thought=_known(self.objective(nominal.gains[row])),
            objectives=objectives,
        )


def _known(value: np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None


def _told(runs: _Runs, draw: int, proof: Proof) -> str:
    """What was found for one draw."""
    found = "no design meets every limit"
    if proof.feasible:
        category = runs.problem.categories[proof.best()[0]]
        found = f"{category}, {float(runs.objective(np.max(proof.gains))):.4g}"
    left = "" if proof.statistics.complete else "; the proof stopped early"
    return f"sample {draw + 1} of {runs.draws}: {found}{left}"


def uncertainty(
    problem: Problem,
    draws: Draws,
    fresh: Draws,
    reliability: float = 0.95,
    budget: Budget | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Uncertainty:
    """The search run again for every draw of the numbers, and designs that do well in most.

    Args:
        problem: A study.
        draws: Its uncertain numbers, drawn.
        fresh: Further draws of the same numbers, on which the designs that were chosen are tried.
        reliability: Share of the draws in which a robust design has to meet every limit.
        budget: When to stop each proof.
        progress: Told what happens.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    times = {"start": clock()}
    runs = _Runs(problem, draws, fresh, Budget() if budget is None else budget)
    times["draw"] = clock()

    progress.stage("proving the best design with the numbers as they are thought to be")
    nominal = runs.proof(None, [])
    progress.stage("local search with the numbers of all samples at once")
    pool = runs.pool(nominal)
    times["climb"] = clock()

    proofs = []
    for draw in range(runs.draws):
        proof = runs.proof(draw, runs.known(pool, draw))
        pool.add(proof.indices)
        proofs.append(proof)
        progress.stage(_told(runs, draw, proof))
    times["prove"] = clock()

    progress.stage("looking for designs that do well in all samples")
    scores, winners = _bests(pool, problem)
    best = np.where(winners >= 0, np.max(scores, axis=0), np.nan)
    contest = Candidates(runs.trials, pool, best, problem.maximises)
    robust = contest.winner(RobustCriterion(expected, reliability))
    cautious = contest.winner(RobustCriterion(worst, reliability))
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
        thought=_known(runs.objective(np.max(nominal.gains))),
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


def _bests(
    pool: ScenarioPool, problem: Problem
) -> tuple[Float[np.ndarray, "categories draws"], Int[np.ndarray, " draws"]]:
    """Best merit of each category under each draw, and which wins; -1 where none is feasible."""
    draws = np.arange(len(pool.merits))
    rows = range(len(problem.categories))
    scores = np.stack([pool.merits[draws, pool.best(row)] for row in rows])
    winners = np.argmax(scores, axis=0)
    return scores, np.where(np.max(scores, axis=0) > INFEASIBLE, winners, -1)
