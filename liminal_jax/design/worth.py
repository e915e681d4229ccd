"""What the numbers of a study are worth: the relaxed optimum, prices, moves, numbers changed."""

import itertools
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.design.anneal import Schedule
from liminal_jax.design.ending import Ending
from liminal_jax.design.explain import binding_of
from liminal_jax.design.moves import Moves, moves
from liminal_jax.design.place import Place, place_of
from liminal_jax.design.refine import MET, RelaxedOptimum, relaxed_optima
from liminal_jax.design.relaxed import RelaxedPoint, relaxed_points
from liminal_jax.design.search import Progress
from liminal_jax.design.sensitivity import (
    Sensitivity,
    ShadowPrice,
    sensitivities,
    shadow_prices,
)
from liminal_jax.design.slopes import Slopes
from liminal_jax.design.tornado import Bar, tornado
from liminal_jax.study.problem import Problem

SAME = 1e-9
"""Objectives whose logarithms differ by less are the same."""


@dataclass(frozen=True)
class Worth:
    """What the numbers of a study are worth at its relaxed optimum.

    Attributes:
        problem: The study.
        feasible: Whether any place was found that meets every limit; the rest but `reasons` and
            `place` is empty where none was.
        objective: Objective of the relaxed optimum.
        place: Where it is; where none is feasible, the place that exceeds the limits least.
        residual: How far prices are from balancing the optimum, as a share.
        change: Share by which numbers were made less and more.
        prices: Shadow prices of limits and ends of ranges.
        elasticities: What numbers are worth, the weightiest first.
        moves: Per cent by which each variable moves for one per cent of a number; none for those
            that are not determined.
        bars: The study solved again with less and with more of each number, widest first.
        reasons: How the search ended, and what cannot be told, in sentences.
        seconds: Wall time by stage.
    """

    problem: Problem
    feasible: bool
    objective: float
    place: Place
    residual: float
    change: float
    prices: list[ShadowPrice]
    elasticities: list[Sensitivity]
    moves: dict[str, dict[str, float | None]]
    bars: list[Bar]
    reasons: list[str]
    seconds: dict[str, float] = field(default_factory=dict)


def worth(
    problem: Problem,
    change: float,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Worth:
    """What the numbers of a study are worth.

    Args:
        problem: A study.
        change: Share by which each number is made less and more, between 0 and 1.
        schedule: How the relaxed stage proceeds.
        seed: Of the starts.
        progress: Told what happens.
        clock: Seconds from some origin.

    Returns:
        Prices, elasticities and moves at the relaxed optimum, and what solving again gives.

    Raises:
        InputError: nothing is free, or the objective is the same everywhere.
    """
    schedule = Schedule() if schedule is None else schedule
    progress = Progress() if progress is None else progress
    check_freedom(problem)
    slopes = Slopes(problem, schedule.cold)
    times = {"start": clock()}

    progress.stage("relaxed search by gradients")
    points = relaxed_points(problem, slopes.box, schedule, jax.random.key(seed))
    jax.block_until_ready(points)
    times["relaxed"] = clock()

    progress.stage("refining the relaxed optimum")
    optima = relaxed_optima(slopes, points)
    best = optima[0]
    _check_objective(problem, points, best)
    times["refine"] = clock()

    bars: list[Bar] = []
    if best.feasible:
        progress.stage("solving again with numbers changed")
        bars = tornado(slopes, optima, change)
    times["tornado"] = clock()

    progress.stage("following how the design moves")
    moved = moves(slopes, best) if best.feasible else None
    times["moves"] = clock()

    stages = list(times)
    return Worth(
        problem=problem,
        feasible=best.feasible,
        objective=problem.objective(best.score),
        place=place_of(problem, np.asarray(slopes.box.at(jnp.asarray(best.unit))), best.category),
        residual=best.prices.residual,
        change=change,
        prices=shadow_prices(slopes, best) if best.feasible else [],
        elasticities=sensitivities(slopes, best) if best.feasible else [],
        moves=_moves(slopes, moved) if moved is not None else {},
        bars=bars,
        reasons=_reasons(problem, points, best, moved),
        seconds={name: times[name] - times[before] for before, name in itertools.pairwise(stages)},
    )


def check_freedom(problem: Problem) -> None:
    """Refuse a study in which no number is free.

    Raises:
        InputError: none is.
    """
    if not problem.variables:
        message = (
            "no number is free, so no design can follow; give one a range, or let"
            " 'liminal predict' tell the gains of a single design"
        )
        raise InputError(problem.file.name, [Mistake("design", message)])


def _check_objective(problem: Problem, points: RelaxedPoint, best: RelaxedOptimum) -> None:
    """Refuse an objective that no start could change.

    Raises:
        InputError: it is the same everywhere.
    """
    scores = np.asarray(points.score)
    flat = best.local.smooth() and np.abs(best.local.along_box[0]).max() < SAME
    if flat and np.ptp(scores[np.isfinite(scores)]) < SAME:
        message = f"{problem.asked} is the same for every design; nothing can be worth more of it"
        raise InputError(problem.file.name, [Mistake("objective", message)])


def _moves(slopes: Slopes, found: Moves) -> dict[str, dict[str, float | None]]:
    """Moves by number and variable; numbers that move nothing are left out."""
    names = [it.name for it in slopes.problem.variables]
    columns = zip(slopes.parameters.paths, found.elasticities.T.tolist(), strict=True)
    return {
        path: {
            name: None if math.isnan(value) else value
            for name, value in zip(names, column, strict=True)
        }
        for path, column in columns
        if any(column)
    }


def _reasons(
    problem: Problem, points: RelaxedPoint, best: RelaxedOptimum, moved: Moves | None
) -> list[str]:
    counts = Counter(Ending(int(it)) for it in np.asarray(points.ending))
    converged = counts[Ending.CONVERGED] + counts[Ending.HELD]
    starts = (
        f"of {sum(counts.values())} starts {converged} converged,"
        f" {counts[Ending.ITERATION_LIMIT]} were stopped within the limits,"
        f" {counts[Ending.INFEASIBLE]} outside them; the best were refined"
    )
    reasons = [f"relaxed optimum: {best.reason}", *_exceeded(problem, best), starts]
    if moved is not None and moved.undetermined:
        open_ones = ", ".join(moved.undetermined)
        reasons.append(
            f"the optimum is a flat valley: {open_ones} can move along it at no loss, so how"
            " they respond is not determined"
        )
    return reasons


def _exceeded(problem: Problem, best: RelaxedOptimum) -> list[str]:
    """The limits that the nearest place exceeds, in a sentence."""
    rows = [
        binding_of(limit, float(over))
        for limit, over in zip(problem.limits, best.local.excess, strict=True)
        if over > MET
    ]
    lacking = "; ".join(
        f"{it.constraint}: {it.value:.4g} against a limit of {it.limit:.4g} {it.unit}".rstrip()
        for it in rows
    )
    return [f"the nearest place still has {lacking}"] if rows else []
