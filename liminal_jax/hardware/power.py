"""How a chip's power follows from what it does."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.power import activity_power


class Activity(eqx.Module):
    """The activity of one chip in a period.

    Attributes:
        time: Length of the period [s].
        memory_energy: Energy of the traffic to its memories, and of what a capacity tier draws
            without any [J].
        arithmetic: Operations, counted as 8-bit tensor operations of equal energy [FLOP].
        messages: Bytes it sends to other chips [B].
        die_energy: Energy of what its dies send each other [J].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    memory_energy: Leaf = eqx.field(converter=as_leaf)
    arithmetic: Leaf = eqx.field(converter=as_leaf)
    messages: Leaf = eqx.field(converter=as_leaf)
    die_energy: Leaf = eqx.field(converter=as_leaf, default=0)


class AbstractPower(Shown):
    """A law of power."""

    @abstractmethod
    def power(self, activity: Activity) -> Scalar:
        """Mean power of one chip [W]."""

    @abstractmethod
    def full(self) -> Scalar:
        """Thermal design power: of one chip under the heaviest load that it is made for [W]."""

    @abstractmethod
    def share(self, activity: Activity) -> Scalar:
        """Dynamic power of one chip over that of the heaviest load at the nominal clock."""

    @abstractmethod
    def clocked(
        self, clock: Scalar, energy: Scalar, streaming: Scalar, relaxation: AbstractRelaxation
    ) -> "AbstractPower":
        """The law at another clock.

        Args:
            clock: Clock over the nominal one.
            energy: Energy of an operation of the logic over that at the nominal clock.
            streaming: Power of the path from main memory at full bandwidth and that clock [W].
            relaxation: How kinks are read.
        """


class ActivityPower(AbstractPower):
    """Idle power, and an energy for each byte and operation.

    The thermal design power is that of one heavy load, large matrix products or reading the
    memories, not of both at once: chips reach it on products alone, a B200 its 1,000 W at three
    quarters of its 8-bit rate, and are clocked down where both together would exceed it. At work
    a chip that is not clocked down may exceed it, so whoever must stay below limits both.

    Attributes:
        idle: Power drawn whatever happens [W].
        dynamic: Dynamic power of the heaviest load [W].
        flop_energy: Energy of one 8-bit tensor operation, data movement included [J/FLOP].
        link_energy: Energy of sending one byte to another chip [J/B].
    """

    idle: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "idle power of a chip", least=0.0)
    )
    dynamic: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "dynamic power of a chip at full use")
    )
    flop_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/FLOP", "energy of a FLOP", least=0.0)
    )
    link_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a link", least=0.0)
    )

    def energy(self, activity: Activity) -> Scalar:
        """Energy of an activity above idle power [J]."""
        return (
            activity.memory_energy
            + self.flop_energy * activity.arithmetic
            + self.link_energy * activity.messages
            + activity.die_energy
        )

    @override
    def power(self, activity: Activity) -> Scalar:
        return activity_power(idle=self.idle, energy=self.energy(activity), time=activity.time)

    @override
    def full(self) -> Scalar:
        return self.idle + self.dynamic

    @override
    def share(self, activity: Activity) -> Scalar:
        return self.energy(activity) / activity.time / self.dynamic

    def clocked(
        self, clock: Scalar, energy: Scalar, streaming: Scalar, relaxation: AbstractRelaxation
    ) -> "ClockedPower":
        """Products slow down with the clock; reading main memory does not."""
        return ClockedPower(
            actual=ActivityPower(
                idle=self.idle * energy,
                dynamic=relaxation.maximum(self.dynamic * clock * energy, streaming),
                flop_energy=self.flop_energy * energy,
                link_energy=self.link_energy,
            ),
            nominal=self.dynamic,
        )


class ClockedPower(AbstractPower):
    """Power at another clock than the nominal one.

    Attributes:
        actual: The law at the clock.
        nominal: Dynamic power of the heaviest load at the nominal clock [W].
    """

    actual: ActivityPower
    nominal: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("W", "dynamic power of a chip at full use and nominal clock"),
    )

    @override
    def power(self, activity: Activity) -> Scalar:
        return self.actual.power(activity)

    @override
    def full(self) -> Scalar:
        return self.actual.full()

    @override
    def share(self, activity: Activity) -> Scalar:
        return self.actual.energy(activity) / activity.time / self.nominal

    def clocked(
        self, clock: Scalar, energy: Scalar, streaming: Scalar, relaxation: AbstractRelaxation
    ) -> "ClockedPower":
        """Refused: a clock is over the nominal one, which the law no longer knows.

        Raises:
            TypeError: always.
        """
        del clock, energy, streaming, relaxation
        raise TypeError("the chip is at a clock of its own already; start from the nominal chip")


class ProvisionedPower(AbstractPower):
    """The same power whatever the chip does, as in the LIMINAL paper: so much for each area.

    Attributes:
        provisioned: Power of the chip [W].
    """

    provisioned: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "provisioned power of a chip")
    )

    @override
    def power(self, activity: Activity) -> Scalar:
        del activity
        return self.provisioned

    @override
    def full(self) -> Scalar:
        return self.provisioned

    @override
    def share(self, activity: Activity) -> Scalar:
        del activity
        return jnp.asarray(1.0)

    def clocked(
        self, clock: Scalar, energy: Scalar, streaming: Scalar, relaxation: AbstractRelaxation
    ) -> "ProvisionedPower":
        """The same: what is provisioned does not follow the clock."""
        del clock, energy, streaming, relaxation
        return self
