"""Mistakes that no single field shows: found in tables as a parser returns them.

They are looked for beside the schema's own mistakes, so that a file gets all of them at once.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields
from typing import Any

from liminal_jax._files import Problem
from liminal_jax.hardware.plan import ChipPlan

_NUMBERS = {it.name: it.default is MISSING for it in fields(ChipPlan)}
"""Whether each number of a plan is required."""

_REQUIRED = ("memory", "process", *(it for it, asked in _NUMBERS.items() if asked), "domain")

TIER = ("tier", "tier_units", "tier_holds")
"""Fields of a design that give a planned chip a capacity tier."""

PLANNED = tuple(dict.fromkeys((*_REQUIRED, *TIER, *_NUMBERS)))
"""Fields of a design that plan a chip."""

OF_A_PLAN = ("packaging", "network", "process", "memory", "tier")
"""Tables of assumptions that only a planned chip follows."""


def hardware_contradiction(given: Collection[str]) -> str | None:
    """What is wrong with the fields that a design gives for its hardware, if anything."""
    planned = [name for name in PLANNED if name in given]
    missing = [name for name in _REQUIRED if name not in given]
    if "system" in given and planned:
        return f"'system' names finished hardware; remove it or {', '.join(planned)}"
    if "system" not in given and missing:
        return f"name a 'system', or plan a chip: {', '.join(missing)} missing"
    return None


def side_contradiction(given: Mapping[str, Any], one: str, other: str) -> str | None:
    """What is wrong with two fields of which exactly one is wanted, if anything."""
    if (one in given) != (other in given):
        return None
    return f"give either {one} or {other}, {'not both' if one in given else 'one is required'}"


def contradictions(tables: Mapping[str, Any]) -> list[Problem]:
    """Every mistake between fields."""
    design = _table(tables, "design")
    members = _rows(tables, "workloads")
    found: list[tuple[str, str | None]] = []
    if "design" in tables:
        found.append(("design", hardware_contradiction(design)))
    if isinstance(tables.get("objective"), dict):
        sides = side_contradiction(tables["objective"], "maximise", "minimise")
        found.append(("objective", sides))
    if "workload" in tables and "workloads" in tables:
        found.append(("workload", "give either [workload] or [[workloads]], not both"))
    if "trace" in tables and "context" in _table(tables, "workload"):
        found.append(("workload.context", "the trace says which contexts there are; leave it out"))
    found += _constraint_contradictions(tables, "")
    for path, member in members:
        found += _constraint_contradictions(member, f"{path}.")
    problems = [Problem(path, message) for path, message in found if message is not None]
    problems += _double_names(members)
    assumptions = _table(tables, "assumptions")
    if "pools" in tables:
        return problems
    return problems + (
        _unused_assumptions(assumptions)
        if "system" in design
        else _tier_problems(design, assumptions)
    )


def model_label(model: str) -> str:
    """What a workload is called that has no name: as its model.

    Examples:
        >>> model_label("qwen3-8b"), model_label("hf:org/Name-7B"), model_label("Mine/config.json")
        ('qwen3-8b', 'name-7b', 'mine')
    """
    *folders, last = re.split(r"[/\\]", model.removeprefix("hf:").rstrip("/\\"))
    if folders and last == "config.json":
        last = folders[-1]
    stem = last.removesuffix(".toml").removesuffix(".json").lower()
    return re.sub(r"[^a-z0-9.]+", "-", stem).strip("-.") or "workload"


def _rows(tables: Mapping[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    """The tables of a list, with the path of each."""
    rows = tables.get(name)
    rows = rows if isinstance(rows, list) else []
    return [(f"{name}.{index}", row) for index, row in enumerate(rows) if isinstance(row, dict)]


def _constraint_contradictions(
    tables: Mapping[str, Any], prefix: str
) -> list[tuple[str, str | None]]:
    return [
        (f"{prefix}{path}", side_contradiction(row, "at_least", "at_most"))
        for path, row in _rows(tables, "constraints")
    ]


def _double_names(members: list[tuple[str, dict[str, Any]]]) -> list[Problem]:
    """Workloads whose names, given or their models', are those of others."""
    taken: dict[str, str] = {}
    problems = []
    for path, member in members:
        name = member.get("name") or model_label(str(member.get("model", "")))
        if name in taken:
            message = f"{name!r} is the name of {taken[name]} already; give each one of its own"
            problems.append(Problem(f"{path}.name", message))
        taken.setdefault(name, path)
    return problems


def system_paths(value: Any) -> list[str]:
    """The paths of system files among the systems that a file names."""
    items = value.get("choices") if isinstance(value, dict) else [value]
    items = items if isinstance(items, list) else []
    return [item for item in items if isinstance(item, str) and item.endswith(".toml")]


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}


def _unused_assumptions(assumptions: Mapping[str, Any]) -> list[Problem]:
    message = (
        "has no effect on finished hardware; change the numbers in a system file of your own:"
        " liminal systems new mine --like SYSTEM"
    )
    return [Problem(f"assumptions.{name}", message) for name in OF_A_PLAN if assumptions.get(name)]


def _tier_problems(design: Mapping[str, Any], assumptions: Mapping[str, Any]) -> list[Problem]:
    """A tier of which the units are not stated, or what is stated of a tier that is not there."""
    if "tier" in design:
        missing = "tier_units" not in design
        message = "is required with a tier: units of it that a chip has, a value or a domain"
        return [Problem("design.tier_units", message)] if missing else []
    stated = [f"design.{name}" for name in TIER if name in design]
    stated += ["assumptions.tier"] if assumptions.get("tier") else []
    message = "says nothing without design.tier, the technology of a capacity tier; state both"
    return [Problem(path, message) for path in stated]
