"""A solution: a point of a problem's space by the names of its variables."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from liminal_jax.study.case import Case
from liminal_jax.study.problem import Problem


class Solution(NamedTuple):
    """A point of the space.

    Attributes:
        category: Name of the category.
        values: Value of each free variable by name, in SI.
        point: The same values in the order of the variables.
        row: Index of the category.
    """

    category: str
    values: dict[str, float]
    point: tuple[float, ...]
    row: int


def solution_of(problem: Problem, point: np.ndarray, category: int) -> Solution:
    """The solution at a point of a category."""
    values = {it.name: float(at) for it, at in zip(problem.variables, point, strict=True)}
    return Solution(
        category=problem.categories[category],
        values=values,
        point=tuple(float(number) for number in point),
        row=category,
    )


def solution_at(problem: Problem, indices: Int[np.ndarray, " axes"]) -> Solution:
    """The solution at indices of the lattice: the category, then the value of each variable."""
    row, *places = map(int, indices)
    values = [it.grid.values[at] for it, at in zip(problem.variables, places, strict=True)]
    return solution_of(problem, np.asarray(values, float), row)


def case_at(problem: Problem, solution: Solution) -> Case:
    """The case of a solution: design, model, request and assumptions."""
    return problem.case_of(solution.point, solution.row)
