"""Do gradients find better designs than black boxes where there are hundreds of variables?

The claim to be tested: on a shipped study of requests with 3, 9, 32 and 99 classes, each of which
has a mapping and a batch of its own (12, 30, 99 and 300 variables), `liminal optimize` comes within
0.1 % of the best design that any method finds in the same time, from every seed, and bounds what
remains.

Every method searches the same designs by the same exact model. Each race has a process and a core
of its own and begins with an empty compilation cache: only imports and the reading of the study are
not counted. Seconds are those of its processor, which on a machine at rest are those of the wall.
A problem is a size and a seed, its best design the best that any race at that size finds, and a gap
the factor by which a design falls short of it, less one. Optuna, pymoo, SciPy, cmaes, nevergrad and
BoTorch have the settings that their documentation gives for such problems. Our own search races
without gradients too: the same descents by differences, and local search alone.

    python -m experiments.high_dimensions -o DIR --resume

goes on with a run that was stopped: races that left their file in DIR are not run again.
"""

import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from typing import Any

import numpy as np
from rich.console import RenderableType

from experiments import drawing as draw
from experiments.claims import Record
from experiments.drawing import gap_words
from experiments.high_dimensions_race import METHODS, STUDY, Entry, problem_at
from experiments.record import ROOT, load_record, save
from experiments.rivals.bayes import PROCESSES
from experiments.rivals.wizard import WIZARD
from experiments.roots import or_none
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax._files import InputError, Problem

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
"""Environment of a race, whose core is one too."""


@dataclass(frozen=True)
class Longer:
    """Races that go on for so many seconds, of so many methods that did best at some sizes."""

    classes: tuple[int, ...]
    best: int
    seeds: int
    seconds: float


EXTRAS = {WIZARD.name: "nevergrad", PROCESSES.name: "botorch"}
"""Packages of methods that only the extra `rivals` installs."""

MOST_CLASSES = {PROCESSES.name: 9}
"""Beyond so many a method is not raced: each choice takes a process of all designs before it."""

LONGER = (Longer(classes=(32, 99), best=3, seeds=2, seconds=300.0),)


def gap(race: Record, best: float, seconds: float = math.inf) -> float:
    """How far a race fell short of the best design after some seconds; infinite without a design.

    Examples:
        >>> race = {"steps": [[1.0, -0.1], [2.0, 0.0]]}
        >>> gap(race, 0.0), round(gap(race, 0.0, 1.5), 4), gap(race, 0.0, 0.5)
        (0.0, 0.1052, inf)
    """
    known = [score for moment, score in race["steps"] if moment <= seconds]
    return max(math.expm1(best - known[-1]), 0.0) if known else math.inf


