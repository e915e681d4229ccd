"""The most tokens a second for one user that each technology reaches, and what binds there."""

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax._progress import SILENT, Steps
from liminal_jax._smooth import Exact
from liminal_jax.bounds.boxes import points
from liminal_jax.data.build import load_system
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.levers import lever_ranges
from liminal_jax.data.systems import load_system_file
from liminal_jax.optimization.reach.energy_floor import energy_floor
from liminal_jax.optimization.reach.levers import moved, with_levers
from liminal_jax.optimization.reach.start import BUILT_IN, RANKS, SPEED, fastest_of, with_work
from liminal_jax.optimization.search.best_design import find, solution_at
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget
from liminal_jax.optimization.search.certificate import bounds_of
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.search.solution import Solution, case_at
from liminal_jax.study.absent import DRAFTS
from liminal_jax.study.case import Case
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import study_of
from liminal_jax.study.kind import kind_record
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import Variable

KIND = "ceiling"

LOSSLESS = {
    DRAFTS: tuple(float(it) for it in range(9)),
    "algorithm.prefetch.buffer": (0.0, 27e6, 50e6, 126e6),
    "algorithm.overlap.fused": (0.0, 0.96),
}
"""Lossless levers of software, and their values: none first, and up to the ends of their ranges."""

STAGES = (1, 2, 4, 8, 16)
"""Pipeline stages that are tried: of small memories they hold what ranks alone do not."""

WAITS = ("system.network.latency", "system.execution.operation_time")
"""What hardware that is planned may shorten, down to the least that is published."""

SECONDS = 60.0
"""Seconds after which the proof of a planned chip stops, with the best that it has."""

BINDS = {"memory_time": "memory", "compute_time": "compute", "exposed_time": "synchronisation"}
"""Parts of a step, and what binds where each is the longest."""


@dataclass(frozen=True)
class Peak:
    """The fastest of some designs for one user.

    Attributes:
        utps: Tokens a second of one user [1/s]; None where nothing fits, or a number is unknown.
        binds: What takes most of a step there.
        values: The design, in SI.
        energy_per_token: Energy at the wall [J]; None where unknown.
        above_floor: That energy over `energy_floor`.
        without: Speed without each lever that is on, the others staying [1/s].
        proven: Whether no design that is tried is faster, by enumeration or branch and bound.
    """

    utps: float | None
    binds: str
    values: dict[str, float]
    energy_per_token: float | None = None
    above_floor: float | None = None
    without: dict[str, float] = dataclasses.field(default_factory=dict)
    proven: bool = True


@dataclass(frozen=True)
class Technology:
    """One technology: a system, or planned chips of one memory.

    Attributes:
        name: Its name.
        title: What people call it.
        status: `shipping`, `cloud only`, `announced`, `hypothetical`; or `planned`.
        floor: Energy of a token, bytes and multiply-adds once [J]; None where unknown.
        plain: Its most without any lever.
        levers: Its most with every lossless lever of software.
        hardware: The same with the least waits that are published; of planned chips alone.
    """

    name: str
    title: str
    status: str
    floor: float | None
    plain: Peak
    levers: Peak
    hardware: Peak | None = None

    @property
    def most(self) -> float:
        """The most of all; 0 where nothing is known."""
        return max(it.utps or 0.0 for it in (self.plain, self.levers, self.hardware) if it)


