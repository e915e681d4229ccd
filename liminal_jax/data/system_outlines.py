"""What a list tells of the systems that come with the package, as their files have it.

It needs no JAX: these files are tested to be good, so that they are not checked again.
"""

from collections.abc import Mapping
from typing import Any

from liminal_jax._units import parse_unit
from liminal_jax.data.catalogue import path_of, system_names
from liminal_jax.data.files import tables_of
from liminal_jax.data.numbers import printed


def system_outlines() -> dict[str, dict[str, Any]]:
    """What decides decode on each system, under the keys that its whole record has for it."""
    return {name: _outline(tables_of(path_of("systems", name))) for name in system_names()}


def _outline(tables: Mapping[str, Any]) -> dict[str, Any]:
    chip, memory, network = tables["chip"], tables["chip"]["memory"], tables["network"]
    return {
        "status": tables["status"],
        "chip": {
            "tensor_8bit": _number(chip["tensor_8bit"]),
            "memory": {
                "technology": memory.get("technology"),
                "bandwidth": _number(memory["bandwidth"]),
                "capacity": _number(memory["capacity"]),
            },
        },
        "network": {"topology": network["topology"], "domain": network["domain"]},
    }


def _number(row: Mapping[str, Any]) -> dict[str, Any]:
    """A number in SI, and as its source prints it."""
    value, unit = row.get("value"), row.get("unit", "")
    exact = None if value is None else value * parse_unit(unit).scale
    return {"value": exact, "printed": printed(value, unit)}
