"""What an instance draws."""

from liminal_jax._arrays import Scalar
from liminal_jax.hardware.power import Activity
from liminal_jax.performance.design import Design
from liminal_jax.performance.operators import Operator
from liminal_jax.performance.prediction import PowerShares
from liminal_jax.performance.timing import tensor_time, tier_traffic
from liminal_jax.workload.request import Request


def chip_power(
    work: Operator, design: Design, request: Request, step: Scalar, sent: Scalar
) -> Scalar:
    """Power of one chip; in one step each stage works on each micro-batch in flight once."""
    chip, chips = design.system.chip, design.mapping.stage_chips()
    traffic = tier_traffic(work, design.placement)
    tensor = tensor_time(work, chip, request, chips)
    return chip.power.power(
        Activity(
            time=step,
            memory_energy=(traffic.sram * chip.sram.energy + traffic.main * chip.memory.energy)
            / chips,
            arithmetic=tensor * chip.tensor.bits_8,
            messages=sent,
        )
    )


def power_shares(design: Design, chip_power: Scalar) -> PowerShares:
    """IT power of one instance by what draws it, given the power of one chip [W]."""
    facility, chips = design.system.facility, design.mapping.chips()
    bandwidth = design.system.network.switched_bandwidth()
    return PowerShares(
        chips=chips * chip_power,
        host=chips * facility.host_power,
        network=chips * facility.switch_power * bandwidth,
    )
