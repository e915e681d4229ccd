"""One race of `high_dimensions`, in a process that has done nothing else.

    python -m experiments.high_dimensions_race RACE FILE

RACE is a JSON object with the fields of `Entry`; the record of the race goes to FILE.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.record import save
from experiments.rivals.bayes import PROCESSES
from experiments.rivals.coupled import DIFFERENCES, SEARCH, STEPS
from experiments.rivals.evolution import EVOLUTION
from experiments.rivals.genetic import GENETIC
from experiments.rivals.guesses import RANDOM
from experiments.rivals.margin import MARGIN
from experiments.rivals.method import Method
from experiments.rivals.optuna_samplers import TPE
from experiments.rivals.processes import empty_cache
from experiments.rivals.race import Caps, Race
from experiments.rivals.wizard import WIZARD
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.questions import BUILDERS, load_question
from liminal_jax.study.requests.file import RequestsFile

STUDY = "conversations-of-all-lengths"  # the shipped study that is raced

METHODS: dict[str, Method[AbstractCoupled]] = {
    it.name: it
    for it in (
        SEARCH,
        MARGIN,
        EVOLUTION,
        GENETIC,
        TPE,
        PROCESSES,
        WIZARD,
        RANDOM,
        STEPS,
        DIFFERENCES,
    )
}
"""All methods by name."""


@dataclass(frozen=True)
class Entry:
    """A race.

    Attributes:
        classes: Classes of requests.
        method: Name of the method.
        seed: Its seed.
        seconds: What it may spend.
    """

    classes: int
    method: str
    seed: int
    seconds: float

    @property
    def file(self) -> str:
        """What the file of its record is called."""
        method = self.method.replace(" ", "-").replace(",", "")
        return f"{self.classes}-{method}-{self.seed}-{self.seconds:g}s.json"

    @property
    def most(self) -> int:
        """Processor seconds after which it is ended from outside, its imports included."""
        return round(2 * self.seconds) + 60


def problem_at(classes: int) -> AbstractCoupled:
    """The study with so many classes of requests."""
    file = load_question(STUDY)
    if not isinstance(file, RequestsFile):
        raise TypeError(f"{STUDY} is no study of a trace")
    trace = file.trace.model_copy(update={"classes": classes})
    return BUILDERS[RequestsFile](file.model_copy(update={"trace": trace}))


def raced(entry: Entry) -> dict[str, Any]:
    """A race from cold: what its method compiles is part of it."""
    problem = problem_at(entry.classes)
    with empty_cache():
        begin = time.perf_counter()
        race = Race(np.inf, Caps(seconds=entry.seconds))
        METHODS[entry.method].prepare(problem)(entry.seed, race)
    return {
        **asdict(entry),
        "steps": [[it.seconds, it.score] for it in race.steps if it.seconds <= entry.seconds],
        "bound": race.bound if np.isfinite(race.bound) else None,
        "proof": race.proof,
        "evaluations": race.evaluations,
        "spent": race.seconds,
        "wall_seconds": time.perf_counter() - begin,
    }


def main() -> None:
    """Race, and write the record; the file is there only when it is whole."""
    told, name = sys.argv[1:]
    entry, file = Entry(**json.loads(told)), Path(name)
    resource.setrlimit(resource.RLIMIT_CPU, (entry.most, entry.most))
    jax.config.update("jax_enable_x64", True)
    part = file.with_suffix(".part")
    save(part, raced(entry))
    part.rename(file)


if __name__ == "__main__":
    main()
