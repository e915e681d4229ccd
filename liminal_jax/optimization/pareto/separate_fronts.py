"""The Pareto fronts of single memory technologies or systems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.pareto.pareto_search import (
    bounded_problem_for,
    prove_front,
    warm_started_archive,
)
from liminal_jax.optimization.search.existing_chips import existing_problems
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import Criterion, Problem

FINENESS = 0.01
"""Epsilon of these fronts: the share by which a design may beat its nearest point."""

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
