"""What a study asks, as plain data."""

from typing import Any

from liminal_jax.study.file import NamedFile
from liminal_jax.study.kind import kind_record
from liminal_jax.study.problem import Problem


def problem_record(kind: str, problem: Problem) -> dict[str, Any]:
    """What a problem asks: that of its file, or of a space that was written in Python.

    Args:
        kind: Of the result that answers it.
        problem: What was asked.
    """
    return space_record(kind, problem) | {"objective": problem.goal.asked()}


def space_record(kind: str, problem: Problem) -> dict[str, Any]:
    """What a problem asks but for its objective: what its file says, if it has one.

    Args:
        kind: Of the result that answers it.
        problem: What was asked.
    """
    if problem.source is None:
        return {**kind_record(kind), "name": problem.name}
    return question_record(kind, problem.source)


def question_record(kind: str, file: NamedFile) -> dict[str, Any]:
    """Its name, why someone would ask, for which work, and within which limits, in SI.

    Args:
        kind: Of the result that answers it.
        file: The question.
    """
    asked = file.model_dump(include={"workload", "constraints"}, exclude_none=True)
    work = {"workload": asked["workload"]} if "workload" in asked else {}
    return {
        **kind_record(kind),
        "name": file.name,
        "about": " ".join(file.about.split()),
        **work,
        "constraints": [*asked.get("constraints", ())],
    }
