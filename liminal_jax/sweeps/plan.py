"""A sweep as it is asked for, checked as a whole before anything is computed."""

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
from liminal_jax.study.file import DesignFile, StudyFile
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of
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
from liminal_jax.sweeps.leaves import NAMES, leaves_of
from liminal_jax.sweeps.outputs import check_output
from liminal_jax.sweeps.program import Program
from liminal_jax.sweeps.sample import MOST_LATIN, MOST_SOBOL, LatinPoints, SobolPoints

BLOCK = 4096
"""Points of a block, unless said otherwise: what stays in the cache of a processor."""

MOST_DRAWN = 1 << 16
"""Points of a block of a sample: their coordinates are part of what is compiled."""

MOST_POINTS = 2**63 - 1
"""Points that a number of 64 bits can tell apart."""

GRID, SOBOL, LATIN = "grid", "sobol", "latin"

FEASIBLE = "feasible"


@dataclass(frozen=True)
class Question:
    """What a user asks for.

    Attributes:
        axes: Axes as written.
        kind: `grid`, `sobol` or `latin`.
        points: Points to draw, of each choice of names; of a grid none.
        seed: Of the draws.
        goals: What is best; the first decides which are the top ones.
        top: How many of the best.
        by: Axis of whose every value the best is wanted; empty for none.
        histograms: Outputs whose spread is wanted.
        keep: Outputs that are kept of every point; none for a sweep that reduces.
        precision: Bits of a number: 64 or 32.
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
        asked: What is asked of it.
        names: What each case chooses.
        axes: Numbers that vary.
        by: The axis or name by which categories go; empty for none.
        block: Points of a block.
    """

    file: DesignFile
    asked: Question
    names: tuple[Names, ...]
    axes: tuple[Axis, ...]
    by: str
    block: int

    @cached_property
    def points(self) -> Points:
        """Where points lie; the same in each case."""
        kind = np.dtype(f"float{self.asked.precision}")
        if self.asked.kind == GRID:
            return grid_points(self.axes, self.block, kind)
        drawn = {SOBOL: SobolPoints, LATIN: LatinPoints}[self.asked.kind]
        needed = 1 << max(self.asked.points - 1, 0).bit_length()
        block = min(self.block, MOST_DRAWN, needed)
        return drawn(self.axes, self.asked.points, block, self.asked.seed, kind)

    @property
    def choices(self) -> list[dict[str, str]]:
        """What each case chooses."""
        return choices_of(list(self.names))

    @property
    def size(self) -> int:
        """Points of all cases."""
        return len(self.choices) * self.points.size

    @property
    def blocks(self) -> int:
        """Blocks of a case."""
        return self.points.pieces * self.points.places

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is evaluated, in order."""
        if self.asked.keep:
            return self.asked.keep
        return (*(it.output for it in self.asked.goals), FEASIBLE, *self.asked.histograms)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The computations."""
        return tuple(case_of(self.file, chosen, self.axes) for chosen in self.choices)

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """What is evaluated in each case."""
        return tuple(case.program(self.outputs, self.points.inner) for case in self.cases)

    def manifest(self) -> dict[str, Any]:
        """Everything that the numbers depend on, as JSON holds it."""
        return {
            "liminal_jax": __version__,
            "jax": jax.__version__,
            "study": json.loads(json.dumps(self.file.model_dump(), default=str)),
            "asked": json.loads(json.dumps(asdict(self.asked))),
            "names": json.loads(json.dumps([asdict(it) for it in self.names])),
            "axes": [_digest(axis) for axis in self.axes],
            "by": self.by,
            "block": self.block,
            "points": self.size,
            "programs": [fingerprint(it) for it in self.programs],
        }


def _digest(axis: Axis) -> dict[str, Any]:
    """An axis, with its values in short."""
    record = asdict(axis)
    values = record.pop("values")
    digest = hashlib.sha256(np.asarray(values, float).tobytes()).hexdigest()
    return {**record, "count": len(values), "ends": [values[0], values[-1]], "values": digest}


