"""Designs on parallel axes, one for each number, to keep a range of some and see the others."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax.results.page import Figure
from liminal_jax.results.ticks import tick_format, ticks

_LETTER = 6.5
"""Most pixels that a letter of a name takes."""


def parallel_axes(columns: Mapping[str, Sequence[float | None]], label: str) -> Figure:
    """Parallel axes, lines coloured by the first of them.

    Args:
        columns: A number of all designs by its name, which tells its unit.
        label: What is shown, for readers who cannot see it.
    """
    trace = {
        "type": "parcoords",
        "labelside": "bottom",
        "line": {"color": next(iter(columns.values())), "colorscale": "Cividis"},
        "dimensions": [
            {"label": name, "values": it, **_ticked(it)} for name, it in columns.items()
        ],
    }
    first, *_, last = columns if len(columns) > 1 else (*columns, *columns)
    ends = {"l": _half(first), "r": _half(last)}
    return Figure((trace,), {"margin": ends}, label, 420)


def _ticked(values: Sequence[float | None]) -> dict[str, Any]:
    """What stands beside an axis; nothing where no value is known."""
    known = [it for it in values if it is not None and math.isfinite(it)]
    return {"tickvals": ticks(known), "tickformat": tick_format(known)} if known else {}


def _half(name: str) -> float:
    """Room for half of a name, and for numbers beside the axis."""
    return max(60.0, _LETTER * len(name) / 2 + 8)
