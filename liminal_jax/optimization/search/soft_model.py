"""The soft model of a study as a short list of operations, with its gradient.

Tracing, differentiating and compiling the model takes longer than descending it. Here it is traced
once without derivatives, simplified to sums of monomials, and the gradient is worked out on that
list; it runs in NumPy for all starts at once. Temperature and the numbers in which categories
differ are inputs, so that one list serves every step and category; it is kept between processes.
"""

import hashlib
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from liminal_jax._compile import unfused
from liminal_jax._kept import Call, write
from liminal_jax._smooth import Free
from liminal_jax.bounds.program import constant
from liminal_jax.optimization.search.augmented_lagrangian import augmented
from liminal_jax.optimization.search.descents import Evaluated, Lagrangian
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.case import Case
from liminal_jax.study.problem import Problem
from liminal_jax.study.region import Variable
from liminal_jax.sweeps.adjoint import with_gradient
from liminal_jax.sweeps.in_numpy import InNumpy
from liminal_jax.sweeps.program import Program, program_over, varying

COLDEST, HOTTEST = 1e-4, 0.9
"""Range of the temperature of a list; ends of what a schedule may ask."""


@dataclass(frozen=True)
class SoftModel:
    """Score and violations of a soft model, and the gradient of any weighted sum of them.

    Inputs are the variables, the temperature, the numbers in which categories differ, and the
    weights of the score and of each violation. Outputs are score, violations and gradient.

    Attributes:
        program: The list of operations.
        variables: Number of variables.
        limits: Number of limits.
        rows: Value for each category of each number in which they differ.
    """

    program: Program
    variables: int
    limits: int
    rows: tuple[np.ndarray, ...]

    @property
    def known(self) -> int:
        """Number of the first weight among the inputs."""
        return self.variables + 1 + len(self.rows)

    def stages(self) -> list[frozenset[int]]:
        """Inputs that are known from the beginning, at each step, and once violations are."""
        first = frozenset(range(self.variables + 1, self.known))
        weights = frozenset(range(self.known + 1 + self.limits))
        return [first, frozenset(range(self.known)), weights]


def outcome_at(
    problem: Problem, case: Case, point: Array, temperature: Array
) -> tuple[Array, Array]:
    """Score and violations of the soft model of a problem of one category.

    Args:
        problem: A problem without its numbers.
        case: Its numbers, of one category.
        point: Value of each variable.
        temperature: Temperature of the relaxation.
    """
    case = problem.with_case(case).region.at(point, jnp.asarray(0))
    outcome = problem.outcome_of(case, Free(temperature))
    return outcome.score, outcome.violation


def soft_model(problem: Problem) -> SoftModel:
    """The soft model of a problem.

    Raises:
        NotImplementedError: an objective or a limit has an operation that is not known to lists.
    """
    count, inputs = len(problem.variables), Inputs(problem.variables)
    case = jax.tree.map(inputs.one_or_row, problem.region.case)
    point = inputs.point(slice(count))
    arguments = (problem.without_numbers(), case, point, inputs.temperature)
    given = (problem.without_numbers(), problem.region.case)
    program = gradient_program(outcome_at, arguments, inputs.ranges, count, given)
    return SoftModel(program, count, len(problem.limits), tuple(inputs.rows))


class Inputs:
    """Inputs that a list is traced with: variables, the temperature, and rows of numbers.

    Attributes:
        ranges: Least and greatest value of each.
        rows: Values of the numbers in which categories or members differ.
        temperature: The input that stands for it.
    """

    def __init__(self, variables: Sequence[Variable]):
        """Begin with variables and the temperature."""
        self.ranges = [(it.grid.values[0], it.grid.values[-1]) for it in variables]
        self.ranges.append((COLDEST, HOTTEST))
        self.rows: list[np.ndarray] = []
        self.temperature = varying(len(variables), COLDEST, HOTTEST)

    def point(self, places: slice) -> Any:
        """An array of the variables at some places."""
        numbers = range(*places.indices(len(self.ranges)))
        array: Any = constant(np.zeros(len(numbers)))
        for place, number in enumerate(numbers):
            array[place] = varying(number, *self.ranges[number]).item()
        return array

    def row(self, values: np.ndarray) -> Any:
        """A further input, for a number that has several values."""
        self.rows.append(values)
        self.ranges.append((float(values.min()), float(values.max())))
        return varying(len(self.ranges) - 1, *self.ranges[-1])

    def one_or_row(
        self, leaf: Array, placed: Callable[[np.ndarray], np.ndarray] = lambda it: it
    ) -> Any:
        """A number of each category: a constant where it is the same in all, else an input.

        Args:
            leaf: The number, or its value in each category.
            placed: Its values as the list will be given them.
        """
        values = np.asarray(leaf)
        if not values.ndim or (values == values[0]).all():
            return constant(values[0] if values.ndim else values)
        return self.row(placed(values))


