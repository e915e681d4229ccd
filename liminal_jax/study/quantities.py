"""What a study may ask for or limit: quantities of a whole system of one or more instances."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
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
    replicas: Leaf = eqx.field(converter=as_leaf)
    chips: Leaf = eqx.field(converter=as_leaf)
    die_area: Leaf = eqx.field(converter=as_leaf)

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


class Quantity(NamedTuple):
    """A number that a study can name.

    Attributes:
        unit: Any unit of its dimension.
        about: What it is.
        of: How it follows from a fleet.
    """

    unit: str
    about: str
    of: Callable[[Fleet], Scalar]


QUANTITIES = {
    "utps": Quantity("1/s", "tokens a second of one user", lambda it: it.instance.utps),
    "stps": Quantity("1/s", "tokens a second of all instances", Fleet.stps),
    "tpot": Quantity("s", "time per output token", lambda it: it.instance.step_time),
    "users": Quantity("", "users served at once", lambda it: it.replicas * it.instance.users),
    "chips": Quantity("", "chips bought", lambda it: it.chips),
    "chip_power": Quantity("W", "power of one chip at work", lambda it: it.instance.chip_power),
    "chip_tdp": Quantity("W", "power of one chip at full use", lambda it: it.instance.chip_tdp),
    "power": Quantity("W", "IT power of all chips, hosts and network at work", Fleet.power),
    "power_provisioned": Quantity(
        "W", "IT power of all chips, hosts and network at full use", Fleet.provisioned
    ),
    "capital_cost": Quantity("USD", "capital of the whole system", Fleet.capital),
    "die_area": Quantity("m2", "area of one logic die", lambda it: it.die_area),
    "power_density": Quantity(
        "W/m2", "power of a chip over its logic area", lambda it: it.instance.power_density
    ),
    "energy_per_token": Quantity(
        "J",
        "energy at the wall for one token",
        lambda it: it.instance.energy_per_token * it.spare(),
    ),
    "usd_per_million_tokens": Quantity(
        "USD",
        "capital and electricity for a million tokens",
        lambda it: it.instance.usd_per_million_tokens * it.spare(),
    ),
    "stps_per_watt": Quantity(
        "1/s/W", "tokens a second for each watt", lambda it: it.stps() / it.power()
    ),
    "stps_per_usd": Quantity(
        "1/s/USD", "tokens a second for each dollar of capital", lambda it: it.stps() / it.capital()
    ),
}
"""Every quantity by the name that studies use."""
