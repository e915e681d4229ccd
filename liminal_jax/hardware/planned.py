"""A system of chips that do not exist yet: what was planned, and the system that follows."""

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import AbstractNetwork, AbstractPhysical
from liminal_jax.hardware.plan import (
    Buildability,
    ChipPlan,
    Material,
    buildability,
    planned_chip,
    planned_die_area,
)
from liminal_jax.hardware.system import Facility, System


class PlannedChip(eqx.Module):
    """A chip as it is planned.

    Attributes:
        plan: What an architect chooses.
        material: What the chip is made of.
    """

    plan: ChipPlan
    material: Material


class PlannedSystem(eqx.Module):
    """Planned chips, how they are used, what joins them, what a machine room adds.

    Attributes:
        chip: The chips.
        network: What joins them; its bandwidth is that of the chips' plan.
        facility: What stands around them.
        execution: How far their use falls short of their peaks.
    """

    chip: PlannedChip
    network: AbstractNetwork
    facility: Facility
    execution: Execution = eqx.field(default_factory=Execution)

    def system(self, relaxation: AbstractRelaxation) -> System:
        """The system that follows."""
        plan, material = self.chip.plan, self.chip.material
        return System(
            chip=planned_chip(plan, material, relaxation),
            network=_joined(self.network, plan.link_bandwidth),
            facility=self.facility,
            execution=self.execution,
            die_links=material.die_links,
        )

    def buildability(self, relaxation: AbstractRelaxation) -> Buildability:
        """How far the chip is from what can be built."""
        return buildability(self.chip.plan, self.chip.material, relaxation)

    def die_area(self) -> Scalar:
        """Area of one logic die [m^2]."""
        return planned_die_area(self.chip.plan, self.chip.material)


def _joined(network: AbstractNetwork, bandwidth: Scalar) -> AbstractNetwork:
    """The network of a planned chip, with the bandwidth of its links."""
    if not isinstance(network, AbstractPhysical):
        raise TypeError("a planned chip needs a network with bandwidth and latency")
    return eqx.tree_at(lambda it: it.bandwidth, network, bandwidth)
