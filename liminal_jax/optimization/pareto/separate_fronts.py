"""The Pareto fronts of single memory technologies or systems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.pareto.pareto_search import (
    FrontAnswer,
    bounded_problem_for,
    prove_front,
    warm_started_archive,
)
from liminal_jax.optimization.search.existing_chips import existing_problems
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Criterion, Problem

FINENESS = 0.01
"""Epsilon of these fronts: the share by which a design may beat its nearest point."""

COMPARED = 2
"""Objectives of a front that a plane can show."""

SECONDS = 10.0
"""Wall time after which the search of one front stops, with the points found by then [s]."""


@dataclass(frozen=True)
class SeparateFront:
    """The Pareto front of one memory technology or system.

    Attributes:
        name: Its name.
        points: Value of each objective at each point, in SI, ascending in the first objective.
    """

    name: str
    points: list[tuple[float, ...]]


def separate_fronts(problem: Problem, objectives: Sequence[Criterion]) -> list[SeparateFront]:
    """The Pareto front of each category that has a feasible design.

    Args:
        problem: The problem.
        objectives: Two or three.
    """
    bounded = bounded_problem_for(problem, objectives)
    found = []
    for number, row in enumerate(bounded.categories.tolist()):
        single = bounded._replace(start=bounded.start.some(np.asarray([number])))
        front = warm_started_archive(single, len(objectives), FINENESS)
        prove_front(single, front, SECONDS)
        points = [
            tuple(it.value(float(score)) for it, score in zip(objectives, scores, strict=True))
            for scores in front.scores.T
        ]
        if points:
            found.append(SeparateFront(problem.categories[row], sorted(points)))
    return found


def existing_fronts(study: StudyFile, objectives: Sequence[Criterion]) -> list[SeparateFront]:
    """The Pareto front of each system that ships and has a feasible design.

    Over the study's chips and degrees, and finer batches.

    Args:
        study: A study; its limits and assumptions apply.
        objectives: Two or three.
    """
    return [
        front
        for problem in existing_problems(study)
        for front in separate_fronts(problem, objectives)
    ]


def compared_fronts(
    answers: Sequence[FrontAnswer],
) -> tuple[list[SeparateFront], list[SeparateFront]]:
    """The fronts of the single categories of a study, and of systems that exist.

    Two objectives are compared so, and existing systems where a study plans a chip.

    Args:
        answers: The Pareto front of each structure of the study.
    """
    problems, objectives = [it.problem for it in answers], answers[0].objectives
    if not any(it.feasible for it in answers) or len(objectives) != COMPARED:
        return [], []
    kinds = []
    if sum(len(it.categories) for it in problems) > 1:
        kinds = [front for it in problems for front in separate_fronts(it, objectives)]
    file = problems[0].source
    if not isinstance(file, StudyFile) or file.design.system is not None:
        return kinds, []
    return kinds, existing_fronts(file, objectives)
