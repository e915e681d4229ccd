"""The exact model, as every search that asks for designs one by one or in batches is served it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from experiments.rivals.lattice import AnyProblem, lattice_of
from experiments.rivals.race import Race

WORST = 50.0
"""Logarithm that stands for what cannot be judged or is infinitely bad: a factor of 5e21."""


class Judged(NamedTuple):
    """What the exact model says of some designs.

    Attributes:
        score: Logarithm of the objective; more is better.
        violation: Logarithm by which each limit is exceeded; at most 0 where it holds.
        feasible: Whether every limit holds.
    """

    score: Float[np.ndarray, " designs"]
    violation: Float[np.ndarray, "designs limits"]
    feasible: Bool[np.ndarray, " designs"]

    def penalised(self, weight: float) -> Float[np.ndarray, " designs"]:
        """What to minimise where limits have to be part of it.

        Args:
            weight: What a logarithm of violation costs, in logarithms of the objective.
        """
        return weight * np.sum(np.maximum(self.violation, 0.0), axis=1) - self.score


class Judge:
    """One compiled function of the exact model.

    Attributes:
        shape: Number of categories, then of values of each variable.
        limits: Number of limits.
    """

    def __init__(self, problem: AnyProblem, width: int):
        """Compile.

        Args:
            problem: A problem of one design or of many members.
            width: Designs of a call; 1 for searches that ask for one at a time.
        """
        lattice = lattice_of(problem)
        self.shape = lattice.shape
        self.limits = lattice.limits
        self._width = width

        def judged(indices: Int[Array, " axes"]) -> tuple[Array, Array, Array]:
            outcome = lattice.outcome(indices)
            return outcome.score, outcome.violation, outcome.feasible()

        rows = jnp.zeros((width, len(self.shape)), int)
        self._judged = jax.jit(jax.vmap(judged)).lower(rows).compile()

    def __call__(self, race: Race, rows: Int[np.ndarray, "designs axes"]) -> Judged:
        """Judge designs by the indices of their values, and take note of it."""
        count = len(rows)
        padded = np.pad(np.asarray(rows, int), ((0, -count % self._width), (0, 0)), mode="edge")
        parts = [
            self._judged(padded[at : at + self._width]) for at in range(0, len(padded), self._width)
        ]
        score, violation, feasible = (
            np.concatenate([np.asarray(part[solution]) for part in parts])[:count]
            for solution in range(3)
        )
        race.note(count, float(np.max(score[feasible], initial=-np.inf)))
        return Judged(
            score=np.nan_to_num(score, nan=-WORST, posinf=WORST, neginf=-WORST),
            violation=np.nan_to_num(violation, nan=WORST, posinf=WORST, neginf=-WORST),
            feasible=feasible,
        )
