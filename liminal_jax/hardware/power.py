"""How a chip's power follows from what it does."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.power import activity_power


class Activity(eqx.Module):
    """What one chip does in a period.

    Attributes:
        time: Length of the period [s].
        memory_energy: Energy of the traffic to its memories [J].
        arithmetic: Operations, counted as 8-bit tensor operations of equal energy [FLOP].
        messages: Bytes it sends to other chips [B].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    memory_energy: Leaf = eqx.field(converter=as_leaf)
    arithmetic: Leaf = eqx.field(converter=as_leaf)
    messages: Leaf = eqx.field(converter=as_leaf)


class AbstractPower(eqx.Module):
    """A law of power."""

    @abstractmethod
    def power(self, activity: Activity) -> Scalar:
        """Mean power of one chip [W]."""


class ActivityPower(AbstractPower):
    """Idle power, and an energy for each byte and operation.

    Attributes:
        idle: Power drawn whatever happens [W].
        flop_energy: Energy of one 8-bit tensor operation, data movement included [J/FLOP].
        link_energy: Energy of sending one byte to another chip [J/B].
    """

    idle: Leaf = eqx.field(converter=as_leaf)
    flop_energy: Leaf = eqx.field(converter=as_leaf)
    link_energy: Leaf = eqx.field(converter=as_leaf)

    def power(self, activity: Activity) -> Scalar:
        """See `AbstractPower`."""
        energy = (
            activity.memory_energy
            + self.flop_energy * activity.arithmetic
            + self.link_energy * activity.messages
        )
        return activity_power(idle=self.idle, energy=energy, time=activity.time)


class ProvisionedPower(AbstractPower):
    """The same power whatever the chip does, as in the LIMINAL paper: so much for each area.

    Attributes:
        provisioned: Power of the chip [W].
    """

    provisioned: Leaf = eqx.field(converter=as_leaf)

    def power(self, activity: Activity) -> Scalar:
        """See `AbstractPower`."""
        del activity
        return self.provisioned
