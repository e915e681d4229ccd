"""Quantities, limits and designs in the words and units that people use."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from liminal_jax._display import in_units, plain
from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.limits import PHYSICAL
from liminal_jax.study.parameters import label_of, quantity_of
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

_ABBREVIATIONS = frozenset({"utps", "stps", "ttft", "tpot", "e2e", "tdp", "usd"})
"""Words of quantities that are written in capitals."""

_STEPS = {"m2": 1e-6, "W/m2": 1e6, "B": 1e6, "B/s": 1e9, "s": 1e-3}
"""A step of a limit that people think in, in SI, where it is not 1; thousands of it count too."""


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


def step(value: float, unit: str) -> float:
    """How much more of a limit people would ask for, in SI.

    Examples:
        >>> step(120e3, "W"), step(4e6, "USD"), step(50.0, "1/s"), step(4.0, "")
        (1000.0, 1000.0, 1.0, 1.0)
    """
    base = _STEPS.get(unit, 1.0)
    thousands = math.floor(math.log10(value / base / 10) / 3) if value > 0 else 0
    return base * 1000.0 ** (thousands if unit else max(thousands, 0))


def step_words(name: str, value: float, unit: str) -> str:
    """How much more of a limit on a quantity people would ask for, in words.

    Examples:
        >>> step_words("capital_cost", 3e6, "USD"), step_words("utps", 50.0, "1/s")
        ('1,000 USD', '1 token/s')
    """
    told = quantity(name, step(value, unit), unit)
    return "1 token/s" if told == "1 tokens/s" else told


def quantity_word(name: str) -> str:
    """What a quantity is called, in a word or two.

    Examples:
        >>> quantity_word("stps_per_watt"), quantity_word("capital_cost")
        ('STPS per watt', 'capital cost')
        >>> quantity_word("share of utps below 100 1/s")
        'share of UTPS below 100 1/s'
    """
    each = name.replace("_", " ").split(" ")
    return " ".join(it.upper() if it in _ABBREVIATIONS else it for it in each)


def explained(names: Iterable[str]) -> str:
    """What the abbreviations of rates and times among some quantities stand for.

    Examples:
        >>> explained(["utps", "capital_cost"])
        'UTPS: tokens a second of one user'
    """
    return "; ".join(
        f"{quantity_word(name)}: {NAMED[name].about}"
        for name in dict.fromkeys(names)
        if name in NAMED and not _ABBREVIATIONS.isdisjoint(name.split("_"))
    )


def constraint_word(name: str) -> str:
    """What is limited, by a study or by physics, in a few words.

    Examples:
        >>> constraint_word("utps"), constraint_word("reticle")
        ('UTPS', 'die area (reticle limit)')
    """
    return PHYSICAL.get(name) or quantity_word(name)


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


def choice_words(name: str, value: float | str) -> str:
    """What is chosen of a design, with its unit.

    Examples:
        >>> choice_words("tp", 8.0), choice_words("chip.memory.bandwidth", 8e12)
        ('TP 8', 'memory bandwidth of a chip 8 TB/s')
        >>> choice_words("memory", "hbm4")
        'memory technology hbm4'
    """
    told = value if isinstance(value, str) else quantity(name, value, stated_as(name).dimension)
    return f"{design_word(name)} {told}"


def number_words(path: str) -> str:
    """A number or a limit of a study in a few words.

    Examples:
        >>> number_words("limit.capital_cost"), number_words("facility.pue")
        ('limit on capital cost', 'PUE')
    """
    if path.startswith("limit."):
        return f"limit on {quantity_word(path.split('.')[1])}"
    return label_of(path)


def sampled_words(path: str) -> str:
    """A number of the data files in a few words, with the part that it is of.

    Examples:
        >>> sampled_words("memory.hbm4.silicon_price"), sampled_words("network.switch_radix")
        ('price of memory silicon, hbm4', 'switch radix')
    """
    kind, *part, name = path.split(".")
    stated = (quantity_of(f"{whole}{kind}.{name}") for whole in ("", "material.", "chip."))
    label = next((it.label for it in stated if it is not None), name.replace("_", " "))
    return ", ".join([label, *part])


def limit_words(limits: Sequence[Mapping[str, Any]]) -> str:
    """Limits of a record in one line.

    Examples:
        >>> limit_words([{"quantity": "utps", "at_least": 50.0}])
        'UTPS at least 50 tokens/s'
    """
    return "; ".join(
        f"{quantity_word(it['quantity'])} at {side.removeprefix('at_')}"
        f" {quantity(it['quantity'], float(it[side]), NAMED[it['quantity']].unit)}"
        for it in limits
        for side in ("at_least", "at_most")
        if side in it
    )


def asked_words(objectives: Sequence[Mapping[str, Any]]) -> str:
    """What is wanted most, in words.

    Examples:
        >>> asked_words([{"maximise": "stps", "value": 1.0}, {"minimise": "power"}])
        'most STPS, least power'
    """
    sides = {"maximise": "most", "minimise": "least"}
    return ", ".join(
        f"{sides[side]} {quantity_word(it[side])}"
        for it in objectives
        for side in sides
        if side in it
    )


def workload_words(work: Mapping[str, Any], numbers: Mapping[str, Any] | None = None) -> str:
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
    own = (numbers or {}).get("request.expert_bits")
    experts = "" if own is None else f", {_width(own)} experts"
    return f"{work['model']},{context} {weights} weights{experts}, {cache} KV"


def _width(bits: float | int | str) -> str:
    """Bits in words; those of a checkpoint may be asked for as published."""
    return bits if isinstance(bits, str) else f"{bits:.4g}-bit"
