"""Inverse design: the least change of hardware and algorithm that reaches a speed for one user."""

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from liminal_jax._display import plain, with_prefix
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax._progress import SILENT, Steps
from liminal_jax.data.drafters import published_drafters
from liminal_jax.data.quality import published_costs
from liminal_jax.optimization.reach.contributions import contributions
from liminal_jax.optimization.reach.evaluated import SIZE, Evaluator
from liminal_jax.optimization.reach.floors import Floor, floor_of
from liminal_jax.optimization.reach.levers import (
    Lever,
    distance,
    levers_of,
    moved,
    with_levers,
)
from liminal_jax.optimization.reach.polish import ENOUGH, values_of
from liminal_jax.optimization.reach.search import AloneAt, Search, each_alone
from liminal_jax.optimization.reach.start import SPEED, Start, start_of
from liminal_jax.performance.prediction import Prediction
from liminal_jax.study.absent import DRAFTS
from liminal_jax.study.basis import basis
from liminal_jax.study.case import Case
from liminal_jax.study.kind import kind_record
from liminal_jax.study.problem import exact_system
from liminal_jax.study.report import number, prediction_record
from liminal_jax.study.write import written

KIND = "reach"
LOSSLESS = "lossless"


@dataclass(frozen=True)
class Alone:
    """How far one lever gets by itself.

    Attributes:
        utps: The fastest that it makes one user [1/s].
        at: Its value there, in SI.
        reachable: Whether that is the target.
        proof: Where it is not: why no value of its range reaches it; empty otherwise.
    """

    utps: float
    at: float
    reachable: bool
    proof: str


@dataclass(frozen=True)
class Move:
    """One lever: where it stood, where it goes, and what that is worth.

    Attributes:
        lever: The lever.
        to: Where it goes, in SI; its start where it stays.
        alone: How far it gets by itself.
        contribution: What it adds to log(to/from) of the speed; 0 where it stays.
        quality: What is known of its cost in quality, in words.
    """

    lever: Lever
    to: float
    alone: Alone
    contribution: float
    quality: str

    @property
    def moves(self) -> bool:
        """Whether it goes anywhere."""
        return self.to != self.lever.start


@dataclass(frozen=True)
class Reach:
    """The least change that reaches a speed, or the most that levers give and why not more.

    Attributes:
        target: The speed that is wanted [1/s].
        reachable: Whether some setting of the levers reaches it within the limits.
        start: The design from which levers move.
        before: Its prediction.
        prediction: What it does with the levers where they go.
        moves: Every lever, those that contribute most first.
        distance: How far levers move in all, see `liminal_jax.optimization.reach.levers.distance`.
        floor: What no setting of all levers beats, whatever the limits.
        proofs: Sentences on what is proven.
        method: How contributions are reckoned.
        basis: What the answer rests on.
        seconds: Wall time [s].
        count: Settings that were predicted.
    """

    target: float
    reachable: bool
    start: Start
    before: Prediction
    prediction: Prediction
    moves: tuple[Move, ...]
    distance: float
    floor: Floor
    proofs: tuple[str, ...]
    method: str
    basis: tuple[str, ...]
    seconds: float
    count: int

    def to_dict(self) -> dict[str, Any]:
        """The object of `liminal reach --json`: SI units, stable keys."""
        return {
            **kind_record(KIND),
            "name": self.start.problem.name,
            "workload": self.start.problem.file.workload.model_dump(exclude_none=True),
            "target": self.target,
            "reachable": self.reachable,
            "from": {
                "note": self.start.note,
                SPEED: number(self.before.utps),
                "design": self._design({}),
            },
            "design": self._design({it.lever.path: it.to for it in self.moves if it.moves}),
            "prediction": prediction_record(self.prediction, list(self.basis)),
            "levers": [_move_record(it) for it in self.moves],
            "distance": self.distance,
            "bound": dataclasses.asdict(self.floor) | {"step": self.floor.step},
            "proofs": list(self.proofs),
            "method": self.method,
            "seconds": self.seconds,
            "settings": self.count,
        }

    def _design(self, numbers: dict[str, float]) -> dict[str, Any]:
        solution = self.start.solution
        kind = self.start.problem.region.kind
        levers = {"levers": numbers} if numbers else {}
        return {kind: solution.category, **written(solution.values), **levers}


