"""Capital cost of an instance."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._once import once
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import CapitalShares


@once
def capital_shares(design: Design, power: Scalar, relaxation: AbstractRelaxation) -> CapitalShares:
    """Capital of one instance, by what it buys, given its IT power [W]."""
    facility, chips = design.system.facility, design.mapping.chips()
    bought = design.system.network.equipment(chips, relaxation)
    further = facility.optics_price * bought.optics + facility.scale_out_price * bought.scale_out
    chip = design.system.chip
    price = facility.chip_price(chip.cost)
    if chip.capacity_tier is not None:
        # At its own price: the chip's margin is that of whoever makes the chip, not the modules.
        price = price + chip.capacity_tier.price
    return CapitalShares(
        chips=chips * price,
        host=chips * facility.host_price,
        board=chips * facility.board_price,
        network=chips * facility.network_price * bought.links + chips * further,
        rack=chips * facility.rack_price,
        # A building that is left out costs nothing around chips of unknown power too.
        building=jnp.where(facility.building_cost > 0, facility.building_cost * power, 0.0),
    )
