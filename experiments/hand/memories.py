"""Memories of a chip, and what may stand beyond the main one: modules on the board, or stacks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.hand.datasheets import number, sheet

Rows = Mapping[str, Any]

KINDS: tuple[str, ...] = ("weights", "experts", "kept")
"""Kinds of data: weights that every token uses, routed experts, and what is kept for users."""

_NAMES = {"weights": "weights", "experts": "experts", "cache": "kept"}
"""Kinds of data by the names that files have for them."""


@dataclass(frozen=True)
class Memory:
    """One memory of a chip.

    Attributes:
        capacity: Bytes [B].
        bandwidth: Bytes a second [B/s].
        energy: Energy of a byte [J/B].
        price: What it costs beside the chip [USD].
        standby: What it draws whether it is read or not [W].
        holds: Kinds of data that may lie in it.
    """

    capacity: float
    bandwidth: float
    energy: float
    price: float = 0.0
    standby: float = 0.0
    holds: tuple[str, ...] = KINDS


def known(row: float | None, otherwise: float) -> float:
    """A number, or what stands for one that is left out or unknown."""
    return otherwise if row is None or math.isnan(row) else row


def _holds(names: list[str] | None) -> tuple[str, ...]:
    return KINDS if names is None else tuple(_NAMES[it] for it in names)


def finished_tier(chip: Rows) -> Memory | None:
    """What a data sheet says of memory beyond the main one; the technology says the rest."""
    tier = chip.get("capacity_tier")
    if tier is None:
        return None
    kind = sheet(f"technologies/capacity/{tier['technology']}.toml") if "technology" in tier else {}
    capacity = tier["capacity"]
    units = capacity / kind["unit_capacity"] if kind else 0.0
    return Memory(
        capacity=capacity,
        bandwidth=tier["bandwidth"],
        energy=known(tier.get("energy"), kind.get("access_energy", math.nan)),
        price=capacity * known(tier.get("price"), kind.get("price", math.nan)),
        standby=known(tier.get("standby_power"), units * kind.get("standby_power", 0.0)),
        holds=_holds(tier.get("holds")),
    )


@dataclass(frozen=True)
class Units:
    """Units of a planned tier: modules on the board, or stacks that the package holds.

    Attributes:
        count: How many; 0 for no tier.
        rows: What one is.
        holds: Kinds of data that may lie in them.
    """

    count: float = 0.0
    rows: Rows | None = None
    holds: tuple[str, ...] = KINDS

    def _each(self, name: str) -> float:
        return 0.0 if self.rows is None else self.count * self.rows[name]

    def interface(self, logic_density: float) -> float:
        """Area of interfaces and controllers on all dies [m2]."""
        return self._each("phy_area") + self._each("controller_transistors") / logic_density

    def interposer(self) -> float:
        """Interposer under them [m2]."""
        return self._each("interposer_area")

    def bonded(self) -> float:
        """How many are bonded in the package."""
        return self._each("in_package")

    def price(self) -> float:
        """Price of all of them [USD]."""
        return 0.0 if self.rows is None else self._each("unit_capacity") * self.rows["price"]

    def bonded_price(self) -> float:
        """Price of those in the package, which are sold with it [USD]."""
        return 0.0 if self.rows is None else self.price() * self.rows["in_package"]

    def memory(self) -> Memory | None:
        """The memory that they are together."""
        if self.rows is None:
            return None
        return Memory(
            capacity=self._each("unit_capacity"),
            bandwidth=self._each("unit_bandwidth"),
            energy=self.rows["access_energy"],
            price=self.price() - self.bonded_price(),
            standby=self._each("standby_power"),
            holds=self.holds,
        )


def planned_units(design: Rows, changes: Rows) -> Units:
    """The units that a design states, if it does."""
    if "tier" not in design:
        return Units()
    rows = sheet(f"technologies/capacity/{design['tier']}.toml", changes)
    return Units(number(design["tier_units"]), rows, _holds(design.get("tier_holds")))
