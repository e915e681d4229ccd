"""A chip that does not exist yet: what an architect chooses, and the chip that follows."""

import math
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.chip import ByPrecision, Chip, ChipCost, MemoryTier
from liminal_jax.hardware.package import DieLinks
from liminal_jax.hardware.power import ActivityPower
from liminal_jax.hardware.technology import MemoryTechnology, Packaging, Process
from liminal_jax.hardware.tier import PlannedTier, TierMaterial
from liminal_jax.laws.cost import known_good_cost, package_yield
from liminal_jax.laws.power import idle_power
from liminal_jax.laws.silicon import die_area, die_yield, dies_per_wafer

EDGES_WITH_MEMORY = 2
"""Edges of a die along which stacks stand; the other two carry links and the neighbouring die."""

LEAST_ON_WAFER = 0.5
"""Fewer dies than this on a wafer are priced as this many: nothing of that size can be made, and
the limits of `Buildability` say so."""


class ChipPlan(Shown):
    """What an architect chooses.

    Attributes:
        stacks: Memory stacks in the package.
        dies: Logic dies in the package.
        compute_area: Area of the cores on one die [m^2].
        sram: SRAM on one die in which weights or cache may stay [B].
        link_bandwidth: Scale-up bandwidth of the chip, one direction [B/s].
        tier_units: Units of the capacity tier of the chip; none where it has no such tier.
    """

    stacks: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "stacks", whole=True))
    dies: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "dies", whole=True))
    compute_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2", "compute area of a die")
    )
    sram: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "resident SRAM of a die", least=0.0)
    )
    link_bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "link bandwidth of a chip")
    )
    tier_units: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("", "units of the capacity tier", whole=True),
    )


class Material(Shown):
    """What the chip is made of.

    Attributes:
        memory: Its memory stacks.
        process: The process of its dies.
        packaging: What turns both into a chip.
        die_links: What joins its dies; none where they act as one.
        tier: Its capacity tier, if it has one.
    """

    memory: MemoryTechnology
    process: Process
    packaging: Packaging
    die_links: DieLinks | None = None
    tier: TierMaterial | None = None


class Buildability(Shown):
    """Demands over what there is; above 1 the chip cannot be built.

    Attributes:
        reticle: Area of a die over that of the largest die.
        shoreline: Die edge that the stacks with the capacity tier, or the links between dies, need
            over that there is.
        whole_stacks: Stacks that all dies together have if each has as many, over the stacks
            planned, times the same of units of the capacity tier.
        stacked_area: Area that stacks cover over that of the dies.
        interposer: Area of the package's interposer over that of the largest that is made.
    """

    reticle: Leaf = eqx.field(converter=as_leaf)
    shoreline: Leaf = eqx.field(converter=as_leaf)
    whole_stacks: Leaf = eqx.field(converter=as_leaf)
    stacked_area: Leaf = eqx.field(converter=as_leaf)
    interposer: Leaf = eqx.field(converter=as_leaf)


def planned_tier(plan: ChipPlan, material: Material) -> PlannedTier | None:
    """The capacity tier of a planned chip, if it has one.

    Raises:
        ValueError: the plan has units of a tier and the material none, or the other way round.
    """
    if (plan.tier_units is None) != (material.tier is None):
        raise ValueError("give a plan the tier_units of its material.tier, or neither of both")
    if plan.tier_units is None or material.tier is None:
        return None
    return PlannedTier(units=plan.tier_units, material=material.tier)


class DieParts(NamedTuple):
    """Areas of one planned die [m^2].

    Attributes:
        compute: The cores.
        sram: SRAM in which data may stay, and buffers.
        memory_interface: PHYs and controllers of the stacks, and memory that is part of the die.
        links: Links to other chips.
        die_links: Links to other dies; none where dies act as one.
        tier_interface: PHYs and controllers of the capacity tier; none where there is none.
    """

    compute: Scalar
    sram: Scalar
    memory_interface: Scalar
    links: Scalar
    die_links: Scalar | None
    tier_interface: Scalar | None

    def all_links(self) -> Scalar:
        """Links, and the interface of the capacity tier [m^2]."""
        area = self.links
        if self.die_links is not None:
            area = area + self.die_links
        return area if self.tier_interface is None else area + self.tier_interface


