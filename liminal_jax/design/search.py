"""The search: relaxed, snapped, polished, certified, explained."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._smooth import Exact
from liminal_jax.design.anneal import Schedule
from liminal_jax.design.box import box_of
from liminal_jax.design.branch import UNKNOWN, Budget, Tally
from liminal_jax.design.certify import (
    Certificate,
    Ground,
    Proof,
    certificate,
    ground_of,
    least_excess,
    nearest,
    proven,
)
from liminal_jax.design.explain import Binding, binding_limits, binding_of
from liminal_jax.design.lattice import Lattice, lattice_of
from liminal_jax.design.place import Place, place_of
from liminal_jax.design.polish import INFEASIBLE, Candidate, best, merit, polished, snapped
from liminal_jax.design.refine import RelaxedOptimum, relaxed_optima
from liminal_jax.design.relaxed import RelaxedPoint, relaxed_points
from liminal_jax.design.sensitivity import Sensitivity, sensitivities
from liminal_jax.design.slopes import Slopes
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import FEASIBLE, Problem
from liminal_jax.study.quantities import Fleet


@dataclass(frozen=True)
class Relaxed:
    """The best of the relaxed starts, refined.

    Attributes:
        objective: Its objective; an estimate of what continuous freedom is worth, no bound.
        feasible: Whether it meets the limits.
        place: Where it is.
        starts: Starts that met the limits to within 0.1 %, of how many.
        reason: Why its search ended.
    """

    objective: float
    feasible: bool
    place: Place
    starts: tuple[int, int]
    reason: str


@dataclass(frozen=True)
class Alternative:
    """The best design of one category.

    Attributes:
        category: Its name.
        objective: Its objective; none where no design is known that meets the limits.
        place: Where it is; none likewise.
        lacking: Why there is none.
    """

    category: str
    objective: float | None
    place: Place | None
    lacking: str | None


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes:
        problem: The study.
        feasible: Whether the design meets every limit.
        objective: Objective of the design.
        place: The design; where none is feasible, the one that violates the limits least.
        fleet: What the exact model says of it.
        relaxed: The relaxed optimum.
        snapped: Objective of the best start right after snapping; none if none was feasible.
        certificate: What is proven.
        binding: Limits that bind; for an infeasible study those that cannot be met.
        reasons: What happened, in sentences.
        alternatives: Best design of each category.
        sensitivities: What limits and numbers are worth.
        seconds: Wall time by stage.
    """

    problem: Problem
    feasible: bool
    objective: float
    place: Place
    fleet: Fleet
    relaxed: Relaxed
    snapped: float | None
    certificate: Certificate
    binding: list[Binding]
    reasons: list[str]
    alternatives: list[Alternative]
    sensitivities: list[Sensitivity]
    seconds: dict[str, float] = field(default_factory=dict)


class Progress:
    """What a search tells while it runs; this one tells nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; a proof covers so many designs."""

    def proven(self, tally: Tally, best: float | None, seconds: float) -> None:
        """A proof has come so far since its stage began; `best` is the best objective, if any."""

    def swept(self, tally: Tally, points: int, seconds: float) -> None:
        """A front has come so far since its stage began, and has so many points."""


def placed(problem: Problem, lattice: Lattice, indices: np.ndarray) -> Place:
    """The place of a design of the lattice."""
    point, category = lattice.at(jnp.asarray(indices))
    return place_of(problem, np.asarray(point), int(category))


def _relaxed(
    problem: Problem, slopes: Slopes, points: RelaxedPoint, optimum: RelaxedOptimum
) -> Relaxed:
    return Relaxed(
        objective=problem.objective(optimum.score),
        feasible=optimum.feasible,
        place=place_of(
            problem, np.asarray(slopes.box.at(jnp.asarray(optimum.unit))), optimum.category
        ),
        starts=(int(jnp.sum(jax.vmap(RelaxedPoint.feasible)(points))), len(points.category)),
        reason=optimum.reason,
    )


def _at(problem: Problem, lattice: Lattice, indices: np.ndarray) -> Candidate:
    row = jnp.asarray(indices)
    outcome = problem.outcome(*lattice.at(row), Exact())
    return Candidate(indices=row, merit=merit(outcome), outcome=outcome)


def _alternatives(problem: Problem, lattice: Lattice, proof: Proof) -> list[Alternative]:
    found = []
    for row, name in enumerate(problem.categories):
        lacking, gain = proof.lacking(row), float(proof.gains[row])
        if lacking is not None:
            found.append(Alternative(name, None, None, lacking))
            continue
        place = placed(problem, lattice, proof.indices[row])
        found.append(Alternative(name, problem.objective(gain), place, None))
    return found


def _feasible(candidates: Candidate) -> list[tuple[np.ndarray, float]]:
    """Indices and scores of the feasible ones among stacked designs."""
    merits, rows = np.asarray(candidates.merit), np.asarray(candidates.indices)
    return [(rows[it], float(merits[it])) for it in np.flatnonzero(merits > INFEASIBLE)]


WHAT_IS_LACKING = Budget(seconds=10.0)
"""How long it is looked for each thing that an infeasible study lacks."""


def shortfalls(problem: Problem, ground: Ground) -> list[str]:
    """How far each limit is from being met when all others are, nearest first."""
    found = [least_excess(ground, it, WHAT_IS_LACKING) for it in range(len(problem.limits))]
    known = [(short, index) for index, short in enumerate(found) if short is not None]
    sentences = []
    for short, index in sorted(known):
        it = binding_of(problem.limits[index], short)
        side = "at least" if problem.limits[index].at_least else "at most"
        away = abs(it.value / it.limit - 1)
        sentences.append(
            f"{it.constraint} {side} {it.limit:.4g} {it.unit} cannot be met: with every other limit"
            f" met, {it.value:.4g} is the best ({away:.1%} off)".replace("  ", " ")
        )
    return sentences or ["no limit can be met by giving up one other; several must give"]


