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
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll
from experiments.claims import judged, listed, summary, verdict
from experiments.dram_or_sram_view import plot, report
from experiments.lattices import Designs, Grid, designs_of, frontier, user_counts
from experiments.runner import Experiment, main
from experiments.talk_setting import CHIPS, TALK, stacked, talk_chips, talk_models
from liminal_jax.study.questions import load_study

STUDY = "dram-or-sram-at-equal-power"
"""The study whose designs are searched; its own budget is left out."""

OBJECTIVES = {"watt": "stps_per_watt", "dollar": "stps_per_usd"}
"""What a token is bought with, and the quantity that says how many."""

SRAM = "sram"

CONTEXT = 8192
"""Context for the paper's chips, as in the study [tokens]."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        kinds: What a token is bought with.
        speeds: Least tokens a second for a user [1/s].
        pushed: The speed at which ranges are pushed to their ends.
        chips: Most chips of a planned system; none for those of the study.
        models: Printed names of the models for the paper's chips.
        grid: Ways to serve them.
    """

    kinds: tuple[str, ...]
    speeds: tuple[float, ...]
    pushed: float
    chips: int | None
    models: tuple[str, ...]
    grid: Grid


def study_at(speed: float, quantity: str, chips: int | None) -> ll.Problem:
    """The study with another demand and objective, and without a budget."""
    study = load_study(STUDY)
    floor = study.constraints[0].model_copy(update={"at_least": speed})
    design = study.design
    if chips is not None:
        few = dataclasses.replace(design.batch, values=(float(chips),))
        design = design.model_copy(update={"chips": few})
    return ll.problem_of(
        study.model_copy(
            update={
                "design": design,
                "constraints": [floor],
                "objective": ll.ObjectiveTable(maximise=quantity),
            }
        )
    )


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


def _scores(problem: ll.Problem, found: Mapping[str, Any], draws: ll.Draws) -> np.ndarray:
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


def favouring_ends(problem: ll.Problem, found: Mapping[str, Any]) -> dict[str, dict[str, float]]:
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
    of_sram = np.asarray([name == SRAM for name in memories])
    lead = scores[:, of_sram].sum(axis=1) - scores[:, ~of_sram].mean(axis=1)
    favoured: dict[str, dict[str, float]] = {"SRAM": {}, "DRAM": {}}
    for place, number in enumerate(numbers):
        low, high = lead[2 * place], lead[2 * place + 1]
        if abs(high - low) > 1e-12:
            favoured["SRAM"][number.path] = number.high if high > low else number.low
            favoured["DRAM"][number.path] = number.low if high > low else number.high
    return favoured


def pushed(problem: ll.Problem, values: Mapping[str, float]) -> ll.Problem:
    """A study with some uncertain numbers at other values, by path."""
    numbers = [it for it in ll.uncertain_numbers(problem) if it.path in values]
    row = np.asarray([[values[it.path] for it in numbers]])
    hardware = ll.hardware_of_draws(problem, ll.Draws(tuple(numbers), row))
    return problem.with_system(jax.tree.map(lambda it: it[0], hardware))


def _planned(config: Config) -> dict[str, Any]:
    """The best of each memory by objective and speed, and with the ranges at their ends."""
    cells: dict[str, Any] = {}
    for kind in config.kinds:
        quantity = OBJECTIVES[kind]
        cells[kind] = {"speeds": {}, "favouring": {}}
        for speed in config.speeds:
            found = best_of_each(study_at(speed, quantity, config.chips))
            cells[kind]["speeds"][f"{speed:g}"] = found
        problem = study_at(config.pushed, quantity, config.chips)
        nominal = cells[kind]["speeds"][f"{config.pushed:g}"]
        for whom, values in favouring_ends(problem, nominal).items():
            again = best_of_each(pushed(problem, values))
            cells[kind]["favouring"][whom] = {**again, "numbers": values}
    return cells


def _front(designs: Designs) -> dict[str, list[float]]:
    """Speed [1/s] and tokens for a watt [1/J] of designs that none beats in both."""
    efficiency = designs.stps / designs.power
    kept = frontier(designs.utps, efficiency)
    return {"utps": designs.utps[kept].tolist(), "per_watt": efficiency[kept].tolist()}


def _paper(config: Config) -> dict[str, Any]:
    """Fronts of the paper's chips, by model; none for a chip that never holds the model."""
    chips = talk_chips(CHIPS)
    fronts: dict[str, Any] = {}
    for name, model in talk_models(config.models).items():
        request = ll.Request(CONTEXT, attention_bits=8)
        designs = designs_of(stacked(chips.values()), model, request, TALK, config.grid)
        fronts[name] = {
            chip: _front(designs.where(designs.chip == place))
            for place, chip in enumerate(chips)
            if np.any(designs.chip == place)
        }
    return fronts


