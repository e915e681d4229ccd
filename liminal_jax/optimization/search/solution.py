"""A solution: a point of a problem's space by the names of its variables."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.study.case import Case
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.quantities import Fleet


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


def judged_at(problem: Problem, solution: Solution) -> tuple[Fleet, Outcome]:
    """A solution as the exact model sees it: the whole system, its score and its violations."""
    point, row = jnp.asarray(solution.point, float), jnp.asarray(solution.row)
    return _judged(problem.without_numbers(), problem.region.case, point, row)


@listed
def _judged(problem: Problem, case: Case, point: Array, row: Array) -> tuple[Fleet, Outcome]:
    """The same, traced once for each study."""
    case = problem.with_case(case).region.at(point, row)
    fleet = case.fleet(Exact())
    return fleet, problem.judged(case, fleet, Exact())
