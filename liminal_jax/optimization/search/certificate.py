"""The proof: how good a design is among all designs of its lattice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from liminal_jax._smooth import Exact
from liminal_jax.bounds.boxes import Boxes
from liminal_jax.bounds.lattice import LatticeBounds
from liminal_jax.bounds.program import along, constant
from liminal_jax.optimization.search.branch_and_bound import (
    MARGIN,
    UNKNOWN,
    Budget,
    IncumbentOfAll,
    IncumbentOfEach,
    NodeBounds,
    Statistics,
    branch_and_bound,
    widths_of,
)
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem

POSSIBLE = FEASIBLE + MARGIN
"""Least violation of a box up to which it may hold a feasible design, rounding allowed for."""


@dataclass(frozen=True)
class Certificate:
    """What is known of all designs of a lattice.

    Attributes:
        method: `bound`: no box of the lattice can hold a better design than `bound`, by the exact
            model's ranges, rounding allowed for; `none`: nothing is proven.
        bound: Objective that no design of the lattice beats; none where nothing is proven, or where
            no design is feasible.
        relative_gap: (bound - value)/|value| towards better; none likewise.
        lattice: Designs of the lattice.
        evaluated: Designs evaluated one by one in the proof.
        boxes: Boxes bounded in the proof.
        complete: Whether nothing is left that could be better by more than the gap asked for.
    """

    method: str
    bound: float | None
    relative_gap: float | None
    lattice: int
    evaluated: int
    boxes: int
    complete: bool


@dataclass(frozen=True)
class Proof:
    """What branch and bound found.

    Attributes:
        gains: Score of the best design of each category; `UNKNOWN` where none is known.
        indices: Indices of that design.
        judged: Whether the designs of a category can be judged at all.
        statistics: What was done.
        slack: Logarithm by which the bound lies above the best design.
    """

    gains: Float[np.ndarray, " categories"]
    indices: Int[np.ndarray, "categories axes"]
    judged: Bool[np.ndarray, " categories"]
    statistics: Statistics
    slack: float

    @property
    def feasible(self) -> bool:
        """Whether a design is known that meets every limit."""
        return bool(np.max(self.gains) > UNKNOWN)

    def lacking(self, category: int) -> str | None:
        """Why a category has no design; none where it has one."""
        if self.gains[category] > UNKNOWN:
            return None
        if not self.judged[category]:
            return "cannot be judged"
        return "meets no limits" if self.statistics.complete else "no design found in time"

    def best(self) -> Int[np.ndarray, " axes"]:
        """Indices of the best design of all."""
        return self.indices[int(np.argmax(self.gains))]


def bounds_of(problem: Problem, *others: Criterion) -> LatticeBounds:
    """Bounds of some scores, then of the violation of each limit: of the exact model.

    Args:
        problem: A study, whose score is the first.
        others: What else is best.
    """
    shape = (len(problem.categories), *(len(it.grid.values) for it in problem.variables))
    point = constant(np.zeros(len(problem.variables)))
    for axis, variable in enumerate(problem.variables):
        point[axis] = along(axis + 1, np.asarray(variable.grid.values, float))
    category = constant(0)
    category[()] = along(0, np.arange(shape[0]))

    def results(point: Array, category: Array) -> Array:
        case = problem.region.at(point, category)
        fleet = case.fleet(Exact())
        scores = jnp.stack([it.score(fleet) for it in (problem.goal, *others)])
        return jnp.concatenate([scores, problem.violation(case, fleet, Exact())])

    return LatticeBounds(results, (point, category), shape)


def _judgeable(bounds: LatticeBounds) -> Boxes:
    """A box for each category whose designs can be judged.

    What nobody has published is missing from all designs of a category; one tells for all.
    """
    categories, *others = bounds.trees
    nodes = [
        [categories.single(number), *(tree.single(0) for tree in others)]
        for number in range(int(categories.lengths[0]))
    ]
    firsts = Boxes(np.asarray(nodes, np.int32).T, bounds.trees)
    _, high = bounds.over(firsts)
    known = np.isfinite(high).all(axis=0)
    whole = np.zeros_like(firsts.nodes)
    whole[0] = firsts.nodes[0]
    return Boxes(whole[:, known], bounds.trees)


class BoundedProblem(NamedTuple):
    """Where a search by bounds takes place.

    Attributes:
        bounds: Bounds of the exact model.
        widths: Width of every node of each axis.
        start: Boxes that together hold every design that can be judged.
    """

    bounds: LatticeBounds
    widths: list[np.ndarray]
    start: Boxes

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of categories, then of values of each variable."""
        return tuple(len(tree.singles) for tree in self.bounds.trees)

    @property
    def categories(self) -> Int[np.ndarray, " categories"]:
        """The categories that can be judged."""
        return self.start.first[0]


