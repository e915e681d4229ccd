"""Slopes of a study's objective and limits along its variables and along its numbers."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from liminal_jax._compile import unfused
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.optimization.search.unit_hypercube import UnitHypercube, unit_hypercube_of
from liminal_jax.study.parameters import Parameters, parameters_of
from liminal_jax.study.problem import Problem


@dataclass(frozen=True)
class Local:
    """A relaxed study at a place; the first row of slopes is the score's, then those of limits.

    Attributes:
        score: Logarithm of the objective, with the sign that makes more better.
        violation: For each limit the logarithm of how far it is exceeded.
        along_box: Slopes along the variables in the unit box, a row for each of the above.
        along_numbers: Slopes along logarithms of the study's numbers, likewise.
    """

    score: float
    violation: np.ndarray
    along_box: np.ndarray
    along_numbers: np.ndarray

    def known(self) -> bool:
        """Whether no unknown number enters."""
        return not (np.isnan(self.score) or np.isnan(self.violation).any())

    def smooth(self) -> bool:
        """Whether score and slopes are finite, so that a solver can go on from here."""
        return bool(np.isfinite(self.score) and np.isfinite(self.along_box).all())

    def total_violation(self) -> float:
        """The largest violation, at least 0; infinite where it is unknown."""
        return float(max(0.0, self.violation.max())) if self.known() else np.inf


@dataclass(frozen=True)
class Curvature:
    """Second slopes of a weighted sum of score and violation.

    Attributes:
        along_box: Along two variables.
        along_numbers: Along a variable (row) and the logarithm of a number (column).
    """

    along_box: np.ndarray
    along_numbers: np.ndarray


class Gradients:
    """The relaxed study as a function of place and numbers, with its slopes.

    Compiled once, at the first call, for all places, categories and changes of the numbers.

    Attributes:
        problem: The study.
        box: Its unit box.
        parameters: Its numbers.
        reading: How kinks are read.
    """

    def __init__(self, problem: Problem, reading: AbstractRelaxation):
        """Make ready.

        Args:
            problem: A study.
            reading: How kinks are read.
        """
        self.problem = problem
        self.box: UnitHypercube = unit_hypercube_of(problem)
        self.parameters: Parameters = parameters_of(problem)
        self.reading = reading
        self._first = unfused(self._first_slopes)
        self._second = unfused(self._second_slopes)

    def _values(self, unit: Array, changes: Array, category: Array) -> Array:
        outcome = self.parameters.outcome(changes, self.box.values(unit), category, self.reading)
        return jnp.append(outcome.score, outcome.violation)

    def _first_slopes(
        self, unit: Array, changes: Array, category: Array
    ) -> tuple[Array, Array, Array]:
        values, pull = jax.vjp(
            lambda unit, changes: self._values(unit, changes, category), unit, changes
        )
        return values, *jax.vmap(pull)(jnp.eye(len(values)))

    def _second_slopes(
        self, unit: Array, changes: Array, category: Array, weights: Array, direction: Array
    ) -> tuple[Array, Array]:
        def weighted(unit: Array, changes: Array) -> Array:
            return weights @ self._values(unit, changes, category)

        def gradients(unit: Array) -> tuple[Array, Array]:
            return jax.grad(weighted, argnums=(0, 1))(unit, changes)

        return jax.jvp(gradients, (unit,), (direction,))[1]

    def unchanged(self) -> np.ndarray:
        """Changes that leave every number as it is."""
        return np.zeros(self.parameters.count)

    def at(self, unit: np.ndarray, category: int, changes: np.ndarray) -> Local:
        """The relaxed study at a place.

        Args:
            unit: Place in the unit box.
            category: Category.
            changes: Logarithms of factors on the numbers.
        """
        values, along_box, along_numbers = self._first(
            jnp.asarray(unit), jnp.asarray(changes), jnp.asarray(category)
        )
        # Copied as a whole: an index into an array of JAX is a computation of its own.
        score_and_excess = np.asarray(values)
        return Local(
            score=float(score_and_excess[0]),
            violation=score_and_excess[1:],
            along_box=np.asarray(along_box),
            along_numbers=np.asarray(along_numbers),
        )

    def curvature(
        self, unit: np.ndarray, category: int, changes: np.ndarray, weights: np.ndarray
    ) -> Curvature:
        """Second slopes at a place.

        Args:
            unit: Place in the unit box.
            category: Category.
            changes: Logarithms of factors on the numbers.
            weights: Of the score, then of the violation of each limit.
        """
        solution = (jnp.asarray(unit), jnp.asarray(changes), jnp.asarray(category))
        # One direction at a time: a batch of all of them takes half as long again to compile.
        rows = [self._second(*solution, jnp.asarray(weights), axis) for axis in jnp.eye(len(unit))]
        along_box, along_numbers = zip(*rows, strict=True)
        return Curvature(np.asarray(along_box), np.asarray(along_numbers))
