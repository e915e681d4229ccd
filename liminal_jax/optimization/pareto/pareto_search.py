"""The front of a study: the designs between which only a preference can choose.

Local search finds much of it; branch and bound with several objectives finds the rest and proves
it, see `design.front`.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact
from liminal_jax.optimization.pareto.archive import Front
from liminal_jax.optimization.pareto.knees import knees
from liminal_jax.optimization.pareto.warm_start import scout
from liminal_jax.optimization.search.branch_and_bound import (
    Budget,
    NodeBounds,
    Statistics,
    branch_and_bound,
)
from liminal_jax.optimization.search.certificate import POSSIBLE, BoundedProblem, bounded_problem_of
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.local_search import LocalSearch
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.shortfalls import shortfalls
from liminal_jax.optimization.search.solution import Solution, solution_of
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem
from liminal_jax.study.quantities import QUANTITIES


@dataclass(frozen=True)
class FrontPoint:
    """A design of a front.

    Attributes:
        objectives: Value of each objective, in SI.
        solution: The design.
        totals: Every quantity that a study can name, for all instances.
    """

    objectives: tuple[float, ...]
    solution: Solution
    totals: dict[str, float]


@dataclass(frozen=True)
class FrontCertificate:
    """What is known of all designs of a lattice.

    Attributes:
        method: `bound`: by the exact model's ranges over boxes of the lattice; `none`: nothing is
            proven.
        complete: Whether the proof came to its end: every point is then a design that none of the
            lattice dominates, and the best of each objective is among them.
        largest_margin: For every design that meets the limits there is one point that it betters
            by no more than this share in any objective; 0 if the points are the whole front, none
            where nothing is proven or no design meets the limits.
        lattice: Designs of the lattice.
        covered: Designs that the proof has dealt with.
        evaluated: Designs evaluated one by one in the proof.
        boxes: Boxes bounded in the proof.
    """

    method: str
    complete: bool
    largest_margin: float | None
    lattice: int
    covered: float
    evaluated: int
    boxes: int


@dataclass(frozen=True)
class FrontAnswer:
    """The front of a study.

    Attributes:
        problem: The study.
        objectives: What is best: the most of one quantity, the least of another.
        epsilon: Share by which a design was allowed to better the point that comes nearest to it.
        points: Designs of the front, from the worst to the best in the first objective.
        knees: Numbers of those that are knees.
        certificate: What is proven.
        reasons: What happened, in sentences.
        seconds: Wall time.
    """

    problem: Problem
    objectives: tuple[Criterion, ...]
    epsilon: float
    points: list[FrontPoint]
    knees: list[int]
    certificate: FrontCertificate
    reasons: list[str]
    seconds: float

    @property
    def feasible(self) -> bool:
        """Whether any design is known that meets every limit."""
        return bool(self.points)


def bounded_problem_for(problem: Problem, objectives: Sequence[Criterion]) -> BoundedProblem:
    """Where the designs of a study are searched by bounds for several objectives."""
    first, *others = objectives
    return bounded_problem_of(dataclasses.replace(problem, criterion=first), *others)


def judged(objectives: int) -> Callable[[np.ndarray, np.ndarray], NodeBounds]:
    """What bounds mean of which the first are those of so many scores, the others of excesses."""

    def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
        scores, violation = high[:objectives], high[objectives:]
        return NodeBounds(
            gains=scores,
            possible=np.all(low[objectives:] <= POSSIBLE, axis=0),
            certain=np.all(violation <= FEASIBLE, axis=0) & np.isfinite(scores).all(axis=0),
        )

    return node_bounds


def scouted(bounded: BoundedProblem, objectives: int, epsilon: float) -> Front:
    """What local search finds of a front.

    Args:
        bounded: The lattice, with bounds of the scores first.
        objectives: How many scores there are.
        epsilon: Share by which a design may better the point that comes nearest to it.
    """
    front = Front(objectives, len(bounded.bounds.trees), math.log1p(epsilon))
    scout(bounded, LocalSearch(bounded, judged(objectives), front), front)
    return front


def swept(
    bounded: BoundedProblem,
    front: Front,
    seconds: float,
    tell: Callable[[Statistics, int], None] = lambda *_: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """Find what a front lacks, and prove that it lacks no more.

    Args:
        bounded: The lattice, with bounds of the scores first.
        front: The points that are known; takes note of what is found.
        seconds: Wall time after which the search stops.
        tell: Told after each round what was done, and how many points are known.
        clock: Seconds from some origin.
    """
    return branch_and_bound(
        bounded.bounds,
        judged(len(front.gains)),
        front,
        bounded.widths,
        Budget(seconds=seconds),
        lambda statistics: tell(statistics, front.gains.shape[1]),
        bounded.start,
        clock,
    )


def _points(
    problem: Problem, objectives: Sequence[Criterion], indices: Int[np.ndarray, "axes points"]
) -> list[FrontPoint]:
    """What the exact model says of some designs."""
    lattice = design_grid_of(problem)

    @jax.jit
    def totals(point: Float[Array, " variables"], category: Int[Array, ""]) -> dict[str, Scalar]:
        fleet = problem.region.at(point, category).fleet(Exact())
        asked = {it.name: it.of(fleet) for it in objectives}
        return {name: it.of(fleet) for name, it in QUANTITIES.items()} | asked

    points = []
    for row in indices.T:
        point, category = lattice.at(jnp.asarray(row))
        found = {name: float(value) for name, value in totals(point, category).items()}
        values = tuple(found[it.name] for it in objectives)
        points.append(
            FrontPoint(values, solution_of(problem, np.asarray(point), int(category)), found)
        )
    return points


def _certificate(
    problem: Problem, statistics: Statistics, epsilon: float, feasible: bool
) -> FrontCertificate:
    open_share = math.expm1(min(statistics.open_margin, 700.0)) if feasible else math.inf
    margin = max(epsilon, open_share)
    known = feasible and math.isfinite(margin)
    return FrontCertificate(
        method="bound" if known or statistics.complete else "none",
        complete=statistics.complete,
        largest_margin=margin if known else None,
        lattice=problem.lattice,
        covered=statistics.designs,
        evaluated=statistics.evaluated,
        boxes=statistics.boxes,
    )


def _unjudged(problem: Problem, bounded: BoundedProblem) -> list[str]:
    """A sentence on the categories that lack numbers."""
    judged = set(bounded.categories.tolist())
    names = [name for row, name in enumerate(problem.categories) if row not in judged]
    return [f"{', '.join(names)} cannot be judged, for want of published numbers"] if names else []


def _reasons(problem: Problem, it: FrontCertificate, points: int) -> list[str]:
    by = f"by bounds of {it.boxes:,} boxes"
    early = f"the proof stopped early, after bounds of {it.boxes:,} boxes"
    each = f"each of the {it.lattice:,} designs of the lattice"
    if not points and it.complete:
        return [
            f"none of the {it.lattice:,} designs of the lattice meets every limit, {by}",
            *shortfalls(problem, bounded_problem_of(problem)),
        ]
    if it.largest_margin is None:
        return [f"{early}: nothing is proven"]
    if it.complete and it.largest_margin == 0:
        return [
            f"the {points:,} points are the whole front: {each} breaks a limit, or is no better"
            f" than one of them in every objective, {by} ({it.evaluated:,} designs evaluated one"
            " by one)"
        ]
    within = (
        f"{each} breaks a limit, or there is one point that it betters by no more than a factor of"
        f" {1 + it.largest_margin:.6g} in any objective"
    )
    if it.complete:
        return [
            f"no design dominates any of the {points:,} points, the best of each objective is among"
            f" them, and {within}, {by}"
        ]
    return [f"{early}: {within}; points may still be dominated"]


def pareto(
    problem: Problem,
    objectives: Sequence[Criterion],
    epsilon: float = 0.0,
    seconds: float = 300.0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> FrontAnswer:
    """The front of a study: all designs of its lattice that no other one dominates.

    A design dominates another that it is no worse than in any objective, and better than in one.
    Designs that are the same in every objective up to rounding (1e-9) stand for one another.

    Args:
        problem: A study; its limits hold, its own objective does not count.
        objectives: Two or three.
        epsilon: With more than 0 the front is thinner: for every design that meets the limits there
            is one point that it betters by no more than this share in any objective. Still no
            design dominates any of the points, and the best of each objective is among them.
        seconds: Wall time after which the search stops, and says how far it has come.
        progress: Told what happens.
        clock: Seconds from some origin.

    Returns:
        The designs with their certificate. A study that no design can satisfy is an answer too:
        there are no points then, and `reasons` say what must give.
    """
    progress = Progress() if progress is None else progress
    begin = clock()
    progress.stage("bounding the exact model")
    bounded = bounded_problem_for(problem, objectives)
    progress.stage("walking along the front")
    front = scouted(bounded, len(objectives), epsilon)
    progress.stage("proving by branch and bound", problem.lattice)
    started = clock()
    statistics = swept(
        bounded,
        front,
        seconds,
        lambda statistics, points: progress.swept(statistics, points, clock() - started),
        clock,
    )
    progress.stage("evaluating the points")
    points = _points(problem, objectives, front.indices)
    proof = _certificate(problem, statistics, epsilon, bool(points))
    found = _reasons(problem, proof, len(points)) if len(bounded.start) else []
    return FrontAnswer(
        problem=problem,
        objectives=tuple(objectives),
        epsilon=epsilon,
        points=points,
        knees=knees(front.gains),
        certificate=proof,
        reasons=[*found, *_unjudged(problem, bounded)],
        seconds=clock() - begin,
    )
