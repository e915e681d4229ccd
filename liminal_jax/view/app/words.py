"""What the page says of what is open."""

import math
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from liminal_jax.study.file import DesignFile
from liminal_jax.view.app.opened import Opened
from liminal_jax.view.app.scene import CATEGORY, Picture, StudyScene


def heading(opened: Opened, numbers: Mapping[str, float], picture: Picture) -> str:
    """What is computed on what, in one line."""
    mapping, now = picture.mapping, picture.now
    degrees = [
        f"{name.upper()}{degree:g}"
        for name in ("tp", "cp", "pp", "ep")
        if (degree := float(getattr(mapping, name))) > 1
    ]
    file, chips, users = opened.file, float(now.chips), float(now.users)
    work = file.workload
    weights, cache = (
        numbers.get(f"request.{name}", float(getattr(opened.case.request, name)))
        for name in ("weight_bits", "kv_bits")
    )
    asked = f"{file.name}: " if isinstance(opened.scene, StudyScene) else ""
    hardware = _hardware_name(file, opened.problem.categories[int(numbers.get(CATEGORY, 0))])
    return (
        f"{asked}{work.model} on {chips:g} x {hardware} {' '.join(degrees)}".rstrip()
        + f": {users:,.0f} user{'s' if users != 1 else ''}, context {float(picture.context):,.0f},"
        f" {weights:g}-bit weights, {cache:g}-bit KV, accounting {work.accounting}"
    )


def notes(opened: Opened, picture: Picture) -> tuple[str, ...]:
    """What is to be known of what is computed."""
    alone = float(picture.mapping.chips()) == 1
    unused = "One chip has no collectives: their latency changes nothing."
    return (*opened.notes, *([unused] if alone else []))


def is_number(written: str) -> bool:
    """Whether a word of an address is a number.

    Examples:
        >>> is_number("3.2e-06"), is_number("nan"), is_number("h200")
        (True, False, False)
    """
    try:
        return math.isfinite(float(written))
    except ValueError:
        return False


def link(
    choices: Mapping[str, str | None], levers: Sequence[str], moved: Mapping[str, float]
) -> str:
    """The address, without the machine, that opens the page as it is now.

    Args:
        choices: What is chosen, by field; fields that are empty are left out.
        levers: Paths of what more is dragged.
        moved: Numbers that are not where they began, by name, in SI.

    Examples:
        >>> link({"model": "llama-3-8b", "run": ""}, [], {"batch": 32.0})
        '?model=llama-3-8b&batch=32.0'
    """
    asked = {name: it for name, it in choices.items() if it}
    if levers:
        asked["levers"] = ",".join(levers)
    return "?" + urlencode({**asked, **{name: repr(it) for name, it in moved.items()}})


def _hardware_name(file: DesignFile, category: str) -> str:
    """The hardware of a design in a few words."""
    design = file.design
    if design.system is not None:
        return category
    names = [category, *(design.tier.names if design.tier is not None else ())]
    return f"planned {' and '.join(names)} chip"
