"""What an instance costs to buy."""

from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import CapitalShares


def capital_shares(design: Design, relaxation: AbstractRelaxation) -> CapitalShares:
    """Capital of one instance, by what it buys [USD]."""
    facility, chips = design.system.facility, design.mapping.chips()
    bought = design.system.network.equipment(chips, relaxation)
    further = facility.optics_price * bought.optics + facility.scale_out_price * bought.scale_out
    return CapitalShares(
        chips=chips * design.system.chip.cost * facility.selling_multiple,
        host=chips * facility.host_price,
        board=chips * facility.board_price,
        network=chips * facility.network_price * bought.links + chips * further,
        rack=chips * facility.rack_price,
    )
