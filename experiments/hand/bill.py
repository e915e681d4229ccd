"""Power, energy of a token, capital, and dollars for a million tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.hand.chips import Chip
from experiments.hand.sheet import Sheet

Rows = Mapping[str, Any]

YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True)
class Spent:
    """What the mean chip does in a step.

    Attributes:
        step: Time of it [s].
        memory: Energy of what it moves to and from its memories [J].
        operations: Tensor operations, counted as 8-bit ones of equal energy.
        sent: Bytes that it sends to other chips [B].
        dies: Energy of what its dies send each other [J].
    """

    step: float
    memory: float
    operations: float
    sent: float
    dies: float


def power(
    spent: Spent, chip: Chip, chips: int, room: Rows, bought: Rows, on: Sheet, *, constant: bool
) -> dict[str, float]:
    """IT power of an instance by what draws it [W].

    Args:
        spent: What a chip does in a step.
        chip: The chip.
        chips: How many there are.
        room: The facility, with the server of the chip.
        bought: Bandwidth that each chip buys.
        on: Where the terms go.
        constant: Whether hosts draw the same whatever the chips do.
    """
    on.head("power")
    energies = {
        "memory": spent.memory,
        "arithmetic": chip.flop_energy * spent.operations,
        "links": chip.link_energy * spent.sent,
        "dies": spent.dies,
    }
    share, each = 1.0, chip.idle
    if chip.dynamic:
        for name, energy in energies.items():
            on.put(f"energy of {name} in a step", energy, "J", "one chip")
        dynamic = sum(energies.values()) / spent.step
        each = on.put("idle", chip.idle, "W") + on.put("activity", dynamic, "W")
        share = dynamic / chip.dynamic
    on.put("one chip", each, "W")
    active = 1.0 if constant else min(share, 1.0)
    idle = room["host_idle_fraction"]
    host = room["host_power"] * (idle + (1 - idle) * active)
    network = room["switch_power"] * bought["switches"]
    network += room["optics_power"] * bought["optics"]
    network += room["scale_out_power"] * bought["scale-out"]
    shares = {"chips": chips * each, "host": chips * host, "network": chips * network}
    for name, watts in shares.items():
        on.put(name, watts, "W", "of the instance")
    return shares


def capital(
    chip: Chip, chips: int, room: Rows, bought: Rows, watts: float, on: Sheet
) -> dict[str, float]:
    """Capital of an instance by what it buys [USD]."""
    on.head("capital")
    network = room["network_price"] * bought["links"]
    network += room["optics_price"] * bought["optics"]
    network += room["scale_out_price"] * bought["scale-out"]
    building = room.get("building_cost", 0.0)
    shares = {
        "chips": chips * (chip.price + (chip.beyond.price if chip.beyond else 0.0)),
        "host": chips * room["host_price"],
        "board": chips * room["board_price"],
        "network": chips * network,
        "rack": chips * room["rack_price"],
        "building": building * watts if building else 0.0,
    }
    for name, dollars in shares.items():
        on.put(name, dollars, "USD")
    return shares


def yearly(room: Rows) -> float:
    """Share of the capital that must be earned in a year: r / (1 - (1 + r)^-n)."""
    r, years = room["discount_rate"], room["lifetime"] / YEAR
    return r / (1 - (1 + r) ** -years)


def dollars_a_million(
    capital_: float, wall: float, tokens_a_second: float, room: Rows, on: Sheet
) -> float:
    """Capital and electricity over tokens [USD]."""
    share = on.put("share of the capital a year", yearly(room), "1/year")
    charge = on.put("capital", capital_ * share / YEAR, "USD/s")
    electricity = on.put("electricity", wall * room["electricity_price"], "USD/s")
    return (charge + electricity) / tokens_a_second * 1e6
