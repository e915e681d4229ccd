"""How full the memories of an instance are."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.performance.design import Design
from liminal_jax.performance.residents import Residents

ROUNDING = 1e-6
"""Share by which float32 sums may exceed a capacity that they fill exactly."""


class Fill(eqx.Module):
    """How full the fullest chip is: main memory less its reserve as a share, SRAM as yes or no."""

    main: Leaf = eqx.field(converter=as_leaf)
    sram_fits: Leaf = eqx.field(converter=as_leaf)


def memory_fill(held: Residents, design: Design, crowding: Scalar, tables: Scalar) -> Fill:
    """How full the fullest chip is, given by how much it exceeds the mean in layers and tables."""
    chip, chips, placement = design.system.chip, design.mapping.chips(), design.placement
    usable = chip.memory.capacity * (1 - design.system.execution.memory_reserve)
    sram = crowding * (
        placement.weights * held.weights
        + placement.experts * held.experts
        + placement.cache * held.kept()
    )
    main = tables * held.tables + crowding * (
        (1 - placement.weights) * held.weights
        + (1 - placement.experts) * held.experts
        + (1 - placement.cache) * held.kept()
    )
    return Fill(
        main=main / usable / chips,
        sram_fits=jnp.where(sram / chips <= chip.sram.capacity * (1 + ROUNDING), 1.0, 0.0),
    )
