"""Global sensitivity: rank correlation of uncertain numbers with the optimum and the winner."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from liminal_jax.data.ranges import UncertainNumber
from liminal_jax.study.uncertain import Draws


@dataclass(frozen=True)
class Influence:
    """Spearman's rank correlation of a number with the answer, over the samples.

    Attributes:
        number: The number.
        optimum: Correlation with the best objective, over the samples that have one; None where
            either is constant.
        wins: For each category, correlation with whether it wins; None where either is constant.
    """

    number: UncertainNumber
    optimum: float | None
    wins: dict[str, float | None]

    @property
    def strength(self) -> float:
        """The largest absolute correlation."""
        return max(abs(it or 0.0) for it in (self.optimum, *self.wins.values()))


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.asarray(stats.spearmanr(one, other)[0]))


def influences(
    draws: Draws, best: np.ndarray, winners: np.ndarray, categories: tuple[str, ...]
) -> list[Influence]:
    """Rank correlations of every number, the strongest first.

    Args:
        draws: The samples.
        best: Best objective of each sample; NaN where no design is feasible.
        winners: Index of the category that wins each sample; -1 where no design is feasible.
        categories: Names of the categories.
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
    """Absolute correlation that an independent number exceeds in one run of twenty.

    About two standard deviations, 2/sqrt(n - 1), of the rank correlation of independent numbers.
    """
    return 2 / (draws - 1) ** 0.5
