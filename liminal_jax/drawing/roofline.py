"""The roofline of a chip, with the kinds of operators of a step as points under it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax._display import plain, with_prefix
from liminal_jax.drawing.svg import WIDTH, Length, Row, Sheet, solid

LEFT, RIGHT, HEIGHT = 64.0, 16.0, 250.0

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
    sheet.line(at(first, first * bandwidth), corner, 1.6)
    sheet.line(corner, at(x_high, peak), 1.6)
    for it, intensity, rate in points:
        x, y = at(intensity, rate)
        sheet.shape(x - 5, y - 5, 10, 10, "", it["name"], style=solid(_COLOURS[it["name"]]))
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
    sheet.words(left + 6, bottom - HEIGHT + 14, "TFLOP/s of a chip", 160)


def _marks(low: Length, high: Length, most: int) -> list[Length]:
    decades = round(math.log10(high / low))
    step = max(1, math.ceil(decades / most))
    return [low * 10.0**it for it in range(0, decades + 1, step)]
