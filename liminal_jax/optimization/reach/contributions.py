"""What each lever that moved contributes: its Shapley value."""

import math
from collections.abc import Sequence

import numpy as np

from liminal_jax.optimization.reach.evaluated import Evaluator

EXACT = 10
"""Levers up to which every subset of them is predicted; beyond, orders are drawn."""

ORDERS = 256
"""Orders that are drawn, each with its reverse."""

METHOD = (
    "Shapley values: the mean over all orders in which levers can be moved of what moving one adds"
    " to the logarithm of the speed"
)
DRAWN = f"{METHOD}, over {2 * ORDERS} orders drawn with a fixed seed, each with its reverse"


def contributions(
    evaluator: Evaluator, values: np.ndarray, moving: Sequence[int]
) -> tuple[np.ndarray, str]:
    """What each lever that moved adds to the logarithm of the speed, and how that is reckoned.

    They sum to log(to/from), whatever the order: Shapley (1953), A value for n-person games.

    Args:
        evaluator: The case and its levers.
        values: Where the levers have moved to.
        moving: Which of them moved.
    """
    count = len(moving)
    if count <= EXACT:
        masks = np.arange(2**count)
        speeds = _speeds(evaluator, values, moving, masks)
        found = np.zeros(count)
        for place in range(count):
            without = masks[(masks >> place) & 1 == 0]
            sizes = [int(it).bit_count() for it in without]
            weights = [math.factorial(it) * math.factorial(count - it - 1) for it in sizes]
            gains = speeds[without | (1 << place)] - speeds[without]
            found[place] = np.sum(np.asarray(weights, float) * gains) / math.factorial(count)
        return found, METHOD
    chance = np.random.default_rng(0)
    drawn = [chance.permutation(count) for _ in range(ORDERS)]
    orders = np.asarray([order for it in drawn for order in (it, it[::-1])])
    steps = np.cumsum(1 << orders, axis=1)
    masks = np.unique(np.concatenate([[0], steps.ravel()]))
    speeds = dict(zip(masks.tolist(), _speeds(evaluator, values, moving, masks), strict=True))
    found = np.zeros(count)
    for order, reached in zip(orders.tolist(), steps.tolist(), strict=True):
        for place, before, after in zip(order, [0, *reached], reached, strict=False):
            found[place] += speeds[after] - speeds[before]
    return found / len(orders), DRAWN


def _speeds(
    evaluator: Evaluator, values: np.ndarray, moving: Sequence[int], masks: np.ndarray
) -> np.ndarray:
    """Logarithms of the speeds of subsets of the levers, by bit masks."""
    rows = np.tile(evaluator.start, (len(masks), 1))
    for place, axis in enumerate(moving):
        on = (masks >> place) & 1 == 1
        rows[on, axis] = values[axis]
    return np.log(evaluator(rows).utps)
