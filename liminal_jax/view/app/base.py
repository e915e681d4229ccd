"""Hardware whose numbers can be dragged: what follows from them, and what stays.

Of finished hardware price and idle power are those of the chip that exists, whatever is dragged;
of a planned chip they follow.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.hardware.chip import Chip, MemoryTier
from liminal_jax.hardware.network import AbstractNetwork, AbstractPhysical, FittedLatency
from liminal_jax.hardware.planned import PlannedChip, PlannedSystem
from liminal_jax.hardware.system import System


class Numbers(eqx.Module):
    """What is dragged. Numbers that the hardware lacks are NaN, and stay as they are.

    Attributes:
        bandwidth: Of the main memory of a chip [B/s].
        capacity: Of the main memory of a chip [B].
        latency: Of a collective in the scale-up domain, or of a hop of a torus [s].
        sram_share: SRAM in which data stay, over it and the cores together, in area.
        chips: Chips of an instance.
        batch: Users in a micro-batch.
        context: Tokens of a user's context.
    """

    bandwidth: Leaf = eqx.field(converter=as_leaf)
    capacity: Leaf = eqx.field(converter=as_leaf)
    latency: Leaf = eqx.field(converter=as_leaf)
    sram_share: Leaf = eqx.field(converter=as_leaf)
    chips: Leaf = eqx.field(converter=as_leaf)
    batch: Leaf = eqx.field(converter=as_leaf)
    context: Leaf = eqx.field(converter=as_leaf)


class AbstractBase(eqx.Module):
    """Hardware to start from, at its nominal clock."""

    @abstractmethod
    def system(self, numbers: Numbers) -> System | PlannedSystem:
        """The hardware with some of its numbers changed."""

    @abstractmethod
    def sram_share(self) -> Scalar:
        """Share of the area of cores and resident SRAM that SRAM takes; NaN if not known."""


class Finished(AbstractBase):
    """A finished system. Where SRAM grows, the cores shrink on the same dies.

    Attributes:
        start: The system as it is.
        density: Capacity of an area of SRAM [B/m^2].
        rate: Bandwidth of SRAM over its capacity [1/s].
        energy: Energy of reading SRAM [J/B].
    """

    start: System
    density: Leaf = eqx.field(converter=as_leaf)
    rate: Leaf = eqx.field(converter=as_leaf)
    energy: Leaf = eqx.field(converter=as_leaf)

    @override
    def sram_share(self) -> Scalar:
        chip = self.start.chip
        return chip.sram.capacity / (self.density * chip.die_area)

    @override
    def system(self, numbers: Numbers) -> System:
        start = self.start
        cores = _known((1 - numbers.sram_share) / (1 - self.sram_share()), 1.0)
        chip = start.chip
        return System(
            chip=Chip(
                tensor=jax.tree.map(lambda rate: rate * cores, chip.tensor),
                vector=chip.vector * cores,
                exponential=chip.exponential * cores,
                memory=MemoryTier(
                    capacity=_known(numbers.capacity, chip.memory.capacity),
                    bandwidth=_known(numbers.bandwidth, chip.memory.bandwidth),
                    energy=chip.memory.energy,
                ),
                sram=self._sram(numbers.sram_share),
                power=chip.power,
                cost=chip.cost,
                die_area=chip.die_area,
                dies=chip.dies,
                capacity_tier=chip.capacity_tier,
            ),
            network=_delayed(start.network, numbers.latency),
            facility=start.facility,
            execution=start.execution,
            die_links=start.die_links,
        )

    def _sram(self, share: Scalar) -> MemoryTier:
        """SRAM on a share of the dies; that of the chip where the share is not known."""
        own = self.start.chip.sram
        capacity = _known(share * self.density * self.start.chip.die_area, own.capacity)
        some = capacity > 0
        return MemoryTier(
            capacity=capacity,
            # An empty tier keeps a bandwidth, by which its traffic of nothing is divided.
            bandwidth=jnp.where(some, capacity * self.rate, own.bandwidth),
            energy=jnp.where(some, self.energy, own.energy),
        )


class Planned(AbstractBase):
    """A planned chip: price, area and idle power follow from what is dragged.

    Attributes:
        start: The chips as they are planned.
    """

    start: PlannedSystem

    @override
    def sram_share(self) -> Scalar:
        plan = self.start.chip.plan
        area = plan.sram / self.start.chip.material.process.sram_density
        return area / (area + plan.compute_area)

    @override
    def system(self, numbers: Numbers) -> PlannedSystem:
        plan, material = self.start.chip.plan, self.start.chip.material
        memory, density = material.memory, material.process.sram_density
        area = plan.compute_area + plan.sram / density
        plan = eqx.tree_at(
            lambda it: (it.sram, it.compute_area),
            plan,
            (numbers.sram_share * area * density, (1 - numbers.sram_share) * area),
        )
        # Capacity is had by layers, so that more of it costs more; bandwidth by their interface.
        memory = eqx.tree_at(
            lambda it: (it.bandwidth_per_area, it.layers),
            memory,
            (
                memory.bandwidth_per_area
                * (numbers.bandwidth / (plan.stacks * memory.stack_bandwidth())),
                memory.layers * (numbers.capacity / (plan.stacks * memory.stack_capacity())),
            ),
        )
        return PlannedSystem(
            chip=PlannedChip(plan, eqx.tree_at(lambda it: it.memory, material, memory)),
            network=_delayed(self.start.network, numbers.latency),
            facility=self.start.facility,
            execution=self.start.execution,
        )


def _known(value: Scalar, otherwise: Scalar) -> Scalar:
    return jnp.where(jnp.isnan(value), otherwise, value)


def latency_of(network: AbstractNetwork) -> Scalar:
    """The latency that is dragged: in the scale-up domain, or among eight of the talk's chips [s].

    NaN for a network that has none.
    """
    return _latencies(network)[0] if _latencies(network) else jnp.asarray(jnp.nan)


def _latencies(network: AbstractNetwork) -> list[Any]:
    """The latencies of a network, the one that is dragged first."""
    if isinstance(network, AbstractPhysical):
        return [network.latency, network.scale_out.latency]
    if isinstance(network, FittedLatency):
        return [network.latency_at_8, network.latency_at_128, network.floor]
    return []


def _delayed(network: AbstractNetwork, latency: Scalar) -> AbstractNetwork:
    """A network with another latency; its others, across domains too, grow alike."""
    if not _latencies(network):
        return network
    start = latency_of(network)
    growth = jnp.where(latency > 0, latency / jnp.where(start > 0, start, 1.0), 1.0)
    return eqx.tree_at(_latencies, network, [it * growth for it in _latencies(network)])
