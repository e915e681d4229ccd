"""Why a search of the relaxed space ended."""

from collections.abc import Sequence
from enum import IntEnum


class Ending(IntEnum):
    """Why a search ended where it did."""

    CONVERGED = 0
    HELD = 1
    ITERATION_LIMIT = 2
    INFEASIBLE = 3
    UNBOUNDED = 4
    UNKNOWN = 5


_SENTENCES = {
    Ending.CONVERGED: "converged inside the ranges of all variables",
    Ending.HELD: "converged, held by the range of {held}: a wider one would give more",
    Ending.ITERATION_LIMIT: "stopped by the limit on iterations before it had converged",
    Ending.INFEASIBLE: "found no place that meets every limit",
    Ending.UNBOUNDED: "the objective grows without bound",
    Ending.UNKNOWN: "cannot be judged, for want of published numbers",
}


def sentence(ending: Ending, held: Sequence[str]) -> str:
    """An ending in words.

    Args:
        ending: Why a search ended.
        held: Variables that would move on if their ranges were wider.

    Examples:
        >>> sentence(Ending.HELD, ["sram", "dies"])
        'converged, held by the range of sram, dies: a wider one would give more'
    """
    return _SENTENCES[ending].format(held=", ".join(held))
