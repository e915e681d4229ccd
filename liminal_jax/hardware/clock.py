"""A system whose chips run at another clock than the nominal one."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.hardware.chip import MemoryTier
from liminal_jax.hardware.system import System
from liminal_jax.laws.clock import supply_voltage, switching_energy


def _scaled(rate: Scalar, clock: Scalar) -> Scalar:
    """A rate at the clock; one that nobody published, NaN or infinite, as it is."""
    known = jnp.asarray(rate < jnp.inf)
    return jnp.where(known, jnp.where(known, rate, 1.0) * clock, rate)


def _path_energy(tier: MemoryTier, energy: Scalar) -> Scalar:
    """Energy of the path from a memory, of which the device keeps its own voltage [J/B]."""
    return tier.energy - (tier.energy - tier.device_energy) * (1 - energy)


def clocked(system: System, clock: Scalar, relaxation: AbstractRelaxation | None = None) -> System:
    """A system of which all chips run at one clock, and at the voltage that it needs.

    Rates of the tensor, vector and exponential units and the bandwidth of SRAM follow the clock;
    energy of arithmetic, of SRAM and of the way from memory on the logic die, and leakage, the
    square of the voltage. Main memory, a capacity tier and links have clocks and voltages of their
    own. Hosts are built for the nominal clock. At the nominal clock every number of a prediction is
    what it was.

    Args:
        system: Chips at their nominal clock.
        clock: Clock over the nominal one.
        relaxation: How kinks are read; as they are by default.

    Returns:
        The system at the clock.
    """
    relaxation = Exact() if relaxation is None else relaxation
    voltage = supply_voltage(clock=clock, threshold=system.facility.threshold_voltage)
    energy, chip = switching_energy(voltage=voltage), system.chip
    memory = eqx.tree_at(lambda it: it.energy, chip.memory, _path_energy(chip.memory, energy))
    sram = eqx.tree_at(
        lambda it: (it.energy, it.bandwidth),
        chip.sram,
        (_path_energy(chip.sram, energy), chip.sram.bandwidth * clock),
    )
    slower = dataclasses.replace(
        chip,
        tensor=jax.tree.map(lambda rate: _scaled(rate, clock), chip.tensor),
        vector=_scaled(chip.vector, clock),
        memory=memory,
        sram=sram,
        power=chip.power.clocked(clock, energy, memory.energy * memory.bandwidth, relaxation),
        exponential=_scaled(chip.exponential, clock),
    )
    return eqx.tree_at(lambda it: it.chip, system, slower)
