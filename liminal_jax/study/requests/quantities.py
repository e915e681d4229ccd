"""What a study of a trace can ask for or limit: of one request, of a chip, of all requests."""

from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.performance.request_cost import RequestCost
from liminal_jax.study.quantities import Fleet


class OfRequest(NamedTuple):
    """A number of one request, which may be limited for all or for a percentile of them.

    Attributes:
        unit: Its unit.
        label: What it is.
        more: Whether more of it is better.
        of: How it follows from the cost of the request.
    """

    unit: str
    label: str
    more: bool
    of: Callable[[RequestCost], Scalar]


OF_A_REQUEST = {
    "utps": OfRequest("1/s", "tokens a second of one user", True, lambda it: 1 / it.tpot),
    "tpot": OfRequest("s", "time of a later token", False, attrgetter("tpot")),
    "ttft": OfRequest("s", "time to the first token", False, attrgetter("ttft")),
    "e2e": OfRequest("s", "time of a whole request", False, attrgetter("e2e")),
}
"""Numbers of one request by name."""


class OfChip(NamedTuple):
    """A number of a chip, which may be limited for the chips of every class.

    Attributes:
        unit: Its unit.
        label: What it is.
        of: How it follows from the cost of a request, and from the instance that decodes.
    """

    unit: str
    label: str
    of: Callable[[RequestCost, Fleet, AbstractRelaxation], Scalar]


def chip_power(cost: RequestCost, fleet: Fleet, relaxation: AbstractRelaxation) -> Scalar:
    """Power of a chip, of those that pass prompts or of those that decode: the larger [W]."""
    return relaxation.maximum(cost.prompt_chip_power, fleet.instance.chip_power)


def power_density(cost: RequestCost, fleet: Fleet, relaxation: AbstractRelaxation) -> Scalar:
    """The same over the area of its dies [W/m^2]."""
    more = chip_power(cost, fleet, relaxation) / fleet.instance.chip_power
    return fleet.instance.power_density * more


OF_A_CHIP = {
    "chip_power": OfChip("W", "power of a chip at work", chip_power),
    "chip_tdp": OfChip("W", "power of a chip at full use", lambda _, it, __: it.chip_tdp),
    "power_density": OfChip("W/m2", "power of a chip over its logic area", power_density),
    "die_area": OfChip("m2", "area of one logic die", lambda _, it, __: it.die_area),
}
"""Numbers of a chip by name; less of each is better."""


class OfAll(NamedTuple):
    """A number of all requests together.

    Attributes:
        unit: Its unit.
        label: What it is.
        total: The number of a request, by its name in `RequestCost`, whose mean it follows from.
        more: Whether it is larger where that mean is smaller; then more of it is better.
        of: The number, or its inverse if more is better, over that mean, given the requests a
            second and the mean tokens of an answer.
        of_fleet: Whether it grows with the requests a second.
    """

    unit: str
    label: str
    total: str
    more: bool
    of: Callable[[float, float], float]
    of_fleet: bool = False


OF_ALL = {
    "chips": OfAll("", "chips", "chip_time", False, lambda rate, _: rate, True),
    "power": OfAll("W", "IT power of all chips at work", "energy", False, lambda r, _: r, True),
    "capital_cost": OfAll("USD", "capital", "capital_time", False, lambda rate, _: rate, True),
    "usd_per_million_tokens": OfAll(
        "USD", "capital and electricity for a million tokens", "price", False, lambda _, t: 1e6 / t
    ),
    "energy_per_token": OfAll(
        "J", "IT energy of a token of an answer", "energy", False, lambda _, t: 1 / t
    ),
    "stps_per_chip": OfAll(
        "1/s", "tokens of answers a second and chip", "chip_time", True, lambda _, t: 1 / t
    ),
    "stps_per_watt": OfAll(
        "1/s/W", "tokens of answers a second and watt", "energy", True, lambda _, t: 1 / t
    ),
    "stps_per_usd": OfAll(
        "1/s/USD",
        "tokens of answers a second and dollar of capital",
        "capital_time",
        True,
        lambda _, t: 1 / t,
    ),
    "mean_ttft": OfAll("s", "mean time to the first token", "ttft", False, lambda *_: 1.0),
    "mean_e2e": OfAll("s", "mean time of a request", "e2e", False, lambda *_: 1.0),
}
"""Numbers of all requests by name."""

STPS = "stps"
"""Tokens of answers a second, as many as limits on chips, power and capital allow."""

OF_THE_FLEET = tuple(name for name, it in OF_ALL.items() if it.of_fleet)
"""Numbers that a fleet has only where it serves so many requests a second."""

UNITS = {
    STPS: "1/s",
    **{name: it.unit for names in (OF_A_REQUEST, OF_A_CHIP, OF_ALL) for name, it in names.items()},
}
"""Unit of every quantity."""


def more_is_better(name: str) -> bool:
    """Whether more of a quantity is better; of all others less is.

    Examples:
        >>> more_is_better("utps"), more_is_better("power")
        (True, False)
    """
    if name == STPS:
        return True
    found = OF_A_REQUEST.get(name) or OF_ALL.get(name)
    return found is not None and found.more
