"""How outputs are spread over the points of a sweep: bars, and quantiles in a table."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax.results.page import PALETTE, Figure, Part, table
from liminal_jax.results.sweep_points import axis_title, output, shown

MOST_DRAWN = 6
"""Outputs whose spread is drawn; the table tells that of all."""

MOST_BARS = 60
"""Bars of a drawing; finer bins are joined."""


def spread(histograms: Mapping[str, Any], path: str = "histograms") -> list[Part]:
    """Figures and a table.

    Args:
        histograms: For each output its bins and quantiles.
        path: Where they stand in the record of the sweep.
    """
    filled = {name: it for name, it in histograms.items() if it["counts"]}
    shares = list(next(iter(histograms.values()))["quantiles"]) if histograms else []
    rows = (
        (
            name,
            *(
                output(f"{path}.{name}.quantiles.{it}", name, spot["quantiles"][it])
                for it in shares
            ),
        )
        for name, spot in histograms.items()
    )
    heading = ("share of points below", *(f"{float(it):.0%}" for it in shares))
    return [*(_bars(name, it) for name, it in [*filled.items()][:MOST_DRAWN]), table(rows, heading)]


def joined(low: Sequence[float], high: Sequence[float], counts: Sequence[int]) -> list[Sequence]:
    """Bins as bars of equal ratio, few enough to draw: their ends, and counts.

    Examples:
        >>> joined([1.0, 4.0], [2.0, 8.0], [3, 5])
        [[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [3, 0, 5]]
    """
    first, last = math.log(low[0]), math.log(high[-1])
    least = min(math.log(b / a) for a, b in zip(low, high, strict=True))
    bars = max(1, min(MOST_BARS, round((last - first) / least)))
    width = (last - first) / bars
    ends = [math.exp(first + width * at) for at in range(bars + 1)]
    sums = [0] * bars
    for a, b, count in zip(low, high, counts, strict=True):
        middle = (math.log(a) + math.log(b)) / 2
        sums[min(bars - 1, int((middle - first) / width))] += count
    rounded = [float(f"{it:.9g}") for it in ends]
    return [rounded[:-1], rounded[1:], sums]


def _bars(name: str, it: Mapping[str, Any]) -> Figure:
    low, high, counts = joined(it["low"], it["high"], it["counts"])
    unit, scale = shown(name)
    # On a logarithmic axis Plotly takes widths of bars for differences, so that steps are drawn.
    x = [scale * end for pair in zip(low, high, strict=True) for end in pair]
    trace = {
        "type": "scatter",
        "x": x,
        "y": [count for count in counts for _ in range(2)],
        "mode": "lines",
        "fill": "tozeroy",
        "line": {"color": PALETTE[0], "width": 1},
        "hovertemplate": f"%{{x:.4g}} {unit}: %{{y:,}} points<extra></extra>",
    }
    layout = {
        "xaxis": {**axis_title(name), "type": "log"},
        "yaxis": {"title": {"text": "points"}, "rangemode": "tozero"},
    }
    return Figure((trace,), layout, f"how {name} is spread", 300)
