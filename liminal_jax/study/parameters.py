"""The numbers that a study rests on, and the study with some of them changed.

They are the numbers of hardware and request, those of the design that the study fixes, and the
limits it sets: whatever a reader may ask "and if that were a tenth more?" of. A change is the
logarithm of a factor, so that slopes along changes of a logarithm are elasticities.
"""

import dataclasses
import math
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._quantity import Quantity, quantity_at
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.system import System
from liminal_jax.study.assemble import Planned
from liminal_jax.study.problem import NUMERIC, Limit, Outcome, Problem
from liminal_jax.study.variables import VARIABLES
from liminal_jax.workload.request import Request


@cache
def quantity_of(path: str) -> Quantity | None:
    """What a number of a study is, by its path; none for those of a model.

    Args:
        path: Its path in the hardware or the request, or `design.VARIABLE`.
    """
    kind, _, name = path.partition(".")
    if kind == "design":
        return VARIABLES.get(name)
    found = (quantity_at(whole, path) for whole in (System, Planned, Request))
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

_OWN_OF_PLANNED = ("material.memory.",)
_OWN_OF_SYSTEMS = ("chip.", "network.", "facility.")


def _path(keys: tuple) -> str:
    return jax.tree_util.keystr(keys[1:], simple=True, separator=".")


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
        fixed: Positions in a point of the fixed numbers of the design.
        limited: Rows of `problem.limits` that the study sets, and none that physics does.
    """

    problem: Problem
    paths: tuple[str, ...]
    units: tuple[str, ...]
    most: tuple[float, ...]
    fixed: tuple[int, ...]
    limited: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def own(self, path: str) -> bool:
        """Whether a number is that of one category, so that others do not change with it."""
        finished = isinstance(self.problem.hardware, System)
        return path.startswith(_OWN_OF_SYSTEMS if finished else _OWN_OF_PLANNED)

    def values(self, category: int) -> np.ndarray:
        """Their values in SI, those of one category where categories differ."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(_numbers(self.problem))]
        numbers = [float(leaf[category] if leaf.ndim else leaf) for leaf in leaves]
        design = [self.problem.point[position] for position in self.fixed]
        limits = [self.problem.limits[row].bound for row in self.limited]
        return np.asarray([*numbers, *design, *limits])

    def outcome(
        self,
        changes: Float[Array, " parameters"],
        point: Float[Array, " numbers"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> Outcome:
        """Objective and limits at a point of the study with its numbers changed.

        Args:
            changes: Logarithms of the factors on the numbers.
            point: A point of the study as it is.
            category: Its category.
            relaxation: How kinks are read.
        """
        leaves, shape = jax.tree.flatten(_numbers(self.problem))
        count, fixed = len(leaves), len(self.fixed)
        scaled = [_scaled(leaf, change) for leaf, change in zip(leaves, changes, strict=False)]
        hardware, request = jax.tree.unflatten(shape, scaled)
        changed = dataclasses.replace(
            self.problem,
            hardware=hardware,
            workload=self.problem.workload._replace(request=request),
        )
        design = jnp.asarray(self.fixed, int)
        point = point.at[design].set(point[design] * jnp.exp(changes[count : count + fixed]))
        outcome = changed.outcome(point, category, relaxation)
        signs = [-1.0 if self.problem.limits[row].at_least else 1.0 for row in self.limited]
        loosened = jnp.asarray(signs, float) * changes[count + fixed :]
        return Outcome(
            score=outcome.score,
            excess=outcome.excess.at[jnp.asarray(self.limited, int)].add(-loosened),
        )


def _numbers(problem: Problem) -> tuple:
    return problem.hardware, problem.workload.request


def _limit_path(limit: Limit, names: list[str]) -> str:
    """The path of a limit, with its side where the study sets two on one quantity."""
    if names.count(limit.name) == 1:
        return f"limit.{limit.name}"
    return f"limit.{limit.name}.{'at_least' if limit.at_least else 'at_most'}"


def parameters_of(problem: Problem) -> Parameters:
    """The numbers of a problem."""
    leaves = jax.tree_util.tree_leaves_with_path(_numbers(problem))
    numbers = [_path(keys) for keys, _ in leaves]
    free = {it.name for it in problem.variables}
    table = problem.file.design
    fixed = [
        name
        for name in NUMERIC
        if name not in (*free, *DEGREES) and getattr(table, name) is not None
    ]
    limited = tuple(row for row, it in enumerate(problem.limits) if not it.physical)
    limits = [problem.limits[row] for row in limited]
    design = [f"design.{name}" for name in fixed]
    stated = [_stated(it) for it in (*numbers, *design)]
    return Parameters(
        problem=problem,
        paths=(*numbers, *design, *(_limit_path(it, [it.name for it in limits]) for it in limits)),
        units=(*(it.unit for it in stated), *(it.unit for it in limits)),
        most=(*(it.most for it in stated), *(math.inf for _ in limits)),
        fixed=tuple(NUMERIC.index(name) for name in fixed),
        limited=limited,
    )
