"""What a list tells of the systems that come with the package, as their files print it.

It needs no JAX: these files are tested to be good, so that they are not checked again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from liminal_jax.data.catalogue import path_of, system_names
from liminal_jax.data.files import tables_of
from liminal_jax.data.numbers import printed


class SystemLine(NamedTuple):
    """What decides decode on a system, as its sources print it.

    Attributes:
        name: The name that commands take.
        bandwidth: Bandwidth of the main memory of a chip.
        capacity: Its capacity.
        rate: Rate of 8-bit matrix products of a chip.
        memory: Technology of its main memory.
        domain: Chips that the scale-up network joins.
        topology: How it joins them.
        status: Whether the system can be bought.
    """

    name: str
    bandwidth: str
    capacity: str
    rate: str
    memory: str
    domain: str
    topology: str
    status: str


def system_lines() -> tuple[SystemLine, ...]:
    """A line for each system that comes with the package, by name in alphabetical order."""
    return tuple(_line(tables_of(path_of("systems", name))) for name in system_names())


def _line(tables: Mapping[str, Any]) -> SystemLine:
    chip, memory, network = tables["chip"], tables["chip"]["memory"], tables["network"]
    return SystemLine(
        name=tables["name"],
        bandwidth=_printed(memory["bandwidth"]),
        capacity=_printed(memory["capacity"]),
        rate=_printed(chip["tensor_8bit"]),
        memory=memory.get("technology", "other"),
        domain=str(network["domain"]),
        topology=network["topology"],
        status=tables["status"],
    )


def _printed(row: Mapping[str, Any]) -> str:
    return printed(row.get("value"), row.get("unit", ""))
