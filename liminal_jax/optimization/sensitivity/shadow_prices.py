"""Elasticities and shadow prices at the relaxed optimum.

By the envelope theorem the derivative of the optimal value with respect to a parameter is that of
the Lagrangian at the fixed optimum: the response of the design is of second order. The figures
belong to the relaxed model with integers fixed at the proven design; on the lattice a small change
may have no effect, or cause a step.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum
from liminal_jax.results.words import number_words
from liminal_jax.study.parameters import STANDARDS
from liminal_jax.study.problem import Problem
from liminal_jax.study.variables import stated_at


@dataclass(frozen=True)
class Sensitivity:
    """Elasticity of the objective with respect to a parameter.

    Attributes:
        parameter: Path of the parameter: in hardware or request, a fixed value of the design, or
            a limit.
        value: Its value, in SI.
        unit: Its unit.
        elasticity: Per cent of the objective per per cent of the parameter.
    """

    parameter: str
    value: float
    unit: str
    elasticity: float

    @property
    def label(self) -> str:
        """The parameter in a few words."""
        return number_words(self.parameter)


@dataclass(frozen=True)
class ShadowPrice:
    """Derivative of the optimal objective with respect to a limit or a bound of a variable.

    Attributes:
        constraint: Quantity that the study limits, physical limit, or `range.VARIABLE`.
        limit: The limit, in SI; 1 for a physical one, which is a ratio.
        unit: Its unit; empty for a ratio or count.
        price: Change of the objective per unit of the limit.
        price_unit: Unit of the price.
        elasticity: Per cent of the objective per per cent of the limit.
    """

    constraint: str
    limit: float
    unit: str
    price: float
    price_unit: str
    elasticity: float


def elasticities(gradients: Gradients, optimum: RelaxedOptimum) -> np.ndarray:
    """Elasticity of the objective with respect to each parameter, in their order."""
    weights = np.append(1.0, -optimum.multipliers.limits)
    return _sign(gradients.problem) * weights @ optimum.local.along_numbers


def sensitivities(
    gradients: Gradients, optimum: RelaxedOptimum, least: float = 1e-3
) -> list[Sensitivity]:
    """Elasticities with respect to the study's parameters, the largest first.

    Args:
        gradients: The relaxed problem.
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
    large = [
        Sensitivity(path, value, unit, elasticity)
        for path, value, unit, elasticity in rows
        if abs(elasticity) >= least and path.rpartition(".")[2] not in STANDARDS
    ]
    return sorted(large, key=lambda it: -abs(it.elasticity))


def shadow_prices(gradients: Gradients, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    """Shadow prices of all limits that the study sets, and of active physical limits and bounds."""
    return [*_prices_of_limits(gradients.problem, optimum), *_prices_of_ranges(gradients, optimum)]


def _prices_of_limits(problem: Problem, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    prices = []
    for limit, multiplier in zip(problem.limits, optimum.multipliers.limits.tolist(), strict=True):
        if limit.bound and (multiplier or not limit.physical):
            upwards = -multiplier if limit.at_least else multiplier
            slope = _sign(problem) * upwards / limit.bound
            prices.append(_price(problem, optimum, limit.name, limit.bound, limit.unit, slope))
    return prices


def _prices_of_ranges(gradients: Gradients, optimum: RelaxedOptimum) -> list[ShadowPrice]:
    problem, box = gradients.problem, gradients.box
    stretch = np.asarray(box.stretch(jnp.asarray(optimum.unit)))
    upwards = (optimum.multipliers.high - optimum.multipliers.low) / stretch
    prices = []
    for index, variable in enumerate(problem.variables):
        if variable.name in optimum.at_bounds:
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
    """A shadow price from the derivative of the log objective with respect to the limit."""
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
    """Sign of the derivative of the objective with respect to the score."""
    return 1.0 if problem.maximises else -1.0
