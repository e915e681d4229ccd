"""What each number, limit and range is worth at the relaxed optimum, the sizes free to follow.

By the envelope theorem the optimum changes with a number as the Lagrangian does with the design
held: what the design does in response is of second order. The figures are those of the relaxed
model, with the whole numbers of the proven design held; on the lattice a small change may be worth
nothing, or a step.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum
from liminal_jax.study.parameters import STANDARDS
from liminal_jax.study.problem import Problem
from liminal_jax.study.variables import stated_at


@dataclass(frozen=True)
class Sensitivity:
    """What the objective gains when a number grows.

    Attributes:
        parameter: The number: a path into hardware or request, a fixed one of the design, or a
            limit.
        value: The number in SI.
        unit: Its unit.
        elasticity: Per cent of the objective for one per cent of the number.
    """

    parameter: str
    value: float
    unit: str
    elasticity: float


@dataclass(frozen=True)
class ShadowPrice:
    """What the objective gains when a limit, or the end of a range, moves up.

    Attributes:
        constraint: Quantity that the study limits, physical limit, or `range.VARIABLE`.
        limit: The limit in SI; 1 for a physical one, which is a ratio.
        unit: Its unit; empty for a ratio or count.
        price: Objective for each unit of the limit.
        price_unit: Unit of the price.
        elasticity: Per cent of the objective for one per cent of the limit.
    """

    constraint: str
    limit: float
    unit: str
    price: float
    price_unit: str
    elasticity: float


def elasticities(gradients: Gradients, optimum: RelaxedOptimum) -> np.ndarray:
    """Per cent of the objective for one per cent of each of the study's numbers, in their order."""
    weights = np.append(1.0, -optimum.multipliers.limits)
    return _sign(gradients.problem) * weights @ optimum.local.along_numbers


def sensitivities(
    gradients: Gradients, optimum: RelaxedOptimum, least: float = 1e-3
) -> list[Sensitivity]:
    """What the study's numbers are worth, the weightiest first.

    Args:
        gradients: The relaxed study.
        optimum: Its optimum.
        least: Elasticities smaller than this are left out.
    """
    parameters = gradients.parameters
    rows = zip(
        parameters.paths,
        parameters.values(optimum.category).tolist(),
        parameters.units,
        elasticities(gradients, optimum).tolist(),
        strict=True,
    )
    weighty = [
        Sensitivity(path, value, unit, elasticity)
        for path, value, unit, elasticity in rows
        if abs(elasticity) >= least and path.rpartition(".")[2] not in STANDARDS
    ]
    return sorted(weighty, key=lambda it: -abs(it.elasticity))


def shadow_prices(gradients: Gradients, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    """What limits and ends of ranges are worth.

    Every limit that the study sets, and of the physical ones and the ends of ranges those that
    bind.
    """
    return [*_prices_of_limits(gradients.problem, optimum), *_prices_of_ranges(gradients, optimum)]


def _prices_of_limits(problem: Problem, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    prices = []
    for limit, gain in zip(problem.limits, optimum.multipliers.limits.tolist(), strict=True):
        if limit.bound and (gain or not limit.physical):
            upwards = -gain if limit.at_least else gain
            slope = _sign(problem) * upwards / limit.bound
            prices.append(_price(problem, optimum, limit.name, limit.bound, limit.unit, slope))
    return prices


def _prices_of_ranges(gradients: Gradients, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    problem, box = gradients.problem, gradients.box
    stretch = np.asarray(box.stretch(jnp.asarray(optimum.unit)))
    upwards = (optimum.multipliers.high - optimum.multipliers.low) / stretch
    prices = []
    for index, variable in enumerate(problem.variables):
        if variable.name in optimum.held:
            end = float(box.high[index] if upwards[index] > 0 else box.low[index])
            unit = stated_at(variable.path).unit
            slope = _sign(problem) * float(upwards[index])
            name = f"range.{variable.name}"
            prices.append(_price(problem, optimum, name, end, unit, slope))
    return prices


def _price(
    problem: Problem,
    optimum: RelaxedOptimum,
    constraint: str,
    limit: float,
    unit: str,
    slope: float,
) -> ShadowPrice:
    """A price from the change of the logarithm of the objective along the limit."""
    objective = problem.goal.unit or "1"
    return ShadowPrice(
        constraint=constraint,
        limit=limit,
        unit=unit,
        price=slope * problem.objective(optimum.score),
        price_unit=f"{objective}/({unit})" if unit else objective,
        elasticity=slope * limit,
    )


def _sign(problem: Problem) -> float:
    """Of what a higher score does to the objective."""
    return 1.0 if problem.maximises else -1.0
