"""Why a search of the relaxed space ended."""

from collections.abc import Sequence
from enum import IntEnum


class Termination(IntEnum):
    """Why a search ended where it did."""

    CONVERGED = 0
    HELD = 1
    ITERATION_LIMIT = 2
    INFEASIBLE = 3
    UNBOUNDED = 4
    UNKNOWN = 5


_SENTENCES = {
    Termination.CONVERGED: "converged inside the ranges of all variables",
    Termination.HELD: "converged, held by the range of {held}: a wider one would give more",
    Termination.ITERATION_LIMIT: "stopped by the limit on iterations before it had converged",
    Termination.INFEASIBLE: "found no place that meets every limit",
    Termination.UNBOUNDED: "the objective grows without bound",
    Termination.UNKNOWN: "cannot be judged, for want of published numbers",
}


def sentence(termination: Termination, held: Sequence[str]) -> str:
    """An ending in words.

    Args:
        termination: Why a search ended.
        held: Variables that would move on if their ranges were wider.

    Examples:
        >>> sentence(Ending.HELD, ["sram", "dies"])
        'converged, held by the range of sram, dies: a wider one would give more'
    """
    return _SENTENCES[termination].format(held=", ".join(held))
