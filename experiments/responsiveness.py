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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record
from experiments.drawing import short, times
from experiments.lattices import Designs, Grid, designs_of, frontier, user_counts
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


@dataclass(frozen=True)
class Config:
    """Models by their printed names, and ways to serve them."""

    models: tuple[str, ...]
    grid: Grid


def planned_chips() -> dict[str, ll.System]:
    """Chips of two dies with 900 GB/s to others, by memory technology."""
    problem = ll.problem_of(load_study(PLAN))
    return {name: _planned_chip(problem, name) for name in STACKS}


def _planned_chip(problem: ll.Problem, name: str) -> ll.System:
    plan = {"stacks": STACKS[name], "dies": 2.0, "compute_area": COMPUTE_AREA[name], "sram": 0.0}
    numbers = {PATHS[it]: value for it, value in plan.items()}
    first = [numbers.get(it.path, it.grid.values[0]) for it in problem.variables]
    case = problem.region.at(first, jnp.asarray(problem.categories.index(name)))
    return case.built(ll.Exact())


def _told(designs: Designs, place: int, chips: list[str]) -> dict[str, Any]:
    """A design for a record."""
    return {
        "chip": chips[int(designs.chip[place])],
        "ranks": int(designs.ranks[place]),
        "stages": int(designs.stages[place]),
        "users": int(designs.users[place]),
        "utps": float(designs.utps[place]),
        "stps": float(designs.stps[place]),
    }


def _held(designs: Designs, place: int, fields: tuple[str, ...]) -> np.ndarray:
    """Designs that are as one of them in some fields."""
    same = np.ones(len(designs.utps), bool)
    for name in fields:
        values = getattr(designs, name)
        same &= values == values[place]
    return same


def bought(designs: Designs, efficiency: np.ndarray, chips: list[str]) -> dict[str, Any]:
    """What giving up speed buys, by each mechanism.

    Args:
        designs: Every design that fits.
        efficiency: Of each, in any unit.
        chips: Names of the chips.

    Returns:
        The fastest design, and for each share of speed and mechanism the factor of efficiency and
        the design that reaches it.
    """
    equals = np.flatnonzero(designs.utps >= designs.utps.max() * (1 - 1e-9))
    first = int(equals[np.argmax(efficiency[equals])])
    gains: dict[str, Any] = {}
    for share in CLAIMED:
        quick = designs.utps >= (1 - share) * designs.utps[first]
        for mechanism, fields in MECHANISMS.items():
            allowed = quick & _held(designs, first, fields)
            best = int(np.argmax(np.where(allowed, efficiency, -np.inf)))
            gains.setdefault(f"{share:g}", {})[mechanism] = {
                "gain": float(efficiency[best] / efficiency[first]),
                "design": _told(designs, best, chips),
            }
    return {"fastest": _told(designs, first, chips), "gains": gains}


def _cell(designs: Designs, efficiency: np.ndarray, chips: list[str]) -> Record:
    """What speed buys; and designs that none beats in speed and efficiency, the fastest first."""
    kept = frontier(designs.utps, efficiency)
    front = {"utps": designs.utps[kept].tolist(), "efficiency": efficiency[kept].tolist()}
    return {**bought(designs, efficiency, chips), "front": front}


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
            gains = {
                mechanism: {
                    name: cell["gains"][f"{share:g}"][mechanism]["gain"]
                    for name, cell in cells.items()
                }
                for mechanism in MECHANISMS
            }
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
        "per watt, the paper's chips": _cell(first, first.stps / first.power, list(paper)),
        "per watt, planned chips": _cell(second, second.stps / second.power, list(planned)),
        "per dollar, planned chips": _cell(second, second.stps / second.capital, list(planned)),
    }


def run(config: Config) -> dict[str, Any]:
    """What speed buys, by accounting and model."""
    rows: dict[str, Any] = {}
    for context in CONTEXTS:
        for name in config.models:
            for accounting, cell in _cells(name, context, config.grid).items():
                rows.setdefault(f"{accounting}, {context // 1024}K", {})[name] = cell
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


def _panel(axes: draw.Axes, cells: Record, shades: dict[str, str]) -> draw.Ends:
    """Efficiency gained over speed given up."""
    lines = {name: _gained(cell["front"]) for name, cell in cells.items()}
    label = "slower for the user than the fastest design [%]"
    ends = draw.lines(axes, lines, shades, steps=True, xlim=(0, 20), yscale="log", xlabel=label)
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
    figure, panels = draw.sheet(2, 3, (15.0, 8.0), width=0.94)
    shades = draw.colours(draw.first_of(results["rows"]))
    ends = []
    flat: Sequence[draw.Axes] = [axes for line in panels for axes in line]
    for axes, (accounting, cells) in zip(flat, results["rows"].items(), strict=True):
        ends.append((axes, _panel(axes, cells, shades)))
        axes.set_title(accounting)
    for line in panels:
        line[0].set_ylabel("efficiency over that of the fastest [-]")
    figure.suptitle("What a slower answer buys; users, chips and chip may all change")
    draw.name_lines(figure, ends, shades)
    return figure


FULL = Config(
    models=talk.model_names(),
    grid=Grid(
        ranks=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
        stages=(1, 2, 4),
        users=user_counts(2048, 90),
    ),
)
SMOKE = Config(
    models=("Llama3-70B",), grid=Grid(ranks=(8, 64, 128), stages=(1,), users=(1, 2, 4, 8, 16))
)
EXPERIMENT = Experiment("responsiveness", __doc__, FULL, SMOKE, run, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
