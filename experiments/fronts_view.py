"""How the results of `fronts` are told and drawn."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-5
"""Least share of the figure; a search that misses less, or nothing, is drawn there."""

NEAR = 0.01
"""Share of the hypervolume that a search may miss and still be near."""


def _at(results: Mapping[str, Any], trade: Mapping[str, Any], multiple: float) -> list[Any]:
    """What each search had found by then."""
    moment = results["multiples"].index(multiple)
    return [search[moment] for search in trade["searches"]]


def _first(results: Mapping[str, Any], search: Sequence[Mapping[str, Any]], most: float) -> float:
    """The first multiple at which a search missed so little; infinite if it never did."""
    met = [
        multiple
        for multiple, it in zip(results["multiples"], search, strict=True)
        if it["missed"] <= most
    ]
    return met[0] if met else math.inf


def _last(results: Mapping[str, Any]) -> float:
    return max(results["multiples"])


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Searches at the end, those near the front when ours was done, and those that had it all."""
    trades, last = results["trades"], _last(results)
    equal = [it for trade in trades for it in _at(results, trade, 1.0)]
    late = [(trade, it) for trade in trades for it in _at(results, trade, last)]
    return {
        "trades": len(trades),
        "searches": len(equal),
        "near_at_equal_time": sum(it["missed"] <= NEAR for it in equal),
        "near_at_the_end": sum(it["missed"] <= NEAR for _, it in late),
        "whole_at_the_end": sum(it["found"] == trade["points"] for trade, it in late),
        "multiple_at_the_end": last,
    }


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _median(found: Sequence[Mapping[str, Any]], what: str) -> float | None:
    """Median over the searches; none where most have found no design."""
    middle = statistics.median(math.inf if it[what] is None else it[what] for it in found)
    return middle if math.isfinite(middle) else None


def _when(multiple: float) -> str:
    return f"{multiple:g}x" if math.isfinite(multiple) else "never"


def _table(results: Mapping[str, Any]) -> Table:
    last = _last(results)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("study", "objectives"):
        table.add_column(heading, overflow="fold")
    for heading in (
        "front\n[points]",
        "ours\n[s]",
        "missed\n1x",
        f"missed\n{last:g}x",
        "off by\n1x",
        f"off by\n{last:g}x",
        f"found\n{last:g}x",
        "missed\n< 1 %",
    ):
        table.add_column(heading, justify="right")
    for trade in results["trades"]:
        equal, late = _at(results, trade, 1.0), _at(results, trade, last)
        near = statistics.median(_first(results, it, NEAR) for it in trade["searches"])
        table.add_row(
            trade["study"],
            ", ".join(trade["quantities"]),
            f"{trade['points']:,}",
            f"{trade['seconds']:.1f}",
            _share(_median(equal, "missed")),
            _share(_median(late, "missed")),
            _share(_median(equal, "off")),
            _share(_median(late, "off")),
            f"{_median(late, 'found') or 0:g}",
            _when(near),
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """A row for each study, and the verdict."""
    found, last = summary(results), _last(results)
    return [
        "NSGA-II against the whole front, proven: medians over the seeds; times are multiples of"
        " our seconds",
        _table(results),
        f"{found['near_at_equal_time']} of {found['searches']} searches miss at most {NEAR:.0%} of"
        f" the hypervolume when ours is done, {found['near_at_the_end']} in {last:g} times the"
        f" seconds; {found['whole_at_the_end']} have found the whole front by then. None can say"
        " how much it misses.",
    ]


def _panel(axes: "Axes", results: Mapping[str, Any], trade: Mapping[str, Any]) -> None:
    """What NSGA-II misses and is off by, as it goes on."""
    for what, color, mark in (("missed", "C0", "o"), ("off", "C3", "s")):
        for search in trade["searches"]:
            shares = [1.0 if it[what] is None else max(it[what], FLOOR) for it in search]
            axes.plot(
                results["multiples"],
                shares,
                color=color,
                marker=mark,
                markersize=3.5,
                linewidth=0.9,
            )
    axes.axvline(1.0, color="black", linewidth=0.9, linestyle="--")
    axes.annotate(
        f"ours: {trade['seconds']:.1f} s\nnothing missed,\nproven",
        (0.02, 0.03),
        xycoords="axes fraction",
        fontsize=7,
        va="bottom",
    )
    axes.set(
        xscale="log",
        yscale="log",
        ylim=(FLOOR / 1.5, 2.0),
        xlabel="seconds over ours",
        title=f"{trade['study']}\n{', '.join(trade['quantities'])}: {trade['points']:,} points",
    )


def plot(results: Mapping[str, Any]) -> "Figure":
    """A panel for each study."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    trades = results["trades"]
    columns = min(len(trades), 3)
    rows = math.ceil(len(trades) / columns)
    figure = Figure(figsize=(3.4 * columns + 0.4, 2.9 * rows + 0.8))
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in panels.flat[len(trades) :]:
        axes.set_visible(False)
    for axes, trade in zip(panels.flat, trades, strict=False):
        _panel(axes, results, trade)
    for axes in panels[:, 0]:
        axes.set_ylabel("share")
    figure.suptitle(
        "What NSGA-II lacks of the proven front, a line for each seed", x=0.01, ha="left"
    )
    handles = [
        Line2D([], [], color="C0", marker="o", label="hypervolume missed"),
        Line2D(
            [], [], color="C3", marker="s", label="factor by which some design is missed, less 1"
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
