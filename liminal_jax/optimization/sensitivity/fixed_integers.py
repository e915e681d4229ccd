"""Proven designs with their whole numbers held and their sizes free, refined to relaxed optima.

Were all whole numbers free, the relaxed optimum would be another design than the one that is
proven, and so would its prices be. Stacks, dies, the scale-up domain and the degrees of parallelism
therefore stay as they are in the best design of each category; areas, SRAM, bandwidth of links,
chips and batch are real numbers.
"""

import dataclasses
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from liminal_jax._smooth import SoftSizes
from liminal_jax.optimization.search.certificate import Proof
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.solution import Solution, solution_of
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum, refined
from liminal_jax.study.problem import Problem

WHOLE = (
    "stacks",
    "tier_units",
    "dies",
    "domain",
    "tp",
    "cp",
    "pp",
    "ep",
    "attention",
    "attention_ranks",
    "shared_expert_ranks",
)
"""Variables that are whole numbers, and small ones."""

TEMPERATURE = 0.005
"""Blur of kinks; it changes the objective of an optimum by half a per cent at most."""


@dataclass(frozen=True)
class FixedIntegers:
    """Designs of a study, one of each category that has one.

    Attributes:
        problem: The study.
        gradients: The relaxed study in which only sizes are free.
        units: Where each design lies in the unit box of the sizes.
        rows: Categories of these designs, the best first.
        points: The point of each category's design.
        whole: Which of the variables are held.
    """

    problem: Problem
    gradients: Gradients
    units: list[np.ndarray]
    rows: list[int]
    points: Float[np.ndarray, "categories variables"]
    whole: Bool[np.ndarray, " variables"]

    def optimum(self, number: int) -> RelaxedOptimum:
        """The relaxed optimum of the sizes of a design, see `refine.refined`."""
        unchanged = self.gradients.unchanged()
        return refined(self.gradients, self.units[number], self.rows[number], unchanged)

    def solution(self, optimum: RelaxedOptimum) -> Solution:
        """Where a relaxed optimum is, what is held included."""
        point = self.points[optimum.category].copy()
        point[~self.whole] = self.gradients.box.values(jnp.asarray(optimum.unit))
        return solution_of(self.problem, point, optimum.category)


def with_fixed_integers(problem: Problem, proof: Proof) -> FixedIntegers:
    """The best designs of a study with their whole numbers held.

    Args:
        problem: A study.
        proof: Its best designs, one at least.
    """
    lattice = design_grid_of(problem)
    order = np.argsort(-proof.gains, kind="stable").tolist()
    rows = [row for row in order if proof.lacking(row) is None]
    first = [it.grid.values[0] for it in problem.variables]
    points = np.tile(np.asarray(first, float), (len(problem.categories), 1))
    for row in rows:
        points[row] = lattice.at(jnp.asarray(proof.indices[row]))[0]
    whole = np.asarray([it.name in WHOLE for it in problem.variables], bool)
    fixed = {
        it.path: jnp.asarray(points[:, axis])
        for axis, it in enumerate(problem.variables)
        if whole[axis]
    }
    sizes = dataclasses.replace(problem, region=problem.region.with_fixed(fixed))
    gradients = Gradients(sizes, SoftSizes(TEMPERATURE))
    units = [gradients.box.unit(points[row, ~whole]) for row in rows]
    return FixedIntegers(problem, gradients, units, rows, points, whole)
