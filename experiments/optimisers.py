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

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.drawing import gap_words
from experiments.rivals.evolution import EVOLUTION
from experiments.rivals.genetic import GENETIC
from experiments.rivals.guesses import RANDOM
from experiments.rivals.margin import MARGIN
from experiments.rivals.method import Method, Searcher
from experiments.rivals.optuna_samplers import CMA, NSGA, TPE
from experiments.rivals.own import CLIMBS, DESCENTS, DESCENTS_IN_TURN, OPTIMIZE, PROOF
from experiments.rivals.processes import empty_cache, fresh_processes
from experiments.rivals.race import REACHED, Caps, Race
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.study.questions import load_study

METHODS: dict[str, Method[ll.Problem]] = {
    it.name: it
    for it in (
        *(OPTIMIZE, TPE, DESCENTS, CMA, DESCENTS_IN_TURN, NSGA),
        *(CLIMBS, GENETIC, PROOF, MARGIN, EVOLUTION, RANDOM),
    )
}
"""All methods by name."""

NEAR = 0.01  # gap that is near enough to be compared by
WARM_UP = 0.5  # seconds of a first race, which is not counted; `optimize` takes all, from cold


@dataclass(frozen=True)
class Entry:
    """Races of a method on each study, each with its own seed; what one may spend.

    `optimize` and the proof take what they need.
    """

    races: int
    caps: Caps


STUDIES = (
    "deepseek-v3-128k",
    "cheapest-at-500-utps",
    "collectives-of-3-us",
    "dram-or-sram-at-equal-cost",
    "memory-under-a-power-limit",
    "sram-share-of-a-die",
)
"""Shipped studies with a feasible design."""

ENTRIES = {
    it.name: Entry(10, caps)
    for caps, methods in (
        (Caps(), (OPTIMIZE, PROOF)),
        (Caps(seconds=5.0), (TPE, CMA, NSGA, GENETIC, MARGIN, EVOLUTION)),
        (Caps(seconds=2.0), (DESCENTS, DESCENTS_IN_TURN, CLIMBS)),
        (Caps(seconds=1.0), (RANDOM,)),
    )
    for it in methods
}
"""How methods take part."""


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


def _run(search: Searcher, seed: int, optimum: float, caps: Caps) -> dict[str, Any]:
    """How a race ended, and when it was where."""
    begin = time.perf_counter()
    race = Race(optimum, caps)
    search(seed, race)
    return {
        "evaluations": race.evaluations,
        "seconds": race.seconds,
        "wall_seconds": time.perf_counter() - begin,
        "gap": _gap(race.best, optimum) if race.steps else None,
        "near": _reached(race, optimum, NEAR),
        "there": _reached(race, optimum, REACHED),
        "proof": race.proof,
    }


def _raced(study: str, name: str, optimum: float, entry: Entry) -> dict[str, Any]:
    """All races of a method on a study, in a process that has done nothing else."""
    method = METHODS[name]
    problem = ll.problem_of(load_study(study))
    with empty_cache():
        begin = time.process_time()
        search = method.prepare(problem)
        setup = time.process_time() - begin
        first = _run(search, entry.races, optimum, replace(entry.caps, seconds=WARM_UP))
        runs = [_run(search, seed, optimum, entry.caps) for seed in range(entry.races)]
    return {"setup": setup, "first": first, "races": runs}


def run(
    studies: tuple[str, ...] = STUDIES,
    entries: dict[str, Entry] = ENTRIES,
    processes: int = 2,
) -> dict[str, Any]:
    """Every race, some at a time, and the proven optimum of each study."""
    with fresh_processes(processes) as workers:
        asked = {study: workers.submit(_optimum, study) for study in studies}
        optima = {study: future.result() for study, future in asked.items()}
        entered = [
            (study, name, workers.submit(_raced, study, name, optima[study]["score"], entry))
            for study in studies
            for name, entry in entries.items()
        ]
        races: dict[str, dict[str, Any]] = {study: {} for study in studies}
        for study, name, future in entered:
            races[study][name] = future.result()
            print(f"{study}: {name}", file=sys.stderr)
    return {
        "studies": optima,
        "methods": {
            name: {it: getattr(METHODS[name], it) for it in ("about", "ours", "prepared")}
            for name in entries
        },
        "races": races,
    }


