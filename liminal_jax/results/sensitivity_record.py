"""What numbers are worth as plain data: the object of `liminal sensitivity --json`."""

import dataclasses
from typing import Any

from liminal_jax.optimization.search.solution import Solution
from liminal_jax.optimization.sensitivity.analysis import SensitivityAnalysis
from liminal_jax.optimization.sensitivity.tornado import Bar, End
from liminal_jax.results.sensitivity_words import label, limit_amount, price_sentence
from liminal_jax.study.file import StudyFile
from liminal_jax.study.question import question_record
from liminal_jax.study.report import number
from liminal_jax.study.write import written


def sensitivity_record(found: SensitivityAnalysis, top: int) -> dict[str, Any]:
    """SI units and USD, stable keys; what is not known is null.

    Args:
        found: What numbers are worth.
        top: How many numbers the tornado shows.
    """
    problem, relaxed = found.problem, found.relaxed
    file = problem.file
    asked = file.objective.model_dump(exclude_none=True) if isinstance(file, StudyFile) else {}
    return {
        **question_record("sensitivity", file),
        "feasible": found.best.feasible,
        "objective": asked,
        "best": {
            "value": number(found.best.objective),
            "design": _design(found, found.best.solution),
            "certificate": dataclasses.asdict(found.best.certificate),
        },
        "relaxed": {
            "value": None if relaxed is None else number(relaxed.objective),
            "design": None if relaxed is None else _design(found, relaxed.solution),
        },
        "shadow_prices": [
            {**dataclasses.asdict(it), "sentence": price_sentence(problem, it)}
            for it in found.shadow_prices
        ],
        "elasticities": [
            {
                "parameter": it.parameter,
                "label": label(problem, it.parameter, found.best.solution.category),
                "value": number(it.value),
                "unit": it.unit,
                "elasticity": it.elasticity,
            }
            for it in found.elasticities
        ],
        "moves": found.moves,
        "change": found.change,
        "tornado": [_bar(found, it) for it in found.bars[:top]],
        "residual": None if relaxed is None else number(relaxed.residual),
        "reasons": found.reasons,
        "seconds": sum(found.seconds.values()),
        "stages": found.seconds,
    }


def _design(found: SensitivityAnalysis, solution: Solution) -> dict[str, Any]:
    return {found.problem.region.kind: solution.category, **written(solution.values)}


def _bar(found: SensitivityAnalysis, bar: Bar) -> dict[str, Any]:
    return {
        "parameter": bar.parameter,
        "label": label(found.problem, bar.parameter, found.best.solution.category),
        "value": limit_amount(bar.parameter, bar.value, bar.unit),
        "low": _objective(bar.low),
        "high": _objective(bar.high),
        "first_order": {
            "low": number(bar.low.first_order),
            "high": number(bar.high.first_order),
        },
        "factors": {"low": bar.low.factor, "high": bar.high.factor},
        "active_set_changes": {
            "low": list(bar.low.active_set_changes),
            "high": list(bar.high.active_set_changes),
        },
    }


def _objective(end: End) -> float | None:
    return None if end.objective is None else number(end.objective)
