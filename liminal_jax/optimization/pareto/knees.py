"""Knees of a Pareto front: where a little more of one objective begins to cost much of the others.

Das (1999), On characterizing the "knee" of the Pareto curve based on normal-boundary intersection,
Structural Optimization 18: the knee is the point that bulges farthest beyond the line, or plane,
through the ends. Here logarithms are taken, and each objective is scaled from its worst to its best
value on the front, so that units do not matter. There may be further knees between the ends and
the first knee.
"""

import numpy as np
from jaxtyping import Float

LEAST_BULGE = 0.1
"""Mean distance beyond the line between the ends, as a share of the objectives' ranges, that makes
a knee."""

DEPTH = 2
"""Depth of the recursion: how often a part of the front is divided at its knee."""


def knees(scores: Float[np.ndarray, "objectives points"]) -> list[int]:
    """Numbers of the points that are knees.

    Args:
        scores: Scores of each point, more is better, ascending in the first objective.

    Returns:
        At most one for three objectives; for two also those of the parts between an end and the
        knee. Ascending.

    Examples:
        >>> front = [[0.0, 1.0, 8.0, 9.0, 10.0], [10.0, 9.5, 8.0, 2.0, 0.0]]
        >>> knees(np.asarray(front))
        [2]
    """
    depth = DEPTH if len(scores) == 2 else 1
    return sorted(_between(scores, 0, scores.shape[1], depth))


def _between(scores: np.ndarray, begin: int, end: int, depth: int) -> list[int]:
    """Knees of the points from `begin` to before `end`."""
    part = scores[:, begin:end]
    if depth == 0 or end - begin < 3:
        return []
    span = np.ptp(part, axis=1, keepdims=True)
    scaled = (part - part.min(axis=1, keepdims=True)) / np.where(span > 0, span, 1.0)
    bulges = (scaled.sum(axis=0) - 1.0) / len(scaled)
    knee = begin + int(np.argmax(bulges))
    if bulges.max() < LEAST_BULGE:
        return []
    before = _between(scores, begin, knee + 1, depth - 1)
    after = _between(scores, knee, end, depth - 1)
    return [*before, knee, *after]