def _unknown(problem: Problem, found: Candidate, place: Place) -> list[str]:
    """Which unknown numbers keep the best design from being judged; nothing where none do."""
    excess = np.asarray(found.outcome.excess)
    names = [it.name for it, over in zip(problem.limits, excess, strict=True) if np.isnan(over)]
    if isinstance(problem.file, StudyFile) and np.isnan(float(found.outcome.score)):
        names.append(problem.file.objective.quantity)
    if not names:
        return []
    return [
        f"{', '.join(dict.fromkeys(names))} of {place.category} cannot be judged, for want of"
        " published numbers; state them in a system file of your own: liminal systems new mine"
        f" --like {place.category}"
    ]


def _constant(problem: Problem, ground: Ground) -> list[str]:
    """A sentence where the objective does not tell designs apart."""
    low, high = ground.bounds.over(ground.start)
    if high[0].max() - low[0].min() > FEASIBLE or not isinstance(problem.file, StudyFile):
        return []
    return [f"{problem.file.objective.quantity} is the same for every design of the lattice"]


def _reasons(
    problem: Problem, ground: Ground, it: Certificate, binding: list[Binding]
) -> list[str]:
    worst = [
        f"{it.constraint}: {it.value:.4g} against a limit of {it.limit:.4g} {it.unit}".rstrip()
        for it in binding
        if it.slack < 0
    ]
    designs = f"none of the {it.lattice:,} designs of the lattice"
    by = f"by bounds of {it.boxes:,} boxes"
    stopped = f"the proof stopped early, after bounds of {it.boxes:,} boxes"
    if worst:
        still = "the nearest design still has " + "; ".join(worst)
        if it.complete:
            return [f"{designs} meets every limit, {by}", *shortfalls(problem, ground), still]
        return [f"{stopped}: designs are left that may meet every limit", still]
    if it.complete and not it.relative_gap:
        return [f"{designs} is better, {by}", *_constant(problem, ground)]
    if it.relative_gap is not None:
        early = "" if it.complete else f"{stopped}: "
        return [f"{early}no design can be more than {it.relative_gap:.2%} better"]
    return [f"{stopped}: nothing is proven"]


def optimize(
    problem: Problem,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Answer:
    """The best design of a study.

    Gradients lead many relaxed starts to good places; each is snapped to the lattice and polished
    by local moves on the exact model; branch and bound over the whole lattice then proves the
    answer or betters it.

    Args:
        problem: A study.
        schedule: How the relaxed stage proceeds.
        seed: Of the starts.
        progress: Told what happens.
        budget: When to stop proving.
        clock: Seconds from some origin.

    Returns:
        The design with its certificate and reasons. A study that no design can satisfy is an
        answer too: `feasible` is false and `reasons` say what must give.
    """
    schedule = Schedule() if schedule is None else schedule
    progress = Progress() if progress is None else progress
    box, lattice = box_of(problem), lattice_of(problem)
    times = {"start": clock()}

    progress.stage("relaxed search by gradients")
    points = jax.block_until_ready(relaxed_points(problem, box, schedule, jax.random.key(seed)))
    slopes = Slopes(problem, schedule.cold)
    optimum = relaxed_optima(slopes, points)[0]
    relaxed = _relaxed(problem, slopes, points, optimum)
    times["relaxed"] = clock()

    progress.stage("snapping and polishing on the exact model")
    starts = snapped(problem, box, lattice, points)
    candidates = polished(problem, lattice, starts)
    found = best(candidates)
    first = float(jnp.max(starts.merit))
    times["polish"] = clock()

    progress.stage("proving by branch and bound", lattice.size)
    begin = clock()
    ground = ground_of(problem)
    proof = proven(
        ground,
        _feasible(candidates),
        budget,
        lambda tally, gain: progress.proven(
            tally, problem.objective(gain) if gain > UNKNOWN else None, clock() - begin
        ),
    )
    place = proof.best() if proof.feasible else nearest(ground, WHAT_IS_LACKING)
    if place is not None:
        found = _at(problem, lattice, place)
    times["certify"] = clock()

    progress.stage("explaining")
    feasible = float(found.merit) > INFEASIBLE
    place = placed(problem, lattice, np.asarray(found.indices))
    fleet, _ = jax.jit(lambda point, index: problem.fleet(point, index, Exact()))(
        jnp.asarray(place.point), jnp.asarray(place.row)
    )
    score = float(found.outcome.score)
    objective = problem.objective(score)
    known = score if proof.feasible else None
    proved = certificate(problem.lattice, proof.tally, proof.slack, known, problem.objective)
    binding = binding_limits(problem, lattice, found)
    worth = sensitivities(slopes, optimum) if relaxed.feasible else []
    times["explain"] = clock()

    stages = list(times)
    return Answer(
        problem=problem,
        feasible=feasible,
        objective=objective,
        place=place,
        fleet=fleet,
        relaxed=relaxed,
        snapped=problem.objective(first) if first > INFEASIBLE else None,
        certificate=proved,
        binding=binding,
        reasons=_unknown(problem, found, place) or _reasons(problem, ground, proved, binding),
        alternatives=_alternatives(problem, lattice, proof),
        sensitivities=worth,
        seconds={name: times[name] - times[before] for before, name in itertools.pairwise(stages)},
    )