def planned(file: DesignFile, asked: Question, source: str, block: int = BLOCK) -> Plan:
    """A sweep over what a study leaves free, and over the axes asked for.

    Args:
        file: The study or design.
        asked: What is asked of it.
        source: How the user named it.
        block: Points of a block.

    Raises:
        InputError: everything that is wrong.
    """
    mistakes: list[Mistake] = []
    base = _base(file, source)
    leaves = leaves_of(base)
    given: dict[str, Axis | Names] = {}
    for text in asked.axes:
        with _Noting(mistakes, "--axis"):
            axis = parsed_axis(text, leaves, sampled=asked.kind != GRID)
            if axis.path in given:
                raise ValueError(f"{split_axis(text)[0]} is varied twice")
            if isinstance(axis, Names):
                check_names(axis, file)
            given[axis.path] = axis
    free: dict[str, Axis | Names] = {it.path: it for it in free_names(file)}
    for variable in base.variables:
        unit = leaves[variable.name].unit
        free[variable.name] = axis_of_grid(variable.name, unit, variable.grid)
    every = [*{**free, **given}.values()]
    names = tuple(it for it in every if isinstance(it, Names))
    axes = tuple(it for it in every if isinstance(it, Axis))
    asked = _with_goals(file, asked)
    mistakes += _wrong_outputs(asked)
    if not mistakes:
        mistakes += _wrong_points(asked, axes, names)
    by = _category(asked, axes, names, mistakes)
    if mistakes:
        raise InputError(source, dict.fromkeys(mistakes))
    plan = Plan(file, asked, names, axes, by, block)
    _check_leaves(plan, source)
    return plan


class _Noting:
    """Turns a `ValueError` into one more mistake, so that all are told at once."""

    def __init__(self, mistakes: list[Mistake], path: str):
        self._mistakes, self._path = mistakes, path

    def __enter__(self) -> None:
        """Begin to collect the mistakes of a block."""

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> bool:
        """Note what went wrong."""
        if isinstance(error, ValueError):
            self._mistakes.append(Mistake(self._path, str(error)))
            return True
        return False


def _first(file: DesignFile) -> DesignFile:
    """The file with the first of each name."""
    return named_file(file, {it.path: it.choices[0] for it in free_names(file)})


def _base(file: DesignFile, source: str) -> Problem:
    try:
        return problem_of(_first(file))
    except InputError as error:
        raise InputError(error.source or source, error.problems) from None


def _with_goals(file: DesignFile, asked: Question) -> Question:
    """With the study's objective, where nothing is said to be best."""
    if asked.goals or asked.keep:
        return asked
    goal = Goal("stps", maximise=True)
    if isinstance(file, StudyFile):
        goal = Goal(file.objective.quantity, maximise=file.objective.maximise is not None)
    return replace(asked, goals=(goal,))


def _wrong_outputs(asked: Question) -> list[Mistake]:
    """What is wrong with the outputs that are named."""
    mistakes: list[Mistake] = []
    named = {
        "--maximise/--minimise": tuple(it.output for it in asked.goals),
        "--histogram": asked.histograms,
        "--keep": asked.keep,
    }
    for path, names in named.items():
        for name in dict.fromkeys(names):
            with _Noting(mistakes, path):
                check_output(name)
                if names.count(name) > 1:
                    raise ValueError(f"{name} is named twice")
    return mistakes


def _wrong_points(asked: Question, axes: Sequence[Axis], names: Sequence[Names]) -> list[Mistake]:
    """Why there would be too many points, or none."""
    cases = math.prod(len(it.choices) for it in names)
    checks: list[tuple[bool, str, Callable[[], str]]]
    if asked.kind == GRID:
        size = cases * points_of(tuple(axes))
        checks = [
            (size > MOST_POINTS, "", lambda: f"{size:.3g} points are more than 2^63; take fewer"),
            (not axes and not names, "--axis", lambda: "nothing varies; name an axis"),
        ]
    else:
        most = MOST_SOBOL if asked.kind == SOBOL else MOST_LATIN // max(len(axes), 1)
        checks = [
            (asked.points < 1, "--points", lambda: f"must be at least 1, got {asked.points}"),
            (
                asked.points > most,
                "--points",
                lambda: (
                    f"must be at most {most:,} for {len(axes)} axes, got {asked.points:,}"
                    + ("" if asked.kind == SOBOL else "; a Sobol sequence has room for more")
                ),
            ),
            (not axes, "--axis", lambda: "no number varies, so there is nothing to draw"),
        ]
    return [Mistake(path, message()) for wrong, path, message in checks if wrong]


def _category(
    asked: Question, axes: Sequence[Axis], names: Sequence[Names], mistakes: list[Mistake]
) -> str:
    """The path of the axis by which categories go."""
    if not asked.by:
        return ""
    listed = [*(it.path for it in names), *(it.path for it in axes if not it.drawn)]
    paths = [asked.by, asked.by.split(".", 1)[-1]]
    found = next((path for path in paths if path in listed), None)
    if found is None:
        message = f"{asked.by!r} is no axis with a list of values; there are {', '.join(listed)}"
        mistakes.append(Mistake("--by", message))
        return ""
    if found not in NAMES and asked.kind != GRID:
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
        lacking = [axis.path for axis in plan.axes if axis.path not in known]
        mistakes += [
            Mistake("--axis", f"{path}: {case.label} has no such number") for path in lacking
        ]
    if mistakes:
        raise InputError(source, mistakes)