def _over(entry: Entry, file: Path) -> dict[str, Any]:
    """The record of a race, which is run unless it has one.

    Raises:
        subprocess.CalledProcessError: The race failed.
    """
    if not file.exists():
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        module = "experiments.high_dimensions_race"
        done = subprocess.run(
            [sys.executable, "-m", module, json.dumps(asdict(entry)), str(file)],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            save(file, _ended(entry))
        else:
            done.check_returncode()
        print(file.stem, file=sys.stderr)
    return load_record(file)


def _ended(entry: Entry) -> dict[str, Any]:
    """The record of a race that would not end by itself, and told of no design."""
    unknown = dict.fromkeys(("bound", "proof", "evaluations", "wall_seconds"))
    return {**asdict(entry), "steps": [], "spent": float(entry.most), **unknown}


def races(entries: Iterable[Entry], folder: Path, processes: int) -> list[dict[str, Any]]:
    """Records of races, some at a time, each on a core of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    cores: SimpleQueue[int] = SimpleQueue()
    available = sorted(os.sched_getaffinity(0))
    for number in range(processes):
        cores.put(available[number % len(available)])
    with ThreadPoolExecutor(
        processes, initializer=lambda: os.sched_setaffinity(0, {cores.get()})
    ) as workers:
        return list(workers.map(lambda it: _over(it, folder / it.file), entries))


def _size(classes: int, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What is asked, and what is known of the best design."""
    problem = problem_at(classes)
    best = max((it["steps"][-1][1] for it in records if it["steps"]), default=None)
    if best is None:
        raise ValueError(f"no method found a design for {classes} classes")
    bounds = [it["bound"] for it in records if it["bound"] is not None]
    return {
        "classes": classes,
        "log10_designs": math.log10(problem.size),
        "quantity": problem.goal,
        "objective": math.exp(best if problem.maximise else -best),
        "best": best,
        "bound": min(bounds, default=None),
    }


def _best(records: list[dict[str, Any]], count: int) -> list[str]:
    """The methods with the least median gap."""
    best = max((it["steps"][-1][1] for it in records if it["steps"]), default=0.0)
    names = dict.fromkeys(it["method"] for it in records)
    middle = {
        name: median(gap(it, best) for it in records if it["method"] == name) for name in names
    }
    return sorted(names, key=lambda name: middle[name])[:count]


def run(
    classes: tuple[int, ...] = (3, 9, 32, 99),
    methods: tuple[str, ...] = tuple(METHODS),
    seeds: int = 5,
    seconds: float = 60.0,
    longer: tuple[Longer, ...] = LONGER,
    processes: int = 2,
    folder: str = "",
) -> dict[str, Any]:
    """Every race, and what is known of the best design at each size.

    Args:
        classes: Of requests; a size each.
        methods: By name.
        seeds: Races of each.
        seconds: Of a race.
        longer: Races that go on.
        processes: Races at a time.
        folder: Where the records of races are kept.

    Raises:
        InputError: A method is asked for whose package is missing.
    """
    missing = [
        package
        for name, package in EXTRAS.items()
        if name in methods and importlib.util.find_spec(package) is None
    ]
    if missing:
        message = "is not installed; pip install -e '.[rivals]'"
        raise InputError("experiments", [Problem(it, message) for it in missing])
    kept = Path(folder) / "races"
    first = [
        Entry(size, method, seed, seconds)
        for size, method, seed in product(classes, methods, range(seeds))
        if size <= MOST_CLASSES.get(method, size)
    ]
    records = races(sorted(first, key=lambda it: it.seed), kept, processes)
    further = [
        Entry(size, method, seed, it.seconds)
        for it in longer
        for size in it.classes
        for method in _best([one for one in records if one["classes"] == size], it.best)
        for seed in range(it.seeds)
    ]
    records += races(further, kept, processes)
    of_size = {size: [it for it in records if it["classes"] == size] for size in classes}
    return {
        "study": STUDY,
        "seconds": seconds,
        "sizes": {str(problem_at(size).count): _size(size, its) for size, its in of_size.items()},
        "methods": {name: METHODS[name].about for name in methods},
        "races": records,
    }


OURS = "ours"
WON = 1e-3  # gap within which a problem is won

FLOOR, CEILING = 1e-6, 10.0  # gaps of the figure; the ceiling stands for no design at all

LOOKS = {
    OURS: ("black", "-"),
    "ours, differences": ("C0", "--"),
    "local search": ("C0", ":"),
    "CatCMAwM": ("C3", "-"),
    "SciPy DE": ("C1", "-"),
    "pymoo GA": ("C1", "--"),
    "Optuna TPE": ("C4", "-"),
    "nevergrad": ("C4", "--"),
    "BoTorch": ("C4", ":"),
    "random": ("0.55", "-"),
}
"""Colour and dashes of each method."""


def _first(results: Record) -> Iterator[tuple[str, Record, list[Any]]]:
    """Each size with what is known of it, and its races of the usual length."""
    for name, size in results["sizes"].items():
        races = [
            it
            for it in results["races"]
            if it["classes"] == size["classes"] and it["seconds"] == results["seconds"]
        ]
        yield name, size, races


def summary(results: Record) -> dict[str, Any]:
    """How many problems there are and how many were won, with median gaps; null for no design.

    The best other method is another one for each problem: the one that came nearest.
    """
    ours, others = [], []
    for _, size, races in _first(results):
        for seed in sorted({it["seed"] for it in races}):
            gaps = {it["method"]: gap(it, size["best"]) for it in races if it["seed"] == seed}
            ours.append(gaps.pop(OURS))
            others.append(min(gaps.values()))
    return {
        "problems": len(ours),
        "won": sum(it <= WON for it in ours),
        "median_gap_ours": or_none(median(ours)),
        "median_gap_best_other": or_none(median(others)),
    }


def _asked(variables: str, size: Record) -> str:
    bound, best = size["bound"], size["best"]
    proof = "no bound"
    if bound is not None:
        open_gap = math.expm1(max(bound - best, 0.0))
        proof = "proven" if open_gap < 1e-9 else f"at most {gap_words(open_gap)} from the bound"
    return (
        f"{variables} variables, 10^{size['log10_designs']:.0f} designs: best"
        f" {size['quantity']} {size['objective']:.5g}, {proof}"
    )


def _medians(races: Sequence[Record], best: float) -> Record:
    """Gaps of a method over its seeds; medians of designs judged and of seconds."""
    gaps = sorted(gap(it, best) for it in races)
    evaluations = [it["evaluations"] for it in races if it["evaluations"]]
    return {
        "best": gaps[0],
        "median": median(gaps),
        "worst": gaps[-1],
        "designs": median(evaluations) if evaluations else None,
        "near": median(_reached(it, best) for it in races),
        "proven": median(it["proof"] or math.inf for it in races),
    }


def _finite(number: float) -> str:
    return f"{number:.3g}" if math.isfinite(number) else "-"


TABLE = Table(
    "method",
    [
        *(Column(it, it, gap_words) for it in ("best", "median", "worst")),
        Column("designs", "designs", "{:,.0f}"),
        Column("s to 1 %", "near", _finite),
        Column("proven s", "proven", _finite),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """For each size the gaps of each method when its races end, and when ours were there."""
    parts: list[RenderableType] = []
    for variables, size, races in _first(results):
        raced = {it["method"] for it in races}
        by_method = {
            name: _medians([it for it in races if it["method"] == name], size["best"])
            for name in results["methods"]
            if name in raced
        }
        parts += [_asked(variables, size), TABLE.of(by_method)]
    parts += list(_longer(results))
    return [*parts, *(f"{name}: {about}." for name, about in results["methods"].items())]


def _reached(race: Record, best: float) -> float:
    """Seconds until a race came within 1 %."""
    return next((s for s, score in race["steps"] if math.expm1(best - score) <= 0.01), math.inf)


def _longer(results: Record) -> Iterator[str]:
    sizes = {it["classes"]: (name, it["best"]) for name, it in results["sizes"].items()}
    for it in results["races"]:
        if it["seconds"] != results["seconds"]:
            variables, best = sizes[it["classes"]]
            yield (
                f"{variables} variables, {it['seconds']:g} s, seed {it['seed']}:"
                f" {it['method']} {gap_words(gap(it, best))}"
            )


def _drawn(value: float) -> float:
    return min(max(value, FLOOR), CEILING)


def _panel(axes: draw.Axes, results: Record, size: Record, races: Any) -> None:
    moments = np.geomspace(1.0, results["seconds"], 200)
    raced = {it["method"] for it in races}
    for name in (it for it in LOOKS if it in raced):
        mine = [it for it in races if it["method"] == name]
        colour, dashes = LOOKS[name]
        rows = [[_drawn(gap(it, size["best"], at)) for it in mine] for at in moments.tolist()]
        middle = [median(it) for it in rows]
        axes.step(moments, middle, dashes, where="post", color=colour, label=name)
        low, high = [min(it) for it in rows], [max(it) for it in rows]
        axes.fill_between(moments, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    if size["bound"] is not None:
        open_gap = _drawn(math.expm1(max(size["bound"] - size["best"], 0.0)))
        axes.axhline(open_gap, color="C2", linewidth=1.5, linestyle="-.", label="bound")
    axes.set(xscale="log", yscale="log", ylim=(FLOOR / 2, 1.5 * CEILING))
    axes.set_yticks([FLOOR, 1e-4, 1e-2, 1, CEILING], ["0", "0.01 %", "1 %", "100 %", "none"])
    axes.minorticks_off()


def plot(results: Record) -> draw.Figure:
    """Gap over seconds at each size: median and range over the seeds, and what the bound leaves."""
    count = len(results["sizes"])
    figure, (panels,) = draw.sheet(1, count, (3.4 * count, 4.2), sharey=True)
    for axes, (variables, size, races) in zip(panels, _first(results), strict=True):
        _panel(axes, results, size, races)
        axes.set_title(f"{variables} variables")
        axes.set_xlabel("seconds, cold")
    panels[0].set_ylabel("gap to the best design")
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=6, handlelength=3
    )
    return figure


SMOKE = {
    "methods": ("ours", "CatCMAwM", "SciPy DE", "random"),
    "seeds": 2,
    "seconds": 30.0,
    "longer": (),
}
EXPERIMENT = Experiment("high_dimensions", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
