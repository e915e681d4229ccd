"""The pictures of a design: its package, its system, its memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax.drawing.memory import memory_sheet
from liminal_jax.drawing.package import package_sheet, scale_of
from liminal_jax.drawing.svg import Length, Sheet
from liminal_jax.drawing.system import system_sheet


def figures(
    hardware: Mapping[str, Any],
    *,
    scale: Length | None = None,
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Sheet]:
    """Each picture of a design by its name.

    Args:
        hardware: What is drawn, as `hardware` of a record.
        scale: Points per metre of the package; as large as fits where left out.
        beside: Another design, from which differences are marked.
    """
    other = {} if beside is None else beside
    found = {
        "package": package_sheet(hardware["package"], scale=scale, beside=other.get("package")),
        "system": system_sheet(hardware["system"], other.get("system")),
    }
    if "memory" in hardware:
        found["memory"] = memory_sheet(hardware["memory"], other.get("memory"))
    return found


def compared(designs: Sequence[Mapping[str, Any]]) -> list[dict[str, Sheet]]:
    """The pictures of several designs at one scale; differences from the first are marked."""
    scale = scale_of([it["package"] for it in designs])
    first, *others = designs
    return [
        figures(first, scale=scale),
        *(figures(it, scale=scale, beside=first) for it in others),
    ]
