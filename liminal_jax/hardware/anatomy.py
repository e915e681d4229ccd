"""What a package is made of, as plain data to draw: counts, and areas where they are known."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import number
from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.network import (
    AbstractNetwork,
    AbstractPhysical,
    FullMesh,
    Switched,
    Torus,
)
from liminal_jax.hardware.plan import (
    ChipPlan,
    Material,
    die_parts,
    interposer_area,
    long_edge,
    planned_die_area,
    planned_tier,
)
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.hardware.technology import MemoryTechnology, Process
from liminal_jax.hardware.tier import PlannedTier

NAMED = ("chip", "memory", "process", "tier")
"""What of a package has a name."""

_TOPOLOGIES = {Switched: "switched", FullMesh: "full mesh", Torus: "torus"}


def package_record(
    system: System | PlannedSystem,
    *,
    technology: MemoryTechnology | None = None,
    stacks: float | None = None,
    process: Process | None = None,
    names: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """The package of a chip: areas in m^2, edges in m, bytes, bytes/s; null where unknown.

    Of a planned chip everything is known. Of a finished one it is what its file says: its dies and
    their area, seldom what they hold.

    Args:
        system: The hardware.
        technology: Memory stacks of a finished chip, if known.
        stacks: How many it has, if known.
        process: Process of its dies, if known.
        names: Names of `NAMED`, where known.
    """
    named = {"names": {it: names.get(it) for it in NAMED}}
    if isinstance(system, PlannedSystem):
        return named | _planned(system)
    return named | _finished(system, technology, stacks, process)


def _finished(
    system: System,
    technology: MemoryTechnology | None,
    stacks: float | None,
    process: Process | None,
) -> dict[str, Any]:
    chip, tier = system.chip, system.chip.capacity_tier
    area = number(chip.die_area / chip.dies)
    return {
        "planned": False,
        "dies": number(chip.dies),
        "die_area": area,
        "die_edge": None if area is None else _finished_edge(area, process),
        "parts": None,
        "reticle": _reticle(process),
        "wafer": None if process is None else float(process.wafer_diameter),
        "interposer": None,
        "interposer_limit": None,
        "memory": {
            "capacity": number(chip.memory.capacity),
            "bandwidth": number(chip.memory.bandwidth),
            **_stacks(stacks, technology),
        },
        "sram": number(chip.sram.capacity),
        "tier": None
        if tier is None
        else {
            "capacity": number(tier.capacity),
            "bandwidth": number(tier.bandwidth),
            "units": None,
            "in_package": None,
            "edge": None,
            "interposer_area": None,
        },
        "link_bandwidth": _bandwidth(system.network),
        **_rates(chip),
    }


def network_record(network: AbstractNetwork) -> dict[str, Any]:
    """What joins chips: topology, chips of a domain, bytes/s of a chip; null where unknown."""
    physical = isinstance(network, AbstractPhysical)
    return {
        "topology": _TOPOLOGIES.get(type(network)),
        "domain": number(network.domain) if physical else None,
        "link_bandwidth": _bandwidth(network),
        "scale_out_bandwidth": number(network.scale_out.bandwidth) if physical else None,
    }


@listed
def _built(system: PlannedSystem) -> tuple[System, PlannedTier | None, Scalar, Scalar]:
    """What follows from a plan: the system, its tier, and areas of a die and of the interposer."""
    plan, material = system.chip.plan, system.chip.material
    area, tier = planned_die_area(plan, material), planned_tier(plan, material)
    across = interposer_area(plan.dies * area, plan.stacks, material, tier)
    return system.system(Exact()), tier, area, across


def _planned(system: PlannedSystem) -> dict[str, Any]:
    plan, material = system.chip.plan, system.chip.material
    built, tier, area, across = _built(system)
    far = built.chip.capacity_tier
    return {
        "planned": True,
        "dies": number(plan.dies),
        "die_area": number(area),
        "die_edge": _edge(area, material.process),
        "parts": _parts(plan, material),
        "reticle": _reticle(material.process),
        "wafer": float(material.process.wafer_diameter),
        "interposer": number(across),
        "interposer_limit": number(material.packaging.interposer_limit),
        "memory": {
            "capacity": number(built.chip.memory.capacity),
            "bandwidth": number(built.chip.memory.bandwidth),
            **_stacks(number(plan.stacks), material.memory),
        },
        "sram": number(plan.dies * plan.sram),
        "tier": None
        if tier is None or far is None
        else {
            "capacity": number(far.capacity),
            "bandwidth": number(far.bandwidth),
            "units": number(tier.units),
            "in_package": number(tier.material.technology.in_package),
            "edge": number(tier.material.technology.shoreline),
            "interposer_area": number(tier.material.technology.interposer_area),
        },
        "link_bandwidth": number(plan.link_bandwidth),
        **_rates(built.chip),
    }


def _parts(plan: ChipPlan, material: Material) -> dict[str, float]:
    """Areas of one die, which sum to its area."""
    parts = die_parts(plan, material)
    embedded = plan.stacks / plan.dies * material.memory.embedded_share * material.memory.footprint
    found = {
        "compute": parts.compute,
        "sram": parts.sram,
        "memory_interface": parts.memory_interface - embedded,
        "embedded_memory": embedded,
        "links": parts.links,
        "die_links": parts.die_links,
        "tier_interface": parts.tier_interface,
        "overhead": planned_die_area(plan, material) * material.process.overhead_fraction,
    }
    return {name: float(area) for name, area in found.items() if area is not None and area > 0}


def _stacks(count: float | None, technology: MemoryTechnology | None) -> dict[str, Any]:
    known = technology is not None
    return {
        "stacks": count,
        "footprint": number(technology.footprint) if known else None,
        "edge": number(technology.shoreline) if known else None,
        "interposer_area": number(technology.interposer_area) if known else None,
        "on_die": number(technology.stacked_share) if known else None,
        "in_die": number(technology.embedded_share) if known else None,
    }


def _edge(area: Scalar | float, process: Process) -> float:
    return float(_long_edge(as_leaf(area), process))


@listed
def _long_edge(area: Leaf, process: Process) -> Scalar:
    return long_edge(area, process, Exact())


def _finished_edge(area: float, process: Process | None) -> float:
    """Longer edge of a finished die [m]; of a square where no reticle is known that holds it."""
    reticle = _reticle(process)
    if process is None or reticle is None or area > math.prod(reticle):
        return math.sqrt(area)
    return _edge(area, process)


def _reticle(process: Process | None) -> list[float] | None:
    if process is None:
        return None
    return [float(process.reticle_width), float(process.reticle_height)]


def _rates(chip: Chip) -> dict[str, float | None]:
    """What a chip computes at most, and draws for it."""
    return {
        "tensor_16bit": number(chip.tensor.bits_16),
        "tensor_8bit": number(chip.tensor.bits_8),
        "tensor_4bit": number(chip.tensor.bits_4),
        "tdp": number(chip.full_power()),
    }


def _bandwidth(network: AbstractNetwork) -> float | None:
    return number(network.bandwidth) if isinstance(network, AbstractPhysical) else None
