"""Which of the uncertain numbers decide."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from liminal_jax.data.ranges import UncertainNumber
from liminal_jax.study.uncertain import Draws


@dataclass(frozen=True)
class Influence:
    """How a number goes with the answer, by Spearman's rank correlation over the draws.

    Attributes:
        number: The number.
        optimum: Correlation with the best objective, over the draws that have one; none where
            either never changes.
        wins: For each category, correlation with whether it wins; none likewise.
    """

    number: UncertainNumber
    optimum: float | None
    wins: dict[str, float | None]

    @property
    def strength(self) -> float:
        """The largest of its correlations, whatever its sign."""
        return max(abs(it or 0.0) for it in (self.optimum, *self.wins.values()))


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.asarray(stats.spearmanr(one, other)[0]))


def influences(
    draws: Draws, best: np.ndarray, winners: np.ndarray, categories: tuple[str, ...]
) -> list[Influence]:
    """Influence of every number, the strongest first.

    Args:
        draws: The numbers.
        best: Best objective of each draw; NaN where no design meets every limit.
        winners: Number of the category that wins each draw; -1 likewise.
        categories: Their names.
    """
    solved = np.isfinite(best)
    found = [
        Influence(
            number=number,
            optimum=_correlation(column[solved], best[solved]),
            wins={
                name: _correlation(column, (winners == row).astype(float))
                for row, name in enumerate(categories)
            },
        )
        for number, column in zip(draws.numbers, draws.values.T, strict=True)
    ]
    return sorted(found, key=lambda it: -it.strength)


def chance(draws: int) -> float:
    """Correlation that a number without influence exceeds in one run of twenty.

    About two standard deviations of the rank correlation of independent numbers.
    """
    return 2 / (draws - 1) ** 0.5
