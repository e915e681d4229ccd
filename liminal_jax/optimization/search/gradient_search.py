"""The relaxed search: descents of the soft model by gradients, snapped to the lattice and polished.

Descents begin from random starts in each category. Of a variable whose values are names, such as
how attention is shared, a point between two values means nothing: each start keeps one of them.
Where a start ends is rounded to the lattice, and a local search on the exact model climbs from
there. The result is as good as it is; it proves nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.branch_and_bound import IncumbentOfEach
from liminal_jax.optimization.search.certificate import BoundedProblem, objective_bounds
from liminal_jax.optimization.search.local_search import LocalSearch
from liminal_jax.optimization.search.solution import Solution, solution_at, solution_of
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.problem import Problem

if TYPE_CHECKING:
    # Imported where descents begin: optax takes a third of a second to import.
    from liminal_jax.optimization.search.descents import Descents

NAMES = ("attention",)
"""Variables whose values number names: there is nothing between them."""

STARTS = Schedule(starts=32, rounds=8, steps=20, rate=0.08, penalty=30.0, settled=0.01)
"""The descents of a study: 160 steps from each start."""

KICKS = 3
"""Rounds in which the best designs are changed at random and climbed from again."""

KICKED = 24
"""Changed copies of the best design of each category in a round."""

FARTHEST = 4
"""Largest change of an index; three variables change at once."""


@dataclass(frozen=True)
class Starts:
    """Where descents begin.

    Attributes:
        category: Category of each start.
        unit: Coordinates in the unit hypercube.
        free: Which variables move; the others keep what they begin with.
    """

    category: Int[np.ndarray, " starts"]
    unit: Float[np.ndarray, "starts variables"]
    free: Bool[np.ndarray, " variables"]


@dataclass(frozen=True)
class Reached:
    """A point that a search has reached.

    Attributes:
        objective: Its objective, in SI; NaN where it cannot be evaluated.
        feasible: Whether it meets every limit.
        solution: The point.
    """

    objective: float
    feasible: bool
    solution: Solution


@dataclass(frozen=True)
class GradientSearch:
    """What the search by gradients found.

    Attributes:
        starts: Where the descents began.
        ends: Where they ended.
        relaxed: The best end on the soft model.
        snapped: The design of the lattice nearest to it, on the exact model.
        polished: The best design that local search found from all ends; None if none is feasible.
        known: The best design found of each category and its score, where one is feasible.
        seconds: Wall time of the descents, and of snapping and polishing [s].
    """

    starts: Starts
    ends: "Descents"
    relaxed: Reached
    snapped: Reached
    polished: Reached | None
    known: list[tuple[Int[np.ndarray, " axes"], float]]
    seconds: dict[str, float]


def starts_of(problem: Problem, schedule: Schedule, seed: int) -> Starts:
    """Random starts in each category; names take turns.

    Args:
        problem: A problem.
        schedule: How many starts.
        seed: Seed of the starts.
    """
    category = np.repeat(np.arange(len(problem.categories)), schedule.starts)
    generator = np.random.default_rng(seed % 2**64)
    unit = generator.random((len(category), len(problem.variables)))
    free = np.asarray([it.name not in NAMES for it in problem.variables], bool)
    box = unit_hypercube_of(problem)
    for axis in np.flatnonzero(~free):
        values = np.asarray(problem.variables[axis].grid.values)
        points = np.tile(box.low, (len(values), 1))
        points[:, axis] = values
        unit[:, axis] = box.unit(points)[np.arange(len(category)) % len(values), axis]
    return Starts(category, unit, free)


def descended(problem: Problem, starts: Starts, schedule: Schedule) -> "Descents":
    """Where descents of the soft model end.

    Args:
        problem: A problem.
        starts: Where they begin.
        schedule: Temperature, penalty and steps.
    """
    from liminal_jax.optimization.search.descents import descend
    from liminal_jax.optimization.search.soft_model import compiled_lagrangian, listed_lagrangian

    try:
        lagrangian = listed_lagrangian(problem, starts.category)
    except NotImplementedError:
        # An objective or a limit of the user's own; bounds may know it all the same.
        lagrangian = compiled_lagrangian(problem, starts.category)
    return descend(lagrangian, starts.unit, len(problem.limits), schedule, starts.free)


def snapped(problem: Problem, starts: Starts, ends: "Descents") -> Int[np.ndarray, "axes starts"]:
    """Indices of the designs of the lattice nearest to where descents end."""
    grids = [it.grid.values for it in problem.variables]
    near = unit_hypercube_of(problem).nearest(ends.unit, grids)
    return np.vstack([starts.category, near])


def _kicked(
    best: IncumbentOfEach, shape: tuple[int, ...], generator: np.random.Generator
) -> Int[np.ndarray, "axes designs"]:
    """Copies of the best designs, some variables of each changed at random."""
    copies = np.repeat([indices for indices, _ in best.known()], KICKED, axis=0)
    axes = np.arange(1, len(shape))
    for copy in copies:
        some = generator.choice(axes, size=min(3, len(axes)), replace=False)
        copy[some] += generator.integers(-FARTHEST, FARTHEST + 1, len(some))
    return np.clip(copies, 0, np.asarray(shape) - 1).T


def _reached(problem: Problem, score: float, feasible: bool, solution: Solution) -> Reached:
    return Reached(problem.objective(score), feasible, solution)


def gradient_search(
    problem: Problem,
    bounded: Callable[[], BoundedProblem],
    schedule: Schedule,
    seed: int,
    kicks: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> GradientSearch:
    """The best design that gradients lead to.

    Args:
        problem: A problem.
        bounded: The same with bounds, by which designs are evaluated; asked for after the descents.
        schedule: Schedule of the descents.
        seed: Seed of the starts.
        kicks: Rounds of climbing again from changed copies of the best designs.
        clock: Seconds from some origin.
    """
    begin = clock()
    starts = starts_of(problem, schedule, seed)
    ends = descended(problem, starts, schedule)
    middle, lattice = clock(), bounded()
    waited = clock() - middle
    designs, row = snapped(problem, starts, ends), ends.best()
    best = IncumbentOfEach(len(problem.categories), len(lattice.shape))
    search = LocalSearch(lattice, objective_bounds, best)
    nearest = designs[:, [row]]
    exact = search.evaluate(nearest)
    search.climb(np.unique(designs, axis=1))
    generator = np.random.default_rng(seed % 2**64)
    for _ in range(kicks if best.known() and len(lattice.shape) > 1 else 0):
        search.climb(_kicked(best, lattice.shape, generator))
    known = best.known()
    top = max(known, key=lambda it: it[1], default=None)
    point = unit_hypercube_of(problem).stretched(ends.unit[[row]])[0][0]
    return GradientSearch(
        starts=starts,
        ends=ends,
        relaxed=_reached(
            problem,
            float(ends.score[row]),
            bool(ends.feasible[row]),
            solution_of(problem, point, int(starts.category[row])),
        ),
        snapped=_reached(
            problem,
            float(exact.scores[0, 0]),
            bool(exact.feasible[0]),
            solution_at(problem, nearest[:, 0]),
        ),
        polished=top and _reached(problem, top[1], True, solution_at(problem, top[0])),
        known=known,
        seconds={"descend": middle - begin, "polish": clock() - middle - waited},
    )
