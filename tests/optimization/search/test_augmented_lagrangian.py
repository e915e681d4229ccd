"""The augmented Lagrangian on a problem that can be solved in the head."""

import jax
import jax.numpy as jnp
import pytest

from liminal_jax.optimization.search.augmented_lagrangian import augmented, raised
from liminal_jax.study.problem import Outcome

WEIGHT = 4.0


def outcome(x):
    """The score is best at 3; the first limit is x <= 1, the second x <= 5."""
    return Outcome(score=-((x - 3.0) ** 2), violation=jnp.stack([x - 1.0, x - 5.0]))


def lowest(multipliers):
    """Where the Lagrangian is least, by halving on its slope."""
    slope = jax.grad(lambda x: augmented(outcome(x), multipliers, WEIGHT))
    low, high = jnp.asarray(-10.0), jnp.asarray(10.0)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return low


@pytest.mark.slow
def test_rounds_end_at_the_optimum_with_the_price_of_its_limit():
    """d score / dx at x = 1 is 4: that is what loosening the first limit is worth."""
    multipliers = jnp.zeros(2)
    for _ in range(30):
        multipliers = raised(outcome(lowest(multipliers)).violation, multipliers, WEIGHT)
    assert float(lowest(multipliers)) == pytest.approx(1.0, abs=1e-6)
    assert multipliers == pytest.approx([4.0, 0.0], abs=1e-6)


def test_without_multipliers_the_penalty_alone_leaves_a_violation():
    """-(x - 3)^2 against 2 (x - 1)^2: the slopes balance at 5/3."""
    assert float(lowest(jnp.zeros(2))) == pytest.approx(5 / 3, abs=1e-9)
