"""`liminal optimize --robust`: the design that does best in many futures."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.cli.uncertainty import NOTHING_TO_DRAW
from liminal_jax.optimization.robust.measure import AbstractMeasure, measure_of
from liminal_jax.optimization.robust.result import most_robust
from liminal_jax.optimization.robust.search import robust_design
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.uncertainty.analysis import draws_of
from liminal_jax.results.robust import page
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Problem
from liminal_jax.study.write import design_text


def measure_asked(words: str, file: Any, study: str) -> AbstractMeasure:
    """The measure that was asked for.

    Args:
        words: Its name.
        file: The file of the study.
        study: What the user called it.

    Raises:
        InputError: there is no such measure, or the study is of several workloads at once.
    """
    if type(file) is not StudyFile:
        message = "--robust is for studies of one workload and one kind of design"
        raise InputError(study, [Mistake("", message)])
    try:
        return measure_of(words)
    except ValueError as error:
        raise InputError("liminal optimize", [Mistake("--robust", str(error))]) from None


def found_robust(
    problems: Sequence[Problem],
    measure: AbstractMeasure,
    samples: int,
    reliability: float,
    progress: ProgressBar,
    budget: Budget,
    seed: int,
) -> Found:
    """The robust design of a study, and its nominal optimum, as files.

    Args:
        problems: A problem for each structure that the hardware of the study has.
        measure: What counts of the objective over the samples.
        samples: Number of samples.
        reliability: Share of the samples in which every limit has to hold.
        progress: Callbacks.
        budget: When to stop the proof of the nominal optimum of each structure.
        seed: Of the samples and of the starts.

    Raises:
        InputError: no number that the study depends on has a range.
    """
    draws, fresh = draws_of(problems, samples, seed)
    if not draws.numbers:
        raise InputError(problems[0].name, [Mistake("", NOTHING_TO_DRAW)])
    found = [
        robust_design(
            it, draws, fresh, measure, reliability, seed=seed, progress=progress, budget=budget
        )
        for it in problems
    ]
    answer = dataclasses.replace(most_robust(found), seed=seed)
    tried = {"robust": answer.robust, "nominal": answer.nominal}
    record = answer.to_dict()
    return Found(
        feasible=answer.feasible,
        designs={
            f"designs/{name}.toml": design_text(answer.problem.file, it.values, it.category)
            for name, it in tried.items()
            if it is not None
        },
        record=record,
        page=page(record),
        best="designs/robust.toml" if answer.feasible else "",
    )
