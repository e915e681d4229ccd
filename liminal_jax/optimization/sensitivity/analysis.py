"""What the numbers of a study are worth: prices, moves, and the study solved again."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.search.best_design import Finding, find
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.shortfalls import same_for_all
from liminal_jax.optimization.search.solution import Solution
from liminal_jax.optimization.sensitivity.fixed_integers import FixedIntegers, with_fixed_integers
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.implicit_function import (
    ParametricSensitivity,
    parametric_sensitivity,
)
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum
from liminal_jax.optimization.sensitivity.shadow_prices import (
    Sensitivity,
    ShadowPrice,
    sensitivities,
    shadow_prices,
)
from liminal_jax.optimization.sensitivity.tornado import Bar, tornado
from liminal_jax.study.problem import Problem

SAME = 1e-9
"""Slopes of the logarithm of an objective below which nothing changes it."""


@dataclass(frozen=True)
class FreedSizes:
    """A design with its sizes free.

    Attributes:
        objective: Its objective.
        solution: Where it is.
        residual: How far prices are from balancing the optimum, as a share.
    """

    objective: float
    solution: Solution
    residual: float


@dataclass(frozen=True)
class SensitivityAnalysis:
    """What the numbers of a study are worth at its best design, the sizes free to follow.

    Attributes:
        problem: The study.
        best: Its best design, and what is proven of it.
        relaxed: The same with its sizes free; none where no design meets the limits, or where no
            place near the design does. The rest but `reasons` is empty then.
        change: Share by which numbers were made less and more.
        shadow_prices: Shadow prices of limits and ends of ranges.
        elasticities: What numbers are worth, the weightiest first.
        moves: Per cent by which each size moves for one per cent of a number; none for those that
            are not determined.
        bars: The study solved again with less and with more of each number, widest first.
        reasons: What is proven, how the sizes were set free, and what cannot be told, in sentences.
        seconds: Wall time by stage.
    """

    problem: Problem
    best: Finding
    relaxed: FreedSizes | None
    change: float
    shadow_prices: list[ShadowPrice]
    elasticities: list[Sensitivity]
    moves: dict[str, dict[str, float | None]]
    bars: list[Bar]
    reasons: list[str]
    seconds: dict[str, float] = field(default_factory=dict)


def sensitivity_analysis(
    problem: Problem,
    change: float,
    seed: int = 0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> SensitivityAnalysis:
    """What the numbers of a study are worth.

    Args:
        problem: A study.
        change: Share by which each number is made less and more, between 0 and 1.
        seed: Of the relaxed starts, if the proof needs their help.
        progress: Told what happens.
        clock: Seconds from some origin.

    Returns:
        Prices, elasticities and moves at the best design with its sizes free, and what solving
        again gives.

    Raises:
        InputError: nothing is free, or the objective is the same everywhere.
    """
    progress = Progress() if progress is None else progress
    check_freedom(problem)
    begin = clock()
    found = find(problem, seed=seed, progress=progress, clock=clock)
    times = {"search": clock() - begin}
    if not found.feasible:
        return SensitivityAnalysis(
            problem, found, None, change, [], [], {}, [], found.reasons, times
        )

    _check_objective(found)
    progress.stage("setting the sizes free")
    freed = with_fixed_integers(problem, found.proof)
    gradients = freed.gradients
    optima, reasons = _optima(freed)
    best = optima[0]
    times["relax"] = clock() - begin - sum(times.values())
    reasons = [*found.reasons, f"with its sizes free: {best.reason}", *reasons]
    if not best.feasible:
        return SensitivityAnalysis(problem, found, None, change, [], [], {}, [], reasons, times)

    progress.stage("solving again with numbers changed")
    bars = tornado(gradients, optima, change)
    times["tornado"] = clock() - begin - sum(times.values())

    progress.stage("following how the sizes move")
    moved = parametric_sensitivity(gradients, best)
    times["moves"] = clock() - begin - sum(times.values())

    return SensitivityAnalysis(
        problem=problem,
        best=found,
        relaxed=FreedSizes(
            objective=problem.objective(best.score),
            solution=freed.solution(best),
            residual=best.multipliers.residual,
        ),
        change=change,
        shadow_prices=shadow_prices(gradients, best),
        elasticities=sensitivities(gradients, best),
        moves=_moves(gradients, moved),
        bars=bars,
        reasons=[*reasons, *_undetermined(moved)],
        seconds=times,
    )


def _optima(freed: FixedIntegers) -> tuple[list[RelaxedOptimum], list[str]]:
    """The relaxed optimum of each design, that of the best design first, and what to say of it.

    Where the sizes of another category would do better still, the two designs differ by less than
    the steps of the lattice are worth; the other one is left out.
    """
    best, *others = [freed.optimum(number) for number in range(len(freed.rows))]
    beyond = [it for it in others if it.merit() > best.merit()]
    names = ", ".join(freed.gradients.problem.categories[it.category] for it in beyond)
    told = [f"between the steps of the lattice there would be more with {names}"] if names else []
    return [best, *(it for it in others if it not in beyond)], told


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
        raise InputError(problem.name, [Mistake("design", message)])


def _check_objective(found: Finding) -> None:
    """Refuse an objective that no choice changes.

    Raises:
        InputError: it is the same everywhere.
    """
    if same_for_all(found.bounded):
        asked = found.problem.asked
        message = f"{asked} is the same for every design; nothing can be worth more of it"
        raise InputError(found.problem.name, [Mistake("objective", message)])


def _moves(
    gradients: Gradients, found: ParametricSensitivity
) -> dict[str, dict[str, float | None]]:
    """Moves by number and variable; numbers that move nothing are left out."""
    names = [it.name for it in gradients.problem.variables]
    columns = zip(gradients.parameters.paths, found.elasticities.T.tolist(), strict=True)
    return {
        path: {
            name: None if math.isnan(value) else value
            for name, value in zip(names, column, strict=True)
        }
        for path, column in columns
        if any(column)
    }


def _undetermined(moved: ParametricSensitivity) -> list[str]:
    if not moved.undetermined:
        return []
    return [
        f"the optimum is a flat valley: {', '.join(moved.undetermined)} can move along it at no"
        " loss, so how they respond is not determined"
    ]
