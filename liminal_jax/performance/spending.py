"""What an instance costs while it works: its capital and its electricity."""

from liminal_jax._arrays import Scalar
from liminal_jax.hardware.system import Facility
from liminal_jax.laws.cost import YEAR, capital_recovery, cost_rate


def spending_rate(facility: Facility, capital: Scalar, power: Scalar) -> Scalar:
    """Cost of an instance a second [USD/s].

    Args:
        facility: Prices around the chips.
        capital: Its capital [USD].
        power: Its IT power [W].
    """
    return cost_rate(
        capital=capital,
        yearly_share=capital_recovery(
            discount_rate=facility.discount_rate, lifetime=facility.lifetime
        ),
        year=YEAR,
        power=power * facility.pue,
        energy_price=facility.energy_price,
    )
