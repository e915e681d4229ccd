"""The pictures of a design, of its step and of its limits on the page about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax._display import gibibytes
from liminal_jax.drawing.figures import figures
from liminal_jax.drawing.gauges import Gauge, gauges_sheet
from liminal_jax.drawing.roofline import roofline_sheet
from liminal_jax.drawing.svg import Sheet
from liminal_jax.drawing.time import time_sheet
from liminal_jax.results.page import Drawings, Section, section
from liminal_jax.results.words import quantity
from liminal_jax.study.limits import PHYSICAL
from liminal_jax.study.quantities import QUANTITIES


def chip_and_system(record: Mapping[str, Any]) -> Drawings:
    """The package of its chip, and the system beside it; nothing where the record holds neither.

    Args:
        record: A record that holds `hardware`, as those of predictions and optima do from 0.2 on.
    """
    drawn = figures(record["hardware"]) if record.get("hardware") else {}
    return _drawn(drawn[it] for it in ("package", "system") if it in drawn)


def what_lies_where(record: Mapping[str, Any]) -> Section:
    """Its memories, and what fills them; nothing where they are not known.

    Args:
        record: A record that holds `hardware`.
    """
    drawn = figures(record["hardware"]) if record.get("hardware") else {}
    return section("what lies where", _drawn(drawn[it] for it in ("memory",) if it in drawn))


def reasons(
    prediction: Mapping[str, Any],
    hardware: Mapping[str, Any] | None,
    limits: Sequence[Mapping[str, Any]] = (),
    totals: Mapping[str, Any] | None = None,
    binding: Sequence[Mapping[str, Any]] = (),
) -> Section:
    """Why the design is as quick as it is: its step, its roofline, its limits.

    Args:
        prediction: One instance.
        hardware: What of it is drawn; none where the record does not hold it.
        limits: Limits of a study, as its record has them under `constraints`.
        totals: What the whole system does, which the limits are about.
        binding: Limits that hold a design back, or that it exceeds.
    """
    title = "why: time, roofline and limits"
    if not hardware or "step" not in hardware:
        return section(title)
    step = hardware["step"]
    drawn = [time_sheet(prediction, step["floor"]), *_roofline(prediction, hardware)]
    gauges = gauges_of(prediction, limits, totals or {}, binding)
    return section(title, _drawn([*drawn, *([gauges_sheet(gauges)] if gauges else [])]))


def _drawn(sheets: Any) -> Drawings:
    return Drawings(tuple(it.svg() for it in sheets))


def _roofline(prediction: Mapping[str, Any], hardware: Mapping[str, Any]) -> Iterator[Sheet]:
    """The roof at the precision of weights; nothing where it is not known."""
    package, system = hardware["package"], hardware["system"]
    bits = prediction.get("workload", {}).get("weight_bits", 8.0)
    width = next(it for it in (4, 8, 16) if bits <= it or it == 16)
    peak, bandwidth = package[f"tensor_{width}bit"], package["memory"]["bandwidth"]
    if peak and bandwidth:
        chips = system["tp"] * system["cp"]
        yield roofline_sheet(hardware["step"]["operators"], chips, peak, bandwidth)


def gauges_of(
    prediction: Mapping[str, Any],
    limits: Sequence[Mapping[str, Any]],
    totals: Mapping[str, Any],
    binding: Sequence[Mapping[str, Any]] = (),
) -> list[Gauge]:
    """How far the limits on a design are used.

    Those that are stated, those of physics that hold it back, and the room in memory.

    Args:
        prediction: One instance.
        limits: Limits of a study.
        totals: What the whole system does, which the limits are about.
        binding: Limits that hold the design back, or that it exceeds.
    """
    return [*_gauges(limits, totals), *_physical(binding), *_own(prediction)]


def _physical(binding: Sequence[Mapping[str, Any]]) -> Iterator[Gauge]:
    """Limits of physics, which are ratios; memory has a gauge of its own."""
    for it in binding:
        name, used = it["constraint"], it["value"]
        if name in PHYSICAL and name != "memory_capacity" and used is not None:
            yield Gauge(PHYSICAL[name], "", used)


def _gauges(limits: Sequence[Mapping[str, Any]], totals: Mapping[str, Any]) -> Iterator[Gauge]:
    """Limits of a study on quantities of the whole system."""
    for it in limits:
        name = it["quantity"]
        value, side = totals.get(name), "at_least" if "at_least" in it else "at_most"
        if not value or name not in QUANTITIES:
            continue
        bound, unit = it[side], QUANTITIES[name].unit
        words = f"{quantity(name, value, unit)}, {side.replace('_', ' ')} "
        used = bound / value if side == "at_least" else value / bound
        yield Gauge(QUANTITIES[name].about, f"{words}{quantity(name, bound, unit)}", used)


def _own(prediction: Mapping[str, Any]) -> Iterator[Gauge]:
    """Limits that every design has."""
    if prediction["memory_fill"]:
        needs, has = (gibibytes(prediction[f"memory_{it}"]) for it in ("required", "capacity"))
        words = f"{needs} of {has} in all"
        yield Gauge("memory of the fullest chip", words, prediction["memory_fill"])
