"""What changes in the course of the relaxed stage: temperature, penalty, size of a step."""

from typing import NamedTuple

import optax
from jaxtyping import Array

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Soft

WHOLE_NUMBERS_FREE = 1e8
"""Rounding at which stages, ranks and instances are real numbers.

The slope of a softened ceiling jumps at whole numbers, by the inverse of the rounding; a smaller
one leaves kinks on which a solver that trusts in slopes stops short.
"""


def relaxation(temperature: Scalar) -> Soft:
    """The reading of the relaxed stage: kinks blurred, numbers that should be whole set free."""
    return Soft(temperature, rounding=WHOLE_NUMBERS_FREE)


class Schedule(NamedTuple):
    """How the relaxed stage proceeds.

    Attributes:
        starts: Starts in each category.
        rounds: Rounds, after each of which multipliers, penalty and temperature change.
        steps: Gradient steps in a round.
        rate: Step of Adam in the unit box at the beginning; it falls to a tenth.
        hot: First temperature.
        cold: Last temperature. At the default the objective of the bundled study is blurred by
            0.2 %.
        penalty: First weight of squared violations.
        growth: Factor on that weight in each round.
    """

    starts: int = 32
    rounds: int = 12
    steps: int = 50
    rate: float = 0.05
    hot: float = 0.5
    cold: float = 0.005
    penalty: float = 10.0
    growth: float = 1.5

    def total(self) -> int:
        """Steps in all rounds."""
        return self.rounds * self.steps

    def temperature(self, step: Array) -> Array:
        """Temperature of a step: it falls by the same factor from round to round."""
        share = (step // self.steps) / max(self.rounds - 1, 1)
        return self.hot * (self.cold / self.hot) ** share

    def weight(self, step: Array) -> Array:
        """Weight of squared violations in a step."""
        return self.penalty * self.growth ** (step // self.steps)

    def adam(self) -> optax.GradientTransformation:
        """Adam, with steps that shrink to a tenth."""
        return optax.adam(optax.cosine_decay_schedule(self.rate, self.total(), 0.1))