def sram_over_dram(
    cell: Mapping[str, Any], dram: tuple[str, ...] = ("hbm4", "3d-dram")
) -> float | None:
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


def _shares(shares: Mapping[str, float | None]) -> str:
    """Shares of cases in a sentence."""
    return listed(
        [
            f"{name} " + ("only SRAM or nothing" if it is None else f"{it:.2f}x")
            for name, it in shares.items()
        ]
    )


def _planned_verdict(kind: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    found = {f"{speed} UTPS": it for speed, it in cells["speeds"].items()}
    found |= {f"ranges favouring {whom}": it for whom, it in cells["favouring"].items()}
    ratios = {name: sram_over_dram(it) for name, it in found.items()}
    shipping = {name: sram_over_dram(it, ("hbm4",)) for name, it in found.items()}
    cases = {name: it is not None and it < 1 for name, it in ratios.items()}
    return verdict(
        f"DRAM beats SRAM alone in tokens for a {kind}, planned chips",
        judged(cases),
        {"best DRAM": ratios, "HBM4": shipping},
        f"the best design with SRAM reaches this share of the best with DRAM: {_shares(ratios)};"
        f" of the best with HBM4, the DRAM that ships: {_shares(shipping)}. Dense 70B model at 8K"
        " tokens; the best of each memory is proven on the study's lattice, and the network takes"
        " 1 us for a collective",
    )


def per_watt_at(front: Mapping[str, Any], speed: float) -> float:
    """Most tokens for a watt at no less than a speed; 0 where it is not reached [1/J].

    Examples:
        >>> per_watt_at({"utps": [3.0, 2.0], "per_watt": [5.0, 7.0]}, 2.5)
        5.0
    """
    pairs = zip(front["utps"], front["per_watt"], strict=True)
    return max((it for utps, it in pairs if utps >= speed), default=0.0)


def _paper_verdict(fronts: Mapping[str, Any], speed: float) -> dict[str, Any]:
    """DRAM against chips without it, by model, where either reaches the speed."""
    ratios: dict[str, float] = {}
    for model, chips in fronts.items():
        best = {name: per_watt_at(front, speed) for name, front in chips.items()}
        dram = max(value for name, value in best.items() if name not in ("SRAM", "wafer"))
        others = max((best[name] for name in ("SRAM", "wafer") if name in best), default=0.0)
        if dram > 0:
            ratios[model] = others / dram
    cases = {model: ratio < 1 for model, ratio in ratios.items()}
    told = [f"{model} {ratio:.2f}x" for model, ratio in ratios.items()]
    return verdict(
        f"DRAM beats SRAM alone in tokens for a watt, the paper's chips, {speed:,.0f} UTPS",
        judged(cases),
        ratios,
        f"the better of SRAM and wafer reaches this share of the best DRAM: {listed(told)};"
        " provisioned power, at 8K tokens, on the talk's latencies; models for which DRAM does not"
        " reach the speed are left out",
    )


def verdicts(planned: Mapping[str, Any], fronts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claim by objective, and for the paper's chips at the speeds of the planned ones."""
    speeds = [float(it) for it in next(iter(planned.values()))["speeds"]]
    return [
        *(_planned_verdict(kind, cells) for kind, cells in planned.items()),
        *(_paper_verdict(fronts, speed) for speed in speeds),
    ]


def run(config: Config) -> dict[str, Any]:
    """The best of each memory with its proof, fronts of the paper's chips, and the verdicts."""
    planned, fronts = _planned(config), _paper(config)
    return {
        "context": CONTEXT,
        "pushed": config.pushed,
        "planned": planned,
        "paper": fronts,
        "verdicts": verdicts(planned, fronts),
    }


EXPERIMENT = Experiment(
    name="dram_or_sram",
    question=__doc__,
    full=Config(
        kinds=tuple(OBJECTIVES),
        speeds=(100.0, 300.0, 1000.0, 2000.0),
        pushed=300.0,
        chips=None,
        models=("Llama3-70B", "Llama3-405B", "DeepSeekV3", "GPT-OSS-120B"),
        grid=Grid(
            ranks=(1, 2, 4, 8, 16, 32, 64, 128),
            stages=(1, 2, 4, 8, 16, 32),
            users=user_counts(2048, 60),
        ),
    ),
    smoke=Config(
        kinds=("dollar",),
        speeds=(300.0,),
        pushed=300.0,
        chips=640,
        models=("Llama3-70B",),
        grid=Grid(ranks=(8, 128), stages=(1, 8), users=(1, 8, 64)),
    ),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
