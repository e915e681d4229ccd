"""How the results of `synchronisation` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import colour, name_ends, plain_table, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TIB = 2.0**40
MICRO = 1e-6

LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Shares between which the map changes colour."""


def _micro(seconds: float | None) -> str:
    """Microseconds in two digits or so.

    Examples:
        >>> _micro(142e-6), _micro(1.44e-6), _micro(51e-9), _micro(0.4e-9), _micro(None)
        ('142', '1.4', '0.051', '<0.001', '-')
    """
    if seconds is None:
        return "-"
    micro = seconds / MICRO
    if micro < 0.001:
        return "<0.001"
    return f"{micro:,.0f}" if micro >= 10 else f"{micro:.2g}"


def _table(results: Mapping[str, Any], ranks: str) -> RenderableType:
    chips = list(results["chips"])
    dram = chips[1:3]
    table = plain_table(
        [
            "model",
            *(f"half\n{chip}" for chip in chips),
            *(f"lost\n{chip}" for chip in dram),
            *(f"at 2.5\n{chip}" for chip in dram),
        ]
    )
    for model, by_ranks in results["rows"].items():
        cells = by_ranks[ranks]
        table.add_row(
            model,
            *(_micro(cells[chip]["dominates"]) for chip in chips),
            *(_micro(cells[chip]["loses"]) for chip in dram),
            *(times(cells[chip]["gain"]["too_long"]) for chip in dram),
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Both latencies of each model and chip, and the verdicts."""
    parts: list[RenderableType] = []
    for ranks in next(iter(results["rows"].values())):
        parts += [
            f"Largest latency of a collective [us], one user, {ranks} chips: half, until"
            f" collectives take half of the step; lost, until the chip is {results['lost']}x as"
            " fast as HBM3; at 2.5, how much faster it is with collectives of 2.5 us",
            _table(results, ranks),
        ]
    return parts


def _chips(axes: "Axes", results: Mapping[str, Any], shade: str) -> None:
    for place, (name, bandwidth) in enumerate(results["chips"].items()):
        axes.axvline(bandwidth / TIB, color=shade, linewidth=0.7, zorder=1)
        axes.annotate(
            name,
            (bandwidth / TIB, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 8 * (place % 2)),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )


def _claims(axes: "Axes", results: Mapping[str, Any]) -> None:
    for latency, text in zip(
        results["claimed"].values(), ("claim: 1 us", "claim: 2.5 us"), strict=True
    ):
        axes.axhline(latency / MICRO, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(
            text,
            (1.0, latency / MICRO),
            xycoords=("axes fraction", "data"),
            xytext=(-3, 2),
            textcoords="offset points",
            ha="right",
            fontsize=7,
        )


def _frame(axes: "Axes", results: Mapping[str, Any]) -> None:
    bandwidths, latencies = results["bandwidths"], results["latencies"]
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(bandwidths[0] / TIB, bandwidths[-1] / TIB),
        ylim=(latencies[0] / MICRO, latencies[-1] / MICRO),
        xlabel="memory bandwidth of a chip [TiB/s]",
        ylabel="latency of a collective [us]",
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")


def _map(axes: "Axes", results: Mapping[str, Any]) -> None:
    from matplotlib import colormaps

    bandwidths = [it / TIB for it in results["bandwidths"]]
    latencies = [it / MICRO for it in results["latencies"]]
    shades = [colormaps["cividis"](level) for level in (0.0, 0.2, 0.4, 0.62, 0.8, 1.0)]
    axes.contourf(bandwidths, latencies, results["map"], levels=LEVELS, colors=shades)
    lines = axes.contour(
        bandwidths, latencies, results["map"], levels=LEVELS[1:-1], colors="white", linewidths=0.6
    )
    shades = ["white", "white", "white", "black", "black"]  # of names, on dark and on light
    axes.clabel(lines, fmt=lambda level: f"{level:.0%}", fontsize=7, colors=shades)
    axes.grid(visible=False)
    axes.set_title(f"share of collectives: {results['mapped']}", pad=22)


def _edges(axes: "Axes", results: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    names, ends = list(results["edges"]), {}
    for name, edge in results["edges"].items():
        points = [
            (bandwidth / TIB, latency / MICRO)
            for bandwidth, latency in zip(results["bandwidths"], edge, strict=True)
        ]
        axes.plot(*zip(*points, strict=True), color=colour(names, name))
        ends[name] = points[-1]
    axes.set_ylim(bottom=0.7 * min(end[1] for end in ends.values()))
    axes.set_title("above its line a model waits for collectives", pad=22)
    return ends


def plot(results: Mapping[str, Any]) -> "Figure":
    """The share of collectives over bandwidth and latency, and where it passes a half."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.4, 4.8))
    panels = figure.subplots(1, 2)
    for axes, shade in zip(panels, ("white", "0.75"), strict=True):
        _frame(axes, results)
        _chips(axes, results, shade)
        _claims(axes, results)
    _map(panels[0], results)
    ends = _edges(panels[1], results)
    figure.suptitle(
        f"Where collectives decide the speed: one user at 128K tokens, {results['ranks']} chips"
    )
    figure.set_layout_engine("constrained", rect=(0, 0, 0.93, 1))
    figure.draw_without_rendering()
    name_ends(panels[1], ends, {name: colour(list(ends), name) for name in ends})
    return figure
