"""NSGA-II, as pymoo has it, on the exact model of a study with several objectives."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import moocore
import numpy as np
from jaxtyping import Array, Float, Int
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination

import liminal_jax as ll
from experiments.rivals.genetic import POPULATION, on_integers
from experiments.rivals.judge import WORST
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.study.problem import FEASIBLE, Criterion


class _Designs(Problem):
    """The lattice, as pymoo asks for it; it remembers every nondominated design it has seen.

    Attributes:
        gains: Logarithms of the objectives of those; more is better.
        evaluations: Designs evaluated.
    """

    def __init__(self, problem: ll.Problem, objectives: Sequence[Criterion]):
        lattice = design_grid_of(problem)
        super().__init__(
            n_var=len(lattice.shape),
            n_obj=len(objectives),
            n_ieq_constr=len(problem.limits),
            xl=0,
            xu=np.asarray(lattice.shape) - 1,
            vtype=int,
        )

        def judged(indices: Int[Array, " axes"]) -> tuple[Array, Array, Array]:
            case = problem.region.at(*lattice.at(indices))
            fleet = case.fleet(ll.Exact())
            scores = jnp.stack([jnp.asarray(it.score(fleet)) for it in objectives])
            violation = problem.violation(case, fleet, ll.Exact())
            return scores, violation, jnp.all(violation <= FEASIBLE)

        rows = jnp.zeros((POPULATION, len(lattice.shape)), int)
        self._judged = jax.jit(jax.vmap(judged)).lower(rows).compile()
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.gains = np.empty((0, self.n_obj))
        self.evaluations = 0

    def _evaluate(self, x: np.ndarray, out: dict[str, Any], *_: Any, **__: Any) -> None:
        count = len(x)
        padded = np.pad(np.asarray(x, int), ((0, POPULATION - count), (0, 0)), mode="edge")
        scores, violation, feasible = (np.asarray(it)[:count] for it in self._judged(padded))
        out["F"] = -np.nan_to_num(scores, nan=-WORST, posinf=WORST, neginf=-WORST)
        out["G"] = np.nan_to_num(violation, nan=WORST, posinf=WORST, neginf=-WORST)
        self.evaluations += count
        known = np.vstack([self.gains, scores[feasible & np.isfinite(scores).all(axis=1)]])
        self.gains = moocore.filter_dominated(known, maximise=True)


Report = Callable[[Float[np.ndarray, "points objectives"], int], None]
"""Told the gains of the nondominated designs known, and how many have been evaluated."""


class Nondominated:
    """A compiled search for the front of a study."""

    def __init__(self, problem: ll.Problem, objectives: Sequence[Criterion]):
        self._designs = _Designs(problem, objectives)

    def search(
        self,
        seed: int,
        moments: Sequence[float],
        report: Report,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        """Search, and report at some moments.

        Args:
            seed: Of the search.
            moments: Seconds from the start, ascending.
            report: Told at each moment what is known.
            clock: Seconds from some origin; those of the processor unless told otherwise.
        """
        designs, begin = self._designs, clock()
        designs.forget()
        algorithm = NSGA2(**on_integers())
        algorithm.setup(designs, termination=NoTermination(), seed=seed)
        for moment in moments:
            while clock() - begin < moment:
                algorithm.next()
            report(designs.gains, designs.evaluations)
