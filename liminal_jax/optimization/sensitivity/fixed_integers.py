"""Integers fixed at the incumbent: the proven designs with only their continuous variables free.

With all integrality relaxed the optimum would be a different design from the proven one, with
different multipliers. Stacks, dies, the scale-up domain and the degrees of parallelism are
therefore fixed at the best design of each category; areas, SRAM, link bandwidth, chips and batch
are real numbers.
"""

import dataclasses
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from liminal_jax._smooth import SoftSizes
from liminal_jax.optimization.search.certificate import Proof
from liminal_jax.optimization.search.solution import Solution, solution_at, solution_of
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum, refined
from liminal_jax.study.problem import Problem
from liminal_jax.study.region import Variable
from liminal_jax.study.variables import stated_at

RELAXED = ("chips", "batch")
"""Large counts, which may be any number here."""

TEMPERATURE = 0.005
"""Temperature of the relaxation: it changes the objective of an optimum by at most 0.5 %."""


@dataclass(frozen=True)
class FixedIntegers:
    """The best design of each category, integers fixed.

    Attributes:
        problem: The problem.
        gradients: The relaxed problem in which only continuous variables are free.
        units: Coordinates of each design in the unit hypercube of the continuous variables.
        rows: Categories of these designs, the best first.
        points: The point of each category's design, in SI.
        whole: Which of the variables are fixed.
    """

    problem: Problem
    gradients: Gradients
    units: list[np.ndarray]
    rows: list[int]
    points: Float[np.ndarray, "categories variables"]
    whole: Bool[np.ndarray, " variables"]

    def optimum(self, number: int) -> RelaxedOptimum:
        """The local optimum of the continuous variables, from the design of that number."""
        unchanged = self.gradients.unchanged()
        return refined(self.gradients, self.units[number], self.rows[number], unchanged)

    def solution(self, optimum: RelaxedOptimum) -> Solution:
        """A relaxed optimum as a solution, with the fixed variables."""
        point = self.points[optimum.category].copy()
        point[~self.whole] = self.gradients.box.values(jnp.asarray(optimum.unit))
        return solution_of(self.problem, point, optimum.category)


def with_fixed_integers(problem: Problem, proof: Proof) -> FixedIntegers:
    """The best design of each category, with its integers fixed.

    Args:
        problem: A problem.
        proof: Its proof, with at least one feasible design.
    """
    order = np.argsort(-proof.scores, kind="stable").tolist()
    rows = [row for row in order if proof.infeasibility(row) is None]
    first = [it.grid.values[0] for it in problem.variables]
    points = np.tile(np.asarray(first, float), (len(problem.categories), 1))
    for row in rows:
        points[row] = solution_at(problem, proof.indices[row]).point
    whole = np.asarray([_is_fixed(it) for it in problem.variables], bool)
    fixed = {
        it.path: jnp.asarray(points[:, axis])
        for axis, it in enumerate(problem.variables)
        if whole[axis]
    }
    sizes = dataclasses.replace(problem, region=problem.region.with_fixed(fixed))
    gradients = Gradients(sizes, SoftSizes(TEMPERATURE))
    units = [gradients.box.unit(points[row, ~whole]) for row in rows]
    return FixedIntegers(problem, gradients, units, rows, points, whole)


def _is_fixed(it: Variable) -> bool:
    """Whether a variable is an integer with few values, or a choice."""
    whole = stated_at(it.path).whole and it.name not in RELAXED
    return whole or it.name == "attention"
