"""Which memory serves most tokens for a watt and for a dollar, at equal speed for the user?

The claim, as published: designs with DRAM beat those with SRAM alone in tokens for a watt and for a
dollar at the scale of a system, although SRAM is faster (Sankaralingam, IET REACH, 2025).

Twice. First with chips planned by the laws of cost and power that come with the package: among the
designs of a built-in study (HBM4, 3D-DRAM or SRAM; stacks, dies, cores, chips, parallelism, users),
the best with each memory is proven, at several speeds for the user. Then every number that has a
range is put at that end of it that favours SRAM, all at once, and the proof is done again; and so
for DRAM. Second with the paper's chips in the talk's accounting, the wafer among them: tokens for a
watt of provisioned power over speed. They have no price, and neither has a wafer elsewhere.
"""

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record, cases_of
from experiments.lattices import Grid, designs_of, front_of, lists, user_counts
from experiments.nested import each, first_of, numbered
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.study.questions import load_study

STUDY = "dram-or-sram-at-equal-power"  # whose designs are searched; its own budget is left out
OBJECTIVES = {"watt": "stps_per_watt", "dollar": "stps_per_usd"}  # tokens for what, and how many
SRAM = "sram"
CONTEXT = 8192  # for the paper's chips, as in the study [tokens]


def study_at(quantity: str, chips: int | None, speed: float) -> ll.Problem:
    """The study with another objective, most chips (none for its own) and demand; no budget."""
    study = load_study(STUDY)
    design = study.design
    if chips is not None:
        few = dataclasses.replace(design.batch, values=(float(chips),))
        design = design.model_copy(update={"chips": few})
    floor = study.constraints[0].model_copy(update={"at_least": speed})
    objective = ll.ObjectiveTable(maximise=quantity)
    changes = {"design": design, "constraints": [floor], "objective": objective}
    return ll.problem_of(study.model_copy(update=changes))


def _values(problem: ll.Problem, indices: np.ndarray) -> dict[str, float]:
    """The free variables of a design by its indices, the first of which is its memory."""
    return {
        it.name: it.grid.values[int(index)]
        for it, index in zip(problem.variables, indices[1:], strict=True)
    }


def _point(problem: ll.Problem, values: Mapping[str, float]) -> list[float]:
    return [values[it.name] for it in problem.variables]


def best_of_each(problem: ll.Problem) -> dict[str, Any]:
    """The best design with each memory; none where no design meets the demand."""
    proof = ll.find(problem).proof
    found: dict[str, Any] = {}
    for row, name in enumerate(problem.categories):
        infeasibility = proof.infeasibility(row)
        found[name] = (
            {"lacking": infeasibility}
            if infeasibility is not None
            else {
                "best": problem.objective(float(proof.scores[row])),
                "design": _values(problem, proof.indices[row]),
            }
        )
    return {"memories": found, "designs": problem.lattice, "proven": proof.statistics.complete}


def _scores(problem: ll.Problem, found: Record, draws: ll.Draws) -> np.ndarray:
    """Logarithm of the objective of the best designs, a row a draw, a column a memory."""
    memories = [name for name in problem.categories if "best" in found["memories"][name]]
    points = [_point(problem, found["memories"][name]["design"]) for name in memories]
    rows = [problem.categories.index(name) for name in memories]

    def score(hardware: Any, point: jax.Array, row: jax.Array) -> jax.Array:
        changed = problem.with_system(hardware)
        return changed.outcome(point, row, ll.Exact()).score

    over_designs = jax.vmap(score, in_axes=(None, 0, 0))
    over_draws = jax.jit(jax.vmap(over_designs, in_axes=(0, None, None)))
    hardware = ll.hardware_of_draws(problem, draws)
    return np.asarray(over_draws(hardware, jnp.asarray(points), jnp.asarray(rows)))


