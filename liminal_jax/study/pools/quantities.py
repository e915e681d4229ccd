"""What is known of pools together: totals, and what a study may ask for or limit."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.study.pools.requests import Pace, Requests

MONEY = ("chips", "capital_cost", "power", "power_provisioned", "wall_power", "spending")
"""Totals to which every pool adds."""

TIMES = {
    "prefill": ("prefill_time", "cache_out_time"),
    "decode": ("decode_time", "cache_in_time"),
    "attention": ("attention_time", "tokens_out_time", "cache_in_time"),
    "experts": ("experts_time", "tokens_in_time"),
}
"""Totals to which one pool adds, by what it does: its own times, so that they can be joined."""

DUTIES = tuple(TIMES)
"""What pools can do."""


class Served(eqx.Module):
    """Requests served by all pools.

    Attributes:
        requests: What is served.
        pace: The rate, and the pace of tokens.
        totals: Totals over all pools, by name.
        relaxation: How maxima are read.
    """

    requests: Requests
    pace: Pace
    totals: dict[str, Float[Array, ""]]
    relaxation: AbstractRelaxation

    @property
    def rate(self) -> Scalar:
        """Requests a second [1/s]."""
        return self.pace.rate

    @property
    def stps(self) -> Scalar:
        """Tokens of answers a second [1/s]."""
        return self.pace.rate * self.requests.osl

    @property
    def ttft(self) -> Scalar:
        """Time of a prompt, and of its cache to where it is decoded [s].

        The slower side of the network sets the time. It counts before the first token, so that
        every later one comes at its own time.
        """
        sides = self.totals["cache_out_time"], self.totals["cache_in_time"]
        return self.totals["prefill_time"] + self.relaxation.maximum(*sides)

    @property
    def passing(self) -> Scalar:
        """Time in which a micro-batch passes attention, experts and the network between [s].

        A token of each user takes as long, or as long as the slowest of the three takes for all
        micro-batches, where that is longer: the pools' own limits see to the latter.

        References:
            Zhu et al. (2025), MegaScale-Infer, arXiv:2504.02263, section 4.1: m micro-batches hide
            the network where m T_f >= 2 (T_f + T_c), T_f being the time of the slower pool.
        """
        ends = self.totals["tokens_out_time"], self.totals["tokens_in_time"]
        machines = self.totals["attention_time"] + self.totals["experts_time"]
        return machines + self.relaxation.maximum(*ends)

    @property
    def tpot(self) -> Scalar:
        """Time of a token [s]."""
        return self.totals.get("decode_time", self.pace.tpot)

    @property
    def utps(self) -> Scalar:
        """Tokens a second of one user [1/s]."""
        return 1 / self.tpot

    @property
    def e2e(self) -> Scalar:
        """Time of a whole request [s]."""
        return self.ttft + (self.requests.osl - 1) * self.tpot

    @property
    def chips(self) -> Scalar:
        """Chips of all pools."""
        return self.totals["chips"]

    @property
    def capital_cost(self) -> Scalar:
        """Capital of all pools [USD]."""
        return self.totals["capital_cost"]

    @property
    def power(self) -> Scalar:
        """IT power of all pools at work [W]."""
        return self.totals["power"]

    @property
    def power_provisioned(self) -> Scalar:
        """IT power of all pools at full use [W]."""
        return self.totals["power_provisioned"]

    @property
    def usd_per_million_tokens(self) -> Scalar:
        """Capital and electricity over tokens of answers [USD]."""
        return self.totals["spending"] / self.stps * 1e6

    @property
    def energy_per_token(self) -> Scalar:
        """Energy at the wall for a token of an answer [J]."""
        return self.totals["wall_power"] / self.stps

    @property
    def stps_per_watt(self) -> Scalar:
        """Tokens of answers a second for each watt [1/J]."""
        return self.stps / self.power

    @property
    def stps_per_usd(self) -> Scalar:
        """Tokens of answers a second for each dollar of capital [1/s/USD]."""
        return self.stps / self.capital_cost


class Asked(NamedTuple):
    """A quantity of pools that a study can name.

    Attributes:
        unit: Its unit.
        about: What it is.
        of: How it follows.
        more: Whether more of it is better.
    """

    unit: str
    about: str
    of: Callable[[Any], Scalar]
    more: bool


def _asked(name: str, unit: str, about: str, *, more: bool = False) -> tuple[str, Asked]:
    return name, Asked(unit, about, attrgetter(name), more)


QUANTITIES = dict(
    [
        _asked("rate", "1/s", "requests a second", more=True),
        _asked("stps", "1/s", "tokens of answers a second", more=True),
        _asked("utps", "1/s", "tokens a second of one user", more=True),
        _asked("stps_per_watt", "1/s/W", "tokens of answers a second for each watt", more=True),
        _asked("stps_per_usd", "1/s/USD", "tokens of answers a second for a dollar", more=True),
        _asked("ttft", "s", "time to the first token"),
        _asked("tpot", "s", "time of a later token"),
        _asked("e2e", "s", "time of a whole request"),
        _asked("chips", "", "chips of all pools"),
        _asked("capital_cost", "USD", "capital of all pools"),
        _asked("power", "W", "IT power of all pools at work"),
        _asked("power_provisioned", "W", "IT power of all pools at full use"),
        _asked("energy_per_token", "J", "energy at the wall for a token of an answer"),
        _asked("usd_per_million_tokens", "USD", "capital and electricity for a million tokens"),
    ]
)
"""Every quantity of pools by the name that studies use.

A ratio of totals such as the time or the cost never falls where a total grows and what is shared
stays: what is better in less can be limited from above, what is better in more from below.
"""
