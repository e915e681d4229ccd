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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

import liminal_jax as ll
from experiments.claims import judged, summary, verdict
from experiments.lattices import Designs, Grid, designs_of, frontier, user_counts
from experiments.published import load_published
from experiments.responsiveness_view import plot, report
from experiments.runner import Experiment, main
from experiments.talk_setting import (
    CHIPS,
    TALK,
    model_names,
    stacked,
    talk_chips,
    talk_models,
)
from liminal_jax.study.questions import load_study
from liminal_jax.study.variables import PATHS

SLOWER = (0.05, 0.1)
"""Shares of speed that are given up."""

CLAIMED = {0.05: 5.0, 0.1: 7.0}
"""What they are said to buy."""

MECHANISMS = {
    "users": ("chip", "ranks", "stages"),
    "chips": ("chip", "users"),
    "chip": ("ranks", "stages", "users"),
    "all": (),
}
"""What each way of saving holds."""

PLAN = "dram-or-sram-at-equal-cost"
"""The study that plans chips, with its facility and network."""

CONTEXTS = (4096, 131072)
"""Contexts [tokens]."""

STACKS = {"hbm4": 8.0, "3d-dram": 2.0, "sram": 2.0}
"""Stacks of a planned chip: eight as on B200, and one a die where a stack covers a die (3D DRAM) or
is part of it (SRAM)."""

COMPUTE_AREA = {"hbm4": 400e-6, "3d-dram": 600e-6, "sram": 300e-6}
"""Area of the cores on one of its two dies [m^2]: stacked DRAM covers 584 mm2 of a die, so that it
must be as large; beside SRAM of 333 mm2 no more than 300 mm2 have room."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        grid: Ways to serve them.
    """

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


def _fastest(designs: Designs, efficiency: np.ndarray) -> int:
    """The fastest design; of equals, the most efficient."""
    equals = np.flatnonzero(designs.utps >= designs.utps.max() * (1 - 1e-9))
    return int(equals[np.argmax(efficiency[equals])])


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
    first = _fastest(designs, efficiency)
    gains: dict[str, Any] = {}
    for share in SLOWER:
        quick = designs.utps >= (1 - share) * designs.utps[first]
        for mechanism, fields in MECHANISMS.items():
            allowed = quick & _held(designs, first, fields)
            best = int(np.argmax(np.where(allowed, efficiency, -np.inf)))
            gains.setdefault(f"{share:g}", {})[mechanism] = {
                "gain": float(efficiency[best] / efficiency[first]),
                "design": _told(designs, best, chips),
            }
    return {"fastest": _told(designs, first, chips), "gains": gains}


def _front(designs: Designs, efficiency: np.ndarray) -> dict[str, list[float]]:
    """Speed and efficiency of designs that none beats in both, the fastest first."""
    kept = frontier(designs.utps, efficiency)
    return {"utps": designs.utps[kept].tolist(), "efficiency": efficiency[kept].tolist()}


def _cell(designs: Designs, efficiency: np.ndarray, chips: list[str]) -> dict[str, Any]:
    return {**bought(designs, efficiency, chips), "front": _front(designs, efficiency)}


def _verdict(
    accounting: str, cells: Mapping[str, Mapping[str, Any]], share: float
) -> dict[str, Any]:
    """The claim for one share of speed and one accounting."""
    key, claimed = f"{share:g}", CLAIMED[share]
    gains = {name: cell["gains"][key]["all"]["gain"] for name, cell in cells.items()}
    alone = {
        mechanism: float(
            np.median([cell["gains"][key][mechanism]["gain"] for cell in cells.values()])
        )
        for mechanism in MECHANISMS
    }
    cases = {name: gain >= claimed for name, gain in gains.items()}
    least, most = min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)
    return verdict(
        f"{share:.0%} slower buys {claimed:.0f}x, {accounting}",
        judged(cases),
        gains,
        f"{sum(cases.values())} of {len(cases)} models gain so much: {gains[least]:.1f}x ({least})"
        f" to {gains[most]:.1f}x ({most}). In the middle of the models, users alone buy"
        f" {alone['users']:.1f}x, fewer chips {alone['chips']:.1f}x, another chip"
        f" {alone['chip']:.1f}x, all together {alone['all']:.1f}x, over the fastest design of the"
        " lattice, which serves few users",
    )


def verdicts(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claim by accounting and share of speed."""
    return [
        _verdict(accounting, cells, share) for accounting, cells in rows.items() for share in SLOWER
    ]


def _cells(name: str, context: int, grid: Grid) -> dict[str, Any]:
    """What speed buys for one model at one context, by accounting."""
    paper, planned, request = (
        talk_chips(CHIPS),
        planned_chips(),
        ll.Request(context, attention_bits=8),
    )
    (counted,) = talk_models([name]).values()
    model = ll.load_model(load_published().scale.rows[name].model)
    first = designs_of(stacked(paper.values()), counted, request, TALK, grid)
    second = designs_of(stacked(planned.values()), model, request, ll.Assumptions(), grid)
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


EXPERIMENT = Experiment(
    name="responsiveness",
    question=__doc__,
    full=Config(
        models=model_names(),
        grid=Grid(
            ranks=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
            stages=(1, 2, 4),
            users=user_counts(2048, 90),
        ),
    ),
    smoke=Config(
        models=("Llama3-70B",),
        grid=Grid(ranks=(8, 64, 128), stages=(1,), users=(1, 2, 4, 8, 16)),
    ),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
