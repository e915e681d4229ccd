"""What a study may ask for or limit: quantities of a whole system of one or more instances."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantities_of, quantity
from liminal_jax.performance.prediction import Prediction


class Fleet(eqx.Module):
    """All instances of a design, and the chips that are left over.

    Attributes:
        instance: One instance.
        replicas: Instances.
        chips: Chips bought, those included that form no whole instance: they are paid for and
            powered like the others.
        die_area: Area of one logic die, NaN where the hardware does not say [m^2].
    """

    instance: Prediction
    replicas: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "instances"))
    chips: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "chips bought"))
    die_area: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m2", "area of one logic die"))

    def stps(self) -> Scalar:
        """Tokens a second of all instances [1/s]."""
        return self.replicas * self.instance.stps

    def power(self) -> Scalar:
        """IT power of all chips [W]."""
        return self.chips / self.instance.chips * self.instance.power.total()

    def provisioned(self) -> Scalar:
        """IT power of all chips at full use [W]."""
        return self.chips / self.instance.chips * self.instance.power_provisioned

    def capital(self) -> Scalar:
        """Capital of all chips [USD]."""
        return self.chips / self.instance.chips * self.instance.capital.total()

    def spare(self) -> Scalar:
        """Chips bought over chips used."""
        return self.chips / (self.replicas * self.instance.chips)


class Asked(NamedTuple):
    """A number that a study can name.

    Attributes:
        unit: Any unit of its dimension.
        about: What it is.
        of: How it follows from a fleet.
    """

    unit: str
    about: str
    of: Callable[[Fleet], Scalar]


INSTANCE = quantities_of(Prediction)
"""What the numbers of one instance are, by name."""


def _of_fleet(name: str) -> Asked:
    """A number of all instances."""
    stated = quantities_of(Fleet)[name]
    return Asked(stated.unit, stated.label, lambda it: getattr(it, name))


def _of_instance(name: str) -> Asked:
    """A number of one instance that is that of all of them."""
    stated = INSTANCE[name]
    return Asked(stated.unit, stated.label, lambda it: getattr(it.instance, name))


def _beside_spare(name: str) -> Asked:
    """A number of one instance that chips without an instance add to."""
    stated = INSTANCE[name]
    return Asked(stated.unit, stated.label, lambda it: getattr(it.instance, name) * it.spare())


QUANTITIES = {
    "utps": _of_instance("utps"),
    "stps": Asked("1/s", "tokens a second of all instances", Fleet.stps),
    "tpot": _of_instance("step_time"),
    "users": Asked("", "users served at once", lambda it: it.replicas * it.instance.users),
    "chips": _of_fleet("chips"),
    "chip_power": _of_instance("chip_power"),
    "chip_tdp": _of_instance("chip_tdp"),
    "power": Asked("W", "IT power of all chips, hosts and network at work", Fleet.power),
    "power_provisioned": Asked(
        "W", "IT power of all chips, hosts and network at full use", Fleet.provisioned
    ),
    "capital_cost": Asked("USD", "capital of the whole system", Fleet.capital),
    "die_area": _of_fleet("die_area"),
    "power_density": _of_instance("power_density"),
    "energy_per_token": _beside_spare("energy_per_token"),
    "usd_per_million_tokens": _beside_spare("usd_per_million_tokens"),
    "stps_per_watt": Asked(
        "1/s/W", "tokens a second for each watt", lambda it: it.stps() / it.power()
    ),
    "stps_per_usd": Asked(
        "1/s/USD", "tokens a second for each dollar of capital", lambda it: it.stps() / it.capital()
    ),
}
"""Every quantity by the name that studies use."""
