"""How far limits are used: a gauge each."""

from collections.abc import Sequence
from typing import NamedTuple

from liminal_jax._display import per_cent
from liminal_jax.drawing.svg import WIDTH, Length, Sheet, outline

BAR, GAP = 16.0, 58.0

FULLEST = 1.25
"""Share of a limit at the right end of a gauge; what exceeds it more is drawn as long as that."""


class Gauge(NamedTuple):
    """A limit and how far it is used.

    Attributes:
        name: What is limited.
        value: What it is, and the limit, in words; empty where the share says it all.
        used: Share of the limit; above 1 it is exceeded.
    """

    name: str
    value: str
    used: Length


def gauges_sheet(
    gauges: Sequence[Gauge], figure: str = "limits", title: str = "Limits, the tightest first"
) -> Sheet:
    """The picture of some limits, the tightest first.

    Args:
        gauges: The limits; one at least.
        figure: Which picture it is.
        title: What they are about.
    """
    sheet = Sheet(figure, title)
    whole = WIDTH - 16
    for it in sorted(gauges, key=lambda it: -it.used):
        told = f"{it.value}, {per_cent(it.used)}" if it.value else per_cent(it.used)
        sheet.said.append(f"{it.name}: {told}")
        sheet.words(8, sheet.height + 12, it.name, WIDTH - 16)
        sheet.words(WIDTH - 8, sheet.height + 32 + BAR, told, WIDTH - 16, "end")
        colour = "beyond" if it.used > 1 + ROUNDING else "cache"
        length = whole * min(it.used, FULLEST) / FULLEST
        sheet.shape(8, sheet.height + 18, length, BAR, colour, told)
        limit = whole / FULLEST
        sheet.shape(8, sheet.height + 16, limit, BAR + 4, "outline", style=outline("outline"))
        sheet.height += GAP
    return sheet


ROUNDING = 1e-6
"""Share by which sums may exceed a limit that they fill exactly."""