def die_parts(plan: ChipPlan, material: Material) -> DieParts:
    """What one die is made of, but for crossbar, control and the rest."""
    process, memory = material.process, material.memory
    controller = memory.controller_transistors / process.logic_density
    joints, tier = material.die_links, planned_tier(plan, material)
    return DieParts(
        compute=plan.compute_area,
        sram=(plan.sram + process.buffer_capacity) / process.sram_density,
        memory_interface=plan.stacks
        / plan.dies
        * (memory.phy_area + controller + memory.embedded_share * memory.footprint),
        links=plan.link_bandwidth / plan.dies * process.link_phy_area,
        die_links=None if joints is None else joints.die_area(plan.dies),
        tier_interface=None if tier is None else tier.interface_area(process) / plan.dies,
    )


def planned_die_area(plan: ChipPlan, material: Material) -> Scalar:
    """Area of one die [m^2]."""
    parts = die_parts(plan, material)
    return die_area(
        compute=parts.compute,
        sram=parts.sram,
        memory_interface=parts.memory_interface,
        links=parts.all_links(),
        overhead=material.process.overhead_fraction,
    )


def _on_wafer(area: Scalar, process: Process) -> Scalar:
    return dies_per_wafer(
        area=area, diameter=process.wafer_diameter, edge=process.edge, scribe=process.scribe
    )


def _memory_edge(area: Scalar, process: Process, relaxation: AbstractRelaxation) -> Scalar:
    """Edge of one die along which stacks stand [m].

    A die is taken to be square until it is as wide as the reticle, and longer than wide beyond;
    stacks stand along its two longer edges.
    """
    return EDGES_WITH_MEMORY * long_edge(area, process, relaxation)


def long_edge(area: Scalar, process: Process, relaxation: AbstractRelaxation) -> Scalar:
    """Longer edge of a die [m]."""
    return relaxation.maximum(area / process.reticle_width, jnp.sqrt(area))


def _shoreline(
    stacks: Scalar, area: Scalar, plan: ChipPlan, material: Material, relaxation: AbstractRelaxation
) -> Scalar:
    """Edge that a die needs over that there is, of the edges that need more.

    Stacks stand along the two longer ones, and the capacity tier on what they leave of these;
    links to other dies along the two others.
    """
    memory_edge = _memory_edge(area, material.process, relaxation)
    stands = stacks * material.memory.shoreline / memory_edge
    tier = planned_tier(plan, material)
    if tier is not None:
        stands = stands + tier.edge() / plan.dies / memory_edge
    if material.die_links is None:
        return stands
    other_edges = EDGES_WITH_MEMORY**2 * area / memory_edge
    return relaxation.maximum(stands, material.die_links.die_edge(plan.dies) / other_edges)


def interposer_area(
    dies: Scalar, stacks: Scalar, material: Material, tier: PlannedTier | None
) -> Scalar:
    """Area of the interposer under dies of an area, stacks, and a tier if there is one [m^2]."""
    area = dies + stacks * material.memory.interposer_area
    return area if tier is None else area + tier.interposer_area()


def buildability(
    plan: ChipPlan, material: Material, relaxation: AbstractRelaxation
) -> Buildability:
    """How far a plan is from what can be built."""
    process, memory = material.process, material.memory
    area, tier = planned_die_area(plan, material), planned_tier(plan, material)
    interposer = interposer_area(plan.dies * area, plan.stacks, material, tier)
    share = plan.stacks / plan.dies
    whole = relaxation.ceil(share) / share
    if tier is not None:
        each = tier.units / plan.dies
        # Both are 1 where they hold, so their product is 1 where both do; a soft maximum of them
        # would lie above.
        whole = whole * relaxation.ceil(each) / each
    return Buildability(
        reticle=area / (process.reticle_width * process.reticle_height),
        shoreline=_shoreline(share, area, plan, material, relaxation),
        whole_stacks=whole,
        stacked_area=share * memory.stacked_share * memory.footprint / area,
        interposer=interposer / material.packaging.interposer_limit,
    )


