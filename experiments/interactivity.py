"""What do chips that ship give all users together, at what speed for each?

The claim, as published: a figure of throughput for each GPU over interactivity, gpt-oss-120B in
FP4, 1K tokens in and 1K out (Sankaralingam, IET REACH, 2025, after SemiAnalysis InferenceMAX); the
model should draw the same frontier. The points of that figure are not in the slides' text and no
measured rows of that model come with the package: the curves stand alone unless `--measured FILE`
gives some, in the columns of `liminal calibrate --help-all`.

Prompts share the chips. The ideal bound is the best of three ways of sharing (`ll.serve`), the
calibrated curve continuous batching by a typical engine. 4-bit weights throughout, 8-bit cache,
every rank count within the scale-up domain, experts split like the other matrices or spread over
all ranks. Queueing is left out; chips without 4-bit units multiply at their 8-bit rate. The
experiment `frontier` tells the intervals, and holds DeepSeek-R1 against measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.claims import judged, listed, summary, verdict
from experiments.frontier_verdicts import bounded
from experiments.interactivity_view import plot, report
from experiments.lattices import throughput_at, user_counts
from experiments.measured import MOST, load_points, scored, setups
from experiments.runner import Experiment, main
from experiments.served import SERVED, Workload
from experiments.served_curves import curves

WORKLOAD = Workload("gpt-oss-120b", isl=1, osl=1, weight_bits=4)

SYSTEMS = {
    "H100": "h100",
    "H200": "h200",
    "B200": "b200",
    "GB200": "gb200",
    "MI355X": "mi355x",
}
"""Systems of the figure."""

NEWER = {"B200": "H200", "GB200": "H200", "MI355X": "H200"}
"""Chips with 4-bit units, and the one before them that they are held against."""

SPEEDS = (25.0, 50.0, 100.0, 200.0)
"""Speeds at which throughputs are told [1/s]."""

BASES = ("bound", "calibrated")
"""The curves of which claims are judged."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        systems: Titles of the systems.
        users: Users at once on one instance.
        measured: File of measurements; those that come with the package where none.
    """

    systems: tuple[str, ...]
    users: tuple[int, ...]
    measured: str | None = None


def _trades(fronts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether speed costs throughput, more than tenfold from end to end."""
    each = {f"{name} {basis}": it[basis] for name, it in fronts.items() for basis in BASES}
    ratios = {name: it["throughput"][-1] / it["throughput"][0] for name, it in each.items()}
    cases = {name: ratio > 10 for name, ratio in ratios.items()}
    told = [
        f"{name} {it['throughput'][-1]:,.0f} at {it['speed'][-1]:,.0f}"
        f" to {it['throughput'][0]:,.0f} at {it['speed'][0]:,.0f}"
        for name, it in each.items()
    ]
    return verdict(
        "throughput for each GPU falls more than tenfold with interactivity",
        judged(cases),
        ratios,
        f"tokens a second of a chip at those of a user: {'; '.join(told)}",
    )


def _newer(fronts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether chips with 4-bit units give more at each speed than the one before."""
    ratios: dict[str, float] = {}
    for newer, older in NEWER.items():
        if newer not in fronts or older not in fronts:
            continue
        for basis in BASES:
            for speed in SPEEDS:
                new, old = (throughput_at(fronts[it][basis], speed) for it in (newer, older))
                if new is not None and old is not None:
                    ratios[f"{newer} over {older} at {speed:g} ({basis})"] = new / old
    cases = {name: ratio > 1 for name, ratio in ratios.items()}
    return verdict(
        "chips with 4-bit units give more for each GPU than H200 at equal interactivity",
        judged(cases),
        ratios,
        f"in {sum(cases.values())} of {len(cases)} cases: "
        + listed([f"{name} {ratio:.1f}x" for name, ratio in ratios.items()])
        + "; the order at high speed hangs on the latency of a collective",
    )


def verdicts(fronts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What can be said of the curves, and of measurements where there are any."""
    measured = [it for it in fronts.values() if it["points"]]
    return [_trades(fronts), _newer(fronts), *([bounded(measured)] if measured else [])]


def run(config: Config) -> dict[str, Any]:
    """The curves of each system, measured points, and the verdicts."""
    chips = [SYSTEMS[name] for name in config.systems]
    measurements = load_points(config.measured, [WORKLOAD.model], chips)
    fronts = {}
    for name, chip in zip(config.systems, chips, strict=True):
        points = [
            it
            for it in measurements.points
            if (it.chip, it.workload) == (chip, WORKLOAD) and it.kind in (SERVED, MOST)
        ]
        found = curves(chip, WORKLOAD, config.users, SERVED, setups(points))
        records = [{**it.record(), **scored(found, it)} for it in points]
        fronts[name] = {**{basis: found[basis] for basis in BASES}, "points": records}
    return {
        "model": WORKLOAD.model,
        "speeds": SPEEDS,
        "files": measurements.files,
        "fronts": fronts,
        "verdicts": verdicts(fronts),
    }


EXPERIMENT = Experiment(
    name="interactivity",
    question=__doc__,
    full=Config(systems=tuple(SYSTEMS), users=user_counts(16384, 80)),
    smoke=Config(systems=("H200", "B200"), users=(1, 8, 64, 512)),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
