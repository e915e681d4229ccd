"""A picture of a search: gradients climb from below, branch and bound closes from above."""

import math
from collections.abc import Sequence
from itertools import pairwise

from liminal_jax.drawing.svg import Sheet, solid

Point = tuple[float, float]

WIDTH = 420.0
"""Narrow, so that its words keep their size on a phone."""

BOTTOM, INCUMBENT = 262.0, 124.0
"""Heights of the captions, and where both meet."""

STAGES = (
    ("starts", "", 8.0, 58.0),
    ("relaxed descent", "soft model", 58.0, 176.0),
    ("snap", "lattice", 176.0, 234.0),
    ("polish", "exact model", 234.0, 322.0),
    ("incumbent", "prunes boxes", 322.0, 416.0),
)
"""Name, what it works on, and from where to where it is drawn."""

BOUND = ((8.0, 42.0), (70.0, 62.0), (150.0, 82.0), (240.0, 104.0), (366.0, INCUMBENT))
"""Where the bound falls, and to what height."""

DESCENTS = ((222.0, 144.0, 164.0), (238.0, 176.0, 188.0), (252.0, 208.0, 220.0))
"""Height of each start, of the relaxed optimum it leads to, and of the design that becomes."""

POLISH = ((205.0, 164.0), (244.0, 150.0), (270.0, 136.0), (296.0, INCUMBENT))
"""Designs of the lattice on the way to the incumbent."""


def search_sheet() -> Sheet:
    """The two halves of a search, and where they meet."""
    sheet = Sheet("search", "How a search runs: higher is better", width=WIDTH)
    _stages(sheet)
    for descent in DESCENTS:
        _descent(sheet, *descent)
    _curve(sheet, _stairs(POLISH, WIDTH - 8), "cache")
    for x, y in POLISH:
        _dot(sheet, x, y, "cache", "a design of the lattice")
    _curve(sheet, _stairs(BOUND, WIDTH - 8), "links")
    right = WIDTH - 8
    sheet.words(right, 46.0, "branch and bound, exact model:", 250.0, "end")
    sheet.words(right, 63.0, "nothing is above this line", 230.0, "end")
    sheet.words(344.0, 119.0, "gap", 36.0, "middle")
    sheet.words(right, 141.0, "gap 0:", 94.0, "end", bold=True)
    sheet.words(right, 157.0, "certificate", 95.0, "end", bold=True)
    sheet.note("Both run at once, from left to right, and end where they meet.")
    return sheet


def _stages(sheet: Sheet) -> None:
    """The stages from below, each over its caption."""
    for name, model, left, right in STAGES:
        middle = (left + right) / 2
        sheet.words(middle, BOTTOM + 14, name, right - left, "middle")
        sheet.words(middle, BOTTOM + 30, model, right - left, "middle")
        sheet.said.append(f"{name}: {model}" if model else name)
    for *_, left, _ in STAGES[1:]:
        sheet.rule((left, INCUMBENT + 42), (left, BOTTOM))
    sheet.height = BOTTOM + 38


def _descent(sheet: Sheet, start: float, relaxed: float, snapped: float) -> None:
    """From a start to a relaxed optimum, and from there to the nearest design."""
    (*_, left, _), (*_, right) = STAGES[1], STAGES[1]
    begin, end, lattice = left - 25, right - 12, POLISH[0][0]
    steps = [at / 24 for at in range(25)]
    rise = [(1 - math.exp(-4 * it)) / (1 - math.exp(-4)) for it in steps]
    curve = [
        (begin + at * (end - begin), start + up * (relaxed - start))
        for at, up in zip(steps, rise, strict=True)
    ]
    _curve(sheet, curve, "compute")
    _dot(sheet, begin, start, "compute", "a start", round_=True)
    _dot(sheet, end, relaxed, "compute", "a relaxed optimum", round_=True)
    _curve(sheet, ((end, relaxed), (lattice, snapped)), "overhead")
    _dot(sheet, lattice, snapped, "cache", "the nearest design of the lattice")


def _stairs(corners: Sequence[Point], end: float) -> list[Point]:
    """A line that keeps its height until the next corner."""
    found = [corners[0]]
    for (_, before), (x, y) in pairwise(corners):
        found += [(x, before), (x, y)]
    return [*found, (end, corners[-1][1])]


def _curve(sheet: Sheet, points: Sequence[Point], colour: str) -> None:
    for begin, end in pairwise(points):
        sheet.line(begin, end, 1.8, colour)


def _dot(sheet: Sheet, x: float, y: float, colour: str, told: str, *, round_: bool = False) -> None:
    style = f'{solid(colour)} rx="{4 if round_ else 0}"'
    sheet.shape(x - 4, y - 4, 8, 8, colour, told, style=style)
