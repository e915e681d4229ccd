"""The fronts of single memory technologies or systems, each by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.pareto.pareto_search import bounded_problem_for, scouted, swept
from liminal_jax.optimization.search.existing_chips import existing_problems
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Criterion, Problem

FINENESS = 0.01
"""Share by which a design may better the points that are kept of such a front."""

SECONDS = 10.0
"""Wall time after which the sweep of one front stops, with the points found by then."""


@dataclass(frozen=True)
class SeparateFront:
    """The front of one memory technology or system.

    Attributes:
        name: Its name.
        points: Value of each objective at each point, in SI, ascending in the first objective.
    """

    name: str
    points: list[tuple[float, ...]]


def separate_fronts(problem: Problem, objectives: Sequence[Criterion]) -> list[SeparateFront]:
    """The front of each category of a study that can meet the limits.

    Args:
        problem: The study.
        objectives: Two or three.
    """
    signs = np.asarray([1.0 if it.maximise else -1.0 for it in objectives])
    bounded = bounded_problem_for(problem, objectives)
    found = []
    for number, row in enumerate(bounded.categories.tolist()):
        alone = bounded._replace(start=bounded.start.some(np.asarray([number])))
        front = scouted(alone, len(objectives), FINENESS)
        swept(alone, front, SECONDS)
        points = np.exp(signs[:, None] * front.gains).T.tolist()
        if points:
            found.append(SeparateFront(problem.categories[row], sorted(map(tuple, points))))
    return found


def existing_fronts(study: StudyFile, objectives: Sequence[Criterion]) -> list[SeparateFront]:
    """The front of each system that ships and can meet the limits of a study.

    Over the study's chips and degrees, and finer batches.

    Args:
        study: A study; its limits and assumptions hold here too.
        objectives: Two or three.
    """
    return [
        front
        for problem in existing_problems(study)
        for front in separate_fronts(problem, objectives)
    ]
