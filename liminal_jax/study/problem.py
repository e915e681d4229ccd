"""A study as a function: from a point of its space to an outcome.

Everything a search needs, a certificate needs too: it is here.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import evaluation
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax._traced import listed
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.performance.design import Design
from liminal_jax.study.case import Case
from liminal_jax.study.file import DesignFile
from liminal_jax.study.limits import physical_limits, use_of
from liminal_jax.study.quantities import Asked, Fleet
from liminal_jax.study.region import Region, Variable

FULL = 1 + 1e-6
"""A ratio above this exceeds its limit by more than rounding."""

FEASIBLE = 1e-9
"""Share by which rounding may exceed a limit."""

LEAST_RATIO = 1e-6
"""Limits used less than this count as used this much, so that their logarithm is finite."""


@dataclass(frozen=True)
class Criterion:
    """What is best.

    Attributes:
        name: How results call it.
        unit: Its unit.
        of: How it follows from the prediction of the whole system; a positive number.
        maximise: Whether more of it is better.
    """

    name: str
    unit: str
    of: Callable[[Fleet], Scalar]
    maximise: bool

    def asked(self) -> dict[str, str]:
        """The same as a file states it."""
        return {"maximise" if self.maximise else "minimise": self.name}

    def score(self, fleet: Fleet) -> Scalar:
        """The logarithm, with the sign that makes more better."""
        value = jnp.log(self.of(fleet))
        return value if self.maximise else -value

    def value(self, score: float) -> float:
        """The objective of a score."""
        return math.exp(score) if self.maximise else math.exp(-score)


LEAST = 1e-15
"""A quantity that may be 0 counts as this much at least, so that its logarithm is finite."""


@dataclass(frozen=True)
class CriterionFromZero(Criterion):
    """A quantity that may be 0, such as the time that a single chip waits for others."""

    def score(self, fleet: Fleet) -> Scalar:
        """The logarithm of what is no less than `LEAST`."""
        value = jnp.log(jnp.maximum(self.of(fleet), LEAST))
        return value if self.maximise else -value

    def value(self, score: float) -> float:
        """The objective of a score: 0 where it is that of `LEAST`."""
        value = super().value(score)
        return value if value > LEAST * (1 + FEASIBLE) else 0.0


def criterion_named(name: str, asked: Asked, *, maximise: bool) -> Criterion:
    """A quantity as an objective.

    Args:
        name: How results call it.
        asked: What it is.
        maximise: Whether more of it is better.
    """
    kind = CriterionFromZero if asked.zero else Criterion
    return kind(name, asked.unit, asked.of, maximise)


def relative_gap(bound: float, value: float) -> float | None:
    """The share by which a bound is better than a value; none where that is 0 and it is not.

    Examples:
        >>> relative_gap(3.0, 2.0), relative_gap(0.0, 0.0), relative_gap(1.0, 0.0)
        (0.5, 0.0, None)
    """
    if value == 0:
        return 0.0 if bound == 0 else None
    return abs(bound - value) / abs(value)


@dataclass(frozen=True)
class Limit:
    """Something that a design must not exceed.

    Attributes:
        name: How results call it.
        at_least: Whether the value must be above the bound rather than below it.
        bound: The bound, in SI; physical limits are ratios with the bound 1.
        unit: Unit of value and bound.
        of: How the value follows from the prediction of the whole system; of physical limits none.
    """

    name: str
    at_least: bool
    bound: float
    unit: str
    of: Callable[[Fleet], Scalar] | None = None

    @property
    def physical(self) -> bool:
        """Whether it holds for every design, whatever the study asks."""
        return self.of is None

    def ratio(self, fleet: Fleet, used: Mapping[str, Scalar]) -> Scalar:
        """How far it is used: above 1 it is violated.

        Args:
            fleet: The prediction of the whole system.
            used: How far each physical limit is used.
        """
        if self.of is None:
            return used[self.name]
        value = self.of(fleet)
        return self.bound / value if self.at_least else value / self.bound

    def value(self, violation: float) -> float:
        """The value, given the logarithm of how far the limit is exceeded."""
        return self.bound * math.exp(-violation if self.at_least else violation)


def limits_of(case: Case) -> tuple[Limit, ...]:
    """The physical limits that a design is subject to."""
    return tuple(Limit(name, at_least=False, bound=1.0, unit="") for name in physical_limits(case))


class Outcome(eqx.Module):
    """What a study sees of a point.

    Attributes:
        score: Score of the objective, of which more is better.
        violation: For each limit the logarithm of how far it is exceeded; at most 0 where it holds.
    """

    score: Leaf
    violation: Float[Array, " limits"]

    def feasible(self) -> Array:
        """Whether every limit holds."""
        return jnp.all(self.violation <= FEASIBLE)


def violation_of(ratios: Sequence[Scalar]) -> Float[Array, " limits"]:
    """For each limit the logarithm of how far it is exceeded, given how far it is used."""
    return jnp.log(jnp.maximum(jnp.stack(ratios), LEAST_RATIO))


@listed
def exact_system(case: Case) -> System:
    """The hardware of a case as it is."""
    return case.built(Exact())


@listed
def exact_design(case: Case) -> Design:
    """The design of a case, with whole numbers as they are."""
    return case.design(Exact())


@listed
def exact_fleet(case: Case) -> Fleet:
    """The prediction of the whole system of a case, with whole numbers as they are."""
    return case.fleet(Exact())


@dataclass(frozen=True)
class Problem:
    """A study, ready to be evaluated.

    Attributes:
        region: The designs.
        criterion: What is best; none for a design, which asks for nothing.
        limits: Limits in the order of `Outcome.violation`.
        source: The file that it was read from; none for one that was written in Python.
    """

    region: Region
    criterion: Criterion | None
    limits: tuple[Limit, ...]
    source: DesignFile | None = None

    @property
    def file(self) -> DesignFile:
        """The file that it was read from.

        Raises:
            TypeError: there is none.
        """
        if self.source is None:
            raise TypeError("this problem was written in Python: there is no file of it")
        return self.source

    @property
    def name(self) -> str:
        """What results call it."""
        return "study" if self.source is None else self.source.name

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the alternatives."""
        return self.region.categories

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What is free."""
        return self.region.variables

    @property
    def lattice(self) -> int:
        """Designs in the space."""
        return self.region.size

    @property
    def goal(self) -> Criterion:
        """What is best.

        Raises:
            TypeError: the file asks for nothing; it is a design, not a study.
        """
        if self.criterion is None:
            raise TypeError("a design has no objective")
        return self.criterion

    @property
    def asked(self) -> str:
        """The quantity that decides; empty for a design, which asks for nothing."""
        return "" if self.criterion is None else self.criterion.name

    @property
    def maximises(self) -> bool:
        """Whether more of the objective is better."""
        return self.criterion is not None and self.criterion.maximise

    def objective(self, score: float) -> float:
        """The objective of a score."""
        return self.goal.value(score)

    def with_case(self, case: Case) -> "Problem":
        """The study of another case."""
        return dataclasses.replace(self, region=dataclasses.replace(self.region, case=case))

    def without_numbers(self) -> "Problem":
        """What a program of this problem depends on, beside the case that `with_case` puts back."""
        case = jax.tree.map(lambda _: None, self.region.case)
        return dataclasses.replace(self.with_case(case), source=None)

    def with_system(self, system: System | PlannedSystem) -> "Problem":
        """The study with other hardware, of the same structure."""
        return self.with_case(dataclasses.replace(self.region.case, system=system))

    def first(self) -> Case:
        """The case of the first alternative and the first value of each variable."""
        return self.case_of([it.grid.values[0] for it in self.variables], 0)

    def case_of(self, point: Sequence[float], row: int) -> Case:
        """The case at a point that is known, without a program of its own.

        Args:
            point: Value of each variable.
            row: Number of the alternative.
        """
        # With a type that is stated, JAX takes NumPy's numbers as they are.
        case = jax.tree.map(
            lambda it: jnp.asarray(np.asarray(it)[row, ...], it.dtype) if jnp.ndim(it) else it,
            self.region.case,
        )
        here = [as_leaf(it) for it in point]
        return self.with_case(case).region.at(here, jnp.asarray(np.asarray(0), int))

    def outcome(
        self,
        point: Float[Array, " variables"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> Outcome:
        """Objective and limits at a point.

        Raises:
            TypeError: the file asks for nothing; it is a design, not a study.
        """
        return self.outcome_of(self.region.at(point, category), relaxation)

    @evaluation
    def outcome_of(self, case: Case, relaxation: AbstractRelaxation) -> Outcome:
        """Objective and limits of a case."""
        return self.judged(case, case.fleet(relaxation), relaxation)

    @evaluation
    def judged(self, case: Case, fleet: Fleet, relaxation: AbstractRelaxation) -> Outcome:
        """Objective and limits of a case, given its prediction."""
        score = jnp.asarray(self.goal.score(fleet))
        return Outcome(score, self.violation(case, fleet, relaxation))

    def violation(self, case: Case, fleet: Fleet, relaxation: AbstractRelaxation) -> Array:
        """For each limit the logarithm of how far it is exceeded."""
        return violation_of(self.ratios(case, fleet, relaxation))

    def ratios(self, case: Case, fleet: Fleet, relaxation: AbstractRelaxation) -> list[Scalar]:
        """How far each limit is used, in their order: above 1 it is violated."""
        used = use_of(case, fleet, relaxation)
        return [limit.ratio(fleet, used) for limit in self.limits]
