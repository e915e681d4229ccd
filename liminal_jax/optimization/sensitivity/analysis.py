"""Sensitivity analysis: shadow prices, parametric sensitivities, and a tornado."""

import math
import time
from collections.abc import Callable

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.search.best_design import Finding, find
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.shortfalls import same_for_all
from liminal_jax.optimization.sensitivity.fixed_integers import FixedIntegers, with_fixed_integers
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.implicit_function import (
    ParametricSensitivity,
    parametric_sensitivity,
)
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum
from liminal_jax.optimization.sensitivity.result import FreedSizes, SensitivityAnalysis
from liminal_jax.optimization.sensitivity.shadow_prices import (
    sensitivities,
    shadow_prices,
)
from liminal_jax.optimization.sensitivity.tornado import tornado
from liminal_jax.study.problem import Problem


def sensitivity_analysis(
    problem: Problem,
    change: float,
    seed: int = 0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> SensitivityAnalysis:
    """The sensitivity analysis of a problem at its optimum.

    Args:
        problem: A problem.
        change: Share by which each parameter is decreased and increased, between 0 and 1.
        seed: Seed of the relaxed search, should the proof need it.
        progress: Callbacks.
        clock: Seconds from some origin.

    Returns:
        Shadow prices, elasticities and parametric sensitivities at the best design with integers
        fixed, and the tornado.

    Raises:
        InputError: no variable is free, or the objective is the same for every design.
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
    progress.stage("relaxing the continuous variables")
    freed = with_fixed_integers(problem, found.proof)
    gradients = freed.gradients
    optima, reasons = _optima(freed)
    best = optima[0]
    times["relax"] = clock() - begin - sum(times.values())
    reasons = [*found.reasons, f"with its sizes free: {best.reason}", *reasons]
    if not best.feasible:
        return SensitivityAnalysis(problem, found, None, change, [], [], {}, [], reasons, times)

    progress.stage("solving again with numbers changed")
    bars = tornado(gradients, optima, change, progress)
    times["tornado"] = clock() - begin - sum(times.values())

    progress.stage("parametric sensitivities")
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
    """The relaxed optimum of each category, that of the best design first, and messages.

    The relaxed optimum of another category may be better still, if the two designs differ by less
    than the resolution of the lattice; that category is left out.
    """
    best, *others = [freed.optimum(number) for number in range(len(freed.rows))]
    beyond = [it for it in others if it.merit() > best.merit()]
    names = ", ".join(freed.gradients.problem.categories[it.category] for it in beyond)
    notes = [f"with continuous variables relaxed {names} would be better"] if names else []
    return [best, *(it for it in others if it not in beyond)], notes


def check_freedom(problem: Problem) -> None:
    """Refuse a problem without a free variable.

    Raises:
        InputError: no variable is free.
    """
    if not problem.variables:
        message = (
            "no number is free, so there is no optimum; give one a range, or use"
            " 'liminal predict' for the gains of a single design"
        )
        raise InputError(problem.name, [Mistake("design", message)])


def _check_objective(found: Finding) -> None:
    """Refuse an objective that is the same for every design.

    Raises:
        InputError: it is.
    """
    if same_for_all(found.bounded):
        asked = found.problem.asked
        message = f"{asked} is the same for every design, so nothing can change it"
        raise InputError(found.problem.name, [Mistake("objective", message)])


def _moves(
    gradients: Gradients, found: ParametricSensitivity
) -> dict[str, dict[str, float | None]]:
    """Elasticities by parameter and variable, without parameters to which no variable responds."""
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
        f"the optimum is not unique: {', '.join(moved.undetermined)} can change together without"
        " loss, so their response is undetermined"
    ]
