"""An answer as plain data: the object of `liminal optimize --json`."""

import dataclasses
from typing import Any

from liminal_jax._smooth import Exact
from liminal_jax.design.existing import Existing
from liminal_jax.design.explain import Binding
from liminal_jax.design.place import Place
from liminal_jax.design.search import Answer
from liminal_jax.hardware.system import System
from liminal_jax.study.basis import basis
from liminal_jax.study.file import StudyFile
from liminal_jax.study.quantities import QUANTITIES, Fleet
from liminal_jax.study.report import number, prediction_record
from liminal_jax.study.write import design_tables


def _place(answer: Answer, place: Place) -> dict[str, Any]:
    category = "memory" if answer.problem.file.design.system is None else "system"
    return {category: place.category, **place.values}


def totals(fleet: Fleet) -> dict[str, float | None]:
    """Every quantity that a study can name, for all instances."""
    return {name: number(quantity.of(fleet)) for name, quantity in QUANTITIES.items()}


def gap(answer: Answer) -> float | None:
    """How far the design is from the relaxed optimum, as a share of the design's objective."""
    if not (answer.feasible and answer.relaxed.feasible):
        return None
    return number(abs(answer.relaxed.objective - answer.objective) / abs(answer.objective))


def binding_record(it: Binding) -> dict[str, Any]:
    """A limit at a design; unknown numbers are null."""
    return {**dataclasses.asdict(it), "value": number(it.value), "slack": number(it.slack)}


def answer_record(answer: Answer, existing: list[Existing], system: System) -> dict[str, Any]:
    """SI units and USD, stable keys. `prediction` is one instance, `totals` all of them."""
    file = answer.problem.file
    asked = file.objective.model_dump(exclude_none=True) if isinstance(file, StudyFile) else {}
    workload = answer.problem.workload
    assumptions = workload.assumptions(system.network, Exact())
    sentences = basis(file, answer.place.category, workload.model, system, assumptions)
    return {
        "name": file.name,
        "feasible": answer.feasible,
        "objective": {**asked, "value": number(answer.objective)},
        "relaxed": {
            "value": number(answer.relaxed.objective),
            "feasible": answer.relaxed.feasible,
            "design": _place(answer, answer.relaxed.place),
            "relative_gap": gap(answer),
            "starts": answer.relaxed.starts[1],
            "starts_within_limits": answer.relaxed.starts[0],
            "reason": answer.relaxed.reason,
        },
        "design": design_tables(file, answer.place.values, answer.place.category)["design"],
        "prediction": prediction_record(answer.fleet.instance, sentences),
        "totals": totals(answer.fleet),
        "certificate": dataclasses.asdict(answer.certificate),
        "binding": [binding_record(it) for it in answer.binding],
        "sensitivities": [dataclasses.asdict(it) for it in answer.sensitivities],
        "alternatives": [
            {
                "name": it.category,
                "value": it.objective,
                "design": None if it.place is None else _place(answer, it.place),
            }
            for it in answer.alternatives
        ],
        "existing": [
            {
                "system": it.system,
                "value": it.objective,
                "design": it.values,
                "missing": list(it.missing),
            }
            for it in existing
        ],
        "reasons": answer.reasons,
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }
