"""What is reached beside the ideal bound: a mark with its interval on an axis from nothing."""

from typing import NamedTuple

from liminal_jax._display import plain
from liminal_jax.drawing.svg import WIDTH, Length, Row, Sheet, outline

BAR = 22.0


class Interval(NamedTuple):
    """A number that is not known exactly.

    Attributes:
        low: Lower end.
        value: What is most likely.
        high: Upper end.
        bound: The ideal bound.
        unit: Words for its unit.
    """

    low: Length
    value: Length
    high: Length
    bound: Length
    unit: str


def interval_sheet(it: Interval, title: str) -> Sheet:
    """The picture of an interval below a bound.

    Args:
        it: The interval.
        title: What is reached.
    """
    sheet = Sheet("interval", title)
    points = (WIDTH - 16) / max(it.bound, it.high)
    top = sheet.height + 6
    sheet.shape(8, top, it.bound * points, BAR, "outline", "the bound", style=outline("outline"))
    left, wide = 8 + it.low * points, (it.high - it.low) * points
    sheet.shape(left, top, wide, BAR, "cache", "90 % interval")
    middle = 8 + it.value * points
    sheet.shape(middle - 1.5, top - 3, 3, BAR + 6, "weights", "most likely")
    sheet.height = top + BAR + 8
    rows = [
        Row("value", "most likely", f"{plain(it.value)} {it.unit}", "weights"),
        Row("interval", "90 % interval", f"{plain(it.low)} to {plain(it.high)}", "cache"),
        Row("bound", "ideal bound, dashed", f"{plain(it.bound)} {it.unit}"),
    ]
    sheet.rows(rows, None)
    return sheet
