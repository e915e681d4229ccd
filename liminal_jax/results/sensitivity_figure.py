"""The tornado plot: what becomes of the best design when one number at a time changes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liminal_jax._display import plain
from liminal_jax.results.words import quantity, quantity_word
from liminal_jax.study.quantities import NAMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LESS, MORE = "#0072B2", "#E69F00"
"""Blue and orange of Okabe and Ito; in grey the blue is the darker one."""

_BAND = "#F4F4F4"
_INCH_A_ROW = 0.3
_HEIGHT = 0.36


def tornado_figure(record: Mapping[str, Any]) -> "Figure":
    """Two bars a number, the widest on top, drawn from the record of a run."""
    from matplotlib import pyplot

    bars = record["tornado"]
    figure, axes = pyplot.subplots(figsize=(7.2, 1.6 + _INCH_A_ROW * len(bars)))
    for row, bar in enumerate(bars):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color=_BAND, zorder=0)
        for side in ("low", "high"):
            _draw_end(axes, row, bar, side, record)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(bars)), [f"{it['label']}  ({it['value']})" for it in bars])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.2)
    axes.set_xlabel(f"change of {quantity_word(_asked(record))} when the sizes are chosen anew [%]")
    figure.suptitle(_title(record), x=0.01, ha="left", fontsize=9)
    _legend(figure, record)
    return figure


def _asked(record: Mapping[str, Any]) -> str:
    """The quantity that the study asks for."""
    (name,) = record["objective"].values()
    return name


def _title(record: Mapping[str, Any]) -> str:
    name = _asked(record)
    (goal,) = record["objective"]
    extreme = "highest" if goal == "maximise" else "lowest"
    value = quantity(name, record["relaxed"]["value"], NAMED[name].unit)
    category = next(iter(record["best"]["design"].values()))
    return (
        f"{record['name']}: what moves the {extreme} {quantity_word(name)} ({NAMED[name].about})\n"
        f"away from {value} with {category}, sizes free and whole numbers held"
    )


def _draw_end(
    axes: "Axes", row: int, bar: Mapping[str, Any], side: str, record: Mapping[str, Any]
) -> None:
    """One bar: how far the objective goes, in figures too, and how far its slope would take it."""
    base, change = record["relaxed"]["value"], record["change"]
    colour = LESS if side == "low" else MORE
    solution = row - _HEIGHT / 2 if side == "low" else row + _HEIGHT / 2
    if bar[side] is None:
        _write(axes, "no design meets the limits", 0.0, solution, "right")
        return
    reached = 100 * (bar[side] / base - 1)
    predicted = 100 * (bar["first_order"][side] / base - 1)
    axes.barh(solution, reached, height=_HEIGHT, color=colour)
    ends = [solution - _HEIGHT / 2, solution + _HEIGHT / 2]
    axes.plot([predicted, predicted], ends, color="black", linewidth=1)
    outer = max(reached, predicted) if reached >= 0 else min(reached, predicted)
    text = f"{reached:+.1f} %{_remark(bar, side, change)}"
    _write(axes, text, outer, solution, "right" if reached >= 0 else "left")


def _remark(bar: Mapping[str, Any], side: str, change: float) -> str:
    """What there is to know of one bar beside its length."""
    capped = " (at most 1)" if bar["factors"][side] < 1 + change and side == "high" else ""
    return capped + (" *" if bar["active_set_changes"][side] else "")


def _write(axes: "Axes", text: str, x: float, y: float, side: str) -> None:
    """Small text left or right of the end of a bar."""
    axes.annotate(
        text,
        (x, y),
        xytext=(3 if side == "right" else -3, 0),
        textcoords="offset points",
        ha="left" if side == "right" else "right",
        va="center",
        fontsize=7,
    )


def _legend(figure: "Figure", record: Mapping[str, Any]) -> None:
    from matplotlib.patches import Patch

    change = f"{plain(100 * record['change'])} %"
    figure.legend(
        handles=[
            Patch(color=LESS, label=f"number {change} less"),
            Patch(color=MORE, label=f"{change} more"),
            _symbol("|", "predicted by the slope"),
            _symbol("$*$", "other limits bind, or the model steps"),
        ],
        loc="outside lower center",
        ncols=4,
        fontsize=7,
    )


def _symbol(marker: str, label: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color="black", linestyle="", marker=marker, label=label)
