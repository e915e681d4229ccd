"""What would 10,000, 50,000 and 100,000 tokens a second for a user take, with every lever at once?

The claims, as published: established technologies reach 5,000 tokens a second for a user; 10,000
needs advances of algorithms, smaller models or shorter contexts; 50,000 and 100,000 need new
algorithms and flexible hardware: caching, prefetching, synchronisation (Sankaralingam, IET REACH,
2025, slides and abstract).

One user of each of the talk's models on the planned chips, context and limits of the built-in
study. From the fastest design of its lattice, which is proven, levers of hardware and algorithm
move within the ranges that are published for each, by the least sum of their moves in logarithms:
once all of them, and once those alone that leave results as they are. What does not reach a speed
is bounded: no setting of the levers beats the least that each part of a step can take. Starts are
chosen for the waits that there are, 3 us a collective: another start may lead further, so that a
bound speaks of its own start alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import liminal_jax as ll
from experiments.claims import FAILS, HOLDS, judged, listed, summary, verdict
from experiments.reach_view import plot, report
from experiments.runner import Experiment, main
from liminal_jax.optimization.reach.reach import Reach, reached
from liminal_jax.optimization.reach.start import Start, start_of

TARGETS = (10000.0, 50000.0, 100000.0)
"""Speeds of the claims [1/s]."""

ESTABLISHED = 5000.0
"""What established technologies reach, as published [1/s]."""

GROUPS = {"all levers": (), "lossless levers": ("lossless",)}
"""Which levers move."""

HARDWARE = "system."
"""How paths of levers of hardware begin."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Bundled names of the models.
        targets: Speeds that are wanted [1/s].
        system: A system in place of the planned chips.
    """

    models: tuple[str, ...]
    targets: tuple[float, ...]
    system: str | None = None


def _row(found: Reach) -> dict[str, Any]:
    """What a table and a figure need of an answer."""
    return {
        "reachable": found.reachable,
        "utps": float(found.prediction.utps),
        "distance": found.distance,
        "bound": found.floor.utps,
        "alone": {it.lever.path: it.alone.utps for it in found.moves},
        "moves": {
            it.lever.path: {
                "label": it.lever.label,
                "from": it.lever.start,
                "to": it.to,
                "contribution": it.contribution,
                "quality": it.quality,
            }
            for it in found.moves
            if it.moves
        },
        "proofs": list(found.proofs),
    }


def _model(start: Start, targets: tuple[float, ...]) -> dict[str, Any]:
    groups = {
        group: {f"{target:g}": _row(reached(start, target, asked)) for target in targets}
        for group, asked in GROUPS.items()
    }
    before = float(start.case.fleet(ll.Exact()).instance.utps)
    return {"start": start.note, "from": before, "groups": groups}


def _reaching(
    rows: Mapping[str, Any], target: str, group: str
) -> tuple[dict[str, bool], list[str], list[str]]:
    """Which models reach a speed; which provably cannot; how far each is from it, in words."""
    cases = {model: row["groups"][group][target]["reachable"] for model, row in rows.items()}
    proven = [
        model
        for model, row in rows.items()
        if row["groups"][group][target]["bound"] < float(target)
    ]
    told = []
    for model, row in rows.items():
        it = row["groups"][group][target]
        far = f"distance {it['distance']:.2f}" if it["reachable"] else f"{it['utps']:,.0f} at most"
        told.append(f"{model} {far}")
    return cases, proven, told


def _reaches(rows: Mapping[str, Any], target: str, group: str) -> dict[str, Any]:
    cases, proven, told = _reaching(rows, target, group)
    return verdict(
        f"{group} within their published ranges reach {float(target):,.0f} UTPS",
        judged(cases),
        {**cases, "proven": proven},
        f"{sum(cases.values())} of {len(cases)} models: {listed(told)}; proven out of reach"
        f" from there: {listed(proven)}",
    )


def _no_single(rows: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Whether any lever alone is enough."""
    best = {}
    for model, row in rows.items():
        alone = row["groups"]["all levers"][target]["alone"]
        path = max(alone, key=lambda it: alone[it])
        best[model] = (path, alone[path])
    cases = {model: speed < float(target) for model, (_, speed) in best.items()}
    told = [f"{model} {speed:,.0f} by {path}" for model, (path, speed) in best.items()]
    return verdict(
        f"no single lever reaches {float(target):,.0f} UTPS",
        judged(cases),
        {model: speed for model, (_, speed) in best.items()},
        f"the most that one gives: {listed(told)}",
    )


def _both(rows: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Whether hardware and algorithm move together where a speed is reached."""
    cases = {}
    for model, row in rows.items():
        it = row["groups"]["all levers"][target]
        if it["reachable"]:
            hardware = [path.startswith(HARDWARE) for path in it["moves"]]
            cases[model] = any(hardware) and not all(hardware)
    told = [model for model, both in cases.items() if both]
    return verdict(
        f"{float(target):,.0f} UTPS takes hardware and algorithm at once",
        judged(cases) if cases else FAILS,
        cases,
        f"so it is for {listed(told)} of the {len(cases)} models that reach it",
    )


def _established(rows: Mapping[str, Any]) -> dict[str, Any]:
    speeds = {model: row["from"] for model, row in rows.items()}
    cases = {model: speed < ESTABLISHED for model, speed in speeds.items()}
    told = [f"{model} {speed:,.0f}" for model, speed in speeds.items()]
    return verdict(
        f"without levers {ESTABLISHED:,.0f} UTPS are out of reach of planned chips",
        HOLDS if all(cases.values()) else judged(cases),
        speeds,
        f"the fastest of the lattice, collectives of 3 us and operations of 1 us: {listed(told)}",
    )


def verdicts(rows: Mapping[str, Any], targets: tuple[str, ...]) -> list[dict[str, Any]]:
    """The claims, by speed."""
    found = [_established(rows)]
    for target in targets:
        found += [_reaches(rows, target, group) for group in GROUPS]
        found += [_no_single(rows, target), _both(rows, target)]
    return found


def run(config: Config) -> dict[str, Any]:
    """What each speed takes for each model, and the verdicts."""
    rows = {
        model: _model(start_of(model, config.system, None), config.targets)
        for model in config.models
    }
    targets = tuple(f"{it:g}" for it in config.targets)
    return {"targets": targets, "rows": rows, "verdicts": verdicts(rows, targets)}


EXPERIMENT = Experiment(
    name="reach",
    question=__doc__,
    full=Config(
        models=("llama-3-70b", "llama-3-405b", "llama-4-maverick", "deepseek-v3", "kimi-k2"),
        targets=TARGETS,
    ),
    smoke=Config(models=("llama-3-8b",), targets=(5000.0, 1e6), system="h200"),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
