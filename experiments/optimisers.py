"""Which search finds the best design, how soon, and does it know?

The claim to be tested: `liminal optimize` returns the proven optimum of every study from every
seed, and sooner than black-box search comes within 1 % of it. The parts that it is made of race
too, each by itself, so that it shows which of them earns its keep.

Every method searches the same lattices with the same exact model: libraries that ask for one
design at a time are served by a compiled function of one design, those that ask for a population
by a compiled function of a batch. A race ends at the optimum (to 1e-9) or when its seconds are
spent; only `optimize` and the proof go on until they know that nothing is better. What a study
takes once (tracing, compiling, tabulating) is timed apart as setup. Cold is setup and race in a
fresh process with an empty compilation cache; imports are not counted. A gap is the factor by which
the best design known falls short of the optimum, less one. Each method has a process of its own
for each study, and two run at a time; seconds are those of the processor, of all threads together,
so that neither the neighbour nor anything else on the machine counts.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import jax
import numpy as np

import liminal_jax as ll
from experiments.optimisers_view import plot, report, summary
from experiments.rivals.evolution import EVOLUTION
from experiments.rivals.genetic import GENETIC
from experiments.rivals.guesses import RANDOM
from experiments.rivals.margin import MARGIN
from experiments.rivals.method import Method, Searcher
from experiments.rivals.optuna_samplers import CMA, NSGA, TPE
from experiments.rivals.own import CLIMBS, DESCENTS, DESCENTS_IN_TURN, OPTIMIZE, PROOF
from experiments.rivals.race import REACHED, Caps, Race
from experiments.runner import Experiment, main
from liminal_jax.study.questions import load_study

METHODS: dict[str, Method[ll.Problem]] = {
    it.name: it
    for it in (
        OPTIMIZE,
        TPE,
        DESCENTS,
        CMA,
        DESCENTS_IN_TURN,
        NSGA,
        CLIMBS,
        GENETIC,
        PROOF,
        MARGIN,
        EVOLUTION,
        RANDOM,
    )
}
"""All methods by name."""

NEAR = 0.01
"""Gap that is near enough to be compared by."""

WARM_UP = 0.5
"""Seconds of a first race, which is not counted; `optimize` takes all it needs, from cold."""

MOMENTS = np.logspace(-2.5, 2, 55)
"""Seconds at which gaps are drawn."""


@dataclass(frozen=True)
class Entry:
    """How a method takes part.

    Attributes:
        races: Races on each study, each with a seed of its own.
        caps: What a race may spend; `optimize` and the proof take what they need.
    """

    races: int
    caps: Caps


@dataclass(frozen=True)
class Config:
    """What is raced.

    Attributes:
        studies: Shipped studies; each has to have a feasible design.
        entries: How each method takes part.
        processes: Races at a time.
    """

    studies: tuple[str, ...]
    entries: dict[str, Entry]
    processes: int


def _workers(count: int) -> ProcessPoolExecutor:
    """Fresh processes, one for each task."""
    return ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), max_tasks_per_child=1, initializer=_set_up
    )


def _set_up() -> None:
    jax.config.update("jax_enable_x64", True)


def _optimum(study: str) -> dict[str, Any]:
    """What a study asks, and the best score of its designs, proven."""
    file = load_study(study)
    problem = ll.problem_of(file)
    race = Race(np.inf, Caps())
    PROOF.prepare(problem)(0, race)
    if race.proof is None or not race.steps:
        raise ValueError(f"{study}: no design is proven to be the best; choose another study")
    objective = file.objective
    return {
        "designs": problem.lattice,
        "variables": len(problem.variables),
        "categories": len(problem.categories),
        "quantity": objective.quantity,
        "objective": float(np.exp(race.best if objective.maximise else -race.best)),
        "score": race.best,
    }


def _gap(score: float, optimum: float) -> float:
    return max(float(np.expm1(optimum - score)), 0.0)


def _reached(race: Race, optimum: float, gap: float) -> dict[str, float] | None:
    """When a race came so near; none if it never did."""
    for step in race.steps:
        if _gap(step.score, optimum) <= gap:
            return {"evaluations": step.evaluations, "seconds": step.seconds}
    return None


def _gaps(race: Race, optimum: float) -> np.ndarray:
    """The gap at each moment; infinite before a feasible design is known."""
    times = [step.seconds for step in race.steps]
    gaps = np.asarray([np.inf, *(_gap(step.score, optimum) for step in race.steps)])
    return gaps[np.searchsorted(times, MOMENTS, side="right")]


class _Run(NamedTuple):
    """A race that is over.

    Attributes:
        record: How it ended, and when it was where.
        gaps: Its gap at each moment.
    """

    record: dict[str, Any]
    gaps: np.ndarray


def _run(search: Searcher, seed: int, optimum: float, caps: Caps) -> _Run:
    begin = time.perf_counter()
    race = Race(optimum, caps)
    search(seed, race)
    record = {
        "evaluations": race.evaluations,
        "seconds": race.seconds,
        "wall_seconds": time.perf_counter() - begin,
        "gap": _gap(race.best, optimum) if race.steps else None,
        "near": _reached(race, optimum, NEAR),
        "there": _reached(race, optimum, REACHED),
        "proof": race.proof,
    }
    return _Run(record, _gaps(race, optimum))


def _median(runs: list[_Run]) -> list[float | None]:
    """Median gap over the seeds at each moment.

    None while it is infinite, and from where all races are over, but for one last moment.
    """
    end = np.searchsorted(MOMENTS, max(run.record["seconds"] for run in runs)) + 1
    gaps = np.median([run.gaps for run in runs], axis=0)
    return [_rounded(gap) if at < end else None for at, gap in enumerate(gaps)]


def _rounded(gap: float) -> float | None:
    """Three digits; none for what is infinite."""
    return float(f"{gap:.3g}") if np.isfinite(gap) else None


def _raced(study: str, name: str, optimum: float, entry: Entry) -> dict[str, Any]:
    """All races of a method on a study, in a process that has done nothing else."""
    method = METHODS[name]
    problem = ll.problem_of(load_study(study))
    with TemporaryDirectory() as cache:
        jax.config.update("jax_compilation_cache_dir", cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        begin = time.process_time()
        search = method.prepare(problem)
        setup = time.process_time() - begin
        first = _run(search, entry.races, optimum, replace(entry.caps, seconds=WARM_UP))
        runs = [_run(search, seed, optimum, entry.caps) for seed in range(entry.races)]
    return {
        "setup": setup,
        "first": first.record,
        "races": [run.record for run in runs],
        "median": _median(runs),
    }


def run(config: Config) -> dict[str, Any]:
    """Every race, and the proven optimum of each study."""
    with _workers(config.processes) as workers:
        asked = {study: workers.submit(_optimum, study) for study in config.studies}
        studies = {study: future.result() for study, future in asked.items()}
        entered = [
            (study, name, workers.submit(_raced, study, name, studies[study]["score"], entry))
            for study in config.studies
            for name, entry in config.entries.items()
        ]
        races: dict[str, dict[str, Any]] = {study: {} for study in config.studies}
        for study, name, future in entered:
            races[study][name] = future.result()
            print(f"{study}: {name}", file=sys.stderr)
    return {
        "moments": MOMENTS,
        "studies": studies,
        "methods": {
            name: {
                "about": METHODS[name].about,
                "ours": METHODS[name].ours,
                "prepared": METHODS[name].prepared,
            }
            for name in config.entries
        },
        "races": races,
    }


EXPERIMENT = Experiment(
    name="optimisers",
    question=__doc__,
    full=Config(
        studies=(
            "deepseek-v3-128k",
            "cheapest-at-500-utps",
            "collectives-of-3-us",
            "dram-or-sram-at-equal-cost",
            "memory-under-a-power-limit",
            "sram-share-of-a-die",
        ),
        entries={
            OPTIMIZE.name: Entry(10, Caps()),
            TPE.name: Entry(10, Caps(seconds=5.0)),
            DESCENTS.name: Entry(10, Caps(seconds=2.0)),
            CMA.name: Entry(10, Caps(seconds=5.0)),
            NSGA.name: Entry(10, Caps(seconds=5.0)),
            CLIMBS.name: Entry(10, Caps(seconds=2.0)),
            GENETIC.name: Entry(10, Caps(seconds=5.0)),
            PROOF.name: Entry(10, Caps()),
            MARGIN.name: Entry(10, Caps(seconds=5.0)),
            DESCENTS_IN_TURN.name: Entry(10, Caps(seconds=2.0)),
            EVOLUTION.name: Entry(10, Caps(seconds=5.0)),
            RANDOM.name: Entry(10, Caps(seconds=1.0)),
        },
        processes=2,
    ),
    smoke=Config(
        studies=("dram-or-sram-at-equal-cost", "chip-count-or-chip-size"),
        entries={
            PROOF.name: Entry(2, Caps()),
            EVOLUTION.name: Entry(2, Caps(seconds=0.2)),
            TPE.name: Entry(2, Caps(seconds=0.2)),
        },
        processes=2,
    ),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
