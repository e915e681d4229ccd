"""The numbers behind a study that are not sure, and draws of all of them at once."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal
from jaxtyping import Array, Float
from pydantic import BaseModel
from scipy.stats import qmc
from typing_extensions import override

from liminal_jax._smooth import Exact
from liminal_jax._traced import traced
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.data.library import Library
from liminal_jax.data.ranges import UncertainNumber, uncertain_in, with_values
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.absent import ALGORITHM
from liminal_jax.study.assemble import hardware_of
from liminal_jax.study.file import resolved_of
from liminal_jax.study.numbers import hardware_with, stated_in
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.resolved import PlannedFiles
from liminal_jax.study.rows import AbstractRows


class Sampled(NamedTuple):
    """The parts of a case whose numbers are not sure; leaves may be stacked by sample.

    Attributes:
        system: The hardware.
        algorithm: The levers of software; all off where left out.
    """

    system: PlannedSystem | System
    algorithm: Algorithm | None

    def of(self, problem: Problem) -> Problem:
        """A study with these parts in place of its own."""
        case = dataclasses.replace(
            problem.region.case, system=self.system, algorithm=self.algorithm
        )
        return problem.with_case(case)


@dataclass(frozen=True)
class Draws:
    """Samples of uncertain numbers.

    Each number is drawn on its own, and once for all that use it: dies of one process share its
    defects, chips of all technologies the price of electricity.

    Attributes:
        numbers: The numbers.
        values: Their values in SI, a row for each sample.
    """

    numbers: tuple[UncertainNumber, ...]
    values: Float[np.ndarray, "samples numbers"]

    def __len__(self) -> int:
        """Samples."""
        return len(self.values)


def drawn(numbers: list[UncertainNumber], samples: int, chance: np.random.Generator) -> Draws:
    """Samples by a scrambled Sobol sequence, which fills the ranges evenly.

    Args:
        numbers: What is not sure.
        samples: How many; a power of two, for which the sequence is balanced.
        chance: Scrambles the sequence.

    References:
        Owen (1998), Scrambling Sobol' and Niederreiter-Xing points, Journal of Complexity 14(4).
    """
    if not numbers:
        return Draws((), np.empty((samples, 0)))
    sequence = qmc.Sobol(len(numbers), rng=chance)
    shares = sequence.random_base2(samples.bit_length() - 1)
    columns = [it.quantile(column) for it, column in zip(numbers, shares.T, strict=True)]
    return Draws(tuple(numbers), np.stack(columns, axis=1))


def _leaves(hardware: PlannedSystem | System) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(hardware)]


def _needed(jaxpr: Jaxpr) -> list[JaxprEqn]:
    """The equations that the results depend on."""
    wanted = {var for var in jaxpr.outvars if not isinstance(var, Literal)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if not wanted.isdisjoint(equation.outvars):
            wanted |= {var for var in equation.invars if not isinstance(var, Literal)}
            kept.append(equation)
    return kept


def _leaves_that_matter(problem: Problem) -> list[bool]:
    """Which leaves of a study's hardware its objective or limits are computed from."""

    def outcome(hardware: PlannedSystem | System, point: Array, category: Array) -> Outcome:
        changed = problem.with_system(hardware)
        return changed.outcome(point, category, Exact())

    system = problem.region.case.system
    first = jnp.asarray([it.grid.values[0] for it in problem.variables], float)
    traced = jax.make_jaxpr(outcome)(system, first, jnp.asarray(0))
    used = {id(it) for equation in _needed(traced.jaxpr) for it in equation.invars}
    count = len(jax.tree.leaves(system))
    return [id(it) in used for it in traced.jaxpr.invars[:count]]


