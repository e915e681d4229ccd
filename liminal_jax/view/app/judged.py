"""What a study says of what is dragged: its objective, and how far each limit is used."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact
from liminal_jax.study.problem import FEASIBLE, Problem
from liminal_jax.view.app.scene import AbstractScene, as_arrays


class Used(NamedTuple):
    """How far a limit is used.

    Attributes:
        name: What is limited.
        share: The value over its bound, or the bound over the value of what has a least one; above
            1 it is exceeded.
        value: The value, in SI; that of a physical limit is its share.
        bound: The bound, in SI.
        unit: Unit of both.
        at_least: Whether the value must be above the bound.
        physical: Whether it holds for every design, whatever the study asks.
    """

    name: str
    share: float
    value: float
    bound: float
    unit: str
    at_least: bool
    physical: bool

    @property
    def holds(self) -> bool:
        """Whether it is kept."""
        return self.share <= 1 + FEASIBLE


class Judged(NamedTuple):
    """What a study says of a design.

    Attributes:
        name: Of its objective.
        value: The objective, in SI.
        unit: Of the objective.
        chips: Chips of the whole system.
        replicas: Its instances.
        limits: How far each limit is used, those of the study first.
    """

    name: str
    value: float
    unit: str
    chips: float
    replicas: float
    limits: tuple[Used, ...]

    @property
    def feasible(self) -> bool:
        """Whether every limit is kept."""
        return all(it.holds for it in self.limits)


Judge = Callable[[AbstractScene, Mapping[str, float]], Judged]
"""What tells it, of any numbers."""


def judge_of(problem: Problem) -> Judge:
    """What a study says of any numbers, compiled once.

    Args:
        problem: The study.
    """

    @eqx.filter_jit
    def evaluated(scene: AbstractScene, numbers: dict[str, Array]) -> tuple[Scalar, ...]:
        case = scene.case(numbers)
        fleet = case.fleet(Exact())
        ratios = problem.ratios(case, fleet, Exact())
        return problem.goal.of(fleet), fleet.bought, fleet.replicas, *ratios

    def judged(scene: AbstractScene, numbers: Mapping[str, float]) -> Judged:
        found = jax.device_get(evaluated(scene, as_arrays(numbers)))
        value, chips, replicas, *shares = (float(np.asarray(it)) for it in found)
        rows = zip(problem.limits, shares, strict=True)
        limits = [
            Used(
                name=it.name,
                share=share,
                value=it.bound / share if it.at_least else it.bound * share,
                bound=it.bound,
                unit=it.unit,
                at_least=it.at_least,
                physical=it.physical,
            )
            for it, share in rows
        ]
        goal = problem.goal
        ordered = tuple(sorted(limits, key=lambda it: it.physical))
        return Judged(goal.name, value, goal.unit, chips, replicas, ordered)

    return judged