def median(races: Sequence[Record], goal: str, amount: str) -> float:
    """Median over all races of what it took to reach a goal; infinite if most never did."""
    return statistics.median(it[goal][amount] if it[goal] else math.inf for it in races)


def _count(races: Sequence[Record], goal: str) -> int:
    return sum(race[goal] is not None for race in races)


def _proven(races: Sequence[Record]) -> float:
    """Median seconds to a proof; infinite if most never had one."""
    return statistics.median(it["proof"] or math.inf for it in races)


def _cold(method: Record, entry: Record) -> float:
    """Seconds to 1 % from nothing: setup and the median of the races, or measured at once."""
    if method["prepared"]:
        return entry["setup"] + median(entry["races"], "near", "seconds")
    return median([entry["first"]], "near", "seconds")


def _times(entry: Record, before: float = 0.0) -> list[float]:
    """Seconds to 1 % of the races that came there, and others before them."""
    return [before + race["near"]["seconds"] for race in entry["races"] if race["near"]]


def compared(results: Record, study: str) -> Iterator[str]:
    """For each of ours that proves: who else came within 1 % sooner, warm and cold."""
    entries, methods = results["races"][study], results["methods"]
    for name in (it for it in (OPTIMIZE.name, PROOF.name) if it in methods):
        warm = median(entries[name]["races"], "near", "seconds")
        for how, seconds in (("warm", warm), ("cold", _cold(methods[name], entries[name]))):
            sooner = []
            for other in (it for it in methods if not methods[it]["ours"]):
                entry = entries[other]
                times = _times(entry, entry["setup"] if how == "cold" else 0.0)
                if early := sum(it < seconds for it in times):
                    sooner.append(f"{other} {early} of {len(entry['races'])}")
            who = ", ".join(sooner) or "none"
            yield f"sooner within 1 % than {name}, {how} ({_seconds(seconds)}): {who}"


def _seconds(value: float) -> str:
    """Seconds in two digits; a dash for never.

    Examples:
        >>> _seconds(0.01234), _seconds(12.34), _seconds(math.inf)
        ('0.012 s', '12 s', '-')
    """
    return f"{_short(value)} s" if math.isfinite(value) else "-"


def _short(value: float) -> str:
    """A number in two digits or more; a dash for what never came.

    Examples:
        >>> _short(0.01234), _short(12.34), _short(123456), _short(3), _short(math.inf)
        ('0.012', '12', '123,456', '3', '-')
    """
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _gaps(races: Sequence[Record]) -> list[float]:
    """Gaps at the end; infinite without a design."""
    return [math.inf if it["gap"] is None else it["gap"] for it in races]


COUNTED = {"near": "near", "there": "there", "proven": "proof"}  # what races are counted by


def summary(results: Record) -> dict[str, Any]:
    """Races of each method, and how many came within 1 %, to the optimum, and to its proof."""
    found = {}
    for name in results["methods"]:
        runs = [race for by_name in results["races"].values() for race in by_name[name]["races"]]
        counts = {what: _count(runs, key) for what, key in COUNTED.items()}
        found[name] = {"races": len(runs), **counts}
    return found


def _of_races(label: str, of: Callable[[Sequence[Record]], float]) -> Column:
    return Column(label, "races", lambda races: _short(of(races)))


def _medians(goal: str) -> list[Column]:
    return [
        _of_races(label, lambda races, amount=amount: median(races, goal, amount))
        for label, amount in (("evals", "evaluations"), ("s", "seconds"))
    ]


TABLE = Table(
    "method",
    [
        _of_races("races", len),
        _of_races("1 %", lambda races: _count(races, "near")),
        *_medians("near"),
        Column("cold s", lambda entry: _cold(entry["method"], entry), _short),
        _of_races("best", lambda races: _count(races, "there")),
        *_medians("there"),
        Column("worst", lambda entry: gap_words(max(_gaps(entry["races"])))),
        _of_races("proven s", _proven),
        Column("setup s", lambda it: it["setup"] if it["method"]["prepared"] else math.inf, _short),
    ],
)


def _asked(results: Record, study: str) -> str:
    it = results["studies"][study]
    kinds = "memories" if it["categories"] > 1 else "memory"
    return (
        f"{study}: {it['designs']:.1e} designs of {it['variables']} free variables and"
        f" {it['categories']} {kinds}; the best {it['quantity']} is {it['objective']:.5g}"
    )


