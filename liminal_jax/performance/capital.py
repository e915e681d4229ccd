"""What an instance costs to buy."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import CapitalShares


def capital_shares(design: Design, power: Scalar, relaxation: AbstractRelaxation) -> CapitalShares:
    """Capital of one instance, by what it buys, given its IT power [W]."""
    facility, chips = design.system.facility, design.mapping.chips()
    bought = design.system.network.equipment(chips, relaxation)
    further = facility.optics_price * bought.optics + facility.scale_out_price * bought.scale_out
    return CapitalShares(
        chips=chips * facility.chip_price(design.system.chip.cost),
        host=chips * facility.host_price,
        board=chips * facility.board_price,
        network=chips * facility.network_price * bought.links + chips * further,
        rack=chips * facility.rack_price,
        # A building that is left out costs nothing around chips of unknown power too.
        building=jnp.where(facility.building_cost > 0, facility.building_cost * power, 0.0),
    )