@dataclass(frozen=True)
class FileRows(AbstractRows):
    """The rows behind the hardware of a study that was read from a file.

    Attributes:
        problem: The study; what it states itself stays.
    """

    problem: Problem

    @override
    def files(self, categories: Sequence[str]) -> BaseModel:
        return resolved_of(self.problem.file).hardware_of(categories)

    @override
    def hardware(self, files: BaseModel, categories: Sequence[str]) -> PlannedSystem | System:
        del categories  # The files are those of the alternatives alone.
        if not isinstance(files, PlannedFiles | Library):
            raise TypeError(f"files of hardware are wanted, got {type(files)}")
        problem, case = self.problem, self.problem.region.case
        stated = stated_in(problem.file.design.numbers, case, problem.name)
        return hardware_with(hardware_of(problem.file, files), case, stated)


def rows_of(problem: Problem) -> AbstractRows | None:
    """The data files behind the hardware of a problem; none where all of it is given as objects."""
    return problem.region.rows if problem.source is None else FileRows(problem)


def uncertain_numbers(problem: Problem) -> list[UncertainNumber]:
    """Every number with a range that the answer of a study depends on.

    Numbers that the study itself states without a range are known; so are those that reach neither
    its objective nor its limits. Of a space that was written in Python they are numbers of what it
    takes by name.
    """
    rows, names = rows_of(problem), problem.categories
    if rows is None:
        return []
    files, matter = rows.files(names), _leaves_that_matter(problem)

    def differs(number: UncertainNumber) -> bool:
        low, high = (
            _leaves(rows.hardware(with_values(files, {number.path: end}), names))
            for end in (number.low, number.high)
        )
        return any(
            used and not np.array_equal(one, other, equal_nan=True)
            for used, one, other in zip(matter, low, high, strict=True)
        )

    hardware = [number for number in uncertain_in(files) if differs(number)]
    return [*hardware, *_uncertain_levers(problem)]


def _uncertain_levers(problem: Problem) -> list[UncertainNumber]:
    """Numbers of levers in use that a file leaves to the package, with their ranges."""
    numbers, file = problem.region.numbers, problem.source
    if file is None:
        return []
    stated = {it.path for it in stated_in(file.numbers, problem.region.case, problem.name)}
    return [
        UncertainNumber(
            path=it.path, value=min(max(value, low), high), low=low, high=high, kind="range"
        )
        for it in resolved_of(file).levers
        if it.path.startswith(f"{ALGORITHM}.") and it.path in numbers and it.path not in stated
        for low, _, high in [it.si]
        for value in [float(numbers[it.path])]
    ]


def hardware_of_draws(problem: Problem, draws: Draws) -> PlannedSystem | System:
    """The hardware of a study with each sample's numbers; leaves are stacked by sample.

    Numbers that are none of its own are left out: samples may be shared by several structures.
    """
    rows, names = rows_of(problem), problem.categories
    if rows is None:
        parts = [problem.region.case.system] * len(draws)
    else:
        files = rows.files(names)
        columns = [at for at, it in enumerate(draws.numbers) if not _is_lever(it)]
        paths = [draws.numbers[at].path for at in columns]

        def built(values: Any) -> PlannedSystem | System:
            return rows.hardware(with_values(files, dict(zip(paths, values, strict=True))), names)

        samples = draws.values[:, columns]
        return traced(jax.vmap(built), jnp.asarray(samples)).evaluated([samples])
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *parts)


def sampled_parts(problem: Problem, draws: Draws) -> Sampled:
    """Hardware and levers of a study with each sample's numbers; leaves are stacked by sample."""
    space, count = problem.region, len(draws)
    algorithm = None
    if space.case.algorithm is not None:
        columns = {
            it.path: jnp.asarray(column)
            for it, column in zip(draws.numbers, draws.values.T, strict=True)
            if _is_lever(it)
        }
        stacked = {
            path: columns.get(path, jnp.broadcast_to(value, (count, *jnp.shape(value))))
            for path, value in space.numbers.items()
            if path.startswith(f"{ALGORITHM}.")
        }
        algorithm = space.with_numbers(stacked).case.algorithm
    return Sampled(hardware_of_draws(problem, draws), algorithm)


def _is_lever(number: UncertainNumber) -> bool:
    return number.path.startswith(f"{ALGORITHM}.")
