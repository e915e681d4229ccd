"""`liminal optimize` for a problem of many members: layers, pools, or classes of requests."""

from typing import Any

from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.optimization.coupled.optimum import optimize_coupled
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.question import question_record


def found_for_members(
    file: Any, problem: AbstractCoupled, progress: ProgressBar, budget: Budget, seed: int
) -> Found:
    """The answer to a question about many members.

    Args:
        file: The question.
        problem: Its problem.
        progress: Callbacks.
        budget: When to stop before the bound is complete.
        seed: Seed of the starts.
    """
    question = question_record("coupled", file)
    optimum = optimize_coupled(problem, question, seed=seed, progress=progress, budget=budget)
    return Found(optimum.feasible, {}, optimum.to_dict(), optimum.page(), "")
