"""How the results of `plateau` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import plain_table, short, times
from experiments.verdicts import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"HBM3": "C5", "HBM4": "C0", "3D-DRAM": "C2", "SRAM": "C3", "wafer": "C1"}
MARKERS = {"HBM3": "o", "HBM4": "s", "3D-DRAM": "^", "SRAM": "D", "wafer": "v"}

BETTER = {
    "bandwidth": "more\nbandwidth",
    "latency": "shorter\nlatency",
    "layers": "fewer\nlayers",
    "context": "shorter\ncontext",
}


def _most_table(results: Mapping[str, Any], context: str) -> RenderableType:
    table = plain_table(["model", *results["chips"]])
    for model, row in results["rows"][context].items():
        table.add_row(
            model,
            *(
                f"{short(it['utps'])} on {it['chips']}" if it else "-"
                for it in row["most"].values()
            ),
        )
    return table


def _needs_table(results: Mapping[str, Any], context: str) -> RenderableType:
    rows = results["rows"][context]
    targets = next(
        (list(row["together"]) for row in rows.values() if "together" in row), list[str]()
    )
    table = plain_table(
        [
            "model",
            *(BETTER[it] for it in results["means"]),
            *(f"{int(float(target)):,}\n{it}" for target in targets[:1] for it in results["means"]),
        ]
    )
    for model, row in rows.items():
        if "alone" not in row:
            continue
        table.add_row(
            model,
            *(times(it) if it else "never" for it in row["alone"].values()),
            *(times(it) for it in row["together"][targets[0]].values()),
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """The most of each chip, what more needs, and the verdicts."""
    parts: list[RenderableType] = []
    for context in results["rows"]:
        parts += [
            f"Most UTPS of one user [1/s] and the chips it takes, {context} tokens",
            _most_table(results, context),
            f"What {results['wanted']:,.0f} UTPS need from HBM4 on, {context} tokens: each alone,"
            " then all together by the shortest way",
            _needs_table(results, context),
        ]
    return [*parts, *told(results)]


def _most(axes: "Axes", results: Mapping[str, Any], context: str) -> None:
    """The most of each chip, a line for each model."""
    rows = results["rows"][context]
    for place, row in enumerate(rows.values()):
        speeds = {name: it["utps"] for name, it in row["most"].items() if it}
        axes.plot([min(speeds.values()), max(speeds.values())], [place] * 2, color="0.8", zorder=1)
        for name, speed in speeds.items():
            axes.plot(speed, place, MARKERS[name], color=COLOURS[name], markersize=5, mec="white")
    for speed, text in ((results["reached"], "5,000"), (results["wanted"], "10,000")):
        axes.axvline(speed, color="black", linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        axes.annotate(
            text,
            (speed, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    axes.set(xscale="log", xlabel="most tokens a second of one user [1/s]")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(f"{context} tokens", pad=14)


def _needs(axes: "Axes", results: Mapping[str, Any], context: str) -> None:
    """Factors that the wanted speed needs: alone, and together."""
    from matplotlib.colors import LogNorm
    from numpy import array, nan

    rows = results["rows"][context]
    means = results["means"]
    wanted = f"{results['wanted']:g}"
    empty = dict.fromkeys(means)
    cells = [
        [
            *(row.get("alone", empty)[it] for it in means),
            *(row.get("together", {}).get(wanted, empty)[it] for it in means),
        ]
        for row in rows.values()
    ]
    factors = array([[nan if it is None else it for it in line] for line in cells], float)
    axes.imshow(factors, aspect="auto", cmap="Blues", norm=LogNorm(1, 300))
    for place, (row, line) in enumerate(zip(rows.values(), cells, strict=True)):
        reached = "alone" not in row
        for column, value in enumerate(line):
            text = "reached" if reached else "never" if value is None else times(value)
            shade = "white" if value is not None and value > 30 else "black"
            axes.text(column, place, text, ha="center", va="center", fontsize=6.5, color=shade)
    axes.axvline(len(means) - 0.5, color="white", linewidth=4)
    axes.set_xticks(range(2 * len(means)), [*(BETTER[it] for it in means)] * 2, fontsize=6.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_title("10,000 from HBM4: each alone             all together", loc="center", pad=14)


def plot(results: Mapping[str, Any]) -> "Figure":
    """The most of each chip, and what 10,000 tokens a second need, by context."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    contexts = list(results["rows"])
    figure = Figure(figsize=(12.0, 0.9 + 3.2 * len(contexts)))
    figure.set_layout_engine("constrained")
    panels = figure.subplots(
        len(contexts), 2, squeeze=False, sharey="row", gridspec_kw={"width_ratios": (1, 1.25)}
    )
    for (left, right), context in zip(panels, contexts, strict=True):
        _most(left, results, context)
        _needs(right, results, context)
    figure.legend(
        handles=[
            Line2D([], [], linestyle="none", marker=MARKERS[it], color=COLOURS[it], label=it)
            for it in results["chips"]
        ],
        loc="outside lower left",
        ncols=len(results["chips"]),
    )
    figure.suptitle("How fast one user can be served by up to 128 chips, and what more would need")
    return figure