def favouring_ends(problem: ll.Problem, found: Record) -> dict[str, dict[str, float]]:
    """Ends of ranges that favour SRAM over DRAM, and those that favour DRAM, by the number.

    Each number is put at both ends with the best designs held; one that changes nothing there stays
    as it is.
    """
    numbers = ll.uncertain_numbers(problem)
    nominal = [it.value for it in numbers]
    ends = np.repeat([nominal], 2 * len(numbers), axis=0)
    for place, number in enumerate(numbers):
        ends[2 * place, place], ends[2 * place + 1, place] = number.low, number.high
    scores = _scores(problem, found, ll.Draws(tuple(numbers), ends))
    memories = [name for name in problem.categories if "best" in found["memories"][name]]
    of_sram = [place for place, name in enumerate(memories) if name == SRAM]
    lead = scores[:, of_sram].sum(axis=1) - np.delete(scores, of_sram, axis=1).mean(axis=1)
    favoured: dict[str, dict[str, float]] = {"SRAM": {}, "DRAM": {}}
    for place, number in enumerate(numbers):
        low, high = lead[2 * place], lead[2 * place + 1]
        if abs(high - low) > 1e-12:
            favoured["SRAM"][number.path] = number.high if high > low else number.low
            favoured["DRAM"][number.path] = number.low if high > low else number.high
    return favoured


def pushed_to(problem: ll.Problem, values: Mapping[str, float]) -> ll.Problem:
    """A study with some uncertain numbers at other values, by path."""
    numbers = [it for it in ll.uncertain_numbers(problem) if it.path in values]
    row = np.asarray([[values[it.path] for it in numbers]])
    hardware = ll.hardware_of_draws(problem, ll.Draws(tuple(numbers), row))
    return problem.with_system(jax.tree.map(lambda it: it[0], hardware))


def _planned(
    speeds: tuple[float, ...], pushed: float, chips: int | None, quantity: str
) -> dict[str, Any]:
    """The best of each memory by speed, and with the ranges at their ends."""
    asked = partial(study_at, quantity, chips)
    found = each(lambda speed: best_of_each(asked(speed)), numbered(speeds))
    problem = asked(pushed)
    ends = favouring_ends(problem, found[f"{pushed:g}"])
    return {
        "speeds": found,
        "favouring": {
            whom: {**best_of_each(pushed_to(problem, values)), "numbers": values}
            for whom, values in ends.items()
        },
    }


def _fronts(chips: dict[str, ll.System], grid: Grid, model: ll.Model) -> dict[str, Any]:
    """Speed [1/s] and tokens for a watt [1/J] of designs that none beats, by chip that fits."""
    request = ll.Request(CONTEXT, attention_bits=8)
    every = designs_of(talk.stacked(chips.values()), model, request, talk.TALK, grid)
    rates = xr.Dataset({"utps": every["utps"], "per_watt": every["stps"] / every["power"]})
    of_chip = {it: np.flatnonzero(every["chip"] == place) for place, it in enumerate(chips)}
    return {
        chip: lists(front_of(rates.isel(design=its), "utps", "per_watt"))
        for chip, its in of_chip.items()
        if len(its)
    }


def sram_over_dram(cell: Record, dram: tuple[str, ...] = ("hbm4", "3d-dram")) -> float | None:
    """Best objective with SRAM over the best with DRAM; 0 without such a design with SRAM.

    Args:
        cell: The best with each memory.
        dram: Which memories count as DRAM.

    Returns:
        The share, or none where only SRAM reaches the speed, or nothing does.
    """
    best = {name: it["best"] for name, it in cell["memories"].items() if "best" in it}
    found = [best[name] for name in dram if name in best]
    return best.get(SRAM, 0.0) / max(found) if found else None


PLANNED = Claim(
    "DRAM beats SRAM alone in tokens for a {kind}, planned chips",
    lambda share: share is not None and share < 1,
    "the best design with SRAM reaches this share of the best with DRAM: {all}; of the best with"
    " HBM4, the DRAM that ships: {shipping}. Dense 70B model at 8K tokens; the best of each memory"
    " is proven on the study's lattice, and the network takes 1 us for a collective",
    lambda share: "only SRAM or nothing" if share is None else f"{share:.2f}x",
)
PAPER = Claim(
    "DRAM beats SRAM alone in tokens for a watt, the paper's chips, {speed:,.0f} UTPS",
    lambda ratio: ratio < 1,
    "the better of SRAM and wafer reaches this share of the best DRAM: {all}; provisioned power, at"
    " 8K tokens, on the talk's latencies; models for which DRAM does not reach the speed are left"
    " out",
    "{:.2f}x",
)


