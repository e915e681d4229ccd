"""The waterfall of a reach: from the speed there is to the one that is wanted, lever by lever."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liminal_jax.results.reach import SPEED, steps
from liminal_jax.results.words import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MORE, LESS = "#009E73", "#D55E00"
"""Green and vermilion of Okabe and Ito; in grey the green is the darker one."""

_INCH_A_ROW = 0.32


def waterfall_figure(record: Mapping[str, Any]) -> "Figure":
    """One bar a lever that moves, on a logarithmic axis, drawn from the record of a run."""
    from matplotlib import pyplot

    rows = steps(record)
    figure, axes = pyplot.subplots(figsize=(7.2, 1.5 + _INCH_A_ROW * len(rows)))
    for row, (_, before, after) in enumerate(rows):
        low, high = sorted((before, after))
        axes.barh(row, high - low, left=low, height=0.6, color=MORE if after > before else LESS)
        axes.annotate(
            f"x {after / before:.2f}",
            (high, row),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    axes.axvline(record["target"], color="black", linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.1)
    axes.set_xlabel("tokens a second of one user (dashed: target)")
    figure.suptitle(_title(record), x=0.01, ha="left", fontsize=9)
    return figure


def _title(record: Mapping[str, Any]) -> str:
    start = quantity(SPEED, record["from"][SPEED], "1/s")
    end = quantity(SPEED, record["prediction"][SPEED], "1/s")
    missed = "" if record["reachable"] else f", short of {quantity(SPEED, record['target'], '1/s')}"
    return f"{record['workload']['model']}: from {start} to {end}{missed}"
