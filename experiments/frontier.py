"""Does the model draw the frontier of throughput for each GPU over interactivity as measured?

The claim under test: LIMINAL bounds what engines reach and, with named losses, predicts it. Curves
of gpt-oss-120B and DeepSeek-R1 on chips that ship, ideal and calibrated (typical engine, 90 %
interval), stand against measured runs. Where prompts share the chips, a point is held against
serving (`ll.serve`: the bound is the best of three ways of sharing, the calibrated curve is
continuous batching); where chips only decode, against decode alone; a maximum whose users are not
told, against the top of a curve.

Measured rows are those that come with the package, of permissive licences: three of DeepSeek-R1,
and eight maxima. `--measured FILE` takes others, in the columns of `liminal calibrate --help-all`.

Lengths are 0.9 of their nominal, as InferenceX draws them; 8-bit cache; no speculative decoding, no
queueing. The calibration was fitted to decode alone: where prompts pass, its losses are taken
beyond what was measured, and points of cells that it was fitted to are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import liminal_jax as ll
from experiments.claims import summary
from experiments.frontier_verdicts import middle_ratio, scores, verdicts
from experiments.frontier_view import plot, report
from experiments.lattices import user_counts
from experiments.measured import Measurements, Point, load_points, scored, setups
from experiments.runner import Experiment, main
from experiments.served import POOL, SERVED, Workload
from experiments.served_curves import curves

CHIPS = {
    "h100": "H100",
    "h200": "H200",
    "mi300x": "MI300X",
    "b200": "B200",
    "gb200": "GB200",
    "mi355x": "MI355X",
}
"""Systems, and their titles."""

MODELS = {"deepseek-r1": (8, 4), "gpt-oss-120b": (4,)}
"""Models, and the bits of their weights as published and as chips with 4-bit units hold them."""


SHORT = (1, 1)
"""Nominal tokens in and out [K] of the workload that is drawn of every chip, measured or not."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Names of the models.
        chips: Names of the systems.
        users: Users at once on one instance that are tried.
        measured: File of measurements; those that come with the package where none.
    """

    models: tuple[str, ...]
    chips: tuple[str, ...]
    users: tuple[int, ...]
    measured: str | None = None


def _native(chip: str, bits: float) -> bool:
    """Whether a chip multiplies faster with so few bits than with more, or bits are 8."""
    tensor = ll.load_system(chip).chip.tensor
    return bits >= 8 or float(tensor.at(bits)) > float(tensor.at(8))


def _asked(model: str, chips: Sequence[str], points: Sequence[Point]) -> list[tuple[str, Workload]]:
    """Chips and workloads of a model: those measured, and of all chips 1K tokens in and out."""
    bits = MODELS[model]
    drawn = {
        (chip, Workload(model, *SHORT, it))
        for chip in chips
        for it in bits
        if len(bits) == 1 or _native(chip, it)
    }
    return list(drawn | {(it.chip, it.workload) for it in points})


def _entry(
    chip: str, workload: Workload, kind: str, users: Sequence[int], points: Sequence[Point]
) -> dict[str, Any]:
    """The curves of one kind, and what was measured of them."""
    found = curves(chip, workload, users, kind, setups(points))
    empty = len(found["bound"]["speed"]) == 0
    records = [] if empty else [{**it.record(), **scored(found, it)} for it in points]
    return {
        "chip": chip,
        "title": CHIPS[chip],
        "model": workload.model,
        "isl": workload.isl,
        "osl": workload.osl,
        "weight_bits": workload.weight_bits,
        "kind": kind,
        **found,
        "points": records,
        "ratio": middle_ratio(records),
    }


def entries(config: Config, measurements: Measurements) -> list[dict[str, Any]]:
    """Curves and points of every chip and workload, a kind each."""
    found = []
    for model in config.models:
        mine = [it for it in measurements.points if it.workload.model == model]
        for chip, workload in _asked(model, config.chips, mine):
            here = [it for it in mine if (it.chip, it.workload) == (chip, workload)]
            pool = [it for it in here if it.kind == POOL]
            others = [it for it in here if it.kind != POOL]
            if others or not pool or (workload.isl, workload.osl) == SHORT:
                found.append(_entry(chip, workload, SERVED, config.users, others))
            if pool:
                found.append(_entry(chip, workload, POOL, config.users, pool))
    order = {
        name: place for place, name in enumerate((*config.models, *config.chips, SERVED, POOL))
    }
    return sorted(
        found,
        key=lambda it: (order[it["model"]], it["isl"], it["osl"], order[it["kind"]],
                        order[it["chip"]], -it["weight_bits"]),
    )  # fmt: skip


def run(config: Config) -> dict[str, Any]:
    """Curves, measurements and verdicts."""
    measurements = load_points(config.measured, config.models, config.chips)
    found = entries(config, measurements)
    measured = {it.workload.model for it in measurements.points}
    return {
        "chips": [CHIPS[chip] for chip in config.chips],
        "files": measurements.files,
        "unused": measurements.unused,
        "unmeasured": [model for model in config.models if model not in measured],
        "entries": found,
        "scores": scores(found),
        "verdicts": verdicts(found),
    }


EXPERIMENT = Experiment(
    name="frontier",
    question=__doc__,
    full=Config(models=tuple(MODELS), chips=tuple(CHIPS), users=user_counts(16384, 80)),
    smoke=Config(models=("deepseek-r1",), chips=("h200", "b200"), users=(8, 64, 512, 4096)),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
