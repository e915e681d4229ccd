"""The certificate: how good a design is among all designs of its lattice, proven by bounds."""

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
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
    Known,
    NodeBounds,
    Statistics,
    branch_and_bound,
    widths_of,
)
from liminal_jax.study.case import Case
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem, relative_gap

POSSIBLE = FEASIBLE + MARGIN
"""Largest lower bound of a violation at which a box may still hold a feasible design: the tolerance
of feasibility, and a margin for rounding."""


@dataclass(frozen=True)
class Certificate:
    """What is proven of all designs of a lattice.

    Attributes:
        method: `bound`: no box of the lattice holds a better design than `bound`, by interval
            bounds of the exact model with a margin for rounding; `steps`: the same of the values
            at which ranges are searched first, while nothing bounds what lies between; `none`:
            nothing is proven.
        bound: Objective that no design of the lattice beats; None where nothing is proven, or where
            no design is feasible.
        relative_gap: |bound - value|/|value|; None where `bound` is None.
        lattice: Number of designs of the lattice.
        evaluated: Designs evaluated one by one in the proof.
        boxes: Boxes bounded in the proof.
        complete: Whether no open box could hold a design that is better by more than the gap
            allowed.
    """

    method: str
    bound: float | None
    relative_gap: float | None
    lattice: int
    evaluated: int
    boxes: int
    complete: bool


def of_the_steps(proved: Certificate) -> Certificate:
    """A certificate of a lattice whose values are steps in ranges."""
    method = "steps" if proved.method == "bound" else proved.method
    return dataclasses.replace(proved, method=method)


@dataclass(frozen=True)
class Proof:
    """The result of branch and bound.

    Attributes:
        scores: Score of the best design of each category; `UNKNOWN` where none is known.
        indices: Indices of that design.
        evaluable: Whether the data hold every number that a category's designs need.
        statistics: Statistics of the search.
        slack: Logarithm by which the bound lies above the best design.
    """

    scores: Float[np.ndarray, " categories"]
    indices: Int[np.ndarray, "categories axes"]
    evaluable: Bool[np.ndarray, " categories"]
    statistics: Statistics
    slack: float

    @property
    def feasible(self) -> bool:
        """Whether a feasible design is known."""
        return bool(np.max(self.scores) > UNKNOWN)

    def infeasibility(self, category: int) -> str | None:
        """The reason why a category has no feasible design; None where it has one."""
        if self.scores[category] > UNKNOWN:
            return None
        if not self.evaluable[category]:
            return "cannot be evaluated"
        return "meets no limits" if self.statistics.complete else "no design found in time"

    def best(self) -> Int[np.ndarray, " axes"]:
        """Indices of the best design of all."""
        return self.indices[int(np.argmax(self.scores))]


def bounds_of(problem: Problem, *others: Criterion, largest: int | None = None) -> LatticeBounds:
    """Bounds of the exact model: of each score, then of the violation of each limit.

    Args:
        problem: A problem; its own criterion is the first score.
        others: Further criteria.
        largest: Entries of the largest table.
    """
    shape = (len(problem.categories), *(len(it.grid.values) for it in problem.variables))
    return LatticeBounds(_results, _arguments(problem, others), shape, largest)


def _arguments(problem: Problem, others: tuple[Criterion, ...]) -> tuple[Any, ...]:
    """Arguments of `_results` over the lattice."""
    point = constant(np.zeros(len(problem.variables)))
    for axis, variable in enumerate(problem.variables):
        point[axis] = along(axis + 1, np.asarray(variable.grid.values, float))
    category = constant(0)
    category[()] = along(0, np.arange(len(problem.categories)))
    case = jax.tree.map(constant, problem.region.case)
    return problem.without_numbers(), others, case, point, category


def _results(
    problem: Problem, others: tuple[Criterion, ...], case: Case, point: Array, category: Array
) -> Array:
    """Each score, then the violation of each limit."""
    case = problem.with_case(case).region.at(point, category)
    fleet = case.fleet(Exact())
    scores = jnp.stack([it.score(fleet) for it in (problem.goal, *others)])
    return jnp.concatenate([scores, problem.violation(case, fleet, Exact())])


def evaluable(bounds: LatticeBounds) -> Boxes:
    """One box for each category whose designs can be evaluated.

    A number that nobody has published is missing from all designs of a category, so one design of
    each shows whether results are finite.
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
    """A problem that can be bounded over boxes of its lattice.

    Attributes:
        bounds: Bounds of the exact model.
        widths: Width of every node of each axis, from `widths_of`.
        start: Boxes that together hold every design that can be evaluated.
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
        """The categories that can be evaluated."""
        return self.start.first[0]


def bounded_problem_of(
    problem: Problem, *others: Criterion, largest: int | None = None
) -> BoundedProblem:
    """A problem with bounds of its score, of further criteria, and of the violation of limits.

    Args:
        problem: A problem.
        others: Further criteria.
        largest: Entries of the largest table that the bounds are found from.
    """
    bounds = bounds_of(problem, *others, largest=largest)
    values = [np.asarray(variable.grid.values) for variable in problem.variables]
    widths = widths_of(bounds.trees, [np.ones(len(problem.categories)), *values])
    return BoundedProblem(bounds, widths, evaluable(bounds))


