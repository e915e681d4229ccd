"""How the results of `records` are told and drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import plain_table, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"wafer": "C1", "SRAM": "C3", "GPU": "C0"}
"""Colours by kind of system."""


def _known(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [it for it in results["rows"] if "bound" in it]


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Measured rates beside what is near the ideal and the bound, what is missing, the verdicts."""
    table = plain_table(["record", "a step", "measured", "near", "bound", "of bound"])
    for it in sorted(_known(results), key=lambda it: -it["measured"]):
        name = f"{it['name']}: {it['model']}"
        tokens = f"{'' if it['stated'] else 'at most '}{it['tokens']:.3g}"
        rates = [f"{it[key]:,.0f}" for key in ("measured", "near", "bound")]
        table.add_row(name[:50], tokens, *rates, f"{it['measured'] / it['bound']:.1%}")
    lacking = plain_table(["not modelled", "for want of"])
    lacking.columns[0].no_wrap, lacking.columns[1].no_wrap = False, False
    lacking.columns[1].justify = "left"
    for facts, names in _lacking(results).items():
        lacking.add_row("\n".join(names), facts)
    head = (
        "Tokens a second of one user [1/s]: measured, near the ideal, and the bound; tokens a step"
    )
    return [head, table, *([lacking] if lacking.rows else [])]


def _lacking(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """Records that are not modelled, by the facts that are missing."""
    found: dict[str, list[str]] = {}
    for it in results["rows"]:
        if "missing" in it:
            found.setdefault(", ".join(it["missing"]), []).append(f"{it['name']}: {it['model']}")
    return found


def _names(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    """Each record by name in a column beside the points, moved apart where they are near."""
    tops = [axes.transData.transform((1, it["measured"]))[1] for it in rows]
    places = spread(tops, 13.0 * axes.figure.dpi / 100)
    back = axes.transAxes.inverted()
    for it, place in zip(rows, places, strict=True):
        axes.annotate(
            f"{it['name']}: {it['model']}"[:52],
            (it["bound"], it["measured"]),
            xytext=(1.03, back.transform((0, place))[1]),
            textcoords="axes fraction",
            va="center",
            fontsize=6.5,
            color=COLOURS[it["kind"]],
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.4},
        )


def plot(results: Mapping[str, Any]) -> "Figure":
    """Measured over bound, with the line that no record may cross."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 4.6))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    rows = _known(results)
    for it in rows:
        colour, height = COLOURS[it["kind"]], it["measured"]
        axes.plot([it["near"], it["bound"]], [height, height], color=colour, linewidth=0.6)
        axes.plot(it["near"], height, "|", color=colour, markersize=6)
        axes.plot(it["bound"], height, "o", color=colour, markersize=4)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="bound (dot) and near ideal (tick), tokens a second of one user [1/s]",
        ylabel="measured [1/s]",
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    low, high = (edge(it["measured"] for it in rows) if rows else 1.0 for edge in (min, max))
    line = (0.7 * low, 1.5 * high)
    axes.plot(line, line, color="0.3", linewidth=1)
    axes.fill_betweenx(line, [1e-9, 1e-9], line, color="0.95", zorder=0)
    axes.set_xlim(left=0.5 * min((it["near"] for it in rows), default=1.0))
    axes.set_ylim(line)
    axes.annotate(
        "above the bound", (0.02, 0.94), xycoords="axes fraction", fontsize=7, color="0.3"
    )
    for place, (kind, colour) in enumerate(COLOURS.items()):
        where = (0.4 + 0.12 * place, 1.02)
        axes.annotate(kind, where, xycoords="axes fraction", fontsize=8, color=colour)
    figure.draw_without_rendering()
    _names(axes, rows)
    return figure
