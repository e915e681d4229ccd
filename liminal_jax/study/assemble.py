"""From the tables of a file to pytrees: workload, material, facility, network."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from liminal_jax._files import InputError, Problem
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.data.build import (
    facility_of,
    network_of,
    packaging_of,
    process_of,
    system_of,
    technology_of,
)
from liminal_jax.data.hardware import (
    FacilityFile,
    NetworkFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
    load_system_file,
)
from liminal_jax.data.models import load_model_spec
from liminal_jax.hardware.network import AbstractNetwork, FittedLatency
from liminal_jax.hardware.plan import Material
from liminal_jax.hardware.system import Facility, System
from liminal_jax.mapping.division import EvenParts
from liminal_jax.mapping.exchange import LayerExchange, TalkExchange
from liminal_jax.performance.predictor import Assumptions
from liminal_jax.study.assumptions import changed
from liminal_jax.study.file import AssumptionsTable, DesignFile, DesignTable, WorkloadTable
from liminal_jax.workload.model import Model, model_of
from liminal_jax.workload.request import Request
from liminal_jax.workload.talk import talk_model


class Workload(NamedTuple):
    """What is computed, and how it is counted."""

    model: Model
    request: Request
    accounting: str

    def assumptions(self, network: AbstractNetwork, relaxation: AbstractRelaxation) -> Assumptions:
        """The laws of the accounting: the talk counts its own collectives on its own chips."""
        if self.accounting == "model":
            return Assumptions(relaxation=relaxation)
        talk = isinstance(network, FittedLatency)
        return Assumptions(
            relaxation=relaxation,
            exchange=TalkExchange() if talk else LayerExchange(),
            division=EvenParts(),
        )


class Planned(NamedTuple):
    """Material of a planned chip by memory technology (stacked), and what surrounds it."""

    material: Material
    network: AbstractNetwork
    facility: Facility


def workload_of(table: WorkloadTable) -> Workload:
    """The workload of a file."""
    model = model_of(load_model_spec(table.model))
    request = Request(context=table.context, weight_bits=table.weight_bits, kv_bits=table.kv_bits)
    return Workload(
        model=_talk(table.model, model) if table.accounting == "talk" else model,
        request=request,
        accounting=table.accounting,
    )


def _talk(name: str, model: Model) -> Model:
    try:
        return talk_model(model)
    except ValueError as error:
        raise InputError("", [Problem("workload.accounting", f"{name}: {error}")]) from None


def _facility_file(assumptions: AssumptionsTable, source: str) -> FacilityFile:
    changes = assumptions.facility
    return changed(FacilityFile, "facility.toml", changes, source, "assumptions.facility")


def planned_of(file: DesignFile) -> Planned:
    """What a planned chip is made of; leaves of `material.memory` are stacked by technology."""
    table, assumptions, source = file.design, file.assumptions, file.name
    if table.memory is None or table.process is None:
        raise ValueError("the design names finished hardware; there is no plan in it")
    room = _facility_file(assumptions, source)
    technologies = [
        technology_of(
            changed(
                TechnologyFile,
                f"technologies/{name}.toml",
                assumptions.memory.get(name, {}),
                source,
                f"assumptions.memory.{name}",
            )
        )
        for name in table.memory.names
    ]
    (process,) = table.process.names
    return Planned(
        material=Material(
            memory=jax.tree.map(lambda *leaves: jnp.stack(leaves), *technologies),
            process=process_of(
                changed(
                    ProcessFile,
                    f"processes/{process}.toml",
                    assumptions.process,
                    source,
                    "assumptions.process",
                )
            ),
            packaging=packaging_of(
                changed(
                    PackagingFile,
                    "packaging.toml",
                    assumptions.packaging,
                    source,
                    "assumptions.packaging",
                ),
                room,
            ),
        ),
        network=network_of(
            changed(NetworkFile, "network.toml", assumptions.network, source, "assumptions.network")
        ),
        facility=facility_of(room),
    )


def systems_of(table: DesignTable, assumptions: AssumptionsTable, source: str) -> System:
    """The finished systems of a design, leaves stacked by system.

    Raises:
        InputError: systems whose networks or power follow different laws, in one study.
    """
    room = _facility_file(assumptions, source)
    names = table.system.names if table.system is not None else ()
    stated = room.selling_multiple.value if "selling_multiple" in assumptions.facility else None
    systems = [system_of(load_system_file(name), room, stated) for name in names]
    kinds: dict[object, list[str]] = {}
    for name, system in zip(names, systems, strict=True):
        kinds.setdefault(jax.tree.structure(system), []).append(name)
    if len(kinds) > 1:
        groups = " | ".join(", ".join(group) for group in kinds.values())
        message = f"networks or power of different kinds; run a study for each of: {groups}"
        raise InputError(source, [Problem("design.system", message)])
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *systems)
