"""Why a design is what it is: limits that bind, and what each number is worth."""

import dataclasses
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from liminal_jax.design.box import Box
from liminal_jax.design.lattice import Lattice
from liminal_jax.design.polish import Candidate, neighbours
from liminal_jax.design.relaxed import RelaxedPoint, relaxation
from liminal_jax.study.file import StudyFile
from liminal_jax.study.problem import FEASIBLE, Limit, Problem


@dataclass(frozen=True)
class Binding:
    """A limit at a design.

    Attributes:
        constraint: Name of the quantity, or of the physical limit.
        limit: Its bound, in SI.
        value: The design's value, in SI.
        slack: How far the value is on the right side of the bound; negative where it is not.
        unit: Unit of all three.
    """

    constraint: str
    limit: float
    value: float
    slack: float
    unit: str


@dataclass(frozen=True)
class Sensitivity:
    """What the objective gains when a number grows.

    Attributes:
        parameter: The number: a limit, or a path into hardware or request.
        elasticity: Per cent of the objective for one per cent of the number, the design free to
            follow; an estimate from the relaxed optimum.
    """

    parameter: str
    elasticity: float


def binding_of(limit: Limit, excess: float) -> Binding:
    """A limit at a design, given the logarithm of how far it is exceeded."""
    value = limit.bound * float(np.exp(-excess if limit.at_least else excess))
    slack = value - limit.bound if limit.at_least else limit.bound - value
    return Binding(
        constraint=limit.name, limit=limit.bound, value=value, slack=slack, unit=limit.unit
    )


def binding_limits(problem: Problem, lattice: Lattice, candidate: Candidate) -> list[Binding]:
    """The limits that bind a design; for an infeasible one, those it exceeds.

    A limit binds that keeps the design from a better neighbour.

    A neighbour is one move of the local search away. Where a better one breaks a single limit,
    that limit binds; where each better one breaks several, those of the fewest bind together.
    """
    excess = np.asarray(candidate.outcome.excess)
    bind = [index for index, it in enumerate(excess) if it > FEASIBLE]
    if not bind:
        _, outcomes = jax.jit(lambda indices: neighbours(problem, lattice, indices))(
            candidate.indices
        )
        score, near = np.asarray(outcomes.score), np.asarray(outcomes.excess)
        broken = (near > FEASIBLE)[score > float(candidate.outcome.score) + FEASIBLE]
        counts = broken.sum(axis=1)
        if len(counts):
            bind = np.flatnonzero(broken[counts == counts.min()].sum(axis=0)).tolist()
    return [binding_of(problem.limits[index], float(excess[index])) for index in bind]


NEAR = 0.03
"""Limits used to within this share are taken to bind a relaxed optimum, which is not exact."""

INSIDE = 1e-3
"""Variables at least so far inside the unit box are free to move both ways."""

STANDARDS = ("wafer_diameter", "edge", "scribe", "reticle_width", "reticle_height")
"""Numbers of the trade that nobody can choose."""


class _Slopes:
    """Slopes of score and limits at the relaxed optimum, along the box and along every number.

    One compiled function gives the slopes of any weighted sum of them.
    """

    def __init__(self, problem: Problem, box: Box, point: RelaxedPoint, temperature: float):
        self.numbers = (problem.hardware, problem.workload.request)
        self.point = point

        def weighted(unit: Array, numbers: tuple, weights: Array) -> Array:
            hardware, request = numbers
            changed = dataclasses.replace(
                problem, hardware=hardware, workload=problem.workload._replace(request=request)
            )
            outcome = changed.outcome(box.at(unit), point.category, relaxation(temperature))
            return weights @ jnp.append(outcome.score, outcome.excess)

        self._slopes = jax.jit(jax.grad(weighted, argnums=(0, 1)))

    def along_box(self, weights: np.ndarray) -> np.ndarray:
        """Slopes along the variables."""
        return np.asarray(self._slopes(self.point.unit, self.numbers, weights)[0])

    def along_numbers(self, weights: np.ndarray) -> list:
        """Path and elasticity of every number of hardware and request."""
        _, slopes = self._slopes(self.point.unit, self.numbers, weights)
        products = jax.tree.map(
            lambda value, slope: jnp.sum(jnp.where(jnp.isfinite(value), value, 0.0) * slope),
            self.numbers,
            slopes,
        )
        return jax.tree_util.tree_leaves_with_path(products)


def _shadow_prices(slopes: _Slopes, limits: int) -> np.ndarray:
    """Gain in score for each unit of logarithm that a limit is loosened.

    At an optimum the slope of the score is balanced by those of the limits that bind, in every
    variable that is free to move; least squares over these slopes give the prices. Limits that
    would have a negative price do not bind and leave, one at a time. (The multipliers of the
    search itself swing with each step that its penalties magnify.)
    """
    score, *rest = (slopes.along_box(row) for row in np.eye(1 + limits))
    excess = np.reshape(rest, (limits, len(score)))
    free = np.abs(np.asarray(slopes.point.unit) - 0.5) < 0.5 - INSIDE
    near = np.asarray(slopes.point.excess) > -NEAR
    prices = np.zeros(limits)
    binding = np.flatnonzero(near & excess[:, free].any(axis=1))
    while len(binding):
        found = np.linalg.lstsq(excess[binding][:, free].T, score[free])[0]
        if (found >= 0).all():
            prices[binding] = found
            break
        binding = np.delete(binding, np.argmin(found))
    return prices


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path[1:], simple=True, separator=".")


def sensitivities(
    problem: Problem, box: Box, point: RelaxedPoint, temperature: float, least: float = 1e-3
) -> list[Sensitivity]:
    """What limits and numbers are worth at the relaxed optimum, the weightiest first.

    By the envelope theorem the design is free to follow.

    Args:
        problem: The study.
        box: Its unit box.
        point: Where the best relaxed start ended.
        temperature: Of the soft reading there.
        least: Elasticities smaller than this are left out.
    """
    sign = 1.0 if isinstance(problem.file, StudyFile) and problem.file.objective.maximise else -1.0
    slopes = _Slopes(problem, box, point, temperature)
    prices = _shadow_prices(slopes, len(problem.limits))
    limits = [
        # A limit that grows gives way where it is a ceiling, and presses where it is a floor.
        Sensitivity(f"limit.{limit.name}", (-sign if limit.at_least else sign) * float(price))
        for limit, price in zip(problem.limits, prices, strict=True)
        if limit.unit or limit.bound != 1.0
    ]
    numbers = [
        Sensitivity(name, sign * float(product))
        for path, product in slopes.along_numbers(np.append(1.0, -prices))
        if (name := _name(path)).rpartition(".")[2] not in STANDARDS
    ]
    weighty = [it for it in limits + numbers if abs(it.elasticity) >= least]
    return sorted(weighty, key=lambda it: -abs(it.elasticity))
