"""Robust designs: least regret over the samples, subject to reliability."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.optimization.search.local_search import INFEASIBLE
from liminal_jax.optimization.uncertainty.scenarios import ScenarioPool, Scenarios

LEADERS = 16
"""Designs whose neighbourhoods are evaluated; a single one often ends in a poor local optimum."""

Losses: TypeAlias = Float[np.ndarray, "draws designs"]

Order: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Indices of designs, the best first, from their scores and merits (draws, designs)."""


def regret(score: np.ndarray, best: np.ndarray, maximise: bool) -> np.ndarray:
    """Regret of a design relative to the best objective.

    (best - own)/best where more is better, (own - best)/best where less is. A design can exceed
    the proven optimum by the tolerance of the proof; its regret is then 0.

    Args:
        score: Score of the design: the signed logarithm of its objective.
        best: Score of the best design.
        maximise: Whether more of the objective is better.

    Examples:
        >>> regret(np.log([3.0]), np.log([4.0]), maximise=True).round(12).tolist()
        [0.25]
        >>> regret(-np.log([5.0]), -np.log([4.0]), maximise=False).round(12).tolist()
        [0.25]
    """
    share = -np.expm1(score - best) if maximise else np.expm1(best - score)
    return np.maximum(share, 0.0)


def expected(losses: Losses, met: Bool[np.ndarray, "draws designs"]) -> np.ndarray:
    """Mean regret of each design over the samples in which it is feasible."""
    return np.sum(losses, axis=0, where=met) / np.maximum(np.sum(met, axis=0), 1)


def worst(losses: Losses, met: Bool[np.ndarray, "draws designs"]) -> np.ndarray:
    """Largest regret of each design over the samples in which it is feasible."""
    return np.max(losses, axis=0, where=met, initial=0.0)


@dataclass(frozen=True)
class RobustCriterion:
    """A criterion that orders designs by robustness.

    Reliability comes first: a design has to meet every limit in a share of the samples, and of two
    designs that do not the one with the smaller shortfall is better. Regret over the samples in
    which a design is feasible comes second; an infeasible sample is a failure, which regret does
    not measure.

    Attributes:
        regret: Aggregate of the regret of each design over the samples: `expected` or `worst`.
        reliability: Share of the samples in which every limit must hold.
    """

    regret: Callable[[Losses, np.ndarray], np.ndarray]
    reliability: float

    def order(self, losses: Losses, met: Bool[np.ndarray, "draws designs"]) -> np.ndarray:
        """Indices of the designs from the most robust to the least; a stable sort."""
        # Less a margin, so that rounding of the product does not require one sample more.
        required = np.ceil(self.reliability * len(met) - 1e-9)
        shortfall = np.maximum(required - np.sum(met, axis=0), 0)
        return np.lexsort((self.regret(losses, met), shortfall))


def by_regret(
    criterion: RobustCriterion, best: Float[np.ndarray, " draws"], maximise: bool
) -> Order:
    """The order of a criterion, given the best design of each sample.

    Args:
        criterion: The criterion.
        best: Score of the best design under each sample; NaN where none is feasible.
        maximise: Whether more of the objective is better.
    """

    def order(scores: np.ndarray, merits: np.ndarray) -> np.ndarray:
        met = merits > INFEASIBLE
        losses = regret(np.where(met, scores, np.nan), best[:, None], maximise)
        return criterion.order(losses, met)

    return order


@dataclass(frozen=True)
class Candidates:
    """Candidates for a robust design.

    Attributes:
        scenarios: Evaluates designs under every sample.
        pool: Designs evaluated so far; grows as more are.
        order: Indices of designs from the most robust to the least, from their scores and merits.
    """

    scenarios: Scenarios
    pool: ScenarioPool
    order: Order

    def _leaders(self, places: Int[np.ndarray, " places"]) -> list[int]:
        """The most robust of some designs of the pool, the best first, by their places."""
        order = self.order(self.pool.scores[:, places], self.pool.merits[:, places])
        return places[order[:LEADERS]].tolist()

    def _local_optimum(self, category: int) -> int:
        """The most robust design of a category that local search from the pool reaches."""
        left: set[int] = set()
        while True:
            leaders = self._leaders(np.flatnonzero(self.pool.designs[:, 0] == category))
            following = [solution for solution in leaders if solution not in left]
            if not following:
                return leaders[0]
            left.update(following)
            near = [
                self.scenarios.neighbourhood(self.pool.designs[solution]) for solution in following
            ]
            self.pool.add(np.concatenate(near))

    def winner(self) -> int | None:
        """Place in the pool of the most robust design; None where it is never feasible.

        In each category the neighbourhoods of the leading designs are evaluated until no neighbour
        is a new leader. The result is a local optimum, without proof: bounds hold for one sample
        at a time.
        """
        categories = np.unique(self.pool.designs[:, 0]).tolist()
        settled = np.asarray([self._local_optimum(category) for category in categories])
        first = self._leaders(settled)[0]
        return first if self.pool.feasible[:, first].any() else None