def _move_record(it: Move) -> dict[str, Any]:
    return {
        "path": it.lever.path,
        "label": it.lever.label,
        "lever": it.lever.lever,
        "from": it.lever.start,
        "to": it.to,
        "range": [it.lever.least, it.lever.most],
        "alone": dataclasses.asdict(it.alone),
        "contribution": it.contribution,
        "quality": it.quality,
        "source": it.lever.source,
        "grade": it.lever.grade,
    }


def reach(
    utps: int | float,
    model: str | None = None,
    *,
    system: str | None = None,
    study: str | None = None,
    levers: Sequence[str] = (),
    context: int | float | None = None,
    progress: Steps = SILENT,
) -> Reach:
    """The least change of hardware and algorithm that makes one user's tokens come at some speed.

    The least change is the one of least `distance`: the sum over levers of |log(to/from)| over the
    log width of each lever's published range, where a range that begins at 0 is counted from its
    usual value on. It holds the limits of the study, and what can be built and stored.

    Args:
        utps: Tokens a second of one user that are wanted [1/s].
        model: The name of a model; that of the study where left out.
        system: Finished hardware; its ranks of tensor parallelism are chosen.
        study: A study, whose fastest design for one user is taken. With neither it is the planned
            chips, context and limits of the built-in study.
        levers: Which levers may move: names as in data/levers.csv, paths, or `lossless`,
            `hardware`, `algorithm`; all where left out.
        context: Tokens of context; those of the study, or 8,192 on a system, where left out.
        progress: Callbacks.

    Returns:
        The design; where no setting reaches the speed, the fastest that was found, and the bound.

    Raises:
        InputError: a speed that is none, names that nothing has, hardware and a study at once, or
            no design that meets the limits.
    """
    begin = time.perf_counter()
    if not (math.isfinite(utps) and utps > 0):
        raise InputError("reach", [Mistake("utps", f"must be above 0, got {utps:g}")])
    if context is not None and not context >= 1:
        raise InputError("reach", [Mistake("context", f"must be at least 1, got {context:g}")])
    with jax.enable_x64(True):
        progress.stage("finding where to start")
        start = start_of(model, system, study, context)
        found = reached(start, float(utps), levers, progress)
    return dataclasses.replace(found, seconds=time.perf_counter() - begin)


def evaluator_of(start: Start, asked: Sequence[str]) -> Evaluator:
    """The levers of a start as a function.

    Raises:
        InputError: names that nothing has.
    """
    case = with_levers(start.case, start.model)
    return Evaluator(case, levers_of(case, asked), start.limits)


def reached(
    start: Start, target: float, asked: Sequence[str] = (), progress: Steps = SILENT
) -> Reach:
    """The least change from a start, in float64; see `reach`."""
    begin = time.perf_counter()
    evaluator = evaluator_of(start, asked)
    levers = evaluator.levers
    progress.stage(f"moving each of {len(levers)} levers alone")
    before = float(evaluator(evaluator.start[None]).utps[0])
    alone = each_alone(evaluator)
    if before >= target * ENOUGH:
        values = evaluator.start
    else:
        ends = np.asarray([it.place for it in alone])
        progress.stage("moving levers together")
        values = values_of(levers, Search(evaluator, target).run(ends, progress)[None])[0]
    progress.stage("sharing out the gain, and bounding what levers reach")
    after = evaluator(values[None])
    speed = float(after.utps[0])
    reachable = bool(after.feasible[0]) and speed >= target * ENOUGH
    moving = [axis for axis, it in enumerate(levers) if values[axis] != it.start]
    shares, method = contributions(evaluator, values, moving)
    worth = dict(zip(moving, shares.tolist(), strict=True))
    moves = [
        Move(
            lever=it,
            to=float(values[axis]),
            alone=_alone(it, alone[axis], target),
            contribution=worth.get(axis, 0.0),
            quality=quality_of(it, start.model),
        )
        for axis, it in enumerate(levers)
    ]
    floor = floor_of(evaluator)
    case = moved(evaluator.case, {it.lever.path: it.to for it in moves})
    first, last = (_predicted(evaluator, it) for it in (evaluator.start, values))
    return Reach(
        target=target,
        reachable=reachable,
        start=start,
        before=first,
        prediction=last,
        moves=tuple(sorted(moves, key=lambda it: -abs(it.contribution))),
        distance=distance(levers, {it.lever.path: it.to for it in moves}),
        floor=floor,
        proofs=_proofs(floor, target, reachable, speed, len(levers)),
        method=method,
        basis=tuple(_basis(start, case, last, moves)),
        seconds=time.perf_counter() - begin,
        count=evaluator.count,
    )


