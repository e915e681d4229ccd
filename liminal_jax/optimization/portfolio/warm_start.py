"""A warm start of the portfolio search: the best of a sample of chips, improved by local search.

Given chips are evaluated by a branch and bound over their mappings: chips that cannot beat the best
one known are pruned, so that a neighbourhood costs little more than its best member.
"""

import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from liminal_jax.optimization.portfolio.shared_branch_and_bound import (
    BestChip,
    SharedProblem,
    shared_branch_and_bound,
)
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.local_search import steps_from

SAMPLES = 256
"""Number of chips sampled."""


def _lengths(bounded: SharedProblem) -> np.ndarray:
    return np.asarray([int(tree.lengths[0]) for tree in bounded.trees[: bounded.shared]])


def sampled(bounded: SharedProblem, seed: int) -> Int[np.ndarray, "axes designs"]:
    """Indices of uniformly sampled hardware."""
    lengths = _lengths(bounded)
    rows = np.random.default_rng(seed).integers(0, lengths, (SAMPLES, len(lengths)))
    return np.unique(rows, axis=0).T


def _neighbours(
    bounded: SharedProblem, hardware: Int[np.ndarray, " axes"]
) -> Int[np.ndarray, "axes designs"]:
    """Indices of the hardware one move away, and of the hardware itself."""
    lengths = _lengths(bounded)
    near = np.clip(hardware + steps_from(tuple(lengths.tolist())), 0, lengths - 1)
    return np.unique(near, axis=0).T


def improve(
    bounded: SharedProblem,
    best: BestChip,
    hardware: Int[np.ndarray, "axes designs"],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Evaluate some hardware, and continue with the neighbours while the best chip improves.

    Args:
        bounded: The problem.
        best: The best chip known; updated in place.
        hardware: Indices of the hardware to evaluate.
        seconds: Wall time after which the search stops [s].
        clock: Seconds from some origin.
    """
    end = clock() + seconds
    while True:
        before, budget = best.score, Budget(seconds=end - clock())
        shared_branch_and_bound(
            bounded, best, budget, start=bounded.hardware(hardware), clock=clock
        )
        if best.chip is None or best.score == before or clock() >= end:
            return
        hardware = _neighbours(bounded, best.chip.designs[0, : bounded.shared])
