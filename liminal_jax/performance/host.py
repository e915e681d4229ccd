"""Power of a server without its chips and switches."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.system import Facility
from liminal_jax.laws.power import host_power


class AbstractHost(eqx.Module):
    """A law of the power of hosts."""

    @abstractmethod
    def power(self, facility: Facility, share: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Power of the host for one chip [W].

        Args:
            facility: What stands around the chip.
            share: Dynamic power of the chip over that of its heaviest load.
            relaxation: How the minimum with full use is evaluated.
        """


class ActiveHost(AbstractHost):
    """Idle power, and the rest in proportion to the activity of the chips."""

    def power(self, facility: Facility, share: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Power that grows from idle to full with the dynamic power of the chip [W]."""
        return host_power(
            full=facility.host_power,
            idle_fraction=facility.host_idle_fraction,
            activity=relaxation.minimum(share, 1.0),
        )


class ConstantHost(AbstractHost):
    """The power at full use whatever the chips do."""

    def power(self, facility: Facility, share: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Power at full use [W]."""
        del share, relaxation
        return facility.host_power
