"""A design as plain data to draw: its package, its system, and what lies in its memories."""

from typing import Any, NamedTuple

from liminal_jax._arrays import Leaf
from liminal_jax._show import number
from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.data.build import process_of, technology_of
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.library import Library, library_of
from liminal_jax.data.parts import CapacityTechnologyFile, load_facility_file
from liminal_jax.data.systems import SystemFile
from liminal_jax.hardware.anatomy import network_record, package_record
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.hardware.technology import MemoryTechnology, Process
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.anatomy import Anatomy, anatomy, kinds_of
from liminal_jax.performance.capacity import usable_memory
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.pictured import machine_record
from liminal_jax.performance.prediction import Prediction
from liminal_jax.study.case import Case
from liminal_jax.study.problem import exact_system
from liminal_jax.study.report import numbers
from liminal_jax.study.resolved import HardwareFiles
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class _Known(NamedTuple):
    """What files say of hardware beside its numbers.

    Attributes:
        names: Names of the chip, its memory, its process and its capacity tier, where known.
        technology: Memory stacks of a finished chip.
        stacks: How many it has.
        process: The process of its dies.
    """

    names: dict[str, str | None]
    technology: MemoryTechnology | None = None
    stacks: float | None = None
    process: Process | None = None


def hardware_record(
    case: Case, prediction: Prediction, hardware: HardwareFiles | None, category: str
) -> dict[str, Any]:
    """What a picture of a design at work shows.

    Args:
        case: The design, and what it serves.
        prediction: One instance of it.
        hardware: The files behind its hardware; none for hardware that was made in Python.
        category: Its memory technology, or its system.

    Returns:
        `package`, `system` and `memory` in SI units; null where a number is unknown.
    """
    known, built = _known(case.system, hardware, category), exact_system(case)
    mapping = case.mapped()
    found = _anatomy(
        built,
        mapping,
        case.batch,
        case.model,
        case.request,
        case.laws(Exact()),
        case.algorithm,
        case.placement,
    )
    return {
        "package": _package(case.system, known),
        "system": {
            **machine_record(built, mapping, case.bought(prediction.chips)),
            "sent": number(found.sent / prediction.step_time),
            "passed_on": number(found.passed_on / prediction.step_time),
        },
        "step": {
            "operators": [
                {"name": name, **numbers(it)}
                for name, it in zip(
                    kinds_of(case.model, case.algorithm), found.operators, strict=True
                )
            ],
            "floor": numbers(found.floor),
        },
        "memory": {
            "parts": _memories(built, mapping, found, known.names),
            "fullest": number(prediction.memory_fill),
        },
    }


def chip_package(system: System | PlannedSystem, category: str) -> dict[str, Any]:
    """The package of a chip to draw, without what it serves.

    Args:
        system: Its hardware.
        category: Its memory technology, or its system.
    """
    if isinstance(system, PlannedSystem):
        return _package(system, _Known({"memory": category}))
    return _package(system, _known(system, None, category))


def system_record(system: System, file: SystemFile, library: Library) -> dict[str, Any]:
    """What a picture of finished hardware shows that nothing runs on: package, and a domain."""
    network = network_record(system.network)
    domain = network["domain"] or float(file.network.domain)
    return {
        "package": _package(system, _finished(file, library)),
        "system": {
            **network,
            "chips": domain,
            "host_power": number(system.facility.host_power),
        },
    }


def _package(system: System | PlannedSystem, known: _Known) -> dict[str, Any]:
    return package_record(
        system,
        technology=known.technology,
        stacks=known.stacks,
        process=known.process,
        names=known.names,
    )


def _known(system: System | PlannedSystem, hardware: HardwareFiles | None, category: str) -> _Known:
    if isinstance(hardware, Library):
        return _finished(hardware.system[category], hardware)
    if hardware is not None:
        names = {
            "memory": hardware.memory[category].title,
            "process": hardware.process.title,
            "tier": None if hardware.tier is None else hardware.tier.title,
        }
        return _Known(names)
    if isinstance(system, System) and category in system_names():
        library = library_of([category], load_facility_file())
        return _finished(library.system[category], library)
    return _Known({})


def _finished(file: SystemFile, library: Library) -> _Known:
    chip = file.chip
    technology = library.memory.get(chip.memory.technology or "")
    process = library.process.get(chip.process or "")
    names = {
        "chip": file.title,
        "memory": None if technology is None else technology.title,
        "process": None if process is None else process.title,
        "tier": _tier_name(file, library.capacity),
    }
    return _Known(
        names,
        None if technology is None else technology_of(technology),
        chip.memory.stacks,
        None if process is None else process_of(process),
    )


def _tier_name(file: SystemFile, capacity: dict[str, CapacityTechnologyFile]) -> str | None:
    tier = file.chip.capacity_tier
    known = None if tier is None else capacity.get(tier.technology or "")
    return None if known is None else known.title


@listed
def _anatomy(
    system: System,
    mapping: Mapping,
    batch: Leaf,
    model: Model,
    request: Request,
    assumptions: Assumptions,
    algorithm: Algorithm | None,
    placement: Placement | None,
) -> Anatomy:
    """Traced once for each structure of model and system, whatever their numbers."""
    design = Design(system, mapping, placement, batch, algorithm)
    if placement is None:
        design = filled_design(system, mapping, batch, model, request, assumptions, algorithm)
    return anatomy(design, model, request, assumptions)


def _memories(
    system: System, mapping: Mapping, found: Anatomy, names: dict[str, str | None]
) -> list[dict[str, Any]]:
    """Each memory that an instance has: bytes that it holds, of how many."""
    chip, chips = system.chip, mapping.chips()
    tier = chip.capacity_tier
    memories = (
        ("sram", "SRAM", chip.sram.capacity, chip.sram.bandwidth),
        (
            "main",
            names.get("memory") or "main memory",
            usable_memory(system),
            chip.memory.bandwidth,
        ),
        *(
            ()
            if tier is None
            else (("tier", names.get("tier") or "capacity tier", tier.capacity, tier.bandwidth),)
        ),
    )
    held, rows = found.held, []
    for place, (role, name, capacity, bandwidth) in enumerate(memories):
        shares = found.placed[place] if place < len(found.placed) else None
        holds: dict[str, Any] = {}
        if shares is not None:
            holds = {
                "weights": number(shares.weights * held.weights),
                "experts": number(shares.experts * held.experts),
                "cache": number(shares.cache * held.kept()),
            }
        if place == 1:
            holds["tables"] = number(held.tables)
        rows.append(
            {
                "role": role,
                "name": name,
                "capacity": number(chips * capacity),
                "bandwidth": number(chips * bandwidth),
                "holds": {kind: size for kind, size in holds.items() if size},
            }
        )
    return [row for row in rows if row["capacity"] is None or row["capacity"] > 0]
