"""What a study asks, as plain data."""

from typing import Any

from liminal_jax.study.file import DesignFile, PortfolioFile, StudyFile


def question_record(file: DesignFile | PortfolioFile) -> dict[str, Any]:
    """Its name, why someone would ask, and within which limits, in SI."""
    limits = file.constraints if isinstance(file, StudyFile | PortfolioFile) else []
    return {
        "name": file.name,
        "about": " ".join(file.about.split()),
        "constraints": [it.model_dump(exclude_none=True) for it in limits],
    }
