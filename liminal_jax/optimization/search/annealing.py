"""Schedule of the relaxed search: temperature, penalty weight, step size."""

from typing import NamedTuple

from jaxtyping import Array


class Schedule(NamedTuple):
    """Schedule of the relaxed search.

    Attributes:
        starts: Starts in each category.
        rounds: Rounds; multipliers, penalty and temperature change after each.
        steps: Gradient steps in a round.
        rate: First step size of Adam in the unit hypercube.
        hot: First temperature.
        cold: Last temperature. At the default, smoothing changes the objective of the bundled
            study by 0.2 %.
        penalty: First weight of squared log violations.
        growth: Factor on that weight in each round.
        settled: Last step size over the first.
    """

    starts: int = 32
    rounds: int = 12
    steps: int = 50
    rate: float = 0.05
    hot: float = 0.5
    cold: float = 0.005
    penalty: float = 10.0
    growth: float = 1.5
    settled: float = 0.1

    def total(self) -> int:
        """Steps in all rounds."""
        return self.rounds * self.steps

    def temperature(self, step: int | Array) -> float | Array:
        """Temperature at a step: geometric from `hot` to `cold`, constant within a round."""
        share = (step // self.steps) / max(self.rounds - 1, 1)
        return self.hot * (self.cold / self.hot) ** share

    def weight(self, step: int | Array) -> float | Array:
        """Weight of squared log violations at a step."""
        return self.penalty * self.growth ** (step // self.steps)
