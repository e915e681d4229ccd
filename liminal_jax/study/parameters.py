"""The numbers that a study rests on, and the study with some of them changed.

They are the numbers of hardware and request, those of the design that the study fixes, and the
limits it sets: whatever a reader may ask "and if that were a tenth more?" of. A change is the
logarithm of a factor, so that slopes along changes of a logarithm are elasticities.
"""

import math
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._quantity import Quantity, quantity_at
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.planned import PlannedChip, PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.absent import ALGORITHM
from liminal_jax.study.case import Case
from liminal_jax.study.problem import Limit, Outcome, Problem
from liminal_jax.study.variables import FOLLOWING, VARIABLES, names_of
from liminal_jax.workload.request import Request


@cache
def quantity_of(path: str) -> Quantity | None:
    """What a number of a study is, by its path; none for those of a model.

    Args:
        path: Its path in the hardware, the request or the whole case, or `design.VARIABLE`.
    """
    kind, _, name = path.partition(".")
    if kind == "design":
        return VARIABLES.get(name)
    holders = (System, PlannedChip, PlannedSystem, Request, Case)
    found = (quantity_at(whole, path) for whole in holders)
    return next((it for it in found if it is not None), None)


def _stated(path: str) -> Quantity:
    """What a number of a study is; every one has to say so at its field."""
    found = quantity_of(path)
    if found is None:
        raise KeyError(path)
    return found


def label_of(path: str) -> str:
    """A number of a study in a few words; its path where no field states them.

    Examples:
        >>> label_of("chip.memory.bandwidth"), label_of("model.layers.0.count")
        ('memory bandwidth of a chip', 'model.layers.0.count')
    """
    found = quantity_of(path)
    return path if found is None else found.label


STANDARDS = (
    "wafer_diameter",
    "edge",
    "scribe",
    "reticle_width",
    "reticle_height",
    "stacked_share",
    "embedded_share",
    "in_package",
)
"""Numbers of the trade that nobody can choose, and the place of a stack, which is a kind."""

DEGREES = ("tp", "cp", "pp", "ep", "attention", "attention_ranks", "shared_expert_ranks")
"""Whole numbers that have to fit together: where they are fixed, they are not changed alone."""

_OWN = {"memory": ("material.memory.",), "system": ("chip.", "network.", "facility.")}
"""What belongs to one alternative alone, by what the alternatives are."""


def shown_path(path: str) -> str:
    """The path of a number of hardware, request or model as results have it.

    Examples:
        >>> shown_path("system.chip.material.memory.silicon_price"), shown_path("request.context")
        ('material.memory.silicon_price', 'context')
    """
    for whole in ("system.chip.material.", "system.", "request."):
        if path.startswith(whole):
            return path.removeprefix(whole.removesuffix("material."))
    return path


def _scaled(value: Array, change: Array) -> Array:
    """A number times a factor; infinite ones, which nothing changes, as they are."""
    known = jnp.isfinite(value)
    return jnp.where(known, jnp.where(known, value, 1.0) * jnp.exp(change), value)


@dataclass(frozen=True)
class Parameters:
    """The numbers of a problem in a fixed order: hardware and request, design, limits.

    Attributes:
        problem: The study.
        paths: Their names; that of a limit is `limit.QUANTITY`, with its side where there are two.
        units: Their units in SI.
        most: The largest values that make sense.
        numbers: Paths in the case of all but the limits.
        limited: Rows of `problem.limits` that the study sets, and none that physics does.
    """

    problem: Problem
    paths: tuple[str, ...]
    units: tuple[str, ...]
    most: tuple[float, ...]
    numbers: tuple[str, ...]
    limited: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def own(self, path: str) -> bool:
        """Whether a number is that of one alternative, so that others do not change with it."""
        return path.startswith(_OWN.get(self.problem.region.kind, ()))

    def values(self, category: int) -> np.ndarray:
        """Their values in SI, those of one alternative where alternatives differ."""
        known = self.problem.region.numbers
        leaves = [np.asarray(known[path]) for path in self.numbers]
        numbers = [float(leaf[category] if leaf.ndim else leaf) for leaf in leaves]
        return np.asarray([*numbers, *(self.problem.limits[row].bound for row in self.limited)])

    def outcome(
        self,
        changes: Float[Array, " parameters"],
        point: Float[Array, " variables"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> Outcome:
        """Objective and limits at a point of the study with its numbers changed.

        Args:
            changes: Logarithms of the factors on the numbers.
            point: A point of the study as it is.
            category: Its alternative.
            relaxation: How kinks are read.
        """
        space, count = self.problem.region, len(self.numbers)
        known = space.numbers
        scaled = {path: _scaled(known[path], changes[row]) for row, path in enumerate(self.numbers)}
        case = space.with_numbers(scaled).at(point, category)
        outcome = self.problem.outcome_of(case, relaxation)
        loosened = [jnp.zeros(())] * len(self.problem.limits)
        for row, change in zip(self.limited, changes[count:], strict=True):
            loosened[row] = -change if self.problem.limits[row].at_least else change
        return Outcome(
            score=outcome.score,
            violation=outcome.violation - jnp.stack(loosened),
        )


def _limit_path(limit: Limit, names: list[str]) -> str:
    """The path of a limit, with its side where the study sets two on one quantity."""
    if names.count(limit.name) == 1:
        return f"limit.{limit.name}"
    return f"limit.{limit.name}.{'at_least' if limit.at_least else 'at_most'}"


def parameters_of(problem: Problem) -> Parameters:
    """The numbers of a problem."""
    space, names = problem.region, names_of(problem.region.case)
    free = {it.path for it in space.variables}
    around = [
        path
        for path in space.paths
        if path.startswith(("system.", "request.")) and path not in (*names, *free)
    ]
    # A factor leaves a lever that is off where it is, so its elasticity is 0.
    around += [
        path for path in space.paths if path.startswith(f"{ALGORITHM}.") and path not in free
    ]
    if isinstance(space.case.system, PlannedSystem):
        around.remove(FOLLOWING)
    fixed = [
        path
        for path, name in names.items()
        if path in space.numbers and path not in free and name not in DEGREES
    ]
    limited = tuple(row for row, it in enumerate(problem.limits) if it.bound and not it.physical)
    limits = [problem.limits[row] for row in limited]
    shown = [*map(shown_path, around), *(f"design.{names[path]}" for path in fixed)]
    stated = [_stated(it) for it in shown]
    return Parameters(
        problem=problem,
        paths=(*shown, *(_limit_path(it, [it.name for it in limits]) for it in limits)),
        units=(*(it.unit for it in stated), *(it.unit for it in limits)),
        most=(*(it.most for it in stated), *(math.inf for _ in limits)),
        numbers=(*around, *fixed),
        limited=limited,
    )
