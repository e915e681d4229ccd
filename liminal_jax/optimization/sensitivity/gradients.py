"""Derivatives of a study's score and violations with respect to variables and parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from liminal_jax._compile import unfused
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax._traced import traced
from liminal_jax.optimization.search.unit_hypercube import UnitHypercube, unit_hypercube_of
from liminal_jax.study.case import Case
from liminal_jax.study.parameters import Parameters, parameters_of
from liminal_jax.study.problem import Problem

FEW = 300
"""Calls that are evaluated in NumPy: they take about as long as compiling, tens of milliseconds
each in the place of a millisecond."""


@dataclass(frozen=True)
class Local:
    """Values and Jacobians of the relaxed problem at a point.

    Attributes:
        score: Logarithm of the objective, with the sign that makes more better.
        violation: Log violation of each limit.
        along_box: Jacobian with respect to coordinates in the unit hypercube: the first row is
            that of the score, the others those of the violations.
        along_numbers: Jacobian with respect to logarithms of the parameters, in the same rows.
    """

    score: float
    violation: np.ndarray
    along_box: np.ndarray
    along_numbers: np.ndarray

    def known(self) -> bool:
        """Whether no missing number enters."""
        return not (np.isnan(self.score) or np.isnan(self.violation).any())

    def smooth(self) -> bool:
        """Whether score and Jacobian are finite, so that a solver can continue from here."""
        return bool(np.isfinite(self.score) and np.isfinite(self.along_box).all())

    def total_violation(self) -> float:
        """The largest violation, at least 0; infinite where it is unknown."""
        return float(max(0.0, self.violation.max())) if self.known() else np.inf


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of a weighted sum of score and violations.

    Attributes:
        along_box: Hessian with respect to coordinates in the unit hypercube.
        along_numbers: Mixed derivatives: coordinates (rows), logarithms of parameters (columns).
    """

    along_box: np.ndarray
    along_numbers: np.ndarray


def _values(
    problem: Problem, relaxation: AbstractRelaxation, unit: Array, changes: Array, category: Array
) -> Array:
    """The score, then the violation of each limit."""
    point = unit_hypercube_of(problem).values(unit)
    outcome = parameters_of(problem).outcome(changes, point, category, relaxation)
    return jnp.append(outcome.score, outcome.violation)


def _first_derivatives(
    problem: Problem,
    relaxation: AbstractRelaxation,
    case: Case,
    unit: Array,
    changes: Array,
    category: Array,
) -> tuple[Array, Array, Array]:
    """Values, and their Jacobians with respect to coordinates and changes."""
    problem = problem.with_case(case)
    values, pull = jax.vjp(
        lambda unit, changes: _values(problem, relaxation, unit, changes, category), unit, changes
    )
    return values, *jax.vmap(pull)(jnp.eye(len(values)))


def _second_derivatives(
    problem: Problem,
    relaxation: AbstractRelaxation,
    case: Case,
    unit: Array,
    changes: Array,
    category: Array,
    weights: Array,
    direction: Array,
) -> tuple[Array, Array]:
    """Derivative, along a direction, of the gradients of a weighted sum of the values."""
    problem = problem.with_case(case)

    def weighted(unit: Array, changes: Array) -> Array:
        return weights @ _values(problem, relaxation, unit, changes, category)

    def gradients(unit: Array) -> tuple[Array, Array]:
        return jax.grad(weighted, argnums=(0, 1))(unit, changes)

    return jax.jvp(gradients, (unit,), (direction,))[1]


class _Derivatives:
    """A function of which some arguments are given: evaluated in NumPy, if often compiled."""

    def __init__(self, function: Callable[..., Any], given: tuple[Any, ...]):
        self._function, self._given, self._calls = function, given, 0
        self._compiled = unfused(partial(function, *given))
        self._evaluated: Callable[..., Any] | None = None

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        """The results for the other arguments."""
        self._calls += 1
        if self._calls > FEW:
            return [*map(np.asarray, self._compiled(*map(jnp.asarray, arguments)))]
        if self._evaluated is None:
            trace = traced(self._function, *self._given, *arguments)
            self._evaluated = trace.given(jax.tree.leaves(self._given[1:]))
        return self._evaluated(*arguments)


class Gradients:
    """The relaxed problem as a function of coordinates and parameters, with its derivatives.

    Traced once, at the first call, for all points, categories and changes of parameters.

    Attributes:
        problem: The problem.
        box: Its unit hypercube.
        parameters: Its parameters: the numbers of the study that can change.
        relaxation: How kinks are smoothed.
    """

    def __init__(self, problem: Problem, relaxation: AbstractRelaxation):
        """Set up; nothing is traced yet.

        Args:
            problem: A problem.
            relaxation: How kinks are smoothed.
        """
        self.problem = problem
        self.box: UnitHypercube = unit_hypercube_of(problem)
        self.parameters: Parameters = parameters_of(problem)
        self.relaxation = relaxation
        given = (problem.without_numbers(), relaxation, problem.region.case)
        self._first = _Derivatives(_first_derivatives, given)
        self._second = _Derivatives(_second_derivatives, given)

    def unchanged(self) -> np.ndarray:
        """The changes that leave every parameter at its value."""
        return np.zeros(self.parameters.count)

    def at(self, unit: np.ndarray, category: int, changes: np.ndarray) -> Local:
        """Values and Jacobians at a point.

        Args:
            unit: Coordinates in the unit hypercube.
            category: Index of the category.
            changes: Logarithms of factors on the parameters.
        """
        values, along_box, along_numbers = self._first(unit, changes, np.asarray(category))
        return Local(
            score=float(values[0]),
            violation=values[1:],
            along_box=along_box,
            along_numbers=along_numbers,
        )

    def curvature(
        self, unit: np.ndarray, category: int, changes: np.ndarray, weights: np.ndarray
    ) -> Curvature:
        """Second derivatives at a point.

        Args:
            unit: Coordinates in the unit hypercube.
            category: Index of the category.
            changes: Logarithms of factors on the parameters.
            weights: Weight of the score, then of the violation of each limit.
        """
        solution = (unit, changes, np.asarray(category), weights)
        # One direction at a time: a batch of all directions takes half as long again to compile.
        rows = [self._second(*solution, direction) for direction in np.eye(len(unit))]
        along_box, along_numbers = ([it[part] for it in rows] for part in (0, 1))
        count = len(unit)
        return Curvature(
            np.reshape(along_box, (count, count)), np.reshape(along_numbers, (count, len(changes)))
        )
