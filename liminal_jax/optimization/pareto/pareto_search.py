"""The Pareto front of a problem: a warm start by local search, then branch and bound."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact
from liminal_jax._traced import traced
from liminal_jax.optimization.pareto.archive import ParetoArchive
from liminal_jax.optimization.pareto.knees import knees
from liminal_jax.optimization.pareto.warm_start import warm_start
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
from liminal_jax.optimization.search.shortfalls import missing_data, shortfalls
from liminal_jax.optimization.search.solution import Solution, solution_of
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem
from liminal_jax.study.quantities import QUANTITIES


@dataclass(frozen=True)
class FrontPoint:
    """A point of a Pareto front.

    Attributes:
        objectives: Value of each objective, in SI.
        solution: The design.
        totals: Every quantity that a study can name, of the whole system, in SI.
    """

    objectives: tuple[float, ...]
    solution: Solution
    totals: dict[str, float]


@dataclass(frozen=True)
class FrontCertificate:
    """What is proven of all designs of a lattice.

    Attributes:
        method: `bound`: by interval bounds of the exact model over boxes of the lattice; `none`:
            nothing is proven.
        complete: Whether the proof is complete: no design of the lattice then dominates a point,
            and the best value of each objective is among the points.
        largest_margin: Every feasible design beats some point by no more than this share in any
            objective; 0 if the points are the whole Pareto front, None where nothing is proven or
            no design is feasible.
        lattice: Number of designs of the lattice.
        covered: Designs pruned or evaluated.
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
    """The Pareto front of a problem.

    Attributes:
        problem: The problem.
        objectives: The objectives.
        epsilon: Share by which a design was allowed to beat its nearest point.
        points: The points, from the worst to the best in the first objective.
        knees: Indices of the points that are knees.
        certificate: What is proven.
        reasons: Messages: what is proven, and why.
        seconds: Wall time [s].
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
        """Whether a feasible design is known."""
        return bool(self.points)


def bounded_problem_for(problem: Problem, objectives: Sequence[Criterion]) -> BoundedProblem:
    """A problem with bounds of several objectives in place of its own."""
    first, *others = objectives
    return bounded_problem_of(dataclasses.replace(problem, criterion=first), *others)


def pareto_node_bounds(objectives: int) -> Callable[[np.ndarray, np.ndarray], NodeBounds]:
    """Bounds of nodes, from bounds of n objectives' scores followed by those of violations."""

    def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
        scores, violation = high[:objectives], high[objectives:]
        return NodeBounds(
            scores=scores,
            possible=np.all(low[objectives:] <= POSSIBLE, axis=0),
            certain=np.all(violation <= FEASIBLE, axis=0) & np.isfinite(scores).all(axis=0),
        )

    return node_bounds


def warm_started_archive(bounded: BoundedProblem, objectives: int, epsilon: float) -> ParetoArchive:
    """The archive that local search finds.

    Args:
        bounded: The problem, with bounds of all scores.
        objectives: Number of objectives.
        epsilon: Share by which a design may beat its nearest point.
    """
    front = ParetoArchive(objectives, len(bounded.bounds.trees), math.log1p(epsilon))
    warm_start(bounded, LocalSearch(bounded, pareto_node_bounds(objectives), front), front)
    return front


def prove_front(
    bounded: BoundedProblem,
    front: ParetoArchive,
    seconds: float,
    on_progress: Callable[[Statistics, int], None] = lambda *_: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """Complete an archive by branch and bound, which proves that no point is missing.

    Args:
        bounded: The problem, with bounds of all scores.
        front: The archive; updated in place.
        seconds: Wall time after which the search stops [s].
        on_progress: Called after each round with the statistics and the number of points.
        clock: Seconds from some origin.
    """
    return branch_and_bound(
        bounded.bounds,
        pareto_node_bounds(len(front.scores)),
        front,
        bounded.widths,
        Budget(seconds=seconds),
        lambda statistics: on_progress(statistics, front.scores.shape[1]),
        bounded.start,
        clock,
    )


def _points(
    problem: Problem, objectives: Sequence[Criterion], indices: Int[np.ndarray, "axes points"]
) -> list[FrontPoint]:
    """The points at some designs, by the exact model."""
    lattice = design_grid_of(problem)

    def totals(point: Float[Array, " variables"], category: Int[Array, ""]) -> dict[str, Scalar]:
        fleet = problem.region.at(point, category).fleet(Exact())
        asked = {it.name: it.of(fleet) for it in objectives}
        return {name: it.of(fleet) for name, it in QUANTITIES.items()} | asked

    designs = [lattice.at(jnp.asarray(row)) for row in indices.T]
    if not designs:
        return []
    listed = traced(totals, *designs[0])
    points = []
    for point, category in designs:
        found = {name: float(it) for name, it in listed.evaluated((point, category)).items()}
        values = tuple(found[it.name] for it in objectives)
        points.append(
            FrontPoint(values, solution_of(problem, np.asarray(point), int(category)), found)
        )
    return points


def _certificate(
    problem: Problem, statistics: Statistics, epsilon: float, feasible: bool
) -> FrontCertificate:
    # exp(700) is near the largest float64; an open margin beyond it counts as infinite.
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
            f"the {points:,} points are the whole Pareto front: {each} exceeds a limit, or is no"
            f" better than one of them in every objective, {by} ({it.evaluated:,} designs evaluated"
            " one by one)"
        ]
    within = (
        f"{each} exceeds a limit, or beats some point by no more than a factor of"
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
    """The Pareto front of a problem: all designs of its lattice that no other one dominates.

    A design dominates another if it is no worse in any objective and better in one. Of designs
    that are equal in every objective up to rounding (1e-9) one is returned.

    Args:
        problem: A problem; its limits apply, its own objective does not.
        objectives: Two or three.
        epsilon: Above 0 fewer points suffice: every feasible design beats some point by no more
            than this share in any objective. Still no design dominates a point, and the best value
            of each objective is among them.
        seconds: Wall time after which the search stops; the certificate states what is open [s].
        progress: Callbacks.
        clock: Seconds from some origin.

    Returns:
        The points with their certificate. Where no design meets every limit there are no points,
        and `reasons` give the shortfall of each limit.
    """
    progress = Progress() if progress is None else progress
    begin = clock()
    progress.stage("bounding the exact model")
    bounded = bounded_problem_for(problem, objectives)
    progress.stage("local search along the Pareto front")
    front = warm_started_archive(bounded, len(objectives), epsilon)
    progress.stage("proving by branch and bound", problem.lattice)
    started = clock()
    statistics = prove_front(
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
        knees=knees(front.scores),
        certificate=proof,
        reasons=[*found, *missing_data(problem, bounded)],
        seconds=clock() - begin,
    )