def objective_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
    """Bounds of nodes for one objective, from bounds of the score and of the violations."""
    return NodeBounds(
        scores=high[:1],
        possible=np.all(low[1:] <= POSSIBLE, axis=0),
        certain=np.all(high[1:] <= FEASIBLE, axis=0) & np.isfinite(high[0]),
    )


def proven(
    bounded: BoundedProblem,
    known: Known,
    budget: Budget | None = None,
    on_progress: Callable[[Statistics, float], None] = lambda *_: None,
    joining: Callable[[int], Known] = lambda _: [],
) -> Proof:
    """The best design of each category, with the proof that none is better.

    Args:
        bounded: The problem.
        known: Feasible designs known already, by indices, and their scores: a warm start.
        budget: When to stop before the proof is complete.
        on_progress: Called after each round with the statistics and the best score known.
        joining: Called after each round with its number; feasible designs that others have found
            since, which prune the boxes of later rounds.
    """
    budget = Budget() if budget is None else budget
    bounds = bounded.bounds
    categories = int(bounds.trees[0].lengths[0])
    incumbents = IncumbentOfEach(categories, len(bounds.trees))
    incumbents.join(known)
    rounds = itertools.count()

    def after(statistics: Statistics) -> None:
        incumbents.join(joining(next(rounds)))
        on_progress(statistics, float(np.max(incumbents.scores)))

    statistics = branch_and_bound(
        bounds,
        objective_bounds,
        incumbents,
        bounded.widths,
        budget,
        after,
        bounded.start,
    )
    return Proof(
        scores=incumbents.scores,
        indices=incumbents.indices,
        evaluable=np.isin(np.arange(categories), bounded.categories),
        statistics=statistics,
        slack=max(statistics.open_score - float(np.max(incumbents.scores)), budget.gap),
    )


def unproven(bounded: BoundedProblem, known: Known) -> Proof:
    """Designs of which nothing is proven, as the result of a branch and bound without a round.

    Args:
        bounded: The problem.
        known: Feasible designs, by indices, and their scores.
    """
    categories = int(bounded.bounds.trees[0].lengths[0])
    incumbents = IncumbentOfEach(categories, len(bounded.bounds.trees))
    incumbents.join(known)
    return Proof(
        scores=incumbents.scores,
        indices=incumbents.indices,
        evaluable=np.isin(np.arange(categories), bounded.categories),
        statistics=Statistics(0, 0.0, 0, np.inf, np.inf),
        slack=np.inf,
    )


def with_designs(proof: Proof, known: Known, gap: float) -> Proof:
    """A proof with further feasible designs, which it may have stopped too early to take.

    Args:
        proof: The proof.
        known: Designs by indices, and their scores.
        gap: Logarithm of the optimality gap allowed.
    """
    scores, indices = proof.scores.copy(), proof.indices.copy()
    for design, score in known:
        if score > scores[design[0]] + MARGIN:
            scores[design[0]], indices[design[0]] = score, design
    slack = max(proof.statistics.open_score - float(np.max(scores)), gap)
    return dataclasses.replace(proof, scores=scores, indices=indices, slack=slack)


def best_of_all(bounded: BoundedProblem, budget: Budget) -> tuple[IncumbentOfAll, Statistics]:
    """The best design of all categories; the best of each is not proven.

    Args:
        bounded: The problem.
        budget: When to stop before the proof is complete.
    """
    best = IncumbentOfAll()
    bounds, start = bounded.bounds, bounded.start
    statistics = branch_and_bound(
        bounds, objective_bounds, best, bounded.widths, budget, start=start
    )
    return best, statistics


def certificate(
    lattice: int,
    statistics: Statistics,
    slack: float,
    score: float | None,
    objective: Callable[[float], float],
) -> Certificate:
    """The certificate of the best design known.

    Args:
        lattice: Number of designs of the lattice.
        statistics: Statistics of the proof.
        slack: Logarithm by which the bound lies above the best design.
        score: Score of that design; None where no feasible one is known.
        objective: The objective of a score.
    """
    bound = gap = None
    # Without an incumbent the slack is measured from `UNKNOWN`, and bounds nothing.
    if score is not None and slack < -UNKNOWN / 2:
        value, bound = objective(score), objective(score + slack)
        gap = relative_gap(bound, value)
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
    """The design of the least total violation, the sum of the log violations of the limits.

    Args:
        bounded: An infeasible problem.
        budget: When to stop.

    Returns:
        Its indices, the best found if time ran out; None where no design can be evaluated.
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


def least_violation(bounded: BoundedProblem, limit: int, budget: Budget) -> float | None:
    """The least log violation of one limit over the designs that meet all the others.

    Args:
        bounded: The problem.
        limit: Number of the limit.
        budget: When to stop.

    Returns:
        The least log violation, to within the gap of the budget; None where the other limits
        cannot be met together, or where time ran out.
    """

    def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
        others = np.delete(np.arange(len(low)), [0, 1 + limit])
        return NodeBounds(
            scores=-low[[1 + limit]],
            possible=np.all(low[others] <= POSSIBLE, axis=0),
            certain=np.all(high[others] <= FEASIBLE, axis=0) & np.all(np.isfinite(high), axis=0),
        )

    least = IncumbentOfAll()
    statistics = branch_and_bound(
        bounded.bounds, node_bounds, least, bounded.widths, budget, start=bounded.start
    )
    return -least.score if statistics.complete and least.indices is not None else None
