"""Chips as files: what one package computes, holds, draws and costs.

The rows are the numbers of the class of chips and of its parts, and those that its power and its
price follow from.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from liminal_jax._files import did_you_mean
from liminal_jax._quantity import quantities_of
from liminal_jax.data.facility_defaults import with_defaults
from liminal_jax.data.numbers import HOLDS_SOMETHING, KNOWN, Number, Quantity
from liminal_jax.data.rows import Rows, row, rows_of, table_of
from liminal_jax.hardware.chip import ByPrecision, Chip
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.hardware.system import Facility
from liminal_jax.hardware.technology import Packaging

TENSOR = {name: f"tensor_{name.removeprefix('bits_')}bit" for name in quantities_of(ByPrecision)}
"""Rows of the rates of matrix products, by the fields of their class."""

HOST = ("host_power", "host_idle_fraction")
"""Numbers of the facility of which a chip's file may state its own."""

_DEVICE = ("device_energy",)
"""Numbers of memories that their technologies state."""


def kinds_of_data(names: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of data that a memory may hold, in the order of `KINDS`.

    Raises:
        ValueError: there are none, or one that does not exist.
    """
    if not names:
        raise ValueError(
            f"names no kind of data, so that the tier holds nothing; name some of"
            f" {', '.join(KINDS)}, or leave the tier out"
        )
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        hint = did_you_mean(unknown[0], KINDS) or f"; there are {', '.join(KINDS)}"
        raise ValueError(f"there is no kind of data {unknown[0]!r}{hint}")
    return tuple(kind for kind in KINDS if kind in names)


class MemoryFile(
    table_of(
        Rows,
        rows_of(Chip, part="memory", without=_DEVICE, above_zero=("energy",), optional=("energy",)),
    )
):
    """The main memory of a chip; its energy is the technology's where it is not stated.

    Attributes:
        technology: Name of a technology file; None where there is none for it, and then the power
            is not known either, unless `energy` is stated.
        stacks: Stacks on the package; None where that is not known or makes no sense.
    """

    technology: str | None = None
    stacks: float | None = Field(default=None, gt=0)


class SramFile(table_of(Rows, rows_of(Chip, part="sram", without=_DEVICE, above_zero=("energy",)))):
    """On-chip memory under control of software, in which weights or cached keys may live."""


def _tier_rows() -> dict[str, Any]:
    """Rows of a capacity tier, whose price files state for each byte."""
    stated = rows_of(
        Chip,
        part="capacity_tier",
        without=("price",),
        above_zero=("energy",),
        optional=("energy",),
    )
    price = row("USD/B", "price of the capacity tier", least=0.0, optional=True)
    return {
        **{name: stated[name] for name in ("capacity", "bandwidth", "energy")},
        "price": price,
        **stated,
    }


class CapacityTierFile(table_of(Rows, _tier_rows())):
    """Memory beyond the main memory of a chip, of more capacity and less bandwidth.

    The chip's thermal design power and cost do not hold it: its energy and its price come on top.
    Energy, price and standby power are the technology's where they are not stated; the capacity of
    a tier that several chips share is their part of it.

    Attributes:
        technology: Name of a technology of capacity tiers; None where there is none for it, and
            then its power and price are not known unless they are stated.
        capacity: Capacity for one chip [B].
        bandwidth: Peak bandwidth at which one chip reads it [B/s].
        holds: Kinds of data that may lie in it; all where left out.
    """

    technology: str | None = None
    capacity: Annotated[Number, Quantity("B"), HOLDS_SOMETHING, KNOWN]
    bandwidth: Annotated[Number, Quantity("B/s"), HOLDS_SOMETHING, KNOWN]
    holds: Annotated[tuple[str, ...], AfterValidator(kinds_of_data)] = KINDS


class PowerFile(
    table_of(
        Rows,
        {
            "density": row("W/m2", "power for each area of die"),
            "bandwidth_power": row("J/B", "power for memory bandwidth", least=0.0),
            "server_power": row("W", "share of the server's own power", least=0.0),
        },
    )
):
    """Provisioned power: what a chip is given by its size, whatever it does."""


def _chip_rows() -> dict[str, Any]:
    """Rows of a chip, in the order in which uncertain numbers are drawn."""
    own = rows_of(Chip, without=("dies",), unknown=("vector", "die_area"))
    return {
        **rows_of(Chip, part="tensor", unknown=TENSOR, names=TENSOR),
        "sustained_8bit": row(
            "FLOP/s", "8-bit rate of large products at the TDP", known=False, optional=True
        ),
        **{name: own[name] for name in ("vector", "exponential", "die_area")},
        "tdp": row("W", "thermal design power of a chip", known=False),
        "idle_fraction": rows_of(Packaging)["idle_fraction"],
        "cost": row("USD", "manufacturing cost of a chip", known=False),
        "market_price": row("USD", "price of a chip that buyers pay", known=False),
        **{name: rows_of(Facility, optional=HOST)[name] for name in HOST},
        **own,
    }


class ChipFile(table_of(Rows, with_defaults("chip", _chip_rows()))):
    """A chip: one package that computes, with its memory.

    Without a measured rate of large products their peak rate is taken, without a rate of
    exponentials the vector units, and of the host what the facility states.

    Attributes:
        dies: Logic dies that compute.
        process: Name of a process file; None where there is none for it.
        memory: Main memory.
        sram: On-chip memory under control of software; None where there is none.
        capacity_tier: Memory beyond the main memory; None where it is not used.
        power: Provisioned power; None where power follows activity.
    """

    dies: int | None = Field(default=None, ge=1)
    process: str | None = None
    memory: MemoryFile
    sram: SramFile | None = None
    capacity_tier: CapacityTierFile | None = None
    power: PowerFile | None = None
