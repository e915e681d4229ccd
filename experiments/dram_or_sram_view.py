"""How the results of `dram_or_sram` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import name_ends, plain_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEMORIES = {"hbm4": ("HBM4", "C0"), "3d-dram": ("3D-DRAM", "C2"), "sram": ("SRAM", "C3")}
"""Memories of planned chips: name and colour."""

CHIPS = {"HBM3": "C5", "HBM4": "C0", "3D-DRAM": "C2", "SRAM": "C3", "wafer": "C1"}
"""The paper's chips, in the same colours."""

UNITS = {
    "watt": "tokens for a joule [1/J]",
    "dollar": "tokens a second for a dollar [1/s/USD]",
}
"""What is gained with each design, and its unit."""


def _design(cell: Mapping[str, Any]) -> str:
    """A design in a line."""
    if "best" not in cell:
        return cell["lacking"]
    it = cell["design"]
    dies, stacks, users = it["dies"], it["stacks"], it["batch"] * it["pp"]
    return f"{it['tp']:.0f}x{it['pp']:.0f}, {stacks:.0f}/{dies:.0f}, {users:,.0f}"


def _table(cells: Mapping[str, Any]) -> RenderableType:
    names = [name for name, _ in MEMORIES.values()]
    table = plain_table(["at least", *names, "best DRAM", "SRAM"])
    rows = {f"{speed} UTPS": it for speed, it in cells["speeds"].items()}
    rows |= {f"ends for {whom}": it for whom, it in cells["favouring"].items()}
    for name, cell in rows.items():
        found = cell["memories"]
        dram = max((found["hbm4"], found["3d-dram"]), key=lambda it: it.get("best", 0.0))
        table.add_row(
            name,
            *(
                f"{found[memory]['best']:.3g}" if "best" in found[memory] else "-"
                for memory in MEMORIES
            ),
            _design(dram),
            _design(found["sram"]),
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """The best of each memory, and the verdicts."""
    parts: list[RenderableType] = []
    for kind, cells in results["planned"].items():
        first = next(iter(cells["speeds"].values()))
        parts += [
            f"Most {UNITS[kind]} with each memory, of {first['designs']:,} designs;"
            f" ends: at {results['pushed']:g} UTPS with every range at the end that favours one"
            " side. Designs: ranks x stages, memory stacks/dies of a chip, users",
            _table(cells),
        ]
    return parts


def _bars(axes: "Axes", kind: str, cells: Mapping[str, Any], pushed: str) -> None:
    """The best of each memory over speed, its range where it was pushed."""
    speeds = list(cells["speeds"])
    for place, (memory, (name, shade)) in enumerate(MEMORIES.items()):
        best = [cells["speeds"][speed]["memories"][memory].get("best") for speed in speeds]
        places = [spot + 0.26 * (place - 1) for spot in range(len(speeds))]
        for spot, value in zip(places, best, strict=True):
            if value is None:
                axes.annotate(
                    "none", (spot, 0), ha="center", va="bottom", fontsize=6.5, rotation=90
                )
        heights = [value or 0.0 for value in best]
        axes.bar(places, heights, width=0.24, color=shade)
        axes.annotate(
            name,
            (places[0], heights[0]),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=6.5,
            color=shade,
        )
        ends = [it["memories"][memory].get("best") for it in cells["favouring"].values()]
        if pushed in speeds and all(end is not None for end in ends):
            axes.plot(
                [places[speeds.index(pushed)]] * 2, ends, color="black", linewidth=1, marker="_"
            )
    axes.set_xticks(range(len(speeds)), [f"{float(speed):,.0f}" for speed in speeds])
    axes.set(xlabel="least speed for the user [1/s]", ylabel=UNITS[kind])
    axes.set_title(f"planned chips, for a {kind}")
    axes.grid(visible=False, axis="x")


def _fronts(axes: "Axes", model: str, chips: Mapping[str, Any]) -> None:
    for name, front in chips.items():
        axes.plot(front["utps"], front["per_watt"], color=CHIPS[name])
    fastest = max(front["utps"][0] for front in chips.values())
    most = max(front["per_watt"][-1] for front in chips.values())
    axes.set(xscale="log", yscale="log", xlim=(10, 6 * fastest), ylim=(most / 1e4, 2 * most))
    axes.set(xlabel="speed for the user [1/s]", title=f"the paper's chips: {model}")


def plot(results: Mapping[str, Any]) -> "Figure":
    """The best of each memory over speed, and fronts of the paper's chips."""
    from matplotlib.figure import Figure

    fronts = results["paper"]
    columns = max(len(results["planned"]), (len(fronts) + 1) // 2) + (len(fronts) + 1) // 2
    figure = Figure(figsize=(13.0, 7.4))
    figure.set_layout_engine("constrained")
    grid = figure.add_gridspec(2, columns)
    split = columns - (len(fronts) + 1) // 2
    for row, (kind, cells) in enumerate(results["planned"].items()):
        axes = figure.add_subplot(grid[row, :split])
        _bars(axes, kind, cells, f"{results['pushed']:g}")
    panels: list[tuple[Axes, Mapping[str, Any]]] = []
    for place, (model, chips) in enumerate(fronts.items()):
        axes = figure.add_subplot(grid[place % 2, split + place // 2])
        _fronts(axes, model, chips)
        panels.append((axes, chips))
        if place < 2:
            axes.set_ylabel("tokens for a joule [1/J]")
    figure.draw_without_rendering()
    for axes, chips in panels:
        ends = {name: (it["utps"][0], it["per_watt"][0]) for name, it in chips.items()}
        name_ends(axes, ends, CHIPS)
    figure.suptitle(
        "DRAM or SRAM at equal speed, 8K tokens; black: all ranges at the ends that favour DRAM or"
        " SRAM"
    )
    return figure