def _planned_verdict(kind: str, cells: Record) -> dict[str, Any]:
    found = _cases(cells, "ranges favouring {}")
    ratios = {name: sram_over_dram(it) for name, it in found.items()}
    shipping = {name: sram_over_dram(it, ("hbm4",)) for name, it in found.items()}
    told = PLANNED.of(ratios, kind=kind, shipping=cases_of(shipping, PLANNED.form))
    return {**told, "numbers": {"best DRAM": ratios, "HBM4": shipping}}


def _cases(cells: Record, pushed: str) -> dict[str, Record]:
    """The best with each memory at each speed, and where ranges are pushed for somebody."""
    found = {f"{speed} UTPS": it for speed, it in cells["speeds"].items()}
    return found | {pushed.format(whom): it for whom, it in cells["favouring"].items()}


def per_watt_at(front: Record, speed: float) -> float:
    """Most tokens for a watt at no less than a speed; 0 where it is not reached [1/J].

    Examples:
        >>> per_watt_at({"utps": [3.0, 2.0], "per_watt": [5.0, 7.0]}, 2.5)
        5.0
    """
    pairs = zip(front["utps"], front["per_watt"], strict=True)
    return max((it for utps, it in pairs if utps >= speed), default=0.0)


def _paper_verdict(fronts: Record, speed: float) -> dict[str, Any]:
    """DRAM against chips without it, by model, where either reaches the speed."""
    ratios: dict[str, float] = {}
    for model, chips in fronts.items():
        best = {name: per_watt_at(front, speed) for name, front in chips.items()}
        dram = max(value for name, value in best.items() if name in talk.DRAM)
        others = max((value for name, value in best.items() if name not in talk.DRAM), default=0.0)
        if dram > 0:
            ratios[model] = others / dram
    return PAPER.of(ratios, speed=speed)


def verdicts(planned: Record, fronts: Record) -> list[dict[str, Any]]:
    """The claim by objective, and for the paper's chips at the speeds of the planned ones."""
    speeds = map(float, first_of(planned)["speeds"])
    return [
        *(_planned_verdict(kind, cells) for kind, cells in planned.items()),
        *(_paper_verdict(fronts, speed) for speed in speeds),
    ]


LATTICE = Grid(
    ranks=(1, 2, 4, 8, 16, 32, 64, 128),
    stages=(1, 2, 4, 8, 16, 32),
    users=user_counts(2048, 60),
)
"""Ways to serve models on the paper's chips."""


def run(
    kinds: tuple[str, ...] = tuple(OBJECTIVES),
    speeds: tuple[float, ...] = (100.0, 300.0, 1000.0, 2000.0),
    pushed: float = 300.0,
    chips: int | None = None,
    models: tuple[str, ...] = ("Llama3-70B", "Llama3-405B", "DeepSeekV3", "GPT-OSS-120B"),
    grid: Grid = LATTICE,
) -> dict[str, Any]:
    """The best of each memory with its proof, fronts of the paper's chips, and the verdicts.

    Args:
        kinds: What a token is bought with.
        speeds: Least tokens a second for a user [1/s].
        pushed: The speed at which ranges are pushed to their ends.
        chips: Most chips of a planned system; none for those of the study.
        models: Printed names of the models for the paper's chips.
        grid: Ways to serve them.
    """
    quantities = {kind: OBJECTIVES[kind] for kind in kinds}
    planned = each(partial(_planned, speeds, pushed, chips), quantities)
    paper = each(partial(_fronts, talk.talk_chips(talk.CHIPS), grid), talk.talk_models(models))
    return {
        "context": CONTEXT,
        "pushed": pushed,
        "planned": planned,
        "paper": paper,
        "verdicts": verdicts(planned, paper),
    }


MEMORIES = {"hbm4": "HBM4", "3d-dram": "3D-DRAM", "sram": "SRAM"}
"""Memories of planned chips, by the names of the paper's chips."""

UNITS = {"watt": "tokens for a joule [1/J]", "dollar": "tokens a second for a dollar [1/s/USD]"}
"""What is gained with each design, and its unit."""


def _design(cell: Record) -> str:
    """A design in a line."""
    if "best" not in cell:
        return cell["lacking"]
    it = cell["design"]
    dies, stacks, users = it["dies"], it["stacks"], it["batch"] * it["pp"]
    return f"{it['tp']:.0f}x{it['pp']:.0f}, {stacks:.0f}/{dies:.0f}, {users:,.0f}"


