"""Knees of a front: where a little more of one objective begins to cost much of the others.

Das (1999), On characterizing the "knee" of the Pareto curve based on normal-boundary intersection,
Structural Optimization 18: the knee is the point that bulges farthest beyond the line, or plane,
through the ends. Here logarithms are taken, and each objective is scaled from its worst to its best
value on the front, so that units do not matter. Between an end and a knee there may be another.
"""

import numpy as np
from jaxtyping import Float

LEAST_BULGE = 0.1
"""Share of an objective's range by which, on the mean, a knee betters the line between the ends."""

DEPTH = 2
"""How often the stretch between two ends is divided at its knee."""


def knees(gains: Float[np.ndarray, "objectives points"]) -> list[int]:
    """Numbers of the points that are knees.

    Args:
        gains: Logarithms of the objectives of each point, more is better, ascending in the first.

    Returns:
        One at most for three objectives; for two also those of the stretches between an end and
        the knee. Ascending.

    Examples:
        >>> front = [[0.0, 1.0, 8.0, 9.0, 10.0], [10.0, 9.5, 8.0, 2.0, 0.0]]
        >>> knees(np.asarray(front))
        [2]
    """
    depth = DEPTH if len(gains) == 2 else 1
    return sorted(_between(gains, 0, gains.shape[1], depth))


def _between(gains: np.ndarray, begin: int, end: int, depth: int) -> list[int]:
    """Knees of a stretch of points."""
    stretch = gains[:, begin:end]
    if depth == 0 or end - begin < 3:
        return []
    span = np.ptp(stretch, axis=1, keepdims=True)
    scaled = (stretch - stretch.min(axis=1, keepdims=True)) / np.where(span > 0, span, 1.0)
    bulges = (scaled.sum(axis=0) - 1.0) / len(scaled)
    knee = begin + int(np.argmax(bulges))
    if bulges.max() < LEAST_BULGE:
        return []
    before = _between(gains, begin, knee + 1, depth - 1)
    after = _between(gains, knee, end, depth - 1)
    return [*before, knee, *after]
