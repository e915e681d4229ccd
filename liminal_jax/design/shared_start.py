"""A good chip to begin with: the best of a sample, improved by local moves.

Each trial is a search of its own, over hardware that is given: what cannot beat the best chip known
is dropped by its bounds, so that a neighbourhood costs little more than its best member.
"""

import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from liminal_jax.design.branch import Budget
from liminal_jax.design.climb import moves
from liminal_jax.design.shared import BestChip, SharedGround, shared_branch_and_bound

SAMPLES = 256
"""Pieces of hardware drawn."""


def _lengths(ground: SharedGround) -> np.ndarray:
    return np.asarray([int(tree.lengths[0]) for tree in ground.trees[: ground.shared]])


def sampled(ground: SharedGround, seed: int) -> Int[np.ndarray, "axes designs"]:
    """Indices of some hardware, drawn evenly."""
    lengths = _lengths(ground)
    rows = np.random.default_rng(seed).integers(0, lengths, (SAMPLES, len(lengths)))
    return np.unique(rows, axis=0).T


def _neighbours(
    ground: SharedGround, hardware: Int[np.ndarray, " axes"]
) -> Int[np.ndarray, "axes designs"]:
    """Indices of the hardware that moves of one or two axes lead to, and of the hardware itself."""
    lengths = _lengths(ground)
    near = np.clip(hardware + moves(tuple(lengths.tolist())), 0, lengths - 1)
    return np.unique(near, axis=0).T


def improve(
    ground: SharedGround,
    best: BestChip,
    hardware: Int[np.ndarray, "axes designs"],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Try some hardware; if it betters the best chip, move on to better neighbours.

    Args:
        ground: Where it is searched.
        best: The best chip known; better ones are put in its place.
        hardware: Indices of the hardware to try.
        seconds: Wall time after which no more is tried.
        clock: Seconds from some origin.
    """
    end = clock() + seconds
    while True:
        before, budget = best.score, Budget(seconds=end - clock())
        shared_branch_and_bound(ground, best, budget, start=ground.hardware(hardware), clock=clock)
        if best.chip is None or best.score == before or clock() >= end:
            return
        hardware = _neighbours(ground, best.chip.designs[0, : ground.shared])