def _predicted(evaluator: Evaluator, values: np.ndarray) -> Prediction:
    fleet, _ = evaluator.fleets(np.tile(values, (SIZE, 1)))
    return jax.tree.map(lambda it: it[0], fleet.instance)


def _alone(lever: Lever, found: AloneAt, target: float) -> Alone:
    floor, utps = found.floor, found.utps
    at = float(values_of([lever], np.asarray([[found.place]]))[0, 0])
    if utps >= target * ENOUGH:
        return Alone(utps, at, reachable=True, proof="")
    if floor.utps >= target:
        proof = (
            f"none of {len(lever.values)} values between its ends reaches it within the limits;"
            f" without limits no bound excludes it ({plain(floor.utps, 4)} tokens/s)"
        )
    else:
        proof = f"whatever its value, {floor_words(floor)}"
    return Alone(utps, at, reachable=False, proof=proof)


def floor_words(floor: Floor) -> str:
    """Why nothing beats a floor."""
    if floor.compute + floor.exposed >= floor.memory:
        least = (
            f"a step waits {with_prefix(floor.exposed, 's')} for collectives and operations before"
            f" it and computes {with_prefix(floor.compute, 's')}"
        )
    else:
        least = f"a step reads {with_prefix(floor.memory, 's')}"
    return (
        f"{least} at least, for {plain(floor.tokens)} tokens at most: never above"
        f" {plain(floor.utps, 4)} tokens/s"
    )


def _proofs(
    floor: Floor, target: float, reachable: bool, speed: float, count: int
) -> tuple[str, ...]:
    """What is proven of all levers together."""
    told = (
        f"with all {count} levers anywhere in their ranges and the rest of the design as it starts,"
        f" {floor_words(floor)}"
    )
    if reachable:
        return (told,)
    if floor.utps < target:
        return (f"{told}, so that {plain(target, 4)} cannot be reached",)
    return (
        f"{told}; that does not exclude {plain(target, 4)}, but the fastest setting found within"
        f" the limits reaches {plain(speed, 4)}",
    )


def quality_of(lever: Lever, model: str) -> str:
    """What is known of a lever's cost in quality, in words."""
    if lever.quality == LOSSLESS:
        return LOSSLESS
    costs = [it for it in published_costs() if it.lever == lever.lever]
    same = [it for it in costs if it.model.lower() == model.lower()]
    shown = (same or costs)[:2]
    if not shown:
        return "unknown: nothing is published"
    told = "; ".join(
        f"{it.setting}, {it.model or 'model not named'}: {it.change:+g} {it.unit} on {it.test}"
        for it in shown
    )
    more = f" and {len(same or costs) - len(shown)} more" if len(same or costs) > len(shown) else ""
    return f"published{'' if same else ' for other models only'}: {told}{more}"


def _basis(start: Start, case: Case, prediction: Prediction, moves: Sequence[Move]) -> list[str]:
    """What an answer rests on: of the prediction, and of each lever that moved."""
    file = start.problem.file
    system = exact_system(case)
    fill = float(prediction.capacity_tier_fill)
    found = basis(file, start.solution.category, case, system, fill)
    drafts = next((it for it in moves if it.lever.path == DRAFTS and it.moves), None)
    if drafts is not None and start.model not in published_drafters():
        found.append(
            f"No drafter is published for {start.model}: acceptance and decay are the usual ones,"
            " assumed."
        )
    went = [it for it in moves if it.moves]
    free = [it.lever.label for it in went if it.quality == LOSSLESS]
    if free:
        found.append(f"Lossless: {', '.join(free)}.")
    found += [f"Quality, {it.lever.label}: {it.quality}." for it in went if it.quality != LOSSLESS]
    return found
