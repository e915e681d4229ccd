"""A point of a study's space in words."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from liminal_jax.study.case import Case
from liminal_jax.study.problem import Problem


class Solution(NamedTuple):
    """A point of the space in words: category and value of each free variable, in SI."""

    category: str
    values: dict[str, float]
    point: tuple[float, ...]
    row: int


def solution_of(problem: Problem, point: np.ndarray, category: int) -> Solution:
    """The place of a point in a category."""
    values = {it.name: float(at) for it, at in zip(problem.variables, point, strict=True)}
    return Solution(
        category=problem.categories[category],
        values=values,
        point=tuple(float(number) for number in point),
        row=category,
    )


def case_at(problem: Problem, solution: Solution) -> Case:
    """The design at a place, with all that goes with it."""
    return problem.region.at(jnp.asarray(solution.point, float), jnp.asarray(solution.row))
