"""The specification of a sweep and its plan, checked as a whole before anything is computed."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from liminal_jax import __version__
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.study.absent import absent_paths, present
from liminal_jax.study.case import lacking_requests
from liminal_jax.study.file import DesignFile, StudyFile, stating_number
from liminal_jax.study.paths import found_path
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import paths_of
from liminal_jax.sweeps.axis import Axis, Names, axis_of_grid, parsed_axis, points_of, split_axis
from liminal_jax.sweeps.case import (
    Case,
    case_of,
    check_names,
    choices_of,
    fingerprint,
    free_names,
    named_file,
)
from liminal_jax.sweeps.goal import Goal
from liminal_jax.sweeps.grid import grid_points
from liminal_jax.sweeps.kernel import Points
from liminal_jax.sweeps.leaves import NAMES, called_in, leaves_of
from liminal_jax.sweeps.outputs import OUTPUTS, check_output
from liminal_jax.sweeps.program import Program
from liminal_jax.sweeps.sample import MOST_LATIN, MOST_SOBOL, LatinPoints, SobolPoints

BLOCK = 4096
"""Default number of points of a block: what stays in the cache of a processor."""

MOST_DRAWN = 1 << 16
"""Largest block of a sample, whose coordinates are constants of the compiled program."""

MOST_POINTS = 2**63 - 1
"""Largest number of points: they are numbered with 64-bit integers."""

GRID, SOBOL, LATIN = "grid", "sobol", "latin"

FEASIBLE = "feasible"


@dataclass(frozen=True)
class SweepSpec:
    """The specification of a sweep.

    Attributes:
        axes: Axes as text, such as `tp=1,2,4,8`.
        kind: `grid`, `sobol` or `latin`.
        points: Number of samples for each choice of names; 0 for a grid.
        seed: Seed of the samples.
        goals: Outputs to maximise or minimise; the first ranks the top points.
        top: Number of best points to keep.
        by: Axis for each of whose values the best point is kept; empty for none.
        histograms: Outputs whose histograms are kept.
        keep: Outputs that are kept for every point; empty for a sweep that reduces.
        precision: Bits of a float: 64 or 32.
    """

    axes: tuple[str, ...] = ()
    kind: str = GRID
    points: int = 0
    seed: int = 0
    goals: tuple[Goal, ...] = ()
    top: int = 10
    by: str = ""
    histograms: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    precision: int = 64


@dataclass(frozen=True)
class Plan:
    """A sweep, ready to run.

    Attributes:
        file: The study or design.
        spec: The specification.
        names: The names that vary; each combination is a case.
        axes: The numbers that vary.
        by: The axis or name whose values are the categories; empty for none.
        block: Points of a block.
    """

    file: DesignFile
    spec: SweepSpec
    names: tuple[Names, ...]
    axes: tuple[Axis, ...]
    by: str
    block: int

    @cached_property
    def points(self) -> Points:
        """The points, which are the same in each case."""
        kind = np.dtype(f"float{self.spec.precision}")
        if self.spec.kind == GRID:
            return grid_points(self.axes, self.block, kind)
        drawn = {SOBOL: SobolPoints, LATIN: LatinPoints}[self.spec.kind]
        needed = 1 << max(self.spec.points - 1, 0).bit_length()
        block = min(self.block, MOST_DRAWN, needed)
        return drawn(self.axes, self.spec.points, block, self.spec.seed, kind)

    @property
    def choices(self) -> list[dict[str, str]]:
        """The names of each case."""
        return choices_of(list(self.names))

    @property
    def size(self) -> int:
        """Number of points of all cases."""
        return len(self.choices) * self.points.size

    @property
    def blocks(self) -> int:
        """Number of blocks of a case."""
        return self.points.pieces * self.points.places

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are evaluated, in order."""
        if self.spec.keep:
            return self.spec.keep
        return (*(it.output for it in self.spec.goals), FEASIBLE, *self.spec.histograms)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The cases, each of which is compiled by itself."""
        return tuple(case_of(self.file, chosen, self.axes) for chosen in self.choices)

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The program of each case."""
        return tuple(case.program(self.outputs, self.points.inner) for case in self.cases)

    def manifest(self) -> dict[str, Any]:
        """Everything that the results depend on, as plain data."""
        return {
            "liminal_jax": __version__,
            "jax": jax.__version__,
            "study": json.loads(json.dumps(self.file.model_dump(), default=str)),
            "asked": json.loads(json.dumps(asdict(self.spec))),
            "names": json.loads(json.dumps([asdict(it) for it in self.names])),
            "axes": [_digest(axis) for axis in self.axes],
            "by": self.by,
            "block": self.block,
            "points": self.size,
            "programs": [fingerprint(it) for it in self.programs],
        }


def _digest(axis: Axis) -> dict[str, Any]:
    """An axis with a digest of its values."""
    record = asdict(axis)
    values = record.pop("values")
    digest = hashlib.sha256(np.asarray(values, float).tobytes()).hexdigest()
    return {**record, "count": len(values), "ends": [values[0], values[-1]], "values": digest}


def sweep_plan(file: DesignFile, spec: SweepSpec, source: str, block: int = BLOCK) -> Plan:
    """The plan of a sweep over the free variables of a study and the axes of a specification.

    Args:
        file: The study or design.
        spec: The specification.
        source: Name of the file, for messages.
        block: Points of a block.

    Raises:
        InputError: all mistakes in the specification.
    """
    mistakes: list[Mistake] = []
    file = _with_levers(file, spec, source)
    base = _base(file, source)
    leaves = leaves_of(base)
    given: dict[str, Axis | Names] = {}
    for text in spec.axes:
        with _Noting(mistakes, "--axis"):
            axis = parsed_axis(text, leaves, sampled=spec.kind != GRID)
            if axis.path in given:
                raise ValueError(f"{split_axis(text)[0]} is varied twice")
            if isinstance(axis, Names):
                check_names(axis, file)
            given[axis.path] = axis
    free: dict[str, Axis | Names] = {it.path: it for it in free_names(file)}
    called = called_in(base)
    for variable in base.variables:
        name = called[variable.path]
        free[name] = axis_of_grid(name, leaves[name].stated.dimension, variable.grid)
    every = [*{**free, **given}.values()]
    names = tuple(it for it in every if isinstance(it, Names))
    axes = tuple(it for it in every if isinstance(it, Axis))
    spec = _with_goals(file, spec)
    mistakes += _wrong_outputs(spec)
    if not mistakes:
        mistakes += _wrong_points(spec, axes, names)
    by = _category(spec, axes, names, mistakes)
    if mistakes:
        raise InputError(source, dict.fromkeys(mistakes))
    plan = Plan(file, spec, names, axes, by, block)
    _check_leaves(plan, source)
    return plan


class _Noting:
    """Turns a `ValueError` into one more mistake, so that all are reported at once."""

    def __init__(self, mistakes: list[Mistake], path: str):
        self._mistakes, self._path = mistakes, path

    def __enter__(self) -> None:
        """Start to collect the mistakes of a block."""

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> bool:
        """Add the mistake, if there was one."""
        if isinstance(error, ValueError):
            self._mistakes.append(Mistake(self._path, str(error)))
            return True
        return False


def _first(file: DesignFile) -> DesignFile:
    """The file with the first choice of each name."""
    return named_file(file, {it.path: it.choices[0] for it in free_names(file)})


def _base(file: DesignFile, source: str) -> Problem:
    try:
        return problem_of(_first(file))
    except InputError as error:
        raise InputError(error.source or source, error.problems) from None


def _with_levers(file: DesignFile, spec: SweepSpec, source: str) -> DesignFile:
    """The file with the levers and precisions that are varied and that it leaves out.

    They stand at the values that change nothing.
    """
    case = _base(file, source).region.case
    left_out = absent_paths(case)
    for text in spec.axes:
        try:
            path = found_path(split_axis(text)[0].removeprefix("design."), left_out)
        except ValueError:
            continue  # It is another number, or a mistake that is told with the other axes.
        case = present(case, path)
        value = float(np.max(dict(zip(paths_of(case), jax.tree.leaves(case), strict=True))[path]))
        file = stating_number(file, path, value)
    return file