@dataclass(frozen=True)
class Ceiling:
    """The most that each technology reaches, the fastest first.

    Attributes:
        model: The model.
        context: Tokens of context.
        technologies: The technologies.
        seconds: Wall time [s].
    """

    model: str
    context: float
    technologies: tuple[Technology, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The object of `liminal ceiling --json`: SI units, stable keys."""
        return {
            **kind_record(KIND),
            "model": self.model,
            "context": self.context,
            "technologies": [dataclasses.asdict(it) for it in self.technologies],
            "basis": list(BASIS),
            "seconds": self.seconds,
        }


BASIS = (
    "One user, 8-bit weights and cache. Systems: the best of 1 to 128 ranks of tensor parallelism"
    " and 1 to 16 pipeline stages in which the model fits, whatever they cost.",
    "Planned chips: the fastest design of the built-in study within its limits of power and cost.",
    "Lossless levers of software: up to 8 drafts by the published drafter, or a usual one; weights"
    " read ahead into SRAM where a chip has some; messages behind tiles. Of planned hardware also"
    " the least published latency of a collective and time of a dependent operation.",
    "Energy floor: weights of a token and its cache read once, multiply-adds done once, at the"
    " chip's own energies.",
)
"""What a ceiling rests on."""


def ceiling(model: str, *, context: int | float | None = None, progress: Steps = SILENT) -> Ceiling:
    """The most tokens a second for one user that each established or near technology reaches.

    Args:
        model: The name of a model.
        context: Tokens of context; those of the built-in study where left out.
        progress: Callbacks.

    Raises:
        InputError: there is no such model, or the context is none.
    """
    begin = time.perf_counter()
    if context is not None and not context >= 1:
        raise InputError(KIND, [Mistake("context", f"must be at least 1, got {context:g}")])
    with jax.enable_x64(True):
        study = load_study(BUILT_IN)
        tokens = study.workload.context if context is None else float(context)
        found = [*_systems(model, tokens, progress), *_planned(model, tokens, progress)]
    ordered = sorted(found, key=lambda it: -it.most)
    return Ceiling(model, tokens, tuple(ordered), time.perf_counter() - begin)


def _freed(problem: Problem, model: str) -> Problem:
    """A problem whose lossless levers of software are free."""
    region = problem.region
    case = with_levers(region.case, model)
    free = [
        Variable(path, path, Grid(values, logarithmic=False)) for path, values in LOSSLESS.items()
    ]
    return dataclasses.replace(
        problem,
        region=dataclasses.replace(region, case=case, variables=(*region.variables, *free)),
    )


def _systems(model: str, context: float, progress: Steps) -> list[Technology]:
    """Every system that comes with the package, those of one structure at once."""
    progress.stage("every design of every system")
    kinds: dict[Any, list[str]] = {}
    for name in system_names():
        kinds.setdefault(jax.tree.structure(load_system(name)), []).append(name)
    found: list[Technology] = []
    for names in kinds.values():
        found += alike(names, model, context)
        progress.step(len(found), len(system_names()), f"{names[0]} and those like it")
    return found


def _measure(name: str) -> Criterion:
    """A number of one instance as a score, which may be 0."""
    return Criterion(name, "", lambda fleet: getattr(fleet, name) + 1e-300, maximise=True)


_MEASURES = (*BINDS, "energy_per_token")


def alike(names: Sequence[str], model: str, context: float) -> list[Technology]:
    """Systems of one structure: every design of them, evaluated one by one."""
    tables = {
        "name": KIND,
        "about": "The most tokens a second for one user.",
        "workload": {"model": model, "context": context},
        "objective": {"maximise": SPEED},
        "design": {
            "system": {"choices": list(names)} if len(names) > 1 else names[0],
            "tp": {"choices": list(RANKS)},
            "pp": {"choices": list(STAGES)},
            "batch": 1,
        },
    }
    problem = _freed(problem_of(study_of(tables, KIND)), model)
    bounds = bounds_of(problem, *map(_measure, _MEASURES))
    grid = design_grid_of(problem)
    rows = np.stack([it.ravel() for it in np.indices(grid.shape)])
    results, _ = bounds.over(points(rows, bounds.trees))
    speeds = np.exp(results[0])
    count = 1 + len(_MEASURES)
    good = np.all(results[count:] <= FEASIBLE, axis=0) & np.isfinite(speeds)
    measured = dict(zip(_MEASURES, np.exp(results[1:count]), strict=True))
    off = np.all(rows[-len(LOSSLESS) :] == 0, axis=0)
    table = {tuple(row): place for place, row in enumerate(rows.T.tolist())}

    def peak(mine: np.ndarray, floor: float | None) -> Peak:
        if not mine.any():
            return Peak(None, "nothing fits, or a number is unknown", {})
        at = int(np.argmax(np.where(mine, speeds, -np.inf)))
        found = {name: float(it[at]) for name, it in measured.items()}
        without = {}
        for axis, path in enumerate(LOSSLESS, start=len(rows) - len(LOSSLESS)):
            row = rows[:, at].tolist()
            if row[axis]:
                row[axis] = 0
                without[path] = float(speeds[table[tuple(row)]])
        values = solution_at(problem, rows[:, at]).values
        return _peak(float(speeds[at]), found, values, floor, without)

    technologies = []
    for row, name in enumerate(names):
        file, mine = load_system_file(name), (rows[0] == row) & good
        case = case_at(problem, _first(problem, row))
        floor = _known(energy_floor(case.built(Exact()), case.model, case.decoding))
        pair = (peak(mine & off, floor), peak(mine, floor))
        technologies.append(Technology(name, file.title, file.status, floor, *pair))
    return technologies


def _first(problem: Problem, row: int) -> Solution:
    """The first design of a category."""
    point = tuple(it.grid.values[0] for it in problem.variables)
    return Solution(problem.categories[row], {}, point, row)


def _peak(
    utps: float,
    found: dict[str, float],
    values: dict[str, float],
    floor: float | None,
    without: dict[str, float],
) -> Peak:
    energy = _known(found["energy_per_token"])
    return Peak(
        utps=utps,
        binds=BINDS[max(BINDS, key=lambda it: found[it])],
        values=values,
        energy_per_token=energy,
        above_floor=None if energy is None or floor is None else energy / floor,
        without=without,
    )


def _known(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) and number > 1e-200 else None


def _planned(model: str, context: float, progress: Steps) -> list[Technology]:
    """Planned chips of each memory technology, within the limits of the built-in study."""
    file = with_work(load_study(BUILT_IN), {"model": model, "context": context})
    plain = fastest_of(problem_of(file))
    freed = _freed(plain, model)
    least = {it.path: it.si[0] for it in lever_ranges() if it.path in WAITS}
    case = moved(freed.region.case, least)
    short = dataclasses.replace(freed, region=dataclasses.replace(freed.region, case=case))
    asked = {"without levers": plain, "with levers of software": freed, "with least waits": short}
    progress.stage("planned chips of every memory")
    peaks = []
    for words, problem in asked.items():
        peaks.append(_best_of_each(problem))
        progress.step(len(peaks), len(asked), words)
    return [
        Technology(
            name=f"planned-{name}",
            title=f"planned chips, {name}",
            status="planned",
            floor=floors[0],
            plain=one[0],
            levers=two[0],
            hardware=three[0],
        )
        for name, one, two, three in zip(plain.categories, *peaks, strict=True)
        for floors in [[it[1] for it in (one, two, three) if it[1] is not None] or [None]]
    ]


def _best_of_each(problem: Problem) -> list[tuple[Peak, float | None]]:
    """The fastest design of each memory, and the energy floor of its chip."""
    answer = find(problem, budget=Budget(seconds=SECONDS))
    proof, complete, found = answer.proof, answer.certificate.complete, []
    for row in range(len(problem.categories)):
        if proof.scores[row] <= UNKNOWN:
            found.append((Peak(None, proof.infeasibility(row) or "", {}), None))
            continue
        solution = solution_at(problem, proof.indices[row])
        case = case_at(problem, solution)
        floor = _known(energy_floor(case.built(Exact()), case.model, case.decoding))
        measured = _measured(case)
        without = {
            path: _measured(moved(case, {path: 0.0}))[SPEED]
            for path in LOSSLESS
            if solution.values.get(path)
        }
        peak = _peak(measured[SPEED], measured, solution.values, floor, without)
        peak = dataclasses.replace(peak, proven=complete)
        found.append((peak, floor))
    return found


def _measured(case: Case) -> dict[str, float]:
    """Speed, times and energy of one design, operation by operation."""
    fleet = case.fleet(Exact())
    return {name: float(jnp.asarray(getattr(fleet, name))) for name in (SPEED, *_MEASURES)}
