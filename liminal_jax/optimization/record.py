"""The record of an answer: the object of `liminal optimize --json`."""

import dataclasses
from typing import Any

from liminal_jax.hardware.system import System
from liminal_jax.optimization.answer import Answer
from liminal_jax.optimization.search.binding_limits import Binding
from liminal_jax.optimization.search.existing_chips import Existing
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.basis import basis
from liminal_jax.study.file import StudyFile
from liminal_jax.study.quantities import QUANTITIES, Fleet
from liminal_jax.study.question import question_record
from liminal_jax.study.report import number, prediction_record
from liminal_jax.study.write import design_tables, written

NOT_RELAXED = "no feasible design is known whose integrality could be relaxed"
"""Reason where there is no relaxed optimum."""


def _design(answer: Answer, solution: Solution) -> dict[str, Any]:
    return {answer.problem.region.kind: solution.category, **written(solution.values)}


def totals(fleet: Fleet) -> dict[str, float | None]:
    """Every quantity that a study can name, of the whole system, in SI."""
    return {name: number(quantity.of(fleet)) for name, quantity in QUANTITIES.items()}


def gap(answer: Answer) -> float | None:
    """Relative difference of the relaxed optimum from the best design's objective."""
    if answer.relaxed is None or not answer.relaxed.feasible:
        return None
    value = answer.best.objective
    return number(abs(answer.relaxed.objective - value) / abs(value))


def _relaxed(answer: Answer) -> dict[str, Any]:
    it = answer.relaxed
    return {
        "value": None if it is None else number(it.objective),
        "feasible": it is not None and it.feasible,
        "design": None if it is None else _design(answer, it.solution),
        "relative_gap": gap(answer),
        "reason": NOT_RELAXED if it is None else it.reason,
    }


def binding_record(it: Binding) -> dict[str, Any]:
    """The record of a binding limit; unknown numbers are null."""
    return {**dataclasses.asdict(it), "value": number(it.value), "slack": number(it.slack)}


def answer_record(answer: Answer, existing: list[Existing], system: System) -> dict[str, Any]:
    """The record, in SI units and USD: `prediction` is one instance, `totals` the whole system."""
    file, best = answer.problem.file, answer.best
    asked = file.objective.model_dump(exclude_none=True) if isinstance(file, StudyFile) else {}
    fill = float(best.fleet.instance.capacity_tier_fill)
    case = case_at(answer.problem, best.solution)
    sentences = basis(file, best.solution.category, case, system, fill)
    return {
        **question_record("optimum", file),
        "feasible": best.feasible,
        "objective": {**asked, "value": number(best.objective)},
        "relaxed": _relaxed(answer),
        "design": design_tables(file, best.solution.values, best.solution.category)["design"],
        "prediction": prediction_record(best.fleet.instance, sentences),
        "totals": totals(best.fleet),
        "certificate": dataclasses.asdict(best.certificate),
        "binding": [binding_record(it) for it in best.binding],
        "sensitivities": [dataclasses.asdict(it) for it in answer.sensitivities],
        "alternatives": [
            {
                "name": it.category,
                "value": it.objective,
                "lacking": it.infeasibility,
                "design": None if it.solution is None else _design(answer, it.solution),
            }
            for it in answer.alternatives
        ],
        "kink": answer.kink,
        "pessimistic": [
            {
                "overlap": it.overlap,
                "of_design": number(it.of_design),
                "exceeded": list(it.exceeded),
                "value": it.objective,
                "design": None if it.solution is None else _design(answer, it.solution),
                "complete": it.complete,
            }
            for it in answer.pessimistic
        ],
        "existing": [
            {
                "system": it.system,
                "value": it.objective,
                "design": written(it.values),
                "missing": list(it.missing),
                "lacking": it.infeasibility,
            }
            for it in existing
        ],
        "reasons": best.reasons,
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }
