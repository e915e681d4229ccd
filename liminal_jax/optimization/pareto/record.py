"""The record of a Pareto front: the object of `liminal pareto --json`, and its designs as files."""

import dataclasses
from typing import Any

from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, FrontPoint
from liminal_jax.optimization.pareto.separate_fronts import SeparateFront
from liminal_jax.study.question import question_record
from liminal_jax.study.report import number
from liminal_jax.study.write import design_text, found_tables


def file_name(index: int) -> str:
    """The design file of a point, in the folder of the run.

    Examples:
        >>> file_name(0)
        'designs/001.toml'
    """
    return f"designs/{index + 1:03d}.toml"


def _point(answer: FrontAnswer, index: int, point: FrontPoint) -> dict[str, Any]:
    names = [it.name for it in answer.objectives]
    solution = point.solution
    return {
        "objectives": dict(zip(names, point.objectives, strict=True)),
        **found_tables(answer.problem.file, solution.values, solution.category),
        "totals": {name: number(value) for name, value in point.totals.items()},
        "file": file_name(index),
    }


def _separate(
    answer: FrontAnswer, fronts: list[SeparateFront]
) -> dict[str, list[dict[str, float]]]:
    names = [it.name for it in answer.objectives]
    return {
        it.name: [dict(zip(names, values, strict=True)) for values in it.points] for it in fronts
    }


def front_record(
    answer: FrontAnswer, kinds: list[SeparateFront], existing: list[SeparateFront]
) -> dict[str, Any]:
    """The record, in SI units and USD.

    Args:
        answer: The Pareto front.
        kinds: Pareto fronts of the single categories of the study.
        existing: Pareto fronts of systems that exist.
    """
    return {
        **question_record("pareto", answer.problem.file),
        "feasible": answer.feasible,
        "objectives": [it.asked() for it in answer.objectives],
        "epsilon": answer.epsilon,
        "points": [_point(answer, index, point) for index, point in enumerate(answer.points)],
        "knees": answer.knees,
        "certificate": dataclasses.asdict(answer.certificate),
        "reasons": answer.reasons,
        "kinds": _separate(answer, kinds),
        "existing": _separate(answer, existing),
        "seconds": answer.seconds,
    }


def design_files(answer: FrontAnswer) -> dict[str, str]:
    """Names and texts of the design files of all points."""
    return {
        file_name(index): design_text(answer.problem.file, it.solution.values, it.solution.category)
        for index, it in enumerate(answer.points)
    }
