"""How full the memories of an instance are."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.hardware.system import System
from liminal_jax.mapping.placement import Shares
from liminal_jax.performance.design import Design
from liminal_jax.performance.memory_footprint import MemoryFootprint

ROUNDING = 1e-6
"""Share by which float32 sums may exceed a capacity that they fill exactly."""


def usable_memory(system: System) -> Scalar:
    """Main memory of a chip but for the reserve [B]."""
    return system.chip.memory.capacity * (1 - system.execution.memory_reserve)


class Fill(eqx.Module):
    """How full the fullest chip is, of main memory what its reserve leaves.

    Attributes:
        memory: Bytes over capacity, of main memory and capacity tier together; of main memory
            alone where it cannot hold what does not leave it: embedding and head, and the kinds of
            data that may not lie in the tier.
        capacity_tier: Bytes over capacity of the capacity tier; 0 without one.
        placement_fits: Whether each memory holds what the placement puts there; without a
            capacity tier, whether the SRAM does.
    """

    memory: Leaf = eqx.field(converter=as_leaf)
    capacity_tier: Leaf = eqx.field(converter=as_leaf)
    placement_fits: Leaf = eqx.field(converter=as_leaf)


def memory_fill(
    footprint: MemoryFootprint, design: Design, imbalance: Scalar, tables: Scalar
) -> Fill:
    """How full the fullest chip is, given its layers and its tables over those of the mean."""
    chip, chips = design.system.chip, design.mapping.chips()
    usable, far = usable_memory(design.system), chip.capacity_tier
    fixed = tables * footprint.tables

    def layers(shares: Shares) -> Scalar:
        return imbalance * shares.bytes_of(
            weights=footprint.weights, experts=footprint.experts, cache=footprint.kept()
        )

    beyond = fixed + layers(design.placed().beyond_sram())
    placed = [layers(shares) for _, shares in design.tiers()]
    in_sram = placed[0] / chips
    if design.algorithm is not None and design.algorithm.prefetch is not None:
        in_sram += design.algorithm.prefetch.buffer
    if far is None:
        return two_memories_fill(beyond, in_sram, design)
    sram_fits = _holds(chip.sram.capacity, in_sram)
    in_tier = placed[2] if len(placed) > 2 else 0.0
    memory = beyond / (usable + far.capacity) / chips
    outside = design.placed().beyond_sram()
    staying_kinds = {kind: getattr(outside, kind) for kind in KINDS if kind not in far.kinds}
    staying = fixed + layers(Shares(**staying_kinds)) if staying_kinds else fixed
    return Fill(
        memory=jnp.maximum(memory, staying / usable / chips),
        capacity_tier=in_tier / far.capacity / chips,
        placement_fits=sram_fits
        * _holds(usable, (fixed + placed[1]) / chips)
        * _holds(far.capacity, in_tier / chips),
    )


def two_memories_fill(main: Scalar, sram: Scalar, design: Design) -> Fill:
    """How full the fullest chip is where there is no capacity tier.

    Args:
        main: Bytes in main memory of all chips, if each were as full as the fullest [B].
        sram: Bytes in SRAM of the fullest chip [B].
        design: The design.
    """
    chip = design.system.chip
    return Fill(
        memory=main / usable_memory(design.system) / design.mapping.chips(),
        capacity_tier=0.0,
        placement_fits=_holds(chip.sram.capacity, sram),
    )


def _holds(capacity: Scalar, data: Scalar) -> Scalar:
    """1 where a memory holds some data but for rounding, else 0."""
    return jnp.where(data <= capacity * (1 + ROUNDING), 1.0, 0.0)
