"""What it costs to make a chip, and what it sells for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.hand.sheet import Sheet

Rows = Mapping[str, Any]


def _on_wafer(area: float, process: Rows) -> float:
    """Whole dies of an area on a round wafer: pi r^2 / A' less pi d / sqrt(2 A') at the rim."""
    stepped = (math.sqrt(area) + process["scribe"]) ** 2
    across = process["wafer_diameter"] - 2 * process["edge"]
    whole = math.pi * (across / 2) ** 2 / stepped - math.pi * across / math.sqrt(2 * stepped)
    return max(whole, 0.5)


@dataclass(frozen=True)
class Parts:
    """What is bonded on an interposer.

    Attributes:
        dies: Logic dies.
        area: Area of one [m2].
        others: Stacks of memory, of whatever kind.
        memory: Price of all of them [USD].
        interposer: Interposer that they take beside the dies [m2].
    """

    dies: int
    area: float
    others: float
    memory: float
    interposer: float


def making(parts: Parts, process: Rows, packaging: Rows, on: Sheet) -> dict[str, float]:
    """Cost of logic, memory and package [USD]: good dies, and what failed packages waste."""
    killing = process["critical_fraction"] * parts.area * process["defect_density"]
    die_yield = (1 + killing / process["clustering"]) ** -process["clustering"]
    on.put("die area", parts.area, "m2")
    dies = on.put("dies on a wafer", _on_wafer(parts.area, process))
    on.put("yield of a die", die_yield, "", "(1 + k A D / alpha) ^ -alpha")
    carrier = parts.dies * parts.area + parts.interposer
    bonds = packaging["bond_yield"] ** (parts.dies + parts.others)
    passed = on.put("yield of a package", bonds * packaging["assembly_yield"], "", "b^n a")
    interposer = packaging["interposer_wafer_price"] / _on_wafer(carrier, process)
    return {
        "logic": parts.dies * process["wafer_price"] / (dies * die_yield) / passed,
        "memory": parts.memory / passed,
        "package": interposer / passed + packaging["auxiliary_cost"],
    }


def price(cost: Mapping[str, float], room: Rows) -> float:
    """What a chip sells for: each part at its margin, or all at one multiple; its share of design.

    A chip carries the cost of its design over the chips that are made of it.
    """
    multiple = room.get("selling_multiple")
    sold = sum(
        part * (room[f"{name}_margin"] if multiple is None else multiple)
        for name, part in cost.items()
    )
    return sold + room.get("design_cost", 0.0) / room.get("volume", 1.0)
