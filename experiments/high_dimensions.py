"""Do gradients find better designs than black boxes where there are hundreds of variables?

The claim to be tested: on a shipped study of requests with 3, 9, 32 and 99 classes, each of which
has a mapping and a batch of its own (12, 30, 99 and 300 variables), `liminal optimize` comes within
0.1 % of the best design that any method finds in the same time, from every seed, and bounds what
remains.

Every method searches the same designs by the same exact model. Each race has a process and a core
of its own and begins with an empty compilation cache: only imports and the reading of the study are
not counted. Seconds are those of its processor, which on a machine at rest are those of the wall.
A problem is a size and a seed, its best design the best that any race at that size finds, and a gap
the factor by which a design falls short of it, less one. Optuna, pymoo, SciPy, cmaes and nevergrad
have the settings that their documentation gives for such problems. Our own search races without
gradients too: the same descents by differences, and local search alone.

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
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from experiments.high_dimensions_race import METHODS, STUDY, Entry, problem_at
from experiments.high_dimensions_view import gap, median, plot, report, summary
from experiments.record import ROOT, load_record, save
from experiments.rivals.wizard import WIZARD
from experiments.runner import Experiment, main
from liminal_jax._files import InputError, Problem

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
"""Environment of a race, whose core is one too."""


@dataclass(frozen=True)
class Longer:
    """Races that go on for longer.

    Attributes:
        classes: Classes of requests.
        best: So many methods, those with the least median gap at that size.
        seeds: Races of each.
        seconds: What a race may spend.
    """

    classes: tuple[int, ...]
    best: int
    seeds: int
    seconds: float


@dataclass(frozen=True)
class Config:
    """What is raced.

    Attributes:
        classes: Classes of requests, each number a size.
        methods: Names of methods.
        seeds: Races of each method at each size.
        seconds: What a race may spend.
        longer: Races that go on for longer.
        processes: Races at a time.
        folder: Folder of the run.
    """

    classes: tuple[int, ...]
    methods: tuple[str, ...]
    seeds: int
    seconds: float
    longer: tuple[Longer, ...]
    processes: int
    folder: str = ""


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


def run(config: Config) -> dict[str, Any]:
    """Every race, and what is known of the best design at each size.

    Raises:
        InputError: nevergrad is asked for and missing.
    """
    if WIZARD.name in config.methods and importlib.util.find_spec("nevergrad") is None:
        message = "is not installed; pip install -e '.[rivals]'"
        raise InputError("experiments", [Problem("nevergrad", message)])
    folder = Path(config.folder) / "races"
    first = [
        Entry(classes, method, seed, config.seconds)
        for seed in range(config.seeds)
        for classes in config.classes
        for method in config.methods
    ]
    records = races(first, folder, config.processes)
    longer = [
        Entry(classes, method, seed, it.seconds)
        for it in config.longer
        for classes in it.classes
        for method in _best([one for one in records if one["classes"] == classes], it.best)
        for seed in range(it.seeds)
    ]
    records += races(longer, folder, config.processes)
    return {
        "study": STUDY,
        "seconds": config.seconds,
        "sizes": {
            str(problem_at(classes).count): _size(
                classes, [it for it in records if it["classes"] == classes]
            )
            for classes in config.classes
        },
        "methods": {name: METHODS[name].about for name in config.methods},
        "races": records,
    }


FULL = Config(
    classes=(3, 9, 32, 99),
    methods=tuple(METHODS),
    seeds=5,
    seconds=60.0,
    longer=(Longer(classes=(32, 99), best=3, seeds=2, seconds=300.0),),
    processes=2,
)
SMOKE = Config(
    classes=(3, 9, 32, 99),
    methods=("ours", "CatCMAwM", "SciPy DE", "random"),
    seeds=2,
    seconds=30.0,
    longer=(),
    processes=2,
)
EXPERIMENT = Experiment("high_dimensions", __doc__, FULL, SMOKE, run, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
