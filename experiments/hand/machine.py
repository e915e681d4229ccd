"""The hardware of a design: chip, network, facility, and how the chip is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.hand.chips import Chip, Made, clocked, finished_chip, planned_chip
from experiments.hand.datasheets import number, rows, sheet
from experiments.hand.links import Network
from experiments.hand.memories import planned_units
from experiments.hand.sheet import Sheet

Tables = Mapping[str, Any]

PRICES = {
    "selling_multiple",
    "design_cost",
    "volume",
    "logic_margin",
    "memory_margin",
    "package_margin",
}
"""Assumptions that take the place of a chip's price on the market."""


@dataclass(frozen=True)
class Machine:
    """Chip, network, facility with the chip's server, and how the chip is used."""

    chip: Chip
    network: Network
    room: Mapping[str, Any]
    execution: Mapping[str, Any]


def _execution(changes: Tables) -> dict[str, Any]:
    own = {name: it for name, it in changes.items() if name != "base"}
    base = changes.get("base", "ideal")
    used = sheet("executions/ideal.toml")
    return {**used, **sheet(f"executions/{base}.toml"), **rows(own)}


def _network(rows_: Tables, room: Tables) -> Network:
    """A network, with the facility's rows where its own file has none."""
    usual = {
        "efficiency": room["network_efficiency"],
        "scale_out_bandwidth": room["scale_out_bandwidth"],
        "scale_out_latency": room["scale_out_latency"],
    }
    return Network({**usual, **rows_})


def _server(chip: Tables) -> dict[str, float]:
    """What a chip's file says of its server; where power is provisioned, all of it."""
    if "power" in chip:
        share = chip["power"]["server_power"]
        return {"host_power": share, "host_idle_fraction": 1.0, "switch_power": 0.0}
    return {it: chip[it] for it in ("host_power", "host_idle_fraction") if it in chip}


def _finished(design: Tables, changes: Tables, room: Tables, on: Sheet) -> tuple[Chip, Network]:
    """Chip and network of a finished system."""
    file = _file(design)
    margins = bool(PRICES & set(changes.get("facility", {})))
    packaging = sheet("packaging.toml", changes.get("packaging"))
    chip = finished_chip(file["chip"], room, packaging, on, margins=margins)
    network = file["network"]
    if "latency" in design:
        names = ("latency_at_8", "latency_at_128", "latency_floor")
        network = {**network, **dict.fromkeys(names, number(design["latency"]))}
    return chip, _network(network, room)


def _file(design: Tables) -> dict[str, Any]:
    """The rows of a system that is given by name, or by themselves."""
    system = design["system"]
    return rows(system) if isinstance(system, Mapping) else sheet(f"systems/{system}.toml")


def _planned(
    design: Tables, changes: Tables, room: Tables, execution: Tables, on: Sheet
) -> tuple[Chip, Network]:
    """Chip and network of a plan."""
    kind, process = design["memory"], design["process"]
    names = ("stacks", "dies", "compute_area", "sram", "link_bandwidth")
    plan = {name: number(design[name]) for name in names}
    made = Made(
        process=sheet(f"processes/{process}.toml", changes.get("process")),
        memory=sheet(f"technologies/{kind}.toml", changes.get("memory", {}).get(kind)),
        packaging=sheet("packaging.toml", changes.get("packaging")),
        execution=execution,
        room=room,
        tier=planned_units(design, changes.get("tier", {})),
    )
    joined = {"bandwidth": plan["link_bandwidth"], "domain": design["domain"]}
    network = {**sheet("network.toml", changes.get("network")), **joined}
    return planned_chip(plan, made, on), _network(network, room)


def machine_of(tables: Tables, on: Sheet) -> Machine:
    """The hardware of a design."""
    design, changes = tables["design"], tables["assumptions"]
    room = sheet("facility.toml", changes.get("facility"))
    execution = _execution(changes.get("execution", {}))
    on.head("chip")
    if "system" in design:
        chip, network = _finished(design, changes, room, on)
        room = {**room, **_server(_file(design)["chip"])}
    else:
        chip, network = _planned(design, changes, room, execution, on)
    chip = clocked(chip, design.get("clock", 1.0), room["threshold_voltage"], on)
    return Machine(chip, network, room, execution)
