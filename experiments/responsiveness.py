"""What does a slightly slower answer buy?

The claim, as published: five to ten per cent slower for the user buys more than five times, and on
the figure seven times, the efficiency of the system (Sankaralingam, IET REACH, 2025).

For each model the fastest design of a lattice is taken (chip, chips in tensor parallelism, stages,
users), at 4K and at 128K tokens, the slide naming no context; where several are equally fast, the
most efficient of them. Then the most efficient design within 5 and 10 % of its speed, letting only
the users change, only the number of chips, only the chip, or all of them. Twice: with the paper's
chips in the talk's accounting, whose power is provisioned (tokens a second for a watt; they have no
price), and with chips planned from HBM4, 3D-DRAM and SRAM by the laws of cost and power that come
with the package, which counts the model as it is (also tokens a second for a dollar of capital).
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record
from experiments.drawing import short, times
from experiments.lattices import Grid, designs_of, front_of, lists, user_counts
from experiments.nested import column, first_of
from experiments.published import load_published
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.study.questions import load_study
from liminal_jax.study.variables import PATHS

CLAIMED = {0.05: 5.0, 0.1: 7.0}  # what giving up these shares of speed is said to buy
MECHANISMS = {
    "users": ("chip", "ranks", "stages"),
    "chips": ("chip", "users"),
    "chip": ("ranks", "stages", "users"),
    "all": (),
}
"""What each way of saving holds."""

PLAN = "dram-or-sram-at-equal-cost"  # the study that plans chips, with its facility and network
CONTEXTS = (4096, 131072)  # [tokens]

STACKS = {"hbm4": 8.0, "3d-dram": 2.0, "sram": 2.0}
"""Stacks of a planned chip: eight as on B200, and one a die where a stack covers a die (3D DRAM) or
is part of it (SRAM)."""

COMPUTE_AREA = {"hbm4": 400e-6, "3d-dram": 600e-6, "sram": 300e-6}
"""Area of the cores on one of its two dies [m^2]: stacked DRAM covers 584 mm2 of a die, so that it
must be as large; beside SRAM of 333 mm2 no more than 300 mm2 have room."""


def planned_chips() -> dict[str, ll.System]:
    """Chips of two dies with 900 GB/s to others, by memory technology."""
    problem = ll.problem_of(load_study(PLAN))
    found = {}
    for name, stacks in STACKS.items():
        plan = {"stacks": stacks, "dies": 2.0, "compute_area": COMPUTE_AREA[name], "sram": 0.0}
        numbers = {PATHS[it]: value for it, value in plan.items()}
        first = [numbers.get(it.path, it.grid.values[0]) for it in problem.variables]
        case = problem.region.at(first, jnp.asarray(problem.categories.index(name)))
        found[name] = case.built(ll.Exact())
    return found


def _told(design: xr.Dataset, chips: list[str]) -> dict[str, Any]:
    """A design for a record."""
    whole = {it: int(design[it]) for it in ("ranks", "stages", "users")}
    speeds = {it: float(design[it]) for it in ("utps", "stps")}
    return {"chip": chips[int(design["chip"])], **whole, **speeds}


def bought(designs: xr.Dataset, efficiency: np.ndarray, chips: list[str]) -> dict[str, Any]:
    """What giving up speed buys, by each mechanism.

    Args:
        designs: Every design that fits.
        efficiency: Of each, in any unit.
        chips: Names of the chips.

    Returns:
        The fastest design, and for each share of speed and mechanism the factor of efficiency and
        the design that reaches it.
    """
    speeds = designs["utps"].values
    equals = np.flatnonzero(speeds >= speeds.max() * (1 - 1e-9))
    at = int(equals[np.argmax(efficiency[equals])])
    first = designs.isel(design=at)
    gains: dict[str, Any] = {}
    for share in CLAIMED:
        for mechanism, fields in MECHANISMS.items():
            alike = [(designs[it] == first[it]).values for it in fields]
            allowed = np.all([speeds >= (1 - share) * speeds[at], *alike], axis=0)
            best = int(np.argmax(np.where(allowed, efficiency, -np.inf)))
            gains.setdefault(f"{share:g}", {})[mechanism] = {
                "gain": float(efficiency[best] / efficiency[at]),
                "design": _told(designs.isel(design=best), chips),
            }
    return {"fastest": _told(first, chips), "gains": gains}


def _cell(designs: xr.Dataset, spent: str, chips: list[str]) -> Record:
    """What speed buys; and designs that none beats in speed and efficiency, the fastest first."""
    efficiency = designs["stps"] / designs[spent]
    rates = xr.Dataset({"utps": designs["utps"], "efficiency": efficiency})
    front = lists(front_of(rates, "utps", "efficiency"))
    return {**bought(designs, efficiency.values, chips), "front": front}


BUYS = {
    share: Claim(
        f"{share:.0%} slower buys {claimed:.0f}x, {{accounting}}",
        lambda gain, claimed=claimed: gain >= claimed,
        "{yes} of {count} models gain so much: {least} ({least_of}) to {most} ({most_of}). In the"
        " middle of the models, users alone buy {alone[users]:.1f}x, fewer chips"
        " {alone[chips]:.1f}x, another chip {alone[chip]:.1f}x, all together {alone[all]:.1f}x,"
        " over the fastest design of the lattice, which serves few users",
        "{:.1f}x",
    )
    for share, claimed in CLAIMED.items()
}


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claim by accounting and share of speed."""
    found = []
    for accounting, cells in rows.items():
        for share, claim in BUYS.items():
            gains = {it: column(cells, "gains", f"{share:g}", it, "gain") for it in MECHANISMS}
            alone = {it: float(np.median(list(by.values()))) for it, by in gains.items()}
            found.append(claim.of(gains["all"], accounting=accounting, alone=alone))
    return found


