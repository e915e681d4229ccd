"""`liminal optimize` for one workload: the best design, compared with existing chips."""

from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.optimization.answer import optimize
from liminal_jax.optimization.record import answer_record
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.results.optimum import page
from liminal_jax.study.problem import Problem
from liminal_jax.study.write import design_text


def found_for_one(
    problem: Problem, starts: int, progress: ProgressBar, budget: Budget, seed: int
) -> Found:
    """The answer to a study of one workload, with its design file.

    Args:
        problem: The problem.
        starts: Starts of the gradient search for each category.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        seed: Seed of the starts.
    """
    answer = optimize(problem, Schedule(starts=starts), seed, progress, budget)
    file, solution = problem.file, answer.best.solution
    record = answer_record(answer)
    return Found(
        feasible=answer.best.feasible,
        designs={"design.toml": design_text(file, solution.values, solution.category)},
        record=record,
        page=page(record),
        best="design.toml" if answer.best.feasible else "",
    )
