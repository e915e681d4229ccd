"""The numbers behind a study that are not sure, and draws of all of them at once."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.stats import qmc

from liminal_jax._smooth import Exact
from liminal_jax.bounds.program import needed
from liminal_jax.data.ranges import UncertainNumber, uncertain_in, with_values
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.assemble import hardware_of
from liminal_jax.study.file import resolved_of
from liminal_jax.study.numbers import hardware_with, stated_in
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.resolved import HardwareFiles


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


def _leaves_that_matter(problem: Problem) -> list[bool]:
    """Which leaves of a study's hardware its objective or limits are computed from."""

    def outcome(hardware: PlannedSystem | System, point: Array, category: Array) -> Outcome:
        changed = problem.with_system(hardware)
        return changed.outcome(point, category, Exact())

    system = problem.region.case.system
    first = jnp.asarray([it.grid.values[0] for it in problem.variables], float)
    traced = jax.make_jaxpr(outcome)(system, first, jnp.asarray(0))
    used = {id(it) for equation in needed(traced.jaxpr) for it in equation.invars}
    count = len(jax.tree.leaves(system))
    return [id(it) in used for it in traced.jaxpr.invars[:count]]


def _hardware(problem: Problem, files: HardwareFiles) -> PlannedSystem | System:
    """The hardware of a study with other numbers in its files; what it states itself stays."""
    case, numbers = problem.region.case, problem.file.design.numbers
    stated = stated_in(numbers, case, problem.name)
    return hardware_with(hardware_of(problem.file, files), case, stated)


def uncertain_numbers(problem: Problem) -> list[UncertainNumber]:
    """Every number with a range that the answer of a study depends on.

    Numbers that the study itself states without a range are known; so are those that reach neither
    its objective nor its limits.
    """
    files = resolved_of(problem.file).hardware
    matter = _leaves_that_matter(problem)

    def differs(number: UncertainNumber) -> bool:
        low, high = (
            _leaves(_hardware(problem, with_values(files, {number.path: end})))
            for end in (number.low, number.high)
        )
        return any(
            used and not np.array_equal(one, other, equal_nan=True)
            for used, one, other in zip(matter, low, high, strict=True)
        )

    return [number for number in uncertain_in(files) if differs(number)]


def hardware_of_draws(problem: Problem, draws: Draws) -> PlannedSystem | System:
    """The hardware of a study with each sample's numbers; leaves are stacked by sample."""
    files = resolved_of(problem.file).hardware
    paths = [it.path for it in draws.numbers]
    parts = [
        _hardware(problem, with_values(files, dict(zip(paths, row, strict=True))))
        for row in draws.values.tolist()
    ]
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *parts)
