"""Data files with some of their numbers changed by a study."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

import liminal_jax.data
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.data.build import MARGINS
from liminal_jax.data.hardware import (
    IDEAL,
    NetworkFile,
    capacity_technology_names,
    execution_names,
    process_names,
    technology_names,
)
from liminal_jax.data.parts import (
    CapacityTechnologyFile,
    ExecutionFile,
    FacilityFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
    execution_tables,
)
from liminal_jax.data.validation import validated

_DATA = Path(liminal_jax.data.__file__).parent
_RECORDS: dict[str, type[BaseModel]] = {
    "facility": FacilityFile,
    "packaging": PackagingFile,
    "network": NetworkFile,
}

BASE = "base"
"""Key of the assumptions of execution that names the file whose numbers they change."""

Record = TypeVar("Record", bound=BaseModel)

PRICES = frozenset({"selling_multiple", "design_cost", *MARGINS})
"""Assumptions of a study that say what all chips sell for, also those whose price is known."""


def changed(
    record: type[Record], file: str, changes: Mapping[str, Any], source: str, path: str
) -> Record:
    """A data file of the package with some numbers changed.

    Args:
        record: What the file holds.
        file: The file, relative to the package's data.
        changes: Fields and what they become.
        source: The file that demands it, for messages.
        path: Where in it, for messages.

    Raises:
        InputError: with every mistake in the changes.
    """
    tables = tomllib.loads((_DATA / file).read_text(encoding="utf-8"))
    contradictions = _price_contradictions(changes, path) if record is FacilityFile else []
    try:
        found = validated(record, {**tables, **changes}, source)
    except InputError as error:
        problems = [
            Problem(f"{path}.{problem.path}" if problem.path else path, problem.message)
            for problem in error.problems
        ]
        raise InputError(source, [*problems, *contradictions]) from None
    if contradictions:
        raise InputError(source, contradictions)
    return found


def _price_contradictions(changes: Mapping[str, Any], path: str) -> list[Problem]:
    """Margins beside the one multiple that replaces them; half of a share of one-time cost."""
    problems = []
    margins = [name for name in MARGINS if name in changes]
    if "selling_multiple" in changes and margins:
        message = (
            f"is one multiple for all parts of a chip and contradicts {' and '.join(margins)};"
            " state either the multiple or the margins"
        )
        problems.append(Problem(f"{path}.selling_multiple", message))
    for name, other in (("volume", "design_cost"), ("design_cost", "volume")):
        if name in changes and other not in changes:
            problems.append(Problem(f"{path}.{name}", f"says nothing without {other}; state both"))
    return problems


def _parts(
    assumptions: Mapping[str, Any], process: str, tier: str
) -> list[tuple[Any, str, Any, str]]:
    """Record, file, changes and path of each table of assumptions."""
    parts: list[tuple[Any, str, Any, str]] = [
        (record, f"{name}.toml", assumptions.get(name, {}), f"assumptions.{name}")
        for name, record in _RECORDS.items()
    ]
    if process in process_names():
        changes = assumptions.get("process", {})
        parts.append((ProcessFile, f"processes/{process}.toml", changes, "assumptions.process"))
    if tier in capacity_technology_names():
        file, changes = tier_file(tier), assumptions.get("tier", {})
        parts.append((CapacityTechnologyFile, file, changes, "assumptions.tier"))
    execution = assumptions.get("execution", {})
    if isinstance(execution, dict) and execution.get(BASE, IDEAL) in execution_names():
        file, changes = execution_changes(execution)
        parts.append((ExecutionFile, file, changes, "assumptions.execution"))
    memory = assumptions.get("memory", {})
    for name, changes in memory.items() if isinstance(memory, dict) else ():
        if name in technology_names():
            path = f"assumptions.memory.{name}"
            parts.append((TechnologyFile, f"technologies/{name}.toml", changes, path))
    return parts


def tier_file(name: str) -> str:
    """The file of a technology of capacity tiers, relative to the package's data."""
    return f"technologies/capacity/{name}.toml"


def assumption_problems(assumptions: Any, process: Any, tier: Any) -> list[Problem]:
    """Every mistake in the assumptions of a file that has not been checked yet."""
    if not isinstance(assumptions, dict):
        return []
    problems = []
    for record, file, changes, path in _parts(assumptions, str(process), str(tier)):
        if isinstance(changes, dict):
            try:
                changed(record, file, changes, "", path)
            except InputError as error:
                problems += error.problems
    problems += _base_problems(assumptions.get("execution", {}))
    memory = assumptions.get("memory", {})
    unknown = set(memory if isinstance(memory, dict) else ()) - set(technology_names())
    return problems + [
        Problem(
            f"assumptions.memory.{name}",
            f"there is no such memory technology{did_you_mean(name, technology_names())}",
        )
        for name in sorted(unknown)
    ]


def execution_changes(execution: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The file of a way of using a chip, and what a study's assumptions change in it.

    Args:
        execution: Fields and what they become; `base` names the way, the ideal one if left out.
    """
    own = {field: it for field, it in execution.items() if field != BASE}
    return f"executions/{IDEAL}.toml", {**execution_tables(execution.get(BASE, IDEAL)), **own}


def _base_problems(execution: Any) -> list[Problem]:
    """What is wrong with the file that assumptions of execution name, if anything."""
    base = execution.get(BASE, IDEAL) if isinstance(execution, dict) else IDEAL
    if base in execution_names():
        return []
    hint = did_you_mean(str(base), execution_names())
    known = hint or f"; there are {', '.join(execution_names())}"
    message = f"there is no way of using a chip called {base!r}{known}"
    return [Problem(f"assumptions.execution.{BASE}", message)]
