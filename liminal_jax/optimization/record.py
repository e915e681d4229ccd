"""The record of an answer: the object of `liminal optimize --json`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from liminal_jax.optimization.answer import Answer
from liminal_jax.optimization.gradient_record import gradients_record, proof_record
from liminal_jax.optimization.search.binding_limits import Binding
from liminal_jax.optimization.search.continuum import Continuum
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.anatomy import hardware_record
from liminal_jax.study.basis import basis, serving_basis
from liminal_jax.study.file import resolved_of
from liminal_jax.study.lever_record import levers_of
from liminal_jax.study.problem import Problem, exact_system, relative_gap
from liminal_jax.study.quantities import QUANTITIES, Fleet
from liminal_jax.study.question import problem_record
from liminal_jax.study.report import number, prediction_record
from liminal_jax.study.write import found_tables, written

_PLAIN = ("ranges", "whole", "kkt_residual", "multipliers", "grids", "designs")
"""What of a search between the values of ranges is plain data."""

NOT_RELAXED = "no feasible design is known whose integrality could be relaxed"
"""Reason where there is no relaxed optimum."""


def solution_record(problem: Problem, solution: Solution | None) -> dict[str, Any] | None:
    """What was free at a solution, in SI; none where there is no solution."""
    if solution is None:
        return None
    return {problem.region.kind: solution.category, **written(solution.values)}


def design_record(problem: Problem, category: str, values: Mapping[str, float]) -> dict[str, Any]:
    """A design as its file has it, or what was free in a space that was written in Python.

    Args:
        problem: What was asked.
        category: The category of the design.
        values: Values of its free variables, in SI.
    """
    if problem.source is not None:
        return found_tables(problem.source, dict(values), category)
    return {"design": {problem.region.kind: category, **written(values)}}


def totals(fleet: Fleet) -> dict[str, float | None]:
    """Every quantity that a study can name, of the whole system, in SI."""
    return {name: number(quantity.of(fleet)) for name, quantity in QUANTITIES.items()}


def gap(answer: Answer) -> float | None:
    """Relative difference of the relaxed optimum from the best design's objective."""
    if answer.relaxed is None or not answer.relaxed.feasible:
        return None
    return number(relative_gap(answer.relaxed.objective, answer.best.objective))


def _relaxed(answer: Answer) -> dict[str, Any]:
    it = answer.relaxed
    return {
        "value": None if it is None else number(it.objective),
        "feasible": it is not None and it.feasible,
        "design": None if it is None else solution_record(answer.problem, it.solution),
        "relative_gap": gap(answer),
        "reason": NOT_RELAXED if it is None else it.reason,
    }


def _continuum(answer: Answer, it: Continuum) -> dict[str, Any]:
    """What lies between the values of ranges."""
    plain = dataclasses.asdict(it)
    return {key: plain[key] for key in _PLAIN} | {
        "first": number(it.first),
        "snapped": None if it.snapped is None else number(it.snapped),
        "relaxed": {
            "value": number(it.relaxed_objective),
            "design": solution_record(answer.problem, it.relaxed),
            "reason": it.reason,
        },
    }


def binding_record(it: Binding) -> dict[str, Any]:
    """The record of a binding limit; unknown numbers are null."""
    return {**dataclasses.asdict(it), "value": number(it.value), "slack": number(it.slack)}


def drawn_record(problem: Problem, solution: Solution, fleet: Fleet) -> dict[str, Any]:
    """What a picture of a solution shows, given the prediction of its whole system."""
    files = None if problem.source is None else resolved_of(problem.source).hardware
    case = case_at(problem, solution)
    return hardware_record(case, fleet.instance, files, solution.category)


def _question(problem: Problem, solution: Solution, fleet: Fleet) -> dict[str, Any]:
    """What was asked, the design, and what the prediction rests on."""
    file, question = problem.source, problem_record("optimum", problem)
    if file is None:
        return {
            **question,
            "design": solution_record(problem, solution),
            "prediction": prediction_record(fleet.instance, []),
            "hardware": drawn_record(problem, solution, fleet),
        }
    case = case_at(problem, solution)
    fill = float(fleet.instance.capacity_tier_fill)
    levers = levers_of(case, resolved_of(file).costs)
    sentences = basis(file, solution.category, case, exact_system(case), fill)
    if case.lengths is not None:
        sentences = serving_basis(sentences, float(case.lengths.prefix_hit_rate))
    return {
        **question,
        **found_tables(file, solution.values, solution.category),
        **({"levers": levers} if levers else {}),
        "prediction": prediction_record(fleet.instance, sentences),
        "hardware": drawn_record(problem, solution, fleet),
    }


def answer_record(answer: Answer) -> dict[str, Any]:
    """SI units and USD, stable keys. `prediction` is one instance, `totals` all of them."""
    best = answer.best
    question = _question(answer.problem, best.solution, best.fleet)
    objective = {**question["objective"], "value": number(best.objective)}
    return {
        **question,
        "feasible": best.feasible,
        "objective": objective,
        "relaxed": _relaxed(answer),
        "gradients": gradients_record(best),
        "proof": proof_record(best),
        **({} if best.continuum is None else {"continuum": _continuum(answer, best.continuum)}),
        "totals": totals(best.fleet),
        "certificate": dataclasses.asdict(best.certificate),
        "binding": [binding_record(it) for it in best.binding],
        "sensitivities": [dataclasses.asdict(it) for it in answer.sensitivities],
        "alternatives": [
            {
                "name": it.category,
                "value": it.objective,
                "lacking": it.infeasibility,
                "design": solution_record(answer.problem, it.solution),
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
                "design": solution_record(answer.problem, it.solution),
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
            for it in answer.existing
        ],
        "reasons": best.reasons,
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }
