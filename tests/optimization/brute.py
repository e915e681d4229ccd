"""Every design of a study, judged one by one in plain loops: what a search has to agree with."""

import functools
import itertools
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tomli_w

from experiments.listed import in_numpy
from liminal_jax._smooth import Exact
from liminal_jax.mapping.attention import ATTENTION_MAPPINGS
from liminal_jax.study.domain import Grid, Several
from liminal_jax.study.file import StudyFile, WorkloadTable
from liminal_jax.study.problem import Problem
from liminal_jax.study.quantities import QUANTITIES, REQUESTS
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.variables import PATHS
from tests.study.cases import case_with, known, seen

STUDIES = Path(__file__).parent.parent / "studies"
ROUNDING = 1e-9
CHUNK = 2048

ASKED = tuple(name for name in QUANTITIES if name not in ("quality_loss", *REQUESTS))
"""Quantities that any study can ask for; of quality and requests something has to be stated."""


class Row(NamedTuple):
    """A design: where it is, and how it does.

    `violation` are logarithms of how far each limit is exceeded: physical ones, then constraints.
    """

    indices: tuple[int, ...]
    category: str
    values: dict[str, float]
    quantities: dict[str, float]
    score: float
    violation: dict[str, float]

    @property
    def feasible(self) -> bool:
        return all(it <= ROUNDING for it in self.violation.values())

    @property
    def total_violation(self) -> float:
        return sum(max(it, 0.0) for it in self.violation.values())


def study(folder: Path, base: str, **changes: Mapping[str, Any] | list[Any] | str) -> Path:
    """A file with some tables of a small study changed; None removes a field."""
    tables = tomllib.loads((STUDIES / f"{base}.toml").read_text())
    for name, change in changes.items():
        if isinstance(change, Mapping) and name != "objective":
            merged = {**tables.get(name, {}), **change}
            tables[name] = {key: value for key, value in merged.items() if value is not None}
        else:
            tables[name] = change
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps(tables))
    return path


def _any_attention(file: StudyFile) -> StudyFile:
    """A study that can be asked about every attention mapping by its place among all."""
    every = Grid(tuple(map(float, range(len(ATTENTION_MAPPINGS)))), logarithmic=False)
    design = file.design.model_copy(update={"attention": every})
    return file.model_copy(update={"design": design})


def _seen(problem: Problem, point: Any, category: Any) -> Any:
    """What a study sees of a design that states every number with a short name, in their order."""
    values = known(problem, dict(zip(PATHS, point, strict=True)))
    return seen(case_with(problem, category, **values), Exact())


@functools.cache
def _evaluator(base: str) -> Any:
    problem = problem_of(_any_attention(load_study(str(STUDIES / f"{base}.toml"))))

    def one(point: Any, category: Any) -> Any:
        fleet, used = _seen(problem, point, category)
        return {name: it.of(fleet) for name, it in QUANTITIES.items()}, used

    return problem.categories, in_numpy(jax.vmap(one))


def _evaluated(base: str, points: np.ndarray, names: list[str]) -> list[tuple[dict, dict]]:
    """Quantities and use of physical limits of each point, as plain numbers."""
    known, evaluate = _evaluator(base)
    rows = np.asarray([known.index(name) for name in names])
    found = []
    for begin in range(0, len(points), CHUNK):
        part, categories = points[begin : begin + CHUNK], rows[begin : begin + CHUNK]
        pad = (0, CHUNK - len(part))
        tables = evaluate(
            jnp.asarray(np.pad(part, (pad, (0, 0)), mode="edge")),
            jnp.asarray(np.pad(categories, pad, mode="edge")),
        )
        columns = [{key: np.asarray(it) for key, it in table.items()} for table in tables]
        for index in range(len(part)):
            quantities, used = (
                {key: float(it[index]) for key, it in table.items()} for table in columns
            )
            found.append((quantities, used))
    return found


def every_design(base: str, file: StudyFile) -> list[Row]:
    """All designs of a study made from a base, the category varying slowest."""
    design = file.design
    chosen = design.memory if design.system is None else design.system
    grids = {name: getattr(design, name) for name in PATHS}
    axes = {name: grid.values for name, grid in grids.items() if grid is not None and grid.free}
    fixed = [1.0 if grids[name] is None else grids[name].values[0] for name in PATHS]
    places, points, names = [], [], []
    lengths = [len(values) for values in axes.values()]
    for indices in itertools.product(range(len(chosen.names)), *map(range, lengths)):
        values = {name: axes[name][it] for name, it in zip(axes, indices[1:], strict=True)}
        places.append((indices, values))
        points.append([values.get(name, fixed[at]) for at, name in enumerate(PATHS)])
        names.append(chosen.names[indices[0]])
    evaluated = _evaluated(base, np.asarray(points), names)
    return [
        _row(file, indices, name, values, quantities, used)
        for (indices, values), name, (quantities, used) in zip(
            places, names, evaluated, strict=True
        )
    ]


def _row(
    file: StudyFile,
    indices: tuple[int, ...],
    category: str,
    values: dict[str, float],
    quantities: dict[str, float],
    used: dict[str, float],
) -> Row:
    violation = {name: math.log(max(it, 1e-6)) for name, it in used.items()}
    for it in file.constraints:
        value = quantities[it.quantity]
        ratio = it.limit / value if it.at_least is not None else value / it.limit
        violation[it.quantity] = math.log(max(ratio, 1e-6))
    value = quantities[file.objective.quantity]
    score = math.log(value) if file.objective.maximise else -math.log(value)
    return Row(indices, category, values, quantities, score, violation)


def shortfalls(rows: list[Row]) -> dict[str, float]:
    """For each limit the least violation among designs that meet all the others."""
    least: dict[str, float] = {}
    for row in rows:
        violated = [name for name, it in row.violation.items() if it > ROUNDING]
        if len(violated) == 1:
            (name,) = violated
            least[name] = min(row.violation[name], least.get(name, math.inf))
    return least


def binding(rows: list[Row], best: Row) -> set[str]:
    """Limits that keep a design from better neighbours, those with the fewest breaches."""
    shape = np.max([row.indices for row in rows], axis=0) + 1
    at = {row.indices: row for row in rows}
    better = [
        [name for name, it in at[near].violation.items() if it > ROUNDING]
        for near in _near(best.indices, shape)
        if at[near].score > best.score + ROUNDING
    ]
    fewest = min(map(len, better), default=0)
    return {name for broken in better if len(broken) == fewest for name in broken}


def _near(indices: tuple[int, ...], shape: np.ndarray) -> set[tuple[int, ...]]:
    free = range(1, len(indices))
    steps: list[dict[int, int]] = [{0: it} for it in range(-shape[0] + 1, shape[0])]
    steps += [{axis: it} for axis in free for it in (-2, -1, 1, 2)]
    steps += [
        {one: left, other: right}
        for one, other in itertools.combinations(free, 2)
        for left in (-1, 1)
        for right in (-1, 1)
    ]
    return {
        tuple(
            int(min(max(it + step.get(axis, 0), 0), shape[axis] - 1))
            for axis, it in enumerate(indices)
        )
        for step in steps
    }


class Swept(NamedTuple):
    """Every design of a study by whole arrays: scores, and whether each limit holds."""

    scores: np.ndarray
    feasible: np.ndarray
    categories: np.ndarray

    def best(self, category: int) -> float | None:
        """Best score of a category; None where no design is feasible."""
        mine = self.scores[self.feasible & (self.categories == category)]
        return float(mine.max()) if len(mine) else None


@functools.cache
def _sweeper(base: str, workload: WorkloadTable, holds: Several | None) -> Any:
    file = load_study(str(STUDIES / f"{base}.toml"))
    design = file.design.model_copy(update={"tier_holds": holds})
    changed = file.model_copy(update={"workload": workload, "design": design})
    problem = problem_of(_any_attention(changed))

    def one(point: Any, category: Any) -> Any:
        fleet, used = _seen(problem, point, category)
        quantities = jnp.stack([it.of(fleet) for it in QUANTITIES.values()])
        return quantities, jnp.stack(list(used.values()))

    return problem.categories, in_numpy(jax.vmap(one)), jax.jit(jax.vmap(one))


FEW, AT_ONCE = 1 << 16, 1 << 12
"""Designs that take less time than to compile, and how many of them are evaluated at once."""

SWEPT_AT_ONCE = 1 << 14


def every_outcome(base: str, file: StudyFile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quantities, use of the physical limits, and category of each design of a study.

    Quantities are in the order of `QUANTITIES`, a row for each design.
    """
    design = file.design
    chosen = design.memory if design.system is None else design.system
    known, interpreted, compiled = _sweeper(base, file.workload, design.tier_holds)
    grids = [getattr(design, name) for name in PATHS]
    axes = [np.asarray([1.0] if grid is None else grid.values) for grid in grids]
    mesh = np.meshgrid(np.arange(len(chosen.names)), *axes, indexing="ij")
    categories = mesh[0].ravel().astype(int)
    points = np.stack([it.ravel() for it in mesh[1:]], axis=1)
    rows = np.asarray([known.index(name) for name in chosen.names])[categories]
    few = len(points) <= FEW
    evaluate, width = (interpreted, AT_ONCE) if few else (compiled, SWEPT_AT_ONCE)
    pad = -len(points) % width
    points = np.pad(points, ((0, pad), (0, 0)), mode="edge")
    rows = np.pad(rows, (0, pad), mode="edge")
    parts = [
        evaluate(jnp.asarray(points[at : at + width]), jnp.asarray(rows[at : at + width]))
        for at in range(0, len(points), width)
    ]
    quantities, used = (np.concatenate([np.asarray(it[k]) for it in parts]) for k in (0, 1))
    return quantities[: len(categories)], used[: len(categories)], categories


def swept(file: StudyFile, outcomes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Swept:
    """What a study's objective and constraints say of the outcomes of its designs."""
    quantities, used, categories = outcomes
    columns = dict(zip(QUANTITIES, quantities.T, strict=True))
    feasible = np.all(np.log(np.maximum(used, 1e-6)) <= ROUNDING, axis=1)
    for it in file.constraints:
        value = columns[it.quantity]
        ratio = it.limit / value if it.at_least is not None else value / it.limit
        feasible &= np.log(ratio) <= ROUNDING
    value = np.log(columns[file.objective.quantity])
    return Swept(value if file.objective.maximise else -value, feasible, categories)
