"""The prediction of a whole system of one or more instances: what a study may ask for or limit."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import Quantity, quantities_of, quantity
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.served import Served

INSTANCE = quantities_of(Prediction)
"""What the numbers of one instance are, by name."""

REQUESTS = {name: quantities_of(Served)[name] for name in ("ttft", "e2e", "prefill_share")}
"""What the numbers are that whole requests alone have, by name."""


class Asked(NamedTuple):
    """A number that a study can name.

    Attributes:
        unit: Any unit of its dimension.
        about: What it is.
        of: How it follows from the prediction of a whole system.
        zero: Whether it may be 0.
    """

    unit: str
    about: str
    of: Callable[["Fleet"], Scalar]
    zero: bool = False


def _whole(
    unit: str, label: str, least: float | None = None
) -> Callable[[Callable[[Any], Scalar]], property]:
    """A number of the whole system that a study can name."""

    def named(law: Callable[[Any], Scalar]) -> property:
        return _Whole(law, Quantity(unit, label, least=least))

    return named


def _same(name: str) -> Callable[[Callable[[Any], Scalar]], property]:
    """The same where one instance states what the number is."""
    return _whole(INSTANCE[name].unit, INSTANCE[name].label)


def _requests(name: str) -> Callable[[Callable[[Any], Scalar]], property]:
    """A number that whole requests alone have."""
    return _whole(REQUESTS[name].unit, REQUESTS[name].label)


class _Whole(property):
    """A property that says what it is."""

    def __init__(self, law: Callable[[Any], Scalar], stated: Quantity):
        super().__init__(law)
        self.law, self.stated = law, stated


class Fleet(eqx.Module):
    """The prediction of a whole system: all instances of a design, and chips that are left over.

    Any number of one instance can be asked for too, such as `exposed_time`; it is that of one.
    Where the lengths of requests are stated, rates, power, energy and cost are those of whole
    requests, prompts and answers; those of one instance remain those of its steps that decode.

    Attributes:
        instance: One instance.
        replicas: Instances.
        bought: Chips, those included that form no whole instance: they are paid for and powered
            like the others.
        area: Area of one logic die, NaN where the hardware does not say [m^2].
        quality_lost: What levers cost in quality, in the unit of the study; NaN where it does not
            say.
        served: How one instance serves whole requests; none where their lengths are not stated.
    """

    instance: Prediction
    replicas: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "instances"))
    bought: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "chips bought"))
    area: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m2", "area of one logic die"))

    quality_lost: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "loss of quality", least=0.0)
    )
    served: Served | None = None

    def __getattr__(self, name: str) -> Any:
        """A number of one instance."""
        if name == "instance" or name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.instance, name)

    @_same("utps")
    def utps(self) -> Scalar:
        """Tokens a second of one user [1/s]."""
        return self.instance.utps if self.served is None else 1 / self.served.tpot

    @_whole("1/s", "output tokens a second of all instances")
    def stps(self) -> Scalar:
        """Output tokens a second of all instances [1/s]."""
        if self.served is None:
            return self.replicas * self.instance.stps
        each = self.served.tokens_per_second_per_chip * self.instance.chips
        return self.replicas * each

    @_whole("1/s", "output tokens a second and chip")
    def stps_per_chip(self) -> Scalar:
        """Output tokens a second, over all chips bought [1/s]."""
        return self.stps / self.chips

    @_whole("s", "time per output token")
    def tpot(self) -> Scalar:
        """Time of a token [s]."""
        if self.served is None:
            return self.instance.step_time / self.instance.tokens_per_step
        return self.served.tpot

    @_requests("ttft")
    def ttft(self) -> Scalar:
        """Time to the first token [s]."""
        return self._of_requests("ttft")

    @_requests("e2e")
    def e2e(self) -> Scalar:
        """Time of a whole request [s]."""
        return self._of_requests("e2e")

    @_requests("prefill_share")
    def prefill_share(self) -> Scalar:
        """Share of the chips' time that prompts take."""
        return self._of_requests("prefill_share")

    @_whole("", "users served at once")
    def users(self) -> Scalar:
        """Users served at once."""
        return self.replicas * self.instance.users

    @_whole("", "chips bought")
    def chips(self) -> Scalar:
        """Chips bought."""
        return self.bought

    @_same("chip_power")
    def chip_power(self) -> Scalar:
        """Power of a chip at work, in the step in which it draws most [W]."""
        return self.instance.chip_power if self.served is None else self.served.chip_power

    @_same("chip_tdp")
    def chip_tdp(self) -> Scalar:
        """Power of a chip at full use [W]."""
        return self.instance.chip_tdp

    @_whole("W", "IT power of all chips, hosts and network at work")
    def power(self) -> Scalar:
        """IT power of all chips, the mean over their steps [W]."""
        each = self.instance.power.total() if self.served is None else self.served.power
        return self.chips / self.instance.chips * each

    @_whole("W", "IT power of all chips, hosts and network at full use")
    def power_provisioned(self) -> Scalar:
        """IT power of all chips at full use [W]."""
        return self.chips / self.instance.chips * self.instance.power_provisioned

    @_whole("USD", "capital of the whole system")
    def capital_cost(self) -> Scalar:
        """Capital of all chips [USD]."""
        each = self.instance.capital.total() if self.served is None else self.served.capital
        return self.chips / self.instance.chips * each

    @property
    def capital(self) -> Scalar:
        """The same in a word [USD]."""
        return self.capital_cost

    @_whole("m2", "area of one logic die")
    def die_area(self) -> Scalar:
        """Area of one logic die [m^2]."""
        return self.area

    @_whole("", "loss of quality, as the study states it", least=0.0)
    def quality_loss(self) -> Scalar:
        """Loss of quality, in the unit of the study."""
        return self.quality_lost

    @_same("power_density")
    def power_density(self) -> Scalar:
        """Power of a chip at work over the area of its dies [W/m^2]."""
        if self.served is None:
            return self.instance.power_density
        return self.instance.power_density * (self.served.chip_power / self.instance.chip_power)

    @_same("energy_per_token")
    def energy_per_token(self) -> Scalar:
        """Energy of an output token at the wall, chips without an instance included [J]."""
        each = self.instance if self.served is None else self.served
        return each.energy_per_token * self._spare()

    @_same("usd_per_million_tokens")
    def usd_per_million_tokens(self) -> Scalar:
        """Cost of a million output tokens, chips without an instance included [USD]."""
        each = self.instance if self.served is None else self.served
        return each.usd_per_million_tokens * self._spare()

    @_whole("1/s/W", "output tokens a second for each watt")
    def stps_per_watt(self) -> Scalar:
        """Output tokens a second for each watt [1/J]."""
        return self.stps / self.power

    @_whole("1/s/USD", "output tokens a second for each dollar of capital")
    def stps_per_usd(self) -> Scalar:
        """Output tokens a second for each dollar of capital [1/s/USD]."""
        return self.stps / self.capital_cost

    def _of_requests(self, name: str) -> Scalar:
        """A number of whole requests; NaN where their lengths are not stated."""
        return jnp.asarray(jnp.nan) if self.served is None else getattr(self.served, name)

    def _spare(self) -> Scalar:
        """Chips bought over chips used."""
        return self.chips / (self.replicas * self.instance.chips)


QUANTITIES = {
    name: Asked(it.stated.unit, it.stated.label, attrgetter(name), it.stated.least is not None)
    for name, it in vars(Fleet).items()
    if isinstance(it, _Whole)
}
"""Every quantity of the whole system by its name."""

NAMED = {
    **{
        name: Asked(it.unit, it.label, attrgetter(f"instance.{name}"), it.least is not None)
        for name, it in INSTANCE.items()
    },
    **QUANTITIES,
}
"""What objectives and limits may name: numbers of the whole system, and others of one instance."""
