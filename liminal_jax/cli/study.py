"""`liminal optimize` for one workload: the best design, beside what existing chips can do."""

from liminal_jax._smooth import Exact
from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.design import search
from liminal_jax.design.anneal import Schedule
from liminal_jax.design.branch import Budget
from liminal_jax.design.existing import best_existing
from liminal_jax.design.place import case_at
from liminal_jax.design.record import answer_record
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Problem
from liminal_jax.study.write import design_text
from liminal_jax.view.answer import answer_view


def found_for_one(
    problem: Problem, starts: int, progress: ProgressBar, budget: Budget, seed: int, folder: str
) -> Found:
    """The answer to a study of one workload, with its design file.

    Args:
        problem: The question.
        starts: Starts of the gradient search for each category.
        progress: Told what happens.
        budget: When to stop proving.
        seed: Of the starts.
        folder: Where the answer will be written.
    """
    answer = search.optimize(problem, Schedule(starts=starts), seed, progress, budget)
    progress.stage("comparing with chips that exist")
    file, place = problem.file, answer.best.place
    existing = []
    if isinstance(file, StudyFile) and file.design.system is None:
        existing = best_existing(file)
    system = case_at(problem, place).built(Exact())
    return Found(
        feasible=answer.best.feasible,
        designs={"design.toml": design_text(file, place.values, place.category)},
        record=answer_record(answer, existing, system),
        view=answer_view(answer, existing, system, folder),
    )
