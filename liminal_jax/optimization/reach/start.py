"""Where a reach starts: the fastest design for one user, of a system or of a study."""

import dataclasses
from typing import Any

import jax.numpy as jnp

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.search.best_design import find
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.case import Case
from liminal_jax.study.file import StudyFile, study_of
from liminal_jax.study.problem import Criterion, Limit, Problem
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.variables import PATHS

BUILT_IN = "deepseek-v3-128k"
"""The study whose planned chips, context and limits stand where neither system nor study does."""

RANKS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Ranks of tensor parallelism that are tried on a system, the talk's 128 at most."""

CONTEXT = 8192
"""Tokens of context on a system, as `liminal predict` has it."""

SPEED = "utps"
"""What is to be reached."""


@dataclasses.dataclass(frozen=True)
class Start:
    """A design, and the limits that all that follows from it has to meet.

    Attributes:
        problem: The question that it answers: most tokens a second of one user.
        solution: The design.
        case: The same with its workload and laws.
        limits: The limits: what can be built and stored, and what the study sets.
        note: What it is, in a sentence.
    """

    problem: Problem
    solution: Solution
    case: Case
    limits: tuple[Limit, ...]
    note: str

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.problem.file.workload.model


def start_of(
    model: str | None, system: str | None, study: str | None, context: int | float | None = None
) -> Start:
    """The fastest design for one user.

    Args:
        model: The model; that of the study where left out.
        system: Finished hardware, of which the ranks of tensor parallelism are chosen.
        study: A study, of which everything is chosen.
        context: Tokens of context; those of the study, or 8,192 on a system, where left out.

    Raises:
        InputError: both hardware and a study are given, none has a model, or no design of them
            meets the limits.
    """
    if system is not None and study is not None:
        message = "give hardware or a study, which has its own, not both"
        raise InputError("reach", [Mistake("system", message)])
    if study is None and model is None:
        raise InputError("reach", [Mistake("model", "is required; see `liminal models`")])
    if system is not None:
        problem = fastest_of(problem_of(_of_system(str(model), system, context)))
        whole = f"{system} with the ranks that are fastest for one user"
    else:
        file = load_study(BUILT_IN if study is None else study)
        changes: dict[str, Any] = {} if model is None else {"model": model}
        changes |= {} if context is None else {"context": float(context)}
        problem = fastest_of(problem_of(with_work(file, changes)))
        whole = f"the design of {file.name} that is fastest for one user"
    found = find(problem)
    if not found.feasible:
        message = f"no design for one user meets the limits: {' '.join(found.reasons)}"
        raise InputError("reach", [Mistake("model" if study is None else "study", message)])
    case = case_at(problem, found.solution)
    return Start(problem, found.solution, case, problem.limits, whole)


def _of_system(model: str, system: str, context: float | None) -> StudyFile:
    tables: dict[str, Any] = {
        "name": "reach",
        "about": "The most tokens a second for one user.",
        "workload": {"model": model, "context": float(CONTEXT if context is None else context)},
        "objective": {"maximise": SPEED},
        "design": {"system": system, "tp": {"choices": list(RANKS)}, "batch": 1},
    }
    return study_of(tables, "reach")


def with_work(file: StudyFile, changes: dict[str, Any]) -> StudyFile:
    """A study of another workload."""
    if not changes:
        return file
    return file.model_copy(update={"workload": file.workload.model_copy(update=changes)})


def fastest_of(problem: Problem) -> Problem:
    """The same designs with one user, the fastest of which is asked for."""
    one = {PATHS["batch"]: jnp.asarray(1.0)}
    asked = QUANTITIES[SPEED]
    return dataclasses.replace(
        problem,
        region=problem.region.with_fixed(one),
        criterion=Criterion(SPEED, asked.unit, asked.of, maximise=True),
        limits=tuple(it for it in problem.limits if it.name != SPEED),
    )
