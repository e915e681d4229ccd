"""The record of a portfolio: the object of `liminal optimize --json` for several workloads."""

import dataclasses
from typing import Any

from liminal_jax.optimization.portfolio.portfolio_answer import (
    Deployed,
    PortfolioAnswer,
    WorkloadOptimum,
)
from liminal_jax.optimization.record import binding_record, totals
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.anatomy import chip_package
from liminal_jax.study.basis import basis
from liminal_jax.study.numbers import of_hardware
from liminal_jax.study.portfolio import Member
from liminal_jax.study.question import question_record
from liminal_jax.study.report import prediction_record
from liminal_jax.study.variables import PATHS
from liminal_jax.study.write import design_tables

_EACH = [name for name, path in PATHS.items() if not of_hardware(path)]
"""What the workloads do not share, of what has a short name."""


def _design(member: Member, solution: Solution) -> dict[str, Any]:
    return design_tables(member.problem.file, solution.values, solution.category)["design"]


def _hardware(answer: PortfolioAnswer) -> dict[str, Any] | None:
    """The hardware part of the design, which is common to the workloads."""
    if not answer.served:
        return None
    first = answer.served[0]
    design = _design(first.member, first.solution)
    numbers = design.pop("numbers", {})
    own = [*_EACH, *(it.name for it in answer.portfolio.own)]
    shared = {name: value for name, value in numbers.items() if name not in own}
    kept = {name: value for name, value in design.items() if name not in own}
    return {**kept, "numbers": shared} if shared else kept


def _chip(answer: PortfolioAnswer) -> dict[str, Any] | None:
    """What a picture of the chip shows."""
    if not answer.served:
        return None
    first = answer.served[0]
    case = case_at(first.member.problem, first.solution)
    return {"package": chip_package(case.system, first.solution.category)}


def _optimum_record(it: WorkloadOptimum, weight: float) -> dict[str, Any]:
    design = None if it.solution is None else _design(it.member, it.solution)
    return {
        "name": it.member.name,
        "weight": weight,
        "own_value": it.value,
        "own_relative_gap": it.gap,
        "own_design": design,
    }


def _deployed_record(it: Deployed) -> dict[str, Any]:
    problem = it.member.problem
    fill = float(it.fleet.instance.capacity_tier_fill)
    case = case_at(problem, it.solution)
    sentences = basis(problem.file, it.solution.category, case, it.system, fill)
    return {
        "value": it.value,
        "share_of_own": it.share,
        "design": _design(it.member, it.solution),
        "prediction": prediction_record(it.fleet.instance, sentences),
        "totals": totals(it.fleet),
    }


_UNSERVED: dict[str, Any] = dict.fromkeys(
    ("value", "share_of_own", "design", "prediction", "totals")
)


def portfolio_record(answer: PortfolioAnswer) -> dict[str, Any]:
    """The record, in SI units and USD.

    `prediction` is one instance of a workload, `totals` its whole system; `share_of_own` is the
    objective on the common chip over that of the workload's own optimum.
    """
    file = answer.portfolio.file
    served = [_deployed_record(it) for it in answer.served] or [_UNSERVED] * len(answer.alone)
    workloads = [
        {**_optimum_record(alone, table.weight), **row}
        for alone, table, row in zip(answer.alone, file.workloads, served, strict=True)
    ]
    return {
        **question_record("portfolio", file),
        "feasible": answer.feasible,
        "objective": {**file.objective.model_dump(exclude_none=True), "value": answer.objective},
        "design": _hardware(answer),
        "chip": _chip(answer),
        "share_of_own": answer.share,
        "workloads": workloads,
        "cross": answer.cross,
        "certificate": {
            **dataclasses.asdict(answer.certificate),
            "mappings": answer.portfolio.mappings,
        },
        "binding": [
            {"workload": it.workload, **binding_record(it.binding)} for it in answer.binding
        ],
        "reasons": answer.reasons,
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }
