"""Numbers of a record in the units that people use, each with its place in the record."""

from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax._display import gibibytes, per_cent, plain, with_prefix
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import VALUE_UNITS, quantity
from liminal_jax.view.report.parts import number, text

DESIGN_WORDS = {
    "memory": "memory technology",
    "system": "hardware",
    "process": "silicon process",
    "stacks": "memory stacks a chip",
    "dies": "logic dies a chip",
    "compute_area": "area of cores on each die",
    "sram": "resident SRAM on each die",
    "link_bandwidth": "scale-up bandwidth a chip, one direction",
    "tier": "technology of the capacity tier",
    "tier_units": "units of the capacity tier a chip",
    "tier_holds": "kinds of data that may lie in the capacity tier",
    "domain": "chips that the scale-up network joins",
    "chips": "chips of the whole system",
    "clock": "clock of the chips over the nominal one",
    "tp": "tensor-parallel ranks",
    "cp": "context-parallel ranks",
    "pp": "pipeline stages",
    "ep": "expert-parallel ranks",
    "attention": "how ranks share attention",
    "attention_ranks": "ranks that share a user's attention",
    "shared_expert_ranks": "ranks over which a shared expert is split",
    "batch": "users in a micro-batch",
}
"""What each number of a design is."""


def named(name: str, path: str, value: float | None) -> str:
    """The value of a quantity."""
    if value is None:
        return number("", path, value)
    return number(quantity(name, value, QUANTITIES[name].unit), path, value)


def seconds(path: str, value: float | None) -> str:
    """A time."""
    return number("" if value is None else with_prefix(value, "s"), path, value)


def share(path: str, value: float | None) -> str:
    """A share in per cent."""
    return number("" if value is None else per_cent(value), path, value)


def size(path: str, value: float | None) -> str:
    """Bytes."""
    return number("" if value is None else gibibytes(value), path, value)


def amount(path: str, value: float | None, unit: str = "") -> str:
    """Any other number."""
    shown = "" if value is None else with_prefix(value, unit) if unit else plain(value, 4)
    return number(shown, path, value)


def design_rows(design: Mapping[str, Any], path: str = "design") -> list[tuple[str, str]]:
    """A design as a table that can be read aloud."""
    rows = []
    for name, value in design.items():
        if value is None:
            continue
        shown = text(", ".join(value) if isinstance(value, list) else value)
        if isinstance(value, int | float):
            unit = VALUE_UNITS.get(name, "")
            shown = number(quantity(name, float(value), unit), f"{path}.{name}", float(value))
        rows.append((text(DESIGN_WORDS.get(name, name)), shown))
    return rows


def asked_words(objectives: Sequence[Mapping[str, Any]]) -> str:
    """What is wanted most, in words.

    Examples:
        >>> asked_words([{"maximise": "stps", "value": 1.0}, {"minimise": "power"}])
        'most stps, least power'
    """
    sides = {"maximise": "most", "minimise": "least"}
    return ", ".join(
        f"{sides[side]} {it[side]}" for it in objectives for side in sides if side in it
    )
