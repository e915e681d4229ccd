"""What an instance costs to buy."""

from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import CapitalShares


def capital_shares(design: Design) -> CapitalShares:
    """Capital of one instance, by what it buys [USD]."""
    facility, chips = design.system.facility, design.mapping.chips()
    bandwidth = design.system.network.provisioned_bandwidth()
    return CapitalShares(
        chips=chips * design.system.chip.cost * facility.selling_multiple,
        host=chips * facility.host_price,
        board=chips * facility.board_price,
        network=chips * facility.network_price * bandwidth,
        rack=chips * facility.rack_price,
    )
