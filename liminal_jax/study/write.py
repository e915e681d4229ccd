"""A design as a file that `liminal predict -c` reads."""

from collections.abc import Mapping
from typing import Any

import tomli_w

from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.absent import ALGORITHM
from liminal_jax.study.domain import Grid, Names, Numbers, Several
from liminal_jax.study.file import DesignFile, DesignTable

_UNITS = {"compute_area": ("mm2", 1e6), "sram": ("MB", 1e-6), "link_bandwidth": ("GB/s", 1e-9)}
"""Units in which fields with a dimension are written, and what SI is multiplied by."""


def written(values: Mapping[str, float | str]) -> dict[str, float | str]:
    """Values of variables as records have them: SI, and names where a value stands for one."""
    return {
        name: attention_name(float(value)) if name == "attention" else value
        for name, value in values.items()
    }


def _written(name: str, value: float) -> Any:
    if name == "attention":
        return attention_name(value)
    if name in _UNITS:
        unit, scale = _UNITS[name]
        return f"{value * scale:.12g} {unit}"
    return int(value) if value == round(value) else value


def _numbers(
    numbers: Numbers, chosen: dict[str, float], name: str, prefix: str = ""
) -> dict[str, Any]:
    """A table of numbers by path; those found in SI, which hold to the last bit."""
    found = {
        written: chosen.get(f"{prefix}{written}", _only(it))
        for written, it in numbers.stated.items()
    }
    return {name: found} if found else {}


def _only(domain: Any) -> Any:
    """The value of a domain that has one."""
    several = domain.get("choices", domain.get("min")) if isinstance(domain, dict) else domain
    return several[0] if isinstance(several, list) else several


def design_tables(file: DesignFile, chosen: dict[str, float], category: str) -> dict[str, Any]:
    """The tables of a design file.

    Args:
        file: The study, or a design.
        chosen: Values of its free numeric variables, in SI.
        category: The chosen memory technology or system.
    """
    table: DesignTable = file.design
    design: dict[str, Any] = {}
    domains = {name: getattr(table, name) for name in DesignTable.model_fields}
    for name, domain in sorted(domains.items(), key=lambda it: not isinstance(it[1], Names)):
        if isinstance(domain, Names):
            design[name] = category if domain.free else domain.names[0]
        elif isinstance(domain, Several):
            design[name] = list(domain.names)
        elif isinstance(domain, Numbers):
            design |= _numbers(domain, chosen, name)
        elif isinstance(domain, Grid):
            design[name] = _written(name, chosen.get(name, domain.values[0]))
    assumptions = {name: rows for name, rows in file.assumptions.model_dump().items() if rows}
    return {
        "name": file.name,
        "about": file.about,
        "workload": file.workload.model_dump(exclude_none=True),
        "design": design,
        **_numbers(file.algorithm, chosen, ALGORITHM, f"{ALGORITHM}."),
        **({} if file.quality is None else {"quality": file.quality.model_dump()}),
        **({"assumptions": assumptions} if assumptions else {}),
    }


def found_tables(
    file: DesignFile, chosen: dict[str, float], category: str
) -> dict[str, dict[str, Any]]:
    """What was found, as records have it: the design, and the levers of software if any."""
    tables = design_tables(file, chosen, category)
    return {name: tables[name] for name in ("design", ALGORITHM) if name in tables}


def design_text(
    file: DesignFile, chosen: dict[str, float], category: str, name: str = "design.toml"
) -> str:
    """The text of a design file of some name."""
    heading = f"# Predict it with: liminal predict -c {name}\n\n"
    return heading + tomli_w.dumps(design_tables(file, chosen, category))
