"""A chip as the predictor sees it."""

import math

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._quantity import part, quantity
from liminal_jax._show import Shown
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.hardware.power import AbstractPower

WITH_SCALES = {4: 4.5, 8: 8.25}
"""Bits of an element at most in formats of 4 and of 8 bits, with their scales: one of 8 bits for 16
elements in NVFP4 (NVIDIA, 2025), for 32 in MXFP4 and MXFP8 (OCP, 2023, Microscaling Formats)."""


class MemoryTier(Shown):
    """One kind of memory of a chip.

    Attributes:
        capacity: Bytes it holds [B].
        bandwidth: Rate at which it is read [B/s].
        energy: Energy of the path from it to the arithmetic [J/B].
        device_energy: What of that a device beside or above the logic die takes, which has a
            voltage of its own; 0 for memory on the die [J/B].
    """

    capacity: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "{part} capacity of a chip")
    )
    bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "{part} bandwidth of a chip")
    )
    energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of {part} access", least=0.0)
    )
    device_energy: Leaf = eqx.field(
        converter=as_leaf,
        default=0.0,
        metadata=quantity("J/B", "energy of {part} off the logic die", least=0.0),
    )


class ChipCost(Shown):
    """Manufacturing cost of a chip by what it pays for, parts wasted in making it included [USD].

    Attributes:
        logic: Logic dies.
        memory: Memory stacks.
        package: Interposer, bonding, substrate, test.
    """

    logic: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "cost of the logic of a chip", least=0.0)
    )
    memory: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "cost of the memory of a chip", least=0.0)
    )
    package: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "cost of the package of a chip", least=0.0)
    )

    def total(self) -> Leaf:
        """All of it [USD]."""
        return self.logic + self.memory + self.package


class CapacityTier(Shown):
    """Memory of more capacity and less bandwidth than a chip's main memory: LPDDR or flash.

    Attributes:
        capacity: Bytes it holds for one chip [B].
        bandwidth: Rate at which one chip reads it [B/s].
        energy: Energy of the path from it to the arithmetic [J/B].
        price: Price of what stands outside the package, for one chip [USD].
        standby_power: Power that it draws whether it is read or not, for one chip [W].
        kinds: Kinds of data that may lie in it, of `KINDS`; the others stay in main memory.
    """

    capacity: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "capacity tier of a chip"))
    bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "bandwidth of a chip's capacity tier")
    )
    energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a capacity tier access", least=0.0)
    )
    price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "price of a chip's capacity tier", least=0.0)
    )
    standby_power: Leaf = eqx.field(
        converter=as_leaf,
        default=0.0,
        metadata=quantity("W", "standby power of a chip's capacity tier", least=0.0),
    )
    kinds: tuple[str, ...] = eqx.field(static=True, default=KINDS)

    def full_power(self) -> Scalar:
        """Power while it is read at its bandwidth [W]."""
        return self.standby_power + self.energy * self.bandwidth


class ByPrecision(Shown):
    """A quantity for each width of the operands."""

    bits_16: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "16-bit {part}"))
    bits_8: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "8-bit {part}"))
    bits_4: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "4-bit {part}"))

    @once
    def at(self, bits: Scalar) -> Scalar:
        """The quantity at the narrowest width that holds some bits, but for their scales.

        Formats with a scale for each block have somewhat more: NVFP4 4.5.
        """
        narrow = jnp.where(bits > WITH_SCALES[4], self.bits_8, self.bits_4)
        return jnp.where(bits > WITH_SCALES[8], self.bits_16, narrow)

    @once
    def known_at(self, bits: Scalar) -> Scalar:
        """The same, or the quantity at 8 bits where that at 16 is not known.

        Examples:
            >>> only_8 = ByPrecision(bits_16=float("nan"), bits_8=2.0, bits_4=float("nan"))
            >>> float(only_8.known_at(16))
            2.0
        """
        wide = self.at(bits)
        return jnp.where(jnp.isnan(wide) & jnp.asarray(bits > 8), self.bits_8, wide)


class Chip(Shown):
    """A packaged chip.

    A number that nobody has published is NaN, and so is everything that needs it; a vector rate
    that nobody has published is infinite, which leaves scalar work out.

    Attributes:
        tensor: Peak rate of dense matrix products [FLOP/s].
        vector: Peak rate of the vector units [FLOP/s].
        memory: Main memory.
        sram: Software-managed memory on the chip in which data may live; empty where there is
            only a cache.
        power: How its power follows from its activity.
        cost: Manufacturing cost, by what it pays for.
        die_area: Area of its logic dies together [m^2].
        dies: Logic dies that share its work.
        exponential: Peak rate of exponentials [1/s]; infinite where it is not published, which
            leaves them to the vector units.
        capacity_tier: Memory beyond the main memory; none on most chips.
    """

    tensor: ByPrecision = eqx.field(metadata=part("rate of a chip", "FLOP/s"))
    vector: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("FLOP/s", "vector rate of a chip")
    )
    memory: MemoryTier = eqx.field(metadata=part("memory"))
    sram: MemoryTier = eqx.field(metadata=part("SRAM"))
    power: AbstractPower
    cost: ChipCost
    die_area: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m2", "die area of a chip"))
    dies: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "dies of a chip"))
    exponential: Leaf = eqx.field(
        converter=as_leaf, default=math.inf, metadata=quantity("1/s", "exponentials of a chip")
    )
    capacity_tier: CapacityTier | None = None

    def full_power(self) -> Scalar:
        """Power under the heaviest load that it is made for, with its capacity tier [W]."""
        power = self.power.full()
        return power if self.capacity_tier is None else power + self.capacity_tier.full_power()

    def capacity(self) -> Scalar:
        """Bytes that its memories hold together [B]."""
        near = self.memory.capacity + self.sram.capacity
        return near if self.capacity_tier is None else near + self.capacity_tier.capacity
