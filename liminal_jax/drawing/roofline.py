"""The roofline of a chip, with the kinds of operators of a step as points under it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax._display import plain, with_prefix
from liminal_jax.drawing.svg import WIDTH, Length, Row, Sheet, width_of

LEFT, RIGHT, HEIGHT = 64.0, 16.0, 250.0

POINT, STRIPE, LINE, UNIT_WORDS = 10.0, 7.0, 16.0, 160.0
"""Side of a point, width of one of several, height of a name, and room of the words at the axis."""

LINE_BOXES = 80
"""Small boxes that stand for a line of the roof where names are placed."""

TERA = 1e-12

_COLOURS = {
    "projections": "weights",
    "attention": "cache",
    "feed-forward": "stack",
    "experts": "experts",
    "embedding and head": "tables",
}
"""Colours of kinds of operators."""


def roofline_sheet(
    operators: Sequence[Mapping[str, Any]], chips: Length, peak: Length, bandwidth: Length
) -> Sheet:
    """The picture of a roofline.

    Args:
        operators: What each kind does, as `hardware.step.operators` of a record.
        chips: Chips of a stage, which share the work.
        peak: Peak rate of a chip at the precision of weights [FLOP/s].
        bandwidth: Bandwidth of its main memory [B/s].
    """
    ridge = peak / bandwidth
    sheet = Sheet("roofline", f"Roofline of a chip: ridge at {plain(ridge)} FLOP/B")
    points = [(it, *_point(it, chips)) for it in operators if it["work"] and it["traffic"]]
    x_low, x_high = _decades([ridge, *(it[1] for it in points)])
    y_low, y_high = _decades([peak, *(it[2] for it in points)])
    top = sheet.height + 6

    def at(intensity: Length, rate: Length) -> tuple[Length, Length]:
        across = math.log(intensity / x_low) / math.log(x_high / x_low)
        up = math.log(rate / y_low) / math.log(y_high / y_low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), top + (1 - up) * HEIGHT

    _frame(sheet, (x_low, x_high, y_low, y_high), at)
    first = max(x_low, y_low / bandwidth)
    corner = at(ridge, peak)
    lines = (at(first, first * bandwidth), corner), (corner, at(x_high, peak))
    for begin, end in lines:
        sheet.line(begin, end, 1.6)
    edges = [
        (LEFT, top, LEFT + UNIT_WORDS, top + LINE),
        (0.0, top - HEIGHT, WIDTH, top - LINE / 2),
        (0.0, top + HEIGHT, WIDTH, top + 2 * HEIGHT),
    ]
    places = [(*at(intensity, rate), it["name"]) for it, intensity, rate in points]
    _named(sheet, places, [*edges, *(box for it in lines for box in _along(*it))])
    sheet.height = top + HEIGHT + 22
    sheet.words(
        WIDTH / 2,
        sheet.height + 12,
        "operations for a byte that is moved [FLOP/B]",
        WIDTH - 16,
        "middle",
    )
    sheet.height += 22
    rows = [
        Row(
            it["name"],
            it["name"],
            f"{plain(intensity)} FLOP/B, {with_prefix(rate, 'FLOP/s')}, {_limit(it)}",
            _COLOURS[it["name"]],
        )
        for it, intensity, rate in points
    ]
    peak_words = f"{with_prefix(peak, 'FLOP/s')}, {with_prefix(bandwidth, 'B/s')}"
    sheet.rows([Row("roof", "roof of a chip", peak_words, "links"), *rows], None)
    return sheet


Place = tuple[Length, Length, str]
"""Where the point of a kind of operators lies, from the left and from above, and its name."""

Box = tuple[Length, Length, Length, Length]
"""Left, top, right and bottom of what is drawn."""


def _named(sheet: Sheet, points: Sequence[Place], taken: Sequence[Box]) -> None:
    """The points with their names; those that would hide each other share a mark, in stripes.

    Args:
        sheet: Where they are drawn.
        points: Where they lie.
        taken: What names may not cover.
    """
    groups, marks = _together(points), []
    for near in groups:
        x, y, _ = near[0]
        wide = max(POINT, STRIPE * len(near))
        left = x - wide / 2
        for at, (_, _, name) in enumerate(near):
            stripe = (left + at * wide / len(near), y - POINT / 2, wide / len(near), POINT)
            sheet.shape(*stripe, _COLOURS[name], name)
        marks.append((left, y - POINT / 2, left + wide, y + POINT / 2))
    boxes = [*taken, *marks]
    for near, mark in zip(groups, marks, strict=True):
        wide, high = max(width_of(it[2]) for it in near), LINE * len(near)
        left, top = _free(mark, (wide, high), boxes)
        boxes.append((left, top, left + wide, top + high))
        for at, (_, _, name) in enumerate(near):
            sheet.words(left, top + 12 + at * LINE, name, wide)


def _together(points: Sequence[Place]) -> list[list[Place]]:
    """Points in groups, each of those that touch its first one."""
    groups: list[list[Place]] = []
    for x, y, name in points:
        near = [it for it in groups if max(abs(x - it[0][0]), abs(y - it[0][1])) < POINT]
        if near:
            near[0].append((x, y, name))
        else:
            groups.append([(x, y, name)])
    return groups


def _free(mark: Box, size: tuple[Length, Length], taken: Sequence[Box]) -> tuple[Length, Length]:
    """Corner of the names of a mark: to its right, below it, or to its left, where nothing is."""
    left, top, right, bottom = mark
    wide, high = size
    last = WIDTH - RIGHT - wide
    lefts = [it for it in (right + 4, min(left, last), left - 4 - wide) if LEFT < it <= last]
    tops = [(top + bottom - high) / 2]
    tops += [it for step in range(12) for it in (bottom + step * LINE, top - high - step * LINE)]
    return next(
        (x, y)
        for y in tops
        for x in lefts
        if not any(
            x < it[2] and it[0] < x + wide and y < it[3] and it[1] < y + high for it in taken
        )
    )


def _along(begin: tuple[Length, Length], end: tuple[Length, Length]) -> Iterator[Box]:
    """Small boxes that cover a line."""
    for step in range(LINE_BOXES + 1):
        share = step / LINE_BOXES
        x, y = (first + share * (last - first) for first, last in zip(begin, end, strict=True))
        yield x - 3, y - 3, x + 3, y + 3


def _point(it: Mapping[str, Any], chips: Length) -> tuple[Length, Length]:
    """Intensity, and the rate that a chip reaches."""
    return it["work"] / it["traffic"], it["work"] / chips / max(it["compute"], it["memory"])


def _limit(it: Mapping[str, Any]) -> str:
    return f"waits for {'memory' if it['memory'] >= it['compute'] else 'arithmetic'}"


def _decades(values: Sequence[Length]) -> tuple[Length, Length]:
    low = 10.0 ** math.floor(math.log10(min(values)) - 0.2)
    return low, 10.0 ** math.ceil(math.log10(max(values)) + 0.2)


def _frame(sheet: Sheet, ends: tuple[Length, Length, Length, Length], at: Any) -> None:
    """Axes with a mark at each power of ten, or at every few of them."""
    x_low, x_high, y_low, y_high = ends
    left, bottom = at(x_low, y_low)
    sheet.rule((left, bottom), at(x_high, y_low))
    sheet.rule((left, bottom), at(x_low, y_high))
    for mark in _marks(x_low, x_high, 6):
        x, y = at(mark, y_low)
        sheet.rule((x, y), (x, y - HEIGHT))
        sheet.words(min(x, WIDTH - 30), y + 15, plain(mark), 60, "middle")
    for mark in _marks(y_low, y_high, 8):
        x, y = at(x_low, mark)
        sheet.rule((x, y), (WIDTH - RIGHT, y))
        if mark > y_low:
            sheet.words(x - 6, y + 4, plain(mark * TERA), LEFT - 8, "end")
    sheet.words(left + 6, bottom - HEIGHT + 14, "TFLOP/s of a chip", UNIT_WORDS)


def _marks(low: Length, high: Length, most: int) -> list[Length]:
    decades = round(math.log10(high / low))
    step = max(1, math.ceil(decades / most))
    return [low * 10.0**it for it in range(0, decades + 1, step)]
