"""What a study asks, as plain data."""

from typing import Any

from liminal_jax.study.file import DesignFile, PortfolioFile, StudyFile

SCHEMA = 1
"""Of all records: it grows where a key changes its meaning."""


def kind_record(kind: str) -> dict[str, Any]:
    """What a record begins with: the kind of the result, and how its keys are to be read."""
    return {"kind": kind, "schema": SCHEMA}


def question_record(kind: str, file: DesignFile | PortfolioFile) -> dict[str, Any]:
    """Its name, why someone would ask, for which work, and within which limits, in SI.

    Args:
        kind: Of the result that answers it.
        file: The question.
    """
    limits = file.constraints if isinstance(file, StudyFile | PortfolioFile) else []
    work = (
        {"workload": file.workload.model_dump(exclude_none=True)}
        if isinstance(file, DesignFile)
        else {}
    )
    return {
        **kind_record(kind),
        "name": file.name,
        "about": " ".join(file.about.split()),
        **work,
        "constraints": [it.model_dump(exclude_none=True) for it in limits],
    }
