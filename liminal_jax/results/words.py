"""Quantities, limits and designs in the words and units that people use."""

from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax._display import in_units, plain
from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.parameters import label_of
from liminal_jax.study.quantities import NAMED
from liminal_jax.study.variables import stated_as

_CHOICES = {
    "memory": "memory technology",
    "system": "hardware",
    "process": "silicon process",
    "tier": "technology of the capacity tier",
    "tier_holds": "kinds of data that may lie in the capacity tier",
}
"""What each choice of a design is that is no number."""


def quantity(name: str, value: float, unit: str) -> str:
    """The value of a quantity in the unit that people use for it.

    Examples:
        >>> quantity("die_area", 8e-4, "m2")
        '800 mm2'
    """
    if name == "attention":
        return attention_name(value)
    if unit == "B":
        return f"{plain(value * 1e-6)} MB"
    if unit == "1/s":
        return f"{plain(value, 4)} tokens/s"
    return in_units(value, unit)


def words(values: Mapping[str, float]) -> str:
    """The free values of a design in one line."""
    stated = {name: stated_as(name) for name in values}
    parts = [
        f"{stated[name].label} {quantity(name, value, stated[name].dimension)}"
        for name, value in values.items()
    ]
    return ", ".join(parts)


def design_word(name: str) -> str:
    """What a variable or a choice of a design is.

    Examples:
        >>> design_word("tp"), design_word("memory")
        ('TP', 'memory technology')
        >>> design_word("algorithm.drafts")
        'drafts a step'
    """
    return _CHOICES.get(name) or stated_as(name).label


def number_words(path: str) -> str:
    """A number or a limit of a study in a few words.

    Examples:
        >>> number_words("limit.capital_cost"), number_words("facility.pue")
        ('limit on capital cost', 'PUE')
    """
    if path.startswith("limit."):
        return "limit on " + path.split(".")[1].replace("_", " ")
    return label_of(path)


def limit_words(limits: Sequence[Mapping[str, Any]]) -> str:
    """Limits of a record in one line.

    Examples:
        >>> limit_words([{"quantity": "utps", "at_least": 50.0}])
        'utps at least 50 tokens/s'
    """
    return "; ".join(
        f"{it['quantity']} at {side.removeprefix('at_')}"
        f" {quantity(it['quantity'], float(it[side]), NAMED[it['quantity']].unit)}"
        for it in limits
        for side in ("at_least", "at_most")
        if side in it
    )


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


def workload_words(work: Mapping[str, Any]) -> str:
    """A workload in one line.

    Examples:
        >>> workload_words({"model": "a", "context": 8192.0, "weight_bits": 8, "kv_bits": 16})
        'a, context 8,192, 8-bit weights, 16-bit KV'
        >>> workload_words({"model": "a", "isl": 8192, "osl": 256, "weight_bits": 8, "kv_bits": 8})
        'a, requests of 8,192 + 256 tokens, 8-bit weights, 8-bit KV'
    """
    context = f" context {work['context']:,.0f}," if "context" in work else ""
    if work.get("isl") is not None:
        context = f" requests of {work['isl']:,.0f} + {work['osl']:,.0f} tokens,"
    weights, cache = (_width(work[name]) for name in ("weight_bits", "kv_bits"))
    return f"{work['model']},{context} {weights} weights, {cache} KV"


def _width(bits: float | int | str) -> str:
    """Bits in words; those of a checkpoint may be asked for as published."""
    return bits if isinstance(bits, str) else f"{bits:g}-bit"
