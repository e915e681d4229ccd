"""What lies between the values of ranges: the relaxed optimum, and the design that it snaps to.

Branch and bound proves the best of the values at which ranges are searched first. With degrees,
stacks and dies held at that design, sequential quadratic programming leads to a point that
satisfies the KKT conditions of the smoothed model, with its multipliers. The exact model is then
searched on finer and finer grids: each holds the best design so far, the relaxed optimum and the
whole numbers beside it, and the neighbours of both; every design of them is covered by branch and
bound. So the answer is never worse than the best of the first values, or than rounding.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from liminal_jax.bounds.boxes import points
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    Proof,
    bounded_problem_of,
    proven,
)
from liminal_jax.optimization.search.solution import Solution, solution_at, solution_of
from liminal_jax.optimization.sensitivity.fixed_integers import with_fixed_integers
from liminal_jax.optimization.sensitivity.multipliers import Multipliers
from liminal_jax.study.domain import Grid, spaced_between
from liminal_jax.study.problem import FEASIBLE, Problem
from liminal_jax.study.region import Variable
from liminal_jax.study.variables import stated_at

PARTS = 8
"""Parts into which each grid divides what lies between the neighbours of the best value."""

ROUNDS = 6
"""Most grids: six of them are finer than the first values by a factor of 4^6."""

LEAST_GAIN = 1e-6
"""Share of the objective below which a finer grid has not improved it."""


@dataclass(frozen=True)
class Multiplier:
    """What an active limit, or an active end of a range, is worth at the relaxed optimum.

    Attributes:
        name: The limit, or the variable.
        end: `limit`, `low` or `high`.
        value: Change of the logarithm of the objective, for the better, per unit of the logarithm
            of the limit's bound, or per share of the variable's range by which its end moves out.
    """

    name: str
    end: str
    value: float


@dataclass(frozen=True)
class Continuum:
    """What lies between the values of ranges.

    Attributes:
        ranges: Names of the variables with ranges.
        whole: Those of which only whole numbers make sense: relaxed, then snapped.
        relaxed: The relaxed optimum, degrees, stacks and dies held.
        relaxed_objective: Its objective on the smoothed model: no bound.
        reason: Termination message of the solver.
        kkt_residual: Norm of the KKT residual over that of the gradient of the score, from 0 to 1.
        multipliers: Multipliers of active limits and ends of ranges, the largest first.
        first: Objective of the best of the values at which the ranges were searched first.
        snapped: Objective of the relaxed optimum snapped to what can be built, on the exact model;
            None where it breaks a limit.
        solution: The design found.
        objective: Its objective on the exact model.
        grids: Finer grids searched.
        designs: Designs of those of them that branch and bound covered to the end.
    """

    ranges: tuple[str, ...]
    whole: tuple[str, ...]
    relaxed: Solution
    relaxed_objective: float
    reason: str
    kkt_residual: float
    multipliers: list[Multiplier]
    first: float
    snapped: float | None
    solution: Solution
    objective: float
    grids: int
    designs: int


def continuum_reasons(found: Continuum) -> list[str]:
    """What is proven between the values of ranges, and what was relaxed, in sentences."""
    names = ", ".join(found.ranges)
    said = [
        f"ranges were searched at steps first ({names}): the bound speaks of these steps; of what"
        f" lies between nothing is proven but that {found.designs:,} designs of"
        f" {found.grids} finer grids around the answer are not better"
    ]
    if found.whole:
        said.append(
            f"only whole numbers make sense of {', '.join(found.whole)}: relaxed to real numbers"
            " for gradients, then snapped"
        )
    return said


def has_ranges(problem: Problem) -> bool:
    """Whether any value between two ends will do for a variable."""
    return any(it.grid.between for it in problem.variables)


def between_values(
    problem: Problem,
    proof: Proof,
    budget: Budget,
    clock: Callable[[], float] = time.perf_counter,
) -> Continuum:
    """The best design that is found between the values of ranges.

    Args:
        problem: A problem with ranges.
        proof: Its proof, with a feasible design.
        budget: When to stop.
        clock: Seconds from some origin.
    """
    begin = clock()
    freed = with_fixed_integers(problem, proof)
    optimum = freed.optimum(0)
    relaxed, row = freed.solution(optimum), optimum.category
    start = solution_at(problem, proof.indices[row])
    here = _Here(start.point, float(proof.scores[row]), problem.variables)
    aim, snapped, grids, designs = np.asarray(relaxed.point), None, 0, 0
    while grids < ROUNDS and (left := budget.seconds - (clock() - begin)) > 0:
        near = _near(problem, row, here, aim, first=not grids)
        bounded = bounded_problem_of(near)
        if not grids:
            snapped = _snapped(near, bounded, aim)
        grids, before = grids + 1, here.score
        at = _places(near.variables, here.point)
        found = proven(bounded, [(at, here.score)], Budget(seconds=left))
        designs += near.lattice if found.statistics.complete else 0
        point = solution_at(near, found.indices[0]).point
        here = _Here(point, max(float(found.scores[0]), before), near.variables)
        if grids > 1 and here.score - before < LEAST_GAIN:
            break
    ranges = [it for it in problem.variables if it.grid.between]
    return Continuum(
        ranges=tuple(it.name for it in ranges),
        whole=tuple(it.name for it in ranges if stated_at(it.path).whole),
        relaxed=relaxed,
        relaxed_objective=problem.objective(optimum.score),
        reason=optimum.reason,
        kkt_residual=optimum.multipliers.residual,
        multipliers=_named(freed.gradients.problem, optimum.multipliers),
        first=problem.objective(float(proof.scores[row])),
        snapped=None if snapped is None else problem.objective(snapped),
        solution=solution_of(problem, np.asarray(here.point), row),
        objective=problem.objective(here.score),
        grids=grids,
        designs=designs,
    )


class _Here(NamedTuple):
    """The best design so far, and the variables with the grids that it is a point of."""

    point: tuple[float, ...]
    score: float
    variables: tuple[Variable, ...]


def _near(problem: Problem, row: int, here: _Here, aim: np.ndarray, *, first: bool) -> Problem:
    """The problem of one category on a finer grid around the best design.

    The first grid holds the relaxed optimum, the neighbours of both on grids of steps, and what
    lies between. Later ones divide ranges alone.

    Args:
        problem: The problem.
        row: The category.
        here: The best design.
        aim: The relaxed optimum.
        first: Whether this is the first grid.
    """
    variables = []
    for it, own, value, target in zip(
        problem.variables, here.variables, here.point, aim.tolist(), strict=True
    ):
        if it.grid.between:
            values = _divided(it, own.grid.values, value, target)
        else:
            values = _beside(it.grid.values, value, target) if first else [value]
        variables.append(dataclasses.replace(it, grid=Grid(tuple(values), it.grid.logarithmic)))
    region = problem.region.only((problem.categories[row],))
    return dataclasses.replace(
        problem, region=dataclasses.replace(region, variables=tuple(variables))
    )


def _divided(it: Variable, values: Sequence[float], value: float, target: float) -> list[float]:
    """Values of a range between the neighbours of one of them, with that and the aim."""
    at = values.index(value)
    low, high = values[max(at - 1, 0)], values[min(at + 1, len(values) - 1)]
    whole = stated_at(it.path).whole
    spaced = spaced_between(low, high, 2 * PARTS + 1, None, whole=whole)
    aims = {np.floor(target), np.ceil(target)} if whole else {target}
    known = np.asarray([*spaced.tolist(), *it.grid.values])
    # An aim at an end may miss it by rounding: the value that is there already is meant.
    further = {float(each) for each in aims if not np.isclose(each, known, rtol=1e-9, atol=0).any()}
    return sorted({*spaced.tolist(), value, *further})


def _beside(values: Sequence[float], value: float, target: float) -> list[float]:
    """Values of a grid of steps: one of them with its neighbours, and those beside an aim."""
    at, above = values.index(value), int(np.searchsorted(values, target))
    places = {at - 1, at, at + 1, above - 1, above}
    return [values[it] for it in sorted(places) if 0 <= it < len(values)]


def _places(variables: Sequence[Variable], point: Sequence[float]) -> Int[np.ndarray, " axes"]:
    """Indices of the values that are nearest to a point, after that of the one category."""
    nearest = [
        int(np.argmin(np.abs(np.asarray(it.grid.values) - value)))
        for it, value in zip(variables, point, strict=True)
    ]
    return np.asarray([0, *nearest])


def _snapped(near: Problem, bounded: BoundedProblem, aim: np.ndarray) -> float | None:
    """Score of the design of a grid that is nearest to an aim; none where it breaks a limit."""
    at = _places(near.variables, aim.tolist())
    _, high = bounded.bounds.over(points(at[:, None], bounded.bounds.trees))
    feasible = np.isfinite(high[0, 0]) and np.all(high[1:, 0] <= FEASIBLE)
    return float(high[0, 0]) if feasible else None


def _named(problem: Problem, found: Multipliers) -> list[Multiplier]:
    """The multipliers that are not 0, the largest first."""
    named = [
        *(Multiplier(it.name, "limit", at) for it, at in _each(problem.limits, found.limits)),
        *(Multiplier(it.name, "low", at) for it, at in _each(problem.variables, found.low)),
        *(Multiplier(it.name, "high", at) for it, at in _each(problem.variables, found.high)),
    ]
    return sorted((it for it in named if it.value > 0), key=lambda it: -it.value)


def _each(named: Sequence[Any], values: np.ndarray) -> Iterator[tuple[Any, float]]:
    return zip(named, values.tolist(), strict=True)
