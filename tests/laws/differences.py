"""Gradients of a law, compared with differences of it."""

from collections.abc import Callable

import jax
import pytest

STEP = 1e-4
"""Relative step: central differences err by its square, some 1e-8."""


def assert_slopes(law: Callable[..., jax.Array | float], **at: float) -> dict[str, float]:
    """The derivative by each argument is that of central differences; returns all of them."""
    slopes = jax.grad(lambda given: law(**given) * 1.0)({name: float(at[name]) for name in at})
    for name, slope in slopes.items():
        step = STEP * at[name]
        above, below = ({**at, name: at[name] + sign * step} for sign in (1, -1))
        rise = (float(law(**above)) - float(law(**below))) / (2 * step)
        assert float(slope) == pytest.approx(rise, rel=1e-6, abs=1e-9), name
    return {name: float(slope) for name, slope in slopes.items()}