def _with_goals(file: DesignFile, spec: SweepSpec) -> SweepSpec:
    """The specification, with the study's objective where it has no goals."""
    if spec.goals or spec.keep:
        return spec
    goal = Goal("stps", maximise=True)
    if isinstance(file, StudyFile):
        goal = Goal(file.objective.quantity, maximise=file.objective.maximise is not None)
    return replace(spec, goals=(goal,))


def _wrong_outputs(spec: SweepSpec) -> list[Mistake]:
    """Mistakes in the names of outputs."""
    mistakes: list[Mistake] = []
    named = {
        "--maximise/--minimise": tuple(it.output for it in spec.goals),
        "--histogram": spec.histograms,
        "--keep": spec.keep,
    }
    for path, names in named.items():
        for name in dict.fromkeys(names):
            with _Noting(mistakes, path):
                check_output(name)
                if names.count(name) > 1:
                    raise ValueError(f"{name} is named twice")
    return mistakes


def _wrong_points(spec: SweepSpec, axes: Sequence[Axis], names: Sequence[Names]) -> list[Mistake]:
    """Mistakes in the number of points: too many, or none."""
    cases = math.prod(len(it.choices) for it in names)
    checks: list[tuple[bool, str, Callable[[], str]]]
    if spec.kind == GRID:
        size = cases * points_of(tuple(axes))
        checks = [
            (size > MOST_POINTS, "", lambda: f"{size:.3g} points are more than 2^63; take fewer"),
            (
                not axes and not names,
                "--axis",
                lambda: "nothing varies; name one, such as --axis tp=1,2,4,8",
            ),
        ]
    else:
        most = MOST_SOBOL if spec.kind == SOBOL else MOST_LATIN // max(len(axes), 1)
        checks = [
            (spec.points < 1, "--points", lambda: f"must be at least 1, got {spec.points}"),
            (
                spec.points > most,
                "--points",
                lambda: (
                    f"must be at most {most:,} for {len(axes)} axes, got {spec.points:,}"
                    + ("" if spec.kind == SOBOL else "; a Sobol sequence has room for more")
                ),
            ),
            (not axes, "--axis", lambda: "no number varies, so there is nothing to draw"),
        ]
    return [Mistake(path, message()) for wrong, path, message in checks if wrong]


def _category(
    spec: SweepSpec, axes: Sequence[Axis], names: Sequence[Names], mistakes: list[Mistake]
) -> str:
    """The path of the axis whose values are the categories."""
    if not spec.by:
        return ""
    listed = [*(it.path for it in names), *(it.path for it in axes if not it.drawn)]
    paths = [spec.by, spec.by.split(".", 1)[-1]]
    found = next((path for path in paths if path in listed), None)
    if found is None:
        message = f"{spec.by!r} is no axis with a list of values; there are {', '.join(listed)}"
        mistakes.append(Mistake("--by", message))
        return ""
    if found not in NAMES and spec.kind != GRID:
        mistakes.append(Mistake("--by", "goes by the axes of a grid, or by names"))
    return found


def _check_leaves(plan: Plan, source: str) -> None:
    """Refuse axes that some case lacks, such as a network's latency among different networks.

    Raises:
        InputError: which, and where.
    """
    mistakes = []
    for case in plan.cases:
        known = leaves_of(case.problem)
        missing = [axis.path for axis in plan.axes if axis.path not in known]
        mistakes += [
            Mistake("--axis", f"{path}: {case.label} has no such number") for path in missing
        ]
        lacking = [lacking_requests(it, case.problem.region.case) for it in plan.outputs]
        if set(plan.spec.keep) != set(OUTPUTS):
            mistakes += [Mistake("", message) for message in lacking if message is not None]
    if mistakes:
        raise InputError(source, mistakes)
