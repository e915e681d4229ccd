"""Where the time of a step goes, from what it takes down to what physics asks for."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from liminal_jax._display import per_cent, with_prefix
from liminal_jax.drawing.svg import WIDTH, Length, Sheet

BAR, GAP = 18.0, 42.0


class Part(NamedTuple):
    """A part of a step.

    Attributes:
        name: What it is.
        begin: When it begins [s].
        length: How long it takes [s].
        colour: Name of its colour.
    """

    name: str
    begin: Length
    length: Length
    colour: str


def parts(prediction: Mapping[str, Any], floor: Mapping[str, Any]) -> list[Part]:
    """The step, what can be taken off it one after the other, and the floor that is left.

    Args:
        prediction: The times of a step, as `liminal predict --json` has them.
        floor: What all operators take at best, as `hardware.step.floor` of a record.
    """
    whole, waits = prediction["step_time"], prediction["exposed_time"]
    busy = max(prediction["memory_time"], prediction["compute_time"])
    reads = floor["memory"] >= floor["compute"]
    least = min(busy, max(floor["memory"], floor["compute"]))
    apart = max(0.0, whole - waits - busy)
    taken = (
        ("waiting for other chips", min(waits, whole - least), "links"),
        ("memory and arithmetic that do not overlap", apart, "overhead"),
        ("uneven shares, and peaks that are not reached", busy - least, "memory_interface"),
    )
    found, end = [Part("the step", 0.0, whole, "outline")], whole
    for name, length, colour in taken:
        if length > LEAST * whole:
            end -= length
            found.append(Part(name, end, length, colour))
    does = "to move each byte once at full bandwidth" if reads else "to compute at full rate"
    found.append(Part(f"floor: {does}", 0.0, end, "compute" if not reads else "cache"))
    return found


LEAST = 1e-4
"""Share of a step below which a part is not drawn."""


def time_sheet(prediction: Mapping[str, Any], floor: Mapping[str, Any]) -> Sheet:
    """The picture of a step as a waterfall.

    Args:
        prediction: The times of a step.
        floor: What all operators take at best.
    """
    found = parts(prediction, floor)
    whole = found[0].length
    title = f"A step of {with_prefix(whole, 's')}, down to its floor"
    sheet = Sheet("time", title)
    points = (WIDTH - 16) / whole
    for it in found:
        told = f"{with_prefix(it.length, 's')}, {per_cent(it.length / whole)}"
        sheet.said.append(f"{it.name}: {told}")
        sheet.words(8, sheet.height + 13, it.name, WIDTH - 150)
        sheet.words(WIDTH - 8, sheet.height + 13, told, 140, "end")
        at = 8 + it.begin * points
        sheet.shape(at, sheet.height + 18, it.length * points, BAR, it.colour, it.name)
        sheet.height += GAP
    return sheet