def _cells(name: str, context: int, grid: Grid) -> dict[str, Record]:
    """What speed buys for one model at one context, by accounting."""
    paper, planned = talk.talk_chips(talk.CHIPS), planned_chips()
    request = ll.Request(context, attention_bits=8)
    (counted,) = talk.talk_models([name]).values()
    model = ll.load_model(load_published().scale.rows[name].model)
    first = designs_of(talk.stacked(paper.values()), counted, request, talk.TALK, grid)
    second = designs_of(talk.stacked(planned.values()), model, request, ll.Assumptions(), grid)
    return {
        "per watt, the paper's chips": _cell(first, "power", list(paper)),
        "per watt, planned chips": _cell(second, "power", list(planned)),
        "per dollar, planned chips": _cell(second, "capital", list(planned)),
    }


LATTICE = Grid(
    ranks=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
    stages=(1, 2, 4),
    users=user_counts(2048, 90),
)
"""Ways to serve a model."""


def run(models: tuple[str, ...] = talk.model_names(), grid: Grid = LATTICE) -> dict[str, Any]:
    """What speed buys, by accounting and model, by its printed name."""
    rows: dict[str, Any] = {}
    for context in CONTEXTS:
        for name in models:
            for accounting, cell in _cells(name, context, grid).items():
                rows.setdefault(f"{accounting}, {draw.tokens(context)}", {})[name] = cell
    return {"contexts": CONTEXTS, "rows": rows, "verdicts": verdicts(rows)}


def _design(design: Record) -> str:
    """A design in a word: chips, stages where there are several, chip, users of all stages."""
    stages = "" if design["stages"] == 1 else f"x{design['stages']}"
    return f"{design['ranks']}{stages} {design['chip']}, {design['users'] * design['stages']}"


TABLE = Table(
    "model",
    [
        Column("fastest\nUTPS", ("fastest", "utps"), short),
        Column("chips, users\nof the fastest", "fastest", _design),
        *(
            Column(f"{share:.0%}\n{mechanism}", ("gains", f"{share:g}", mechanism, "gain"), times)
            for share in CLAIMED
            for mechanism in MECHANISMS
        ),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """What speed buys by accounting."""
    title = "Efficiency over that of the fastest design, {group}, by what may change"
    return TABLE.each(title, results["rows"])


def _gained(front: Record) -> tuple[list[float], list[float]]:
    """Speed given up [%], up to a fifth, and efficiency gained."""
    slower = [100 * (1 - speed / front["utps"][0]) for speed in front["utps"]]
    gain = [it / front["efficiency"][0] for it in front["efficiency"]]
    shown = sum(it <= 20 for it in slower)
    return [*slower[:shown], 20.0], [*gain[:shown], gain[shown - 1]]


def _panel(axes: draw.Axes, cells: Record) -> draw.Ends:
    """Efficiency gained over speed given up."""
    lines = {name: _gained(cell["front"]) for name, cell in cells.items()}
    label = "slower for the user than the fastest design [%]"
    axis = {"xlim": (0, 20), "yscale": "log", "xlabel": label}
    ends = draw.lines(axes, lines, draw.colours(cells), steps=True, **axis)
    top = max(9.0, 1.3 * max(gain for _, gain in ends.values()))
    axes.set(ylim=(0.9, top), xticks=range(0, 21, 5))
    ticks = [it for it in (1, 2, 5, 10, 20, 50, 100, 200) if it < top]
    axes.set_yticks(ticks, [f"{it:g}" for it in ticks])
    axes.yaxis.set_minor_formatter("")
    for share, claimed in CLAIMED.items():
        axes.plot(100 * share, claimed, "k*", markersize=9, zorder=5)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8}
        at = (100 * share, claimed)
        draw.note(axes, f"claim: {claimed:.0f}x", at, (5, -9), ha="left", bbox=box)
    return ends


def plot(results: Record) -> draw.Figure:
    """Efficiency gained over speed given up, a panel for each accounting."""
    return draw.panels(
        results["rows"],
        _panel,
        (15.0, 8.0),
        width=0.94,
        title="What a slower answer buys; users, chips and chip may all change",
        ylabel="efficiency over that of the fastest [-]",
        shades=draw.colours(first_of(results["rows"])),
    )


SMOKE = {
    "models": ("Llama3-70B",),
    "grid": Grid(ranks=(8, 64, 128), stages=(1,), users=(1, 2, 4, 8, 16)),
}
EXPERIMENT = Experiment("responsiveness", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