def bounded_problem_of(problem: Problem, *others: Criterion) -> BoundedProblem:
    """Where the designs of a study are searched by bounds, see `bounds_of`."""
    bounds = bounds_of(problem, *others)
    values = [np.asarray(variable.grid.values) for variable in problem.variables]
    widths = widths_of(bounds.trees, [np.ones(len(problem.categories)), *values])
    return BoundedProblem(bounds, widths, _judgeable(bounds))


def objective_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
    """What bounds of the score and of the excesses promise of the objective."""
    return NodeBounds(
        gains=high[:1],
        possible=np.all(low[1:] <= POSSIBLE, axis=0),
        certain=np.all(high[1:] <= FEASIBLE, axis=0) & np.isfinite(high[0]),
    )


def proven(
    bounded: BoundedProblem,
    known: list[tuple[Int[np.ndarray, " axes"], float]],
    budget: Budget | None = None,
    tell: Callable[[Statistics, float], None] = lambda *_: None,
) -> Proof:
    """The best design of each category, with the proof that none is better.

    Args:
        bounded: The lattice of a study.
        known: Feasible designs known already, by indices, and their scores.
        budget: When to stop before everything is proven.
        tell: Told after each round what was done, and the best score known.
    """
    budget = Budget() if budget is None else budget
    bounds = bounded.bounds
    categories = int(bounds.trees[0].lengths[0])
    incumbents = IncumbentOfEach(categories, len(bounds.trees))
    for indices, score in known:
        incumbents.learn(indices, score)
    statistics = branch_and_bound(
        bounds,
        objective_bounds,
        incumbents,
        bounded.widths,
        budget,
        lambda statistics: tell(statistics, float(np.max(incumbents.gains))),
        bounded.start,
    )
    return Proof(
        gains=incumbents.gains,
        indices=incumbents.indices,
        judged=np.isin(np.arange(categories), bounded.categories),
        statistics=statistics,
        slack=max(statistics.open_gain - float(np.max(incumbents.gains)), budget.gap),
    )


def certificate(
    lattice: int,
    statistics: Statistics,
    slack: float,
    score: float | None,
    objective: Callable[[float], float],
) -> Certificate:
    """What a proof says of the best design.

    Args:
        lattice: Designs of the lattice.
        statistics: What was done.
        slack: Logarithm by which the bound lies above the best design.
        score: Score of that design; none where no feasible one is known.
        objective: The objective of a score.
    """
    bound = gap = None
    if score is not None and slack < -UNKNOWN / 2:
        value, bound = objective(score), objective(score + slack)
        gap = abs(bound - value) / abs(value)
    return Certificate(
        method="none" if bound is None and not statistics.complete else "bound",
        bound=bound,
        relative_gap=gap,
        lattice=lattice,
        evaluated=statistics.evaluated,
        boxes=statistics.boxes,
        complete=statistics.complete,
    )


def nearest(bounded: BoundedProblem, budget: Budget) -> Int[np.ndarray, " axes"] | None:
    """The design that exceeds the limits least, by the sum of the logarithms.

    Args:
        bounded: The lattice of a study that no design satisfies.
        budget: When to stop.

    Returns:
        Its indices, the best found if time ran out; none where no design can be judged.
    """

    def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
        violation = np.sum(np.maximum(low[1:], 0.0), axis=0)
        known = np.isfinite(high)
        return NodeBounds(-violation[None], np.ones(len(violation), bool), np.all(known, axis=0))

    least = IncumbentOfAll()
    branch_and_bound(
        bounded.bounds, node_bounds, least, bounded.widths, budget, start=bounded.start
    )
    return least.indices


def least_excess(bounded: BoundedProblem, limit: int, budget: Budget) -> float | None:
    """How little a limit need be exceeded when all the others are met.

    Args:
        bounded: The lattice of a study.
        limit: Number of the limit.
        budget: When to give up.

    Returns:
        Logarithm of the least violation, to within the gap of the budget; none where the others
        cannot be met together, or where time ran out.
    """

    def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
        others = np.delete(np.arange(len(low)), [0, 1 + limit])
        return NodeBounds(
            gains=-low[[1 + limit]],
            possible=np.all(low[others] <= POSSIBLE, axis=0),
            certain=np.all(high[others] <= FEASIBLE, axis=0) & np.all(np.isfinite(high), axis=0),
        )

    least = IncumbentOfAll()
    statistics = branch_and_bound(
        bounded.bounds, node_bounds, least, bounded.widths, budget, start=bounded.start
    )
    return -least.gain if statistics.complete and least.indices is not None else None
