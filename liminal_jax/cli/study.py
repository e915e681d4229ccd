"""`liminal optimize` for one workload: the best design, compared with existing chips."""

from functools import partial
from typing import Any

from typing_extensions import override

from liminal_jax.cli.beside import Beside
from liminal_jax.cli.calibration import Asked, with_interval
from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.optimization.answer import Comparisons, optimize
from liminal_jax.optimization.record import answer_record
from liminal_jax.optimization.search.best_design import Finding, Method
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.existing_chips import Existing
from liminal_jax.optimization.search.gradient_search import STARTS
from liminal_jax.optimization.sensitivity.overlap import BestUnder
from liminal_jax.results.optimum import page
from liminal_jax.study.problem import Problem
from liminal_jax.study.write import design_text
from liminal_jax.view.descent_figure import descent_figure


class ComparisonsBeside(Comparisons):
    """Comparisons that a second process works out, and this one what that one leaves out."""

    def __init__(self, problem: Problem, beside: Beside):
        """Give the study of a problem to the process."""
        super().__init__(problem)
        self._beside = beside
        beside.give(problem.file)

    @override
    def existing(self) -> list[Existing]:
        found = self._beside.take()
        return super().existing() if found is None else found

    @override
    def best_under_less(self) -> list[BestUnder]:
        found = self._beside.take()
        return super().best_under_less() if found is None else found


def found_for_study(
    problems: tuple[Problem, ...],
    method: Method,
    starts: int,
    asked: Asked | None,
    beside: Beside,
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
        beside: A second process, which is given the study.
        progress: Callbacks.
        budget: When to stop before each proof is complete.
        seed: Seed of the starts.
    """
    if len(problems) == 1:
        found = found_for_one(problems[0], method, starts, beside, progress, budget, seed)
    else:
        from liminal_jax.optimization.optimum import best_of

        beside.close()
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
    beside: Beside,
    progress: ProgressBar,
    budget: Budget,
    seed: int,
) -> Found:
    """The answer to a study of one workload, with its design file.

    Args:
        problem: The problem.
        method: Gradients, branch and bound, or both at once.
        starts: Descents for each category.
        beside: A second process, which is given the study.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        seed: Seed of the starts.
    """
    schedule, compared = STARTS._replace(starts=starts), ComparisonsBeside(problem, beside)
    answer = optimize(
        problem, schedule, seed, progress, budget, method=method, comparisons=compared
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