def manufacturing_cost(
    *,
    dies: Scalar,
    area: Scalar,
    stacks: Scalar,
    memory: Scalar,
    material: Material,
    relaxation: AbstractRelaxation,
    tier: PlannedTier | None = None,
) -> ChipCost:
    """Manufacturing cost of a packaged chip.

    Args:
        dies: Logic dies in the package.
        area: Area of one die [m^2].
        stacks: Memory stacks in the package.
        memory: Price of the memory [USD].
        material: Process, packaging, and the footprint of a stack.
        relaxation: How kinks are read.
        tier: Its capacity tier, if it has one; what of it stands on the board is no part of it.

    Returns:
        Cost of its parts; one bond that fails wastes all of them.
    """
    process, packaging = material.process, material.packaging
    good = relaxation.maximum(_on_wafer(area, process), LEAST_ON_WAFER) * die_yield(
        area=area,
        defect_density=process.defect_density,
        critical_fraction=process.critical_fraction,
        clustering=process.clustering,
    )
    interposer = interposer_area(dies * area, stacks, material, tier)
    interposers = relaxation.maximum(_on_wafer(interposer, process), LEAST_ON_WAFER)
    parts = dies + stacks
    if tier is not None:
        parts, memory = parts + tier.bonded(), memory + tier.bonded_price()
    passed = package_yield(
        bond_yield=packaging.bond_yield,
        parts=parts,
        assembly_yield=packaging.assembly_yield,
    )
    price = packaging.interposer_wafer_price / interposers
    return ChipCost(
        logic=known_good_cost(price=dies * process.wafer_price / good, package_yield=passed),
        memory=known_good_cost(price=memory, package_yield=passed),
        package=known_good_cost(price=price, package_yield=passed) + packaging.auxiliary_cost,
    )


def planned_chip(plan: ChipPlan, material: Material, relaxation: AbstractRelaxation) -> Chip:
    """The chip that follows from a plan."""
    process, technology, packaging = material.process, material.memory, material.packaging
    area, tier = planned_die_area(plan, material), planned_tier(plan, material)
    rate = plan.dies * plan.compute_area * process.compute_density
    memory = MemoryTier(
        capacity=plan.stacks * technology.stack_capacity(),
        bandwidth=plan.stacks * technology.stack_bandwidth(),
        energy=technology.access_energy,
        device_energy=technology.device_energy,
    )
    capacity = plan.dies * plan.sram
    sram = MemoryTier(
        capacity=capacity,
        # The buffers are read at the same rate, so a die without resident SRAM has a bandwidth.
        bandwidth=(capacity + plan.dies * process.buffer_capacity)
        * process.sram_bandwidth_per_capacity,
        energy=process.sram_energy,
    )
    reading = memory.energy * memory.bandwidth
    # Matrix products and streaming are the two loads that a chip's design power must bear.
    dynamic = relaxation.maximum(
        process.energy_per_flop * rate * process.rate_8bit + packaging.product_traffic * reading,
        reading + sram.energy * capacity * process.sram_bandwidth_per_capacity,
    )
    return Chip(
        tensor=ByPrecision(
            bits_16=rate, bits_8=rate * process.rate_8bit, bits_4=rate * process.rate_4bit
        ),
        vector=rate * process.vector_fraction,
        memory=memory,
        sram=sram,
        power=ActivityPower(
            idle=idle_power(dynamic=dynamic, idle_fraction=packaging.idle_fraction),
            dynamic=dynamic,
            flop_energy=process.energy_per_flop,
            link_energy=packaging.link_energy,
        ),
        cost=manufacturing_cost(
            dies=plan.dies,
            area=area,
            stacks=plan.stacks,
            memory=plan.stacks * technology.stack_price(),
            material=material,
            relaxation=relaxation,
            tier=tier,
        ),
        die_area=plan.dies * area,
        dies=plan.dies,
        exponential=(
            math.inf
            if process.exponential_fraction is None
            else rate * process.exponential_fraction
        ),
        capacity_tier=None if tier is None else tier.on_chip(),
    )
