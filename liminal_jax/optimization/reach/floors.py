"""How fast levers can be at most, from the least that each part of a step can take.

A step that reads, computes and waits takes, whatever is hidden behind what,

    T >= max(T_mem, T_compute + T_exposed)

since what is read early passes while chips wait, and arithmetic waits for collectives and for the
operations before it. With the least of each part over the ranges of some levers, and the most
tokens of a step, no setting of them gives more than tokens over that floor. Drafts and ranks, which
move several parts against each other, are taken at each of their values.

Each part rises or falls with each other lever, wherever the others stand, so that its least value
is found at ends of the ranges.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.reach.evaluated import Evaluator, Settings
from liminal_jax.study.absent import DRAFTS
from liminal_jax.study.variables import PATHS

SPLIT = (DRAFTS, PATHS["tp"])
"""Levers that are taken at each of their values."""

SWEEPS = 6
"""Passes over all levers; ends stop changing after two or three."""

SLACK = 1e-9
"""Share by which rounding may lift a result above its bound."""


@dataclass(frozen=True)
class Floor:
    """What no setting of some levers beats.

    Attributes:
        utps: Tokens a second of one user that no setting exceeds.
        tokens: Tokens of a step at most.
        compute: Arithmetic of a step at least [s].
        memory: Reading of a step at least [s].
        exposed: Collectives and dependent operations of a step at least [s].
    """

    utps: float
    tokens: float
    compute: float
    memory: float
    exposed: float

    @property
    def step(self) -> float:
        """The least time of a step [s]."""
        return max(self.memory, self.compute + self.exposed)


def floor_of(evaluator: Evaluator) -> Floor:
    """What no setting of all levers beats.

    Limits are left out, which only raises the bound.

    Args:
        evaluator: The case and its levers.
    """
    levers = evaluator.levers
    split = [axis for axis, it in enumerate(levers) if it.path in SPLIT]
    ends = [axis for axis in range(len(levers)) if axis not in split]
    combinations = list(itertools.product(*(levers[axis].values for axis in split)))
    base = np.tile(evaluator.start, (len(combinations), 1))
    for place, axis in enumerate(split):
        base[:, axis] = [it[place] for it in combinations]
    parts = np.repeat(np.arange(len(PARTS)), len(base))
    least = _least(evaluator, np.tile(base, (len(PARTS), 1)), ends, parts)
    return _floor(least.reshape(len(PARTS), len(base)))


def floor_alone(found: Settings, split: bool) -> Floor:
    """What no value of one lever beats, the others being where they start.

    Args:
        found: What the values at which it is tried do, its ends among them.
        split: Whether these are all the values that it has.
    """
    costs = np.stack([_cost(found, np.full(len(found.utps), it)) for it in range(len(PARTS))])
    return _floor(costs if split else np.nanmin(costs, axis=1, keepdims=True))


def _floor(costs: np.ndarray) -> Floor:
    """The floor of parts of a step, a column for each value of what is split."""
    tokens, compute, memory, exposed = -costs[0], *costs[1:]
    speeds = tokens / np.maximum(memory, compute + exposed) * (1 + SLACK)
    column = int(np.nanargmax(speeds))
    return Floor(*(float(it[column]) for it in (speeds, tokens, compute, memory, exposed)))


PARTS = ("accepted", "compute", "memory", "exposed")
"""The parts of a step: tokens of it, of which more is better, and times."""


def _cost(found: Settings, parts: np.ndarray) -> np.ndarray:
    """One part of each row, of which less is better."""
    each = np.stack([-found.accepted, found.compute, found.memory, found.exposed])
    return each[parts, np.arange(len(parts))]


def _least(
    evaluator: Evaluator, base: np.ndarray, ends: Sequence[int], parts: np.ndarray
) -> np.ndarray:
    """The least of one part for each row, over the ends of some levers."""
    levers = evaluator.levers
    flips = [(axis, end) for axis in ends for end in (levers[axis].least, levers[axis].most)]
    here, best = base.copy(), _cost(evaluator(base), parts)
    for _ in range(SWEEPS if flips else 0):
        tried = np.repeat(here[None], len(flips), axis=0)
        for row, (axis, end) in enumerate(flips):
            tried[row, :, axis] = end
        found = _cost(evaluator(tried.reshape(-1, here.shape[1])), np.tile(parts, len(flips)))
        costs = np.nan_to_num(found.reshape(len(flips), -1), nan=np.inf)
        # All that helps at once, and the best of it alone: whichever is less.
        together = here.copy()
        for row, (axis, end) in enumerate(flips):
            together[costs[row] < best, axis] = end
        both = np.stack([together, tried[np.argmin(costs, axis=0), np.arange(len(here))]])
        joint = np.stack([_cost(evaluator(it), parts) for it in both])
        pick = np.argmin(joint, axis=0)
        lower = joint.min(axis=0) < best
        if not lower.any():
            break
        here = np.where(lower[:, None], both[pick, np.arange(len(here))], here)
        best = np.where(lower, joint.min(axis=0), best)
    return best
