"""Power of an instance."""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.power import Activity
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator
from liminal_jax.performance.prediction import PowerShares
from liminal_jax.performance.timing import tensor_time, tier_traffic
from liminal_jax.workload.request import Request


def chip_activity(
    work: Operator,
    design: Design,
    request: Request,
    step: Scalar,
    sent: Scalar,
    die_energy: Scalar,
) -> Activity:
    """The activity of one chip; in one step each stage works on each micro-batch in flight once."""
    chip, chips = design.system.chip, design.mapping.stage_chips()
    tensor = tensor_time(work, chip, request, chips)
    return busy_activity(tensor, moving_energy(work, design), design, step, sent, die_energy)


def busy_activity(
    tensor: Scalar,
    moving: Scalar,
    design: Design,
    step: Scalar,
    sent: Scalar,
    die_energy: Scalar,
) -> Activity:
    """The same, given the time that tensor units are busy and the energy of memory traffic."""
    chip = design.system.chip
    far = chip.capacity_tier
    return Activity(
        time=step,
        memory_energy=moving if far is None else moving + far.standby_power * step,
        arithmetic=tensor * chip.tensor.bits_8,
        messages=sent,
        die_energy=die_energy,
    )


def moving_energy(work: Operator, design: Design) -> Scalar:
    """Energy of the traffic of some work to the memories of one chip of its stage [J]."""
    traffic = zip(tier_traffic(work, design.placed()), design.tiers(), strict=True)
    energies = [moved * tier.energy for moved, (tier, _) in traffic]
    return sum(energies[1:], start=energies[0]) / design.mapping.stage_chips()


def power_shares(design: Design, activity: Activity, assumptions: Assumptions) -> PowerShares:
    """IT power of one instance by what draws it, given what one chip does [W]."""
    law, facility = design.system.chip.power, design.system.facility
    host = assumptions.host.power(facility, law.share(activity), assumptions.relaxation)
    return _shares(design, chip=law.power(activity), host=host, relaxation=assumptions.relaxation)


def provisioned_power(design: Design, relaxation: AbstractRelaxation) -> Scalar:
    """IT power of one instance with all chips at full use [W]."""
    chip, host = design.system.chip.full_power(), design.system.facility.host_power
    return _shares(design, chip=chip, host=host, relaxation=relaxation).total()


def _shares(
    design: Design, *, chip: Scalar, host: Scalar, relaxation: AbstractRelaxation
) -> PowerShares:
    facility, chips = design.system.facility, design.mapping.chips()
    bought = design.system.network.equipment(chips, relaxation)
    further = facility.optics_power * bought.optics + facility.scale_out_power * bought.scale_out
    return PowerShares(
        chips=chips * chip,
        host=chips * host,
        network=chips * facility.switch_power * bought.switches + chips * further,
    )