def _findings(results: Record) -> Iterator[str]:
    for name, counts in summary(results).items():
        yield (
            f"{name}: of {counts['races']} races {counts['near']} within 1 %,"
            f" {counts['there']} at the optimum, {counts['proven']} proven;"
            f" {results['methods'][name]['about']}."
        )


def report(results: Record) -> list[RenderableType]:
    """A table for each study, who was sooner, and how each method did over all studies."""
    parts: list[RenderableType] = [
        "Races within 1 % of the proven optimum and at it (best); median evaluations and seconds of"
        " all races until then, a dash where most never came there; worst gap at the end."
    ]
    for study, entries in results["races"].items():
        rows = {it: {**entries[it], "method": about} for it, about in results["methods"].items()}
        parts += [_asked(results, study), TABLE.of(rows), *compared(results, study), ""]
    return [*parts, *_findings(results)]


def _looks(results: Record) -> dict[str, str]:
    """Methods from the most races within 1 % and the soonest on, and their colours."""

    def rank(name: str) -> tuple[float, float]:
        entries = [by_name[name] for by_name in results["races"].values()]
        near = sum(_count(it["races"], "near") for it in entries)
        return -near, sum(min(median(it["races"], "near", "seconds"), 1e3) for it in entries)

    proves = (OPTIMIZE.name, PROOF.name)
    return {
        name: "C3" if name in proves else "C0" if results["methods"][name]["ours"] else "0.35"
        for name in sorted(results["methods"], key=rank)
    }


BARE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # behind words, over the grid
COLUMNS = (150.0, 4000.0)  # where the columns of words end, beyond the seconds


def _panel(axes: draw.Axes, entries: Record, looks: dict[str, str]) -> None:
    """Each race within 1 % as a dot, their median as a bar; how many they are, and what is left."""
    for place, (name, shade) in enumerate(looks.items()):
        races = entries[name]["races"]
        times = _times(entries[name])
        axes.plot(times, [place] * len(times), "o", color=shade, markersize=4, alpha=0.45, mew=0)
        middle = median(races, "near", "seconds")
        if math.isfinite(middle):
            axes.plot(middle, place, "|", color=shade, markersize=13, mew=2)
        if math.isfinite(_proven(races)):
            axes.plot(_proven(races), place, "D", color=shade, mfc="white", markersize=5)
        gap = statistics.median(_gaps(races))
        told = (f"{len(times)} of {len(races)}", gap_words(gap))
        for at, text in zip(COLUMNS, told, strict=True):
            draw.note(axes, text, (at, place), color=shade, ha="right", va="center", bbox=BARE)
    draw.name_rows(axes, list(looks), fontsize=7.5)
    axes.set(xscale="log", xlim=(1e-2, COLUMNS[-1]))
    axes.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    axes.minorticks_off()
    axes.spines["bottom"].set_bounds(1e-2, 10)
    for at, text in zip(COLUMNS, ("within 1 %", "gap at the end"), strict=True):
        draw.note(axes, text, (at, -0.6), (0, 3), ha="right")


def plot(results: Record) -> draw.Figure:
    """When each race was within 1 % of the proven optimum, and where races ended, by study."""
    looks = _looks(results)
    columns = min(len(results["races"]), 3)
    lines = -(-len(results["races"]) // columns)
    figure = draw.panels(
        results["races"],
        lambda axes, entries: _panel(axes, entries, looks),
        (1.2 + 4.0 * columns, 0.9 + lines * (0.7 + 0.22 * len(looks))),
        title="Who is within 1 % of the proven optimum, and when: a dot a race, a bar the median, a"
        " diamond the proof",
        xlabel="seconds of the processor to within 1 %, compiled before",
        sharey=True,
    )
    for axes in figure.axes[::columns]:
        for label, shade in zip(axes.get_yticklabels(), looks.values(), strict=True):
            label.set_color(shade)
    return figure


SMOKE = {
    "studies": ("dram-or-sram-at-equal-cost", "chip-count-or-chip-size"),
    "entries": {
        PROOF.name: Entry(2, Caps()),
        EVOLUTION.name: Entry(2, Caps(seconds=0.2)),
        TPE.name: Entry(2, Caps(seconds=0.2)),
    },
}
EXPERIMENT = Experiment("optimisers", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
