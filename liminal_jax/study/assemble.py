"""From the tables of a file to pytrees: workload, material, facility, network."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import as_leaf, numpy_for
from liminal_jax._files import InputError, Problem
from liminal_jax.data.build import (
    capacity_technology_of,
    die_links_of,
    execution_of,
    facility_of,
    network_of,
    packaging_of,
    process_of,
    system_at_margins,
    system_of,
    technology_of,
)
from liminal_jax.data.library import Library
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.hardware.network import AbstractNetwork, FittedLatency
from liminal_jax.hardware.plan import ChipPlan, Material
from liminal_jax.hardware.planned import PlannedChip, PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.hardware.tier import TierMaterial
from liminal_jax.mapping.collectives import LayerCollectives, TalkCollectives
from liminal_jax.mapping.division import EvenParts
from liminal_jax.mapping.routing import AbstractRouting, BalancedRouting, RandomRouting
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.host import ConstantHost
from liminal_jax.study.assumptions import PRICES
from liminal_jax.study.file import DesignFile, DesignTable, WorkloadTable
from liminal_jax.study.resolved import HardwareFiles, PlannedFiles
from liminal_jax.workload.blocked_fp8 import blocked_fp8
from liminal_jax.workload.model import Model, model_of
from liminal_jax.workload.request import ATTENTION_BITS, Request
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.talk import talk_model

TALK_ATTENTION_BITS = 8
"""The talk's attention multiplies at the precision of the cache, 8 bits at least."""


class Workload(NamedTuple):
    """What is computed, and how it is counted."""

    model: Model
    request: Request
    accounting: str
    routing: AbstractRouting

    def assumptions(self, network: AbstractNetwork) -> Assumptions:
        """The laws of the accounting: the talk counts its own collectives on its own chips."""
        if self.accounting == "model":
            return Assumptions(collectives=LayerCollectives(self.routing))
        talk = isinstance(network, FittedLatency)
        return Assumptions(
            collectives=TalkCollectives() if talk else LayerCollectives(self.routing),
            division=EvenParts(),
            host=ConstantHost(),
        )


def workload_of(table: WorkloadTable, spec: ModelSpec) -> Workload:
    """The workload of a file, of which the model is given."""
    model = model_of(spec)
    talk = table.accounting == "talk"
    usual = max(table.kv_bits, TALK_ATTENTION_BITS) if talk else ATTENTION_BITS
    request = Request(
        context=table.context,
        isl=table.isl,
        osl=table.osl,
        prefix_hit_rate=table.prefix_hit_rate,
        weight_bits=table.weight_bits,
        kv_bits=table.kv_bits,
        attention_bits=usual if table.attention_bits is None else table.attention_bits,
    )
    if table.kv_format != "plain":
        model = _blocked(table, model)
    return Workload(
        model=_talk(table.model, model) if talk else model,
        request=request,
        accounting=table.accounting,
        routing=BalancedRouting() if talk or table.routing == "balanced" else RandomRouting(),
    )


def _blocked(table: WorkloadTable, model: Model) -> Model:
    """The model with latents in blocked FP8, where it has any and they are counted so."""
    path = "workload.kv_format"
    if table.accounting == "talk":
        raise InputError("", [Problem(path, "the talk's accounting counts plain caches only")])
    try:
        return blocked_fp8(model)
    except ValueError:
        problem = f"{table.kv_format!r} is a cache of latents, and {table.model} has none"
        raise InputError("", [Problem(path, problem)]) from None


def _talk(name: str, model: Model) -> Model:
    try:
        return talk_model(model)
    except ValueError as error:
        raise InputError("", [Problem("workload.accounting", f"{name}: {error}")]) from None


def _planned_of(files: PlannedFiles, table: DesignTable) -> PlannedSystem:
    """The planned chips of a design at the first values of its variables.

    Leaves of the memory technology are stacked by technology.
    """
    technologies = [technology_of(it) for it in files.memory.values()]
    holds = table.tier_holds
    kinds = KINDS if holds is None else holds.names
    material = Material(
        memory=jax.tree.map(lambda *leaves: jnp.stack(leaves), *technologies),
        process=process_of(files.process),
        packaging=packaging_of(files.packaging, files.facility),
        die_links=die_links_of(files.execution),
        tier=(
            None if files.tier is None else TierMaterial(capacity_technology_of(files.tier), kinds)
        ),
    )
    grids = {name: getattr(table, name) for name in ChipPlan.__dataclass_fields__}
    stated = {name: grid.values[0] for name, grid in grids.items() if grid is not None}
    plan = ChipPlan(**stated)
    network, domain = network_of(files.network), table.domain
    if domain is not None:
        network = eqx.tree_at(lambda it: it.domain, network, as_leaf(domain.values[0]))
    return PlannedSystem(
        chip=PlannedChip(plan, material),
        network=network,
        facility=facility_of(files.facility),
        execution=execution_of(files.execution),
    )


def _structures(systems: dict[str, System]) -> list[tuple[str, ...]]:
    """Names of the systems of each structure."""
    kinds: dict[object, list[str]] = {}
    for name, system in systems.items():
        kinds.setdefault(jax.tree.structure(system), []).append(name)
    return [tuple(names) for names in kinds.values()]


def structures_of(file: DesignFile, files: HardwareFiles) -> list[tuple[str, ...]]:
    """Names of the systems of each structure that those of a study have; none of a planned chip.

    Args:
        file: The study.
        files: The files that it names.
    """
    return [] if isinstance(files, PlannedFiles) else _structures(_built(file, files))


def _built(file: DesignFile, files: Library) -> dict[str, System]:
    """The finished systems of a study, by name."""
    stated = not PRICES.isdisjoint(file.assumptions.facility)
    built = system_at_margins if stated else system_of
    return {name: built(files, name) for name in files.system}


def _systems_of(systems: dict[str, System], source: str) -> System:
    """The finished systems of a design by name, leaves stacked by system."""
    kinds = _structures(systems)
    if len(kinds) > 1:
        groups = " | ".join(", ".join(group) for group in kinds)
        message = (
            "networks, power or memory tiers of different kinds, which only 'liminal optimize',"
            " 'pareto', 'sensitivity' and 'uncertainty' compare, in studies of one workload; run a"
            f" study for each of: {groups}"
        )
        raise InputError(source, [Problem("design.system", message)])
    return jax.tree.map(
        lambda *leaves: jnp.asarray(numpy_for(*leaves).stack(leaves), jnp.result_type(*leaves)),
        *systems.values(),
    )


def hardware_of(file: DesignFile, files: HardwareFiles) -> PlannedSystem | System:
    """The hardware of a study, from its files or from some whose numbers are other ones.

    Args:
        file: The study.
        files: The files that it names.

    Returns:
        Planned chips at the first values of their variables, or finished systems; numbers in which
        memory technologies or systems differ have a row for each.

    Raises:
        InputError: systems whose networks or power follow different laws, in one study.
    """
    if isinstance(files, PlannedFiles):
        return _planned_of(files, file.design)
    return _systems_of(_built(file, files), file.name)
