"""Termination status of a search of the relaxed space, and its message."""

from collections.abc import Sequence
from enum import IntEnum

LEAST_REDUCED_GRADIENT = 1e-3
"""Gradient of the score, per range of a variable, above which its bound is active."""


class Termination(IntEnum):
    """Termination status."""

    CONVERGED = 0
    AT_BOUNDS = 1
    ITERATION_LIMIT = 2
    INFEASIBLE = 3
    UNBOUNDED = 4
    UNKNOWN = 5


_SENTENCES = {
    Termination.CONVERGED: "converged with no variable at a bound of its range",
    Termination.AT_BOUNDS: (
        "converged at a bound of the range of {at_bounds}: a wider range would improve it"
    ),
    Termination.ITERATION_LIMIT: "stopped by the limit on iterations before it had converged",
    Termination.INFEASIBLE: "found no point that meets every limit",
    Termination.UNBOUNDED: "the objective grows without bound",
    Termination.UNKNOWN: "cannot be evaluated: published numbers are missing",
}


def sentence(termination: Termination, at_bounds: Sequence[str]) -> str:
    """The message of a termination status.

    Args:
        termination: The status.
        at_bounds: Variables at a bound of their range that the objective pushes outwards.

    Examples:
        >>> sentence(Termination.AT_BOUNDS, ["sram", "dies"])
        'converged at a bound of the range of sram, dies: a wider range would improve it'
    """
    return _SENTENCES[termination].format(at_bounds=", ".join(at_bounds))
