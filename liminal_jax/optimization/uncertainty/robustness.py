"""Designs that do well whatever the numbers turn out to be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.optimization.uncertainty.scenarios import ScenarioPool, Scenarios

LEADERS = 16
"""Designs from which steps are tried; one alone is easily left on a small hill."""

Losses: TypeAlias = Float[np.ndarray, "draws designs"]


def regret(score: np.ndarray, best: np.ndarray, maximise: bool) -> np.ndarray:
    """Share of the best objective that a design gives away.

    (best - own)/best where more is better, (own - best)/best where less is. A design can lie above
    the proven best by the margin of a proof, which counts as nothing.

    Args:
        score: Score of the design, see `Outcome`.
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
    """Mean regret of each design over the draws in which it meets every limit."""
    return np.sum(losses, axis=0, where=met) / np.maximum(np.sum(met, axis=0), 1)


def worst(losses: Losses, met: Bool[np.ndarray, "draws designs"]) -> np.ndarray:
    """Largest regret of each design over the draws in which it meets every limit."""
    return np.max(losses, axis=0, where=met, initial=0.0)


@dataclass(frozen=True)
class RobustCriterion:
    """What makes one design more robust than another.

    First it has to meet every limit in so many of the draws; of two that do not, the one that falls
    less short is better. Then its regret counts, over the draws in which it meets every limit: the
    others are failures, which no regret makes up for.

    Attributes:
        regret: Regret of each design over all draws: `expected` or `worst`.
        reliability: Share of the draws in which every limit must hold.
    """

    regret: Callable[[Losses, np.ndarray], np.ndarray]
    reliability: float

    def order(self, losses: Losses, met: Bool[np.ndarray, "draws designs"]) -> np.ndarray:
        """Designs from the most robust to the least; equals in their own order."""
        required = np.ceil(self.reliability * len(met) - 1e-9)
        shortfall = np.maximum(required - np.sum(met, axis=0), 0)
        return np.lexsort((self.regret(losses, met), shortfall))


@dataclass(frozen=True)
class Candidates:
    """Designs against the best of each draw.

    Attributes:
        trials: Evaluates designs.
        pool: Designs met so far; grows as more are tried.
        best: Score of the best design under each draw; NaN where none meets every limit.
        maximise: Whether more of the objective is better.
    """

    trials: Scenarios
    pool: ScenarioPool
    best: Float[np.ndarray, " draws"]
    maximise: bool

    def losses(self) -> Losses:
        """Regret of each design of the pool; NaN where it breaks a limit."""
        scores = np.where(self.pool.feasible, self.pool.merits, np.nan)
        return regret(scores, self.best[:, None], self.maximise)

    def _leaders(self, aim: RobustCriterion, places: Int[np.ndarray, " places"]) -> list[int]:
        """The most robust of some designs of the pool, the best first."""
        losses, met = self.losses()[:, places], self.pool.feasible[:, places]
        return places[aim.order(losses, met)[:LEADERS]].tolist()

    def _settled(self, aim: RobustCriterion, category: int) -> int:
        """The most robust design of a category that small steps from the pool's lead to."""
        left: set[int] = set()
        while True:
            leaders = self._leaders(aim, np.flatnonzero(self.pool.designs[:, 0] == category))
            following = [solution for solution in leaders if solution not in left]
            if not following:
                return leaders[0]
            left.update(following)
            around = [self.trials.around(self.pool.designs[solution]) for solution in following]
            self.pool.add(np.concatenate(around))

    def winner(self, aim: RobustCriterion) -> int | None:
        """Place in the pool of the most robust design; none where none ever meets every limit.

        In each category all small steps from the leading designs are tried, until none of them
        leads to a new leader. That makes it the best of the designs that were tried, which is no
        proof.
        """
        categories = np.unique(self.pool.designs[:, 0]).tolist()
        settled = np.asarray([self._settled(aim, category) for category in categories])
        first = self._leaders(aim, settled)[0]
        return first if self.pool.feasible[:, first].any() else None
