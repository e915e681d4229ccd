"""Termination status of a search of the relaxed space, and its message."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.results.words import design_word

TOLERANCE = 1e-3
"""Largest log violation of a start that counts as feasible: steps are too coarse to end nearer."""

SCORE_TOLERANCE = 1e-3
"""A start has converged if its score changes by less in the second half of its last round."""

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


def terminations(
    score: Float[np.ndarray, " starts"],
    midway: Float[np.ndarray, " starts"],
    violation: Float[np.ndarray, "starts limits"],
    pushed: Float[np.ndarray, " starts"],
) -> Int[np.ndarray, " starts"]:
    """The termination status of each start after its last step, as the number of a `Termination`.

    Args:
        score: Its score.
        midway: That in the middle of its last round.
        violation: Log violation of each limit.
        pushed: The largest derivative of the Lagrangian into an active bound of a variable.

    Examples:
        >>> at_the_end = np.zeros((2, 1)), np.array([0.0, 1.0])
        >>> terminations(np.ones(2), np.ones(2), *at_the_end).tolist()
        [0, 1]
    """
    cases = [
        (np.isnan(score) | np.isnan(violation).any(axis=1), Termination.UNKNOWN),
        (np.any(violation > TOLERANCE, axis=1), Termination.INFEASIBLE),
        (np.isinf(score), Termination.UNBOUNDED),
        (~(np.abs(score - midway) <= SCORE_TOLERANCE), Termination.ITERATION_LIMIT),
        (pushed > LEAST_REDUCED_GRADIENT, Termination.AT_BOUNDS),
    ]
    whether, endings = zip(*cases, strict=True)
    return np.select(list(whether), [int(it) for it in endings], int(Termination.CONVERGED))


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
        >>> sentence(Termination.AT_BOUNDS, ["dies", "stacks"])
        'converged at a bound of the range of dies, stacks: a wider range would improve it'
    """
    return _SENTENCES[termination].format(at_bounds=", ".join(map(design_word, at_bounds)))