def gradient_program(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    ranges: Sequence[tuple[float, float]],
    count: int,
    given: Sequence[Any],
) -> Program:
    """The list of a function with its gradient, kept between processes.

    Args:
        function: The function, at the top of a module.
        arguments: Its arguments as `program_over` takes them.
        ranges: Range of each input.
        count: Number of inputs, the first ones, along which the gradient is taken.
        given: What the arguments were made from.

    Raises:
        NotImplementedError: the function has an operation that is not known to lists.
    """
    call = Call.of(function, given)
    numbers = [np.asarray(it).tobytes() for it in call.leaves]
    content = pickle.dumps((numbers, ranges, count))
    path = call.file(f"soft model {hashlib.sha256(content).hexdigest()}")
    program = None if path is None else _loaded(path)
    if program is None:
        values = program_over(function, arguments, ranges)
        program = with_gradient(values, range(count), len(ranges))
        if path is not None:
            write(path, pickle.dumps(program))
    return program


def _loaded(path: Path) -> Program | None:
    """A list that was written down; none where there is none that can be read."""
    with suppress(Exception):
        return pickle.loads(path.read_bytes())
    return None


def listed_lagrangian(problem: Problem, category: Int[np.ndarray, " starts"]) -> Lagrangian:
    """The augmented Lagrangian of a problem's soft model, by its list in NumPy.

    Args:
        problem: A problem.
        category: Category of each start.

    Raises:
        NotImplementedError: an objective or a limit has an operation that is not known to lists.
    """
    model, box = soft_model(problem), unit_hypercube_of(problem)
    run = InNumpy(model.program, model.stages())
    first = model.variables + 1
    run.given({first + number: row[category] for number, row in enumerate(model.rows)}, 0)
    count, outputs = len(category), 1 + model.limits

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        point, stretch = box.stretched(unit)
        columns: dict[int, Any] = dict(enumerate(np.ascontiguousarray(point.T)))
        run.given({**columns, model.variables: np.asarray(temperature)}, 1)
        values = _columns(run.outputs(0, outputs), count)
        pressed = np.maximum(multipliers + weight * values[:, 1:], 0.0)
        weights = np.vstack([np.full(count, -1.0), pressed.T])
        run.given({model.known + number: row for number, row in enumerate(weights)}, 2)
        slopes = _columns(run.outputs(outputs), count)
        return Evaluated(values[:, 0], values[:, 1:], slopes * stretch)

    return at


def _columns(rows: list[Any], count: int) -> np.ndarray:
    """Results as columns, each of one number for each start."""
    found = np.empty((len(rows), count))
    for number, row in enumerate(rows):
        found[number] = row
    return found.T


def compiled_lagrangian(problem: Problem, category: Int[np.ndarray, " starts"]) -> Lagrangian:
    """The same, compiled by JAX: for objectives and limits that are not known to lists.

    Args:
        problem: A problem.
        category: Category of each start.
    """
    box = unit_hypercube_of(problem)

    def of_one(
        unit: Array, category: Array, multipliers: Array, weight: Array, temperature: Array
    ) -> tuple[Array, Any]:
        outcome = problem.outcome(box.values(unit), category, Free(temperature))
        return augmented(outcome, multipliers, weight), outcome

    slope = jax.vmap(jax.grad(of_one, has_aux=True), in_axes=(0, 0, 0, None, None))
    compiled = unfused(slope)

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        gradient, outcome = compiled(unit, category, multipliers, weight, temperature)
        return Evaluated(*map(np.asarray, (outcome.score, outcome.violation, gradient)))

    return at