def _best_dram(row: Record) -> Record:
    return max(
        (row["memories"][it] for it in ("hbm4", "3d-dram")), key=lambda it: it.get("best", 0)
    )


TABLE = Table(
    "at least",
    [
        *(Column(name, ("memories", it, "best"), "{:.3g}") for it, name in MEMORIES.items()),
        Column("best DRAM", _best_dram, _design),
        Column("SRAM", ("memories", "sram"), _design),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """The best of each memory."""
    parts: list[RenderableType] = []
    for kind, cells in results["planned"].items():
        rows = _cases(cells, "ends for {}")
        parts += [
            f"Most {UNITS[kind]} with each memory, of {first_of(rows)['designs']:,} designs;"
            f" ends: at {results['pushed']:g} UTPS with every range at the end that favours one"
            " side. Designs: ranks x stages, memory stacks/dies of a chip, users",
            TABLE.of(rows),
        ]
    return parts


def _bars(axes: draw.Axes, kind: str, cells: Record, pushed: str) -> None:
    """The best of each memory over speed, its range where it was pushed."""
    speeds = list(cells["speeds"])
    for place, (memory, name) in enumerate(MEMORIES.items()):
        shade = draw.CHIP_COLOURS[name]
        best = [cells["speeds"][speed]["memories"][memory].get("best") for speed in speeds]
        places = [spot + 0.26 * (place - 1) for spot in range(len(speeds))]
        axes.bar(places, [it or 0.0 for it in best], width=0.24, color=shade)
        for spot, it in zip(places, best, strict=True):
            if it is None:
                draw.note(axes, "none", (spot, 0), va="bottom", fontsize=6.5, rotation=90)
        draw.note(axes, name, (places[0], best[0] or 0.0), (0, 2), fontsize=6.5, color=shade)
        ends = [it["memories"][memory].get("best") for it in cells["favouring"].values()]
        if pushed in speeds and None not in ends:
            spot = places[speeds.index(pushed)]
            axes.plot([spot, spot], ends, color="black", linewidth=1, marker="_")
    axes.set_xticks(range(len(speeds)), [f"{float(speed):,.0f}" for speed in speeds])
    axes.set(xlabel="least speed for the user [1/s]", ylabel=UNITS[kind])
    axes.set_title(f"planned chips, for a {kind}")
    axes.grid(visible=False, axis="x")


def _drawn(axes: draw.Axes, model: str, chips: Record) -> draw.Ends:
    lines = {name: (it["utps"], it["per_watt"]) for name, it in chips.items()}
    fastest = max(speeds[0] for speeds, _ in lines.values())
    most = max(worth[-1] for _, worth in lines.values())
    draw.lines(
        axes,
        lines,
        draw.CHIP_COLOURS,
        xscale="log",
        yscale="log",
        xlim=(10, 6 * fastest),
        ylim=(most / 1e4, 2 * most),
        xlabel="speed for the user [1/s]",
        title=f"the paper's chips: {model}",
    )
    return {name: (speeds[0], worth[0]) for name, (speeds, worth) in lines.items()}


def plot(results: Record) -> draw.Figure:
    """The best of each memory over speed, and fronts of the paper's chips."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 7.4), layout="constrained")
    across = (len(results["paper"]) + 1) // 2
    split = max(len(results["planned"]), across)
    grid = figure.add_gridspec(2, split + across)
    for row, (kind, cells) in enumerate(results["planned"].items()):
        _bars(figure.add_subplot(grid[row, :split]), kind, cells, f"{results['pushed']:g}")
    ends = []
    for place, (model, chips) in enumerate(results["paper"].items()):
        axes = figure.add_subplot(grid[place % 2, split + place // 2])
        ends.append((axes, _drawn(axes, model, chips)))
        if place < 2:
            axes.set_ylabel("tokens for a joule [1/J]")
    figure.suptitle(
        "DRAM or SRAM at equal speed, 8K tokens; black: all ranges at the ends that favour DRAM or"
        " SRAM"
    )
    draw.name_lines(figure, ends, draw.CHIP_COLOURS)
    return figure


SMOKE = {
    "kinds": ("dollar",),
    "speeds": (300.0,),
    "chips": 640,
    "models": ("Llama3-70B",),
    "grid": Grid(ranks=(8, 128), stages=(1, 8), users=(1, 8, 64)),
}
EXPERIMENT = Experiment("dram_or_sram", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
