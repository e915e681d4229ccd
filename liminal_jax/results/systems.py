"""The systems that come with the package: what decides decode on each; it loads no JAX."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax.results.page import Cell, Line, Page, known, listing, section
from liminal_jax.study.kind import kind_record

_MEMORY = ("name", "bandwidth", "capacity", "8-bit rate", "memory")
_NETWORK = ("name", "domain", "topology", "status")


def systems_record(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The object of `liminal systems --json`: each system as its file has it, in SI."""
    return {**kind_record("systems"), **systems}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a list of systems.

    Args:
        record: The object of `liminal systems --json`, or of outlines of its systems.
    """
    systems = {name: it for name, it in record.items() if isinstance(it, Mapping)}
    return Page(
        "systems",
        (),
        (f"{len(systems)} systems come with the package",),
        (
            section("memory and rate of a chip", listing(_memories(systems), _MEMORY)),
            section("chips that the scale-up network joins", listing(_networks(systems), _NETWORK)),
        ),
    )


def _printed(name: str, system: Mapping[str, Any], path: str) -> Cell:
    """A number as its source prints it."""
    number = system
    for key in path.split("."):
        number = number[key]
    return known(number["printed"], f"{name}.{path}.value", number["value"])


def _memories(systems: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    paths = ("chip.memory.bandwidth", "chip.memory.capacity", "chip.tensor_8bit")
    for name, it in systems.items():
        cells = (_printed(name, it, path) for path in paths)
        yield name, *cells, it["chip"]["memory"]["technology"] or "other"


def _networks(systems: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    for name, it in systems.items():
        domain = it["network"]["domain"]
        joined = known(f"{domain:,}", f"{name}.network.domain", domain)
        yield name, joined, it["network"]["topology"], it["status"]
