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

from liminal_jax._smooth import SoftSizes
from liminal_jax.design.certify import Proof
from liminal_jax.design.lattice import lattice_of
from liminal_jax.design.refine import RelaxedOptimum, refined
from liminal_jax.design.slopes import Slopes
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
class Held:
    """Designs of a study, one of each category that has one.

    Attributes:
        slopes: The relaxed study in which only sizes are free.
        units: Where each design lies in the unit box of the sizes.
        rows: Categories of these designs, the best first.
    """

    slopes: Slopes
    units: list[np.ndarray]
    rows: list[int]

    def optimum(self, number: int) -> RelaxedOptimum:
        """The relaxed optimum of the sizes of a design, see `refine.refined`."""
        unchanged = self.slopes.unchanged()
        return refined(self.slopes, self.units[number], self.rows[number], unchanged)


def held(problem: Problem, proof: Proof) -> Held:
    """The best designs of a study with their whole numbers held.

    Args:
        problem: A study.
        proof: Its best designs, one at least.
    """
    lattice = lattice_of(problem)
    order = np.argsort(-proof.gains, kind="stable").tolist()
    rows = [row for row in order if proof.lacking(row) is None]
    points = np.tile(np.asarray(problem.point, float), (len(problem.categories), 1))
    for row in rows:
        points[row] = lattice.at(jnp.asarray(proof.indices[row]))[0]
    sizes = dataclasses.replace(
        problem,
        point=tuple(points[rows[0]].tolist()),
        variables=tuple(it for it in problem.variables if it.name not in WHOLE),
    )
    slopes = Slopes(sizes, SoftSizes(TEMPERATURE), points)
    return Held(slopes, [slopes.box.unit(points[row]) for row in rows], rows)
