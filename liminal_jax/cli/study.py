"""`liminal optimize` for one workload: the best design, compared with existing chips."""

from functools import partial
from typing import Any

from liminal_jax.cli.calibration import Asked, with_interval
from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.optimization.answer import optimize
from liminal_jax.optimization.optimum import best_of
from liminal_jax.optimization.record import answer_record
from liminal_jax.optimization.search.best_design import Finding, Method
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.gradient_search import STARTS
from liminal_jax.results.optimum import page
from liminal_jax.study.problem import Problem
from liminal_jax.study.write import design_text
from liminal_jax.view.descent_figure import descent_figure


def found_for_study(
    problems: tuple[Problem, ...],
    method: Method,
    starts: int,
    asked: Asked | None,
    progress: ProgressBar,
    budget: Budget,
    seed: int,
) -> Found:
    """The answer to a study of one workload, with its design file.

    Args:
        problems: A problem for each structure that the hardware of the study has.
        method: Gradients, branch and bound, or both at once.
        starts: Descents for each category.
        asked: A calibration that is to say what engines reach, if any.
        progress: Callbacks.
        budget: When to stop before each proof is complete.
        seed: Seed of the starts.
    """
    if len(problems) == 1:
        found = found_for_one(problems[0], method, starts, progress, budget, seed)
    else:
        schedule = STARTS._replace(starts=starts)
        best = best_of(
            problems,
            method=method,
            budget=budget,
            seed=seed,
            schedule=schedule,
            progress=progress,
        )
        progress.stage("explaining the design")
        found = _found(best.finding, best.to_dict())
    return found if asked is None else with_interval(found, asked)


def found_for_one(
    problem: Problem,
    method: Method,
    starts: int,
    progress: ProgressBar,
    budget: Budget,
    seed: int,
) -> Found:
    """The answer to a study of one workload, with its design file.

    Args:
        problem: The problem.
        method: Gradients, branch and bound, or both at once.
        starts: Descents for each category.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        seed: Seed of the starts.
    """
    answer = optimize(
        problem, STARTS._replace(starts=starts), seed, progress, budget, method=method
    )
    return _found(answer.best, answer_record(answer))


def _found(best: Finding, record: dict[str, Any]) -> Found:
    file, solution = best.problem.file, best.solution
    return Found(
        feasible=best.feasible,
        designs={"design.toml": design_text(file, solution.values, solution.category)},
        record=record,
        page=page(record),
        best="design.toml" if best.feasible else "",
        figure=partial(descent_figure, best),
    )
