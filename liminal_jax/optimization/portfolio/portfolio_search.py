"""The search for common hardware of several workloads, and the price of its generality.

The optimum of each workload comes first, then how its chip serves the others. The best of these
chips starts a local search over hardware, and branch and bound completes the proof.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from liminal_jax.optimization.portfolio.portfolio_answer import (
    Deployed,
    PortfolioAnswer,
    cross_shares,
    deployments,
    workload_optima,
)
from liminal_jax.optimization.portfolio.shared_branch_and_bound import (
    BestChip,
    Chip,
    SharedProblem,
    shared_branch_and_bound,
)
from liminal_jax.optimization.portfolio.shared_limits import binding_limits_of_chip
from liminal_jax.optimization.portfolio.shortfalls import (
    proof_reason,
    unserved_reasons,
    unshared_reasons,
)
from liminal_jax.optimization.portfolio.warm_start import improve, sampled
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget, Statistics
from liminal_jax.optimization.search.certificate import Certificate, bounded_problem_of, certificate
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.study.portfolio import Portfolio

SHARE_OF_EACH_ALONE = 0.5
"""Share of the time for the per-workload optima together."""


@dataclass(frozen=True)
class _Found:
    """The result of one search.

    Attributes:
        chip: The best chip; None where none was found.
        statistics: Statistics of the proof.
        slack: Logarithm by which the bound lies above the chip's score.
    """

    chip: Chip | None
    statistics: Statistics
    slack: float


@dataclass(frozen=True)
class _Search:
    """The searches of a portfolio, which share one budget.

    Attributes:
        portfolio: The portfolio.
        bounded: Its bounded problem.
        budget: When to stop.
        progress: Callbacks.
        clock: Seconds from some origin.
        begin: Time of the clock at the beginning.
    """

    portfolio: Portfolio
    bounded: SharedProblem
    budget: Budget
    progress: Progress
    clock: Callable[[], float]
    begin: float

    def objective(self, score: float) -> float:
        """The objective of a score; it is the same quantity for all workloads."""
        return self.portfolio.members[0].problem.objective(score)

    def _left(self, share: float) -> float:
        """Seconds left of a share of the time."""
        return max(self.begin + share * self.budget.seconds - self.clock(), 0.0)

    def _found(
        self, bounded: SharedProblem, hardware: Int[np.ndarray, "axes designs"], seconds: float
    ) -> _Found:
        """The best chip for some of the workloads, warm-started from some hardware."""
        best, begin = BestChip(), self.clock()

        def on_progress(statistics: Statistics) -> None:
            known = None if best.chip is None else self.objective(best.score)
            self.progress.proven(statistics, known, self.clock() - begin)

        improve(bounded, best, hardware, seconds, self.clock)
        budget = Budget(self.budget.gap, max(begin + seconds - self.clock(), 0.0))
        statistics = shared_branch_and_bound(bounded, best, budget, on_progress, clock=self.clock)
        return _Found(best.chip, statistics, max(statistics.open_margin, budget.gap))

    def alone(self, number: int, seed: int) -> _Found:
        """The optimum of one workload, with the other workloads deployed on its chip."""
        members, bounded = self.portfolio.members, self.bounded.these([number])
        self.progress.stage(f"best chip for {members[number].name} alone", self.portfolio.lattice)
        seconds = self._left(SHARE_OF_EACH_ALONE) / (len(members) - number)
        found = self._found(bounded, sampled(bounded, seed), seconds)
        if found.chip is None:
            return found
        return _Found(_deployed_for_all(self.bounded, found.chip), found.statistics, found.slack)

    def shared(self, chips: Sequence[Chip]) -> _Found:
        """The best common chip, warm-started from the per-workload optima."""
        self.progress.stage("best chip for all together", self.portfolio.lattice)
        hardware = np.stack([it.designs[0, : self.bounded.shared] for it in chips], axis=1)
        return self._found(self.bounded, hardware, self._left(1.0))


def _shared_problem(portfolio: Portfolio) -> SharedProblem:
    return SharedProblem(
        members=tuple(bounded_problem_of(it.problem) for it in portfolio.members),
        weights=np.asarray([it.weight for it in portfolio.members]),
        shared=1 + len(portfolio.hardware),
    )


def _deployed_for_all(bounded: SharedProblem, chip: Chip) -> Chip:
    """The chip of one workload, with every workload deployed on it at its best mapping."""
    designs = np.repeat(chip.designs[:1], len(bounded.members), axis=0)
    scores = np.full(len(designs), UNKNOWN)
    hardware = bounded.hardware(chip.designs[:1, : bounded.shared].T)
    for number in range(len(designs)):
        best = BestChip()
        shared_branch_and_bound(bounded.these([number]), best, start=hardware)
        if best.chip is not None:
            scores[number], designs[number] = best.score, best.chip.designs[0]
    return Chip(float(scores @ bounded.weights), scores, designs)


def _best_chips(chips: Sequence[Chip | None], shared: Chip | None) -> list[Chip | None]:
    """For each workload the chip that serves it best, of all chips known.

    That is the one from its own search, unless a gap was allowed or time ran out.
    """
    own: list[Chip | None] = []
    for number, mine in enumerate(chips):
        known = [it for it in (mine, *chips, shared) if it is not None]
        able = [it for it in known if it.scores[number] > UNKNOWN]
        own.append(max(able, key=lambda it: it.scores[number], default=None))
    return own


def _certificate(search: _Search, found: _Found) -> Certificate:
    score = None if found.chip is None else found.chip.score
    return certificate(
        search.portfolio.lattice, found.statistics, found.slack, score, search.objective
    )


def _reasons(
    search: _Search, each: Sequence[_Found], unserved: Sequence[int], found: _Found
) -> list[str]:
    portfolio, bounded = search.portfolio, search.bounded
    if unserved:
        return unserved_reasons(portfolio, bounded, [it.statistics for it in each], unserved)
    if found.chip is None:
        return unshared_reasons(portfolio, bounded, found.statistics)
    return [proof_reason(portfolio, _certificate(search, found))]


def _deployments(
    search: _Search, chip: Chip | None, own: Sequence[Chip | None]
) -> tuple[Deployed, ...]:
    if chip is None:
        return ()
    return deployments(search.portfolio, chip, [it for it in own if it is not None])


def optimize_portfolio(
    portfolio: Portfolio,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> PortfolioAnswer:
    """The best common hardware for the workloads of a portfolio.

    Args:
        portfolio: A portfolio.
        budget: When to stop before the proof is complete; its seconds cover the whole search.
        seed: Seed of the hardware samples that start the per-workload searches.
        progress: Callbacks.
        clock: Seconds from some origin.

    Returns:
        The chip with its certificate, and the price of its generality. Where no chip serves all
        workloads, `feasible` is false and the reasons name those that cannot be served.
    """
    budget = Budget() if budget is None else budget
    progress = Progress() if progress is None else progress
    times = {"start": clock()}

    progress.stage("reading the models")
    bounded = _shared_problem(portfolio)
    search = _Search(portfolio, bounded, budget, progress, clock, times["start"])
    times["models"] = clock()

    each = [search.alone(number, seed) for number in range(len(portfolio.members))]
    chips = [it.chip for it in each]
    unserved = [number for number, chip in enumerate(_best_chips(chips, None)) if chip is None]
    times["alone"] = clock()

    if unserved:
        found = max((each[it] for it in unserved), key=lambda it: it.statistics.complete)
    else:
        found = search.shared([chip for chip in chips if chip is not None])
    times["certify"] = clock()

    progress.stage("explaining")
    chip, own = found.chip, _best_chips(chips, found.chip)
    served = _deployments(search, chip, own)
    shares = np.log([it.share for it in served])
    binding = [] if chip is None else binding_limits_of_chip(portfolio, bounded, chip)
    reasons = _reasons(search, each, unserved, found)
    times["explain"] = clock()

    stages = list(times)
    return PortfolioAnswer(
        portfolio=portfolio,
        objective=None if chip is None else search.objective(chip.score),
        share=None if chip is None else float(np.exp(shares @ bounded.weights)),
        served=served,
        alone=workload_optima(portfolio, own, [it.slack for it in each]),
        cross=cross_shares(portfolio, own),
        certificate=_certificate(search, found),
        binding=binding,
        reasons=reasons,
        seconds={name: times[name] - times[before] for before, name in itertools.pairwise(stages)},
    )
