"""The record of a Pareto front: the object of `liminal pareto --json`, and its designs as files."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, FrontCertificate, FrontPoint
from liminal_jax.optimization.pareto.separate_fronts import SeparateFront
from liminal_jax.optimization.record import solution_record
from liminal_jax.study.file import DesignFile
from liminal_jax.study.question import space_record
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
    solution, file = point.solution, answer.problem.source
    if file is None:
        design, where = {"design": solution_record(answer.problem, solution)}, {}
    else:
        design = found_tables(file, solution.values, solution.category)
        where = {"file": file_name(index)}
    return {
        "objectives": dict(zip(names, point.objectives, strict=True)),
        **design,
        "totals": {name: number(value) for name, value in point.totals.items()},
        **where,
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
        **space_record("pareto", answer.problem),
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


def merged_record(
    fronts: Sequence[FrontAnswer],
    kept: Sequence[tuple[int, int]],
    knees: list[int],
    reasons: list[str],
    kinds: list[SeparateFront],
) -> dict[str, Any]:
    """The record of the points that no point of any of several fronts dominates.

    Args:
        fronts: The Pareto front of each structure of a space.
        kept: Number of the front, and of the point in it, in the order of the record.
        knees: Numbers of those of them that are knees.
        reasons: Messages: what is proven, and why.
        kinds: Pareto fronts of the single categories.
    """
    records = [front_record(it, kinds, []) for it in fronts]
    points = [records[front]["points"][point] for front, point in kept]
    return records[0] | {
        "feasible": bool(points),
        "points": [
            it | ({"file": file_name(index)} if "file" in it else {})
            for index, it in enumerate(points)
        ],
        "knees": knees,
        "certificate": dataclasses.asdict(merged_certificate([it.certificate for it in fronts])),
        "reasons": reasons,
        "seconds": sum(it.seconds for it in fronts),
    }


def merged_certificate(them: Sequence[FrontCertificate]) -> FrontCertificate:
    """What is proven of all designs of several structures."""
    margins = [it.largest_margin for it in them if it.largest_margin is not None]
    known = margins and all(it.complete or it.largest_margin is not None for it in them)
    complete = all(it.complete for it in them)
    return FrontCertificate(
        method="bound" if known or complete else "none",
        complete=complete,
        largest_margin=max(margins) if known else None,
        lattice=sum(it.lattice for it in them),
        covered=sum(it.covered for it in them),
        evaluated=sum(it.evaluated for it in them),
        boxes=sum(it.boxes for it in them),
    )


def design_files(file: DesignFile, points: Sequence[FrontPoint]) -> dict[str, str]:
    """Names and texts of the design files of all points.

    Args:
        file: The study.
        points: The points, in the order of the record.
    """
    return {
        file_name(index): design_text(file, it.solution.values, it.solution.category)
        for index, it in enumerate(points)
    }
