"""What happens to the relaxed optimum when one number changes by a tenth: solved again."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum, refined
from liminal_jax.optimization.sensitivity.shadow_prices import elasticities
from liminal_jax.study.parameters import STANDARDS

FELT = 1e-6
"""Slope along a number below which neither objective nor limits hang on it."""

BENT = 0.25
"""Share of a change by which the elasticity may miss it before that is told."""

LEAST = 1e-4
"""Changes of the objective's logarithm that differ by less are alike."""

PRICED = 1e-3
"""A limit binds that is worth more than this for each unit of logarithm."""


@dataclass(frozen=True)
class End:
    """The relaxed optimum with one number changed.

    Attributes:
        factor: On the number.
        objective: Objective of the optimum, solved again; none where no design meets the limits.
        first_order: What the elasticity makes of the change.
        active_set_changes: How the limits that bind, the ranges that hold and the category
            differ from before, in sentences; or that the model bends or steps on the way. Where
            there are some, the elasticity is no guide.
    """

    factor: float
    objective: float | None
    first_order: float
    active_set_changes: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """A number, and the relaxed optimum with less and with more of it.

    Attributes:
        parameter: Its path.
        value: The number in SI.
        unit: Its unit.
        low: With less of it.
        high: With more of it.
    """

    parameter: str
    value: float
    unit: str
    low: End
    high: End

    def width(self, base: float) -> float:
        """How far apart both ends and the unchanged objective lie, as a logarithm.

        Infinite where an end cannot be met.

        Args:
            base: The unchanged objective.
        """
        if self.low.objective is None or self.high.objective is None:
            return math.inf
        logarithms = [math.log(it) for it in (self.low.objective, base, self.high.objective)]
        return max(logarithms) - min(logarithms)


def _binding(gradients: Gradients, optimum: RelaxedOptimum) -> set[str]:
    """The active set in words: limits that bind and ranges that hold."""
    limits = zip(gradients.problem.limits, optimum.multipliers.limits, strict=True)
    return {it.name for it, price in limits if price > PRICED} | {
        f"the range of {name}" for name in optimum.held
    }


def active_set_changes(
    gradients: Gradients, before: RelaxedOptimum, after: RelaxedOptimum
) -> tuple[str, ...]:
    """How the active set of an optimum differs from that of another, in sentences."""
    old, new = _binding(gradients, before), _binding(gradients, after)
    begins, ends = ", ".join(sorted(new - old)), ", ".join(sorted(old - new))
    names = gradients.problem.categories
    sentences = [
        (
            before.category != after.category,
            f"{names[after.category]} is best instead of {names[before.category]}",
        ),
        (begins, f"{begins} begins to bind"),
        (ends, f"{ends} no longer binds"),
    ]
    return tuple(sentence for changed, sentence in sentences if changed)


def solved_again(
    gradients: Gradients, optima: Sequence[RelaxedOptimum], row: int, change: float
) -> RelaxedOptimum:
    """The best optimum with one number changed, from where the optima lie without the change.

    Args:
        gradients: The relaxed study.
        optima: Its optima, the best first.
        row: Which number.
        change: Logarithm of the factor on it.
    """
    changes = gradients.unchanged()
    changes[row] = change
    own = gradients.parameters.own(gradients.parameters.paths[row])
    best = optima[0].category
    found = [
        it if own and it.category != best else refined(gradients, it.unit, it.category, changes)
        for it in optima
    ]
    return max(found, key=RelaxedOptimum.merit)


def _end(
    gradients: Gradients,
    optima: Sequence[RelaxedOptimum],
    row: int,
    factor: float,
    elasticity: float,
) -> End:
    problem, best = gradients.problem, optima[0]
    found = solved_again(gradients, optima, row, math.log(factor))
    first_order = problem.objective(best.score) * factor**elasticity
    if not found.feasible:
        return End(factor, None, first_order, ("no place meets every limit",))
    objective = problem.objective(found.score)
    changes = active_set_changes(gradients, best, found)
    missed = abs(math.log(objective / first_order))
    if not changes and missed > BENT * abs(elasticity * math.log(factor)) + LEAST:
        changes = ("the model bends or steps on the way",)
    return End(factor, objective, first_order, changes)


def _leaders(optima: Sequence[RelaxedOptimum]) -> list[RelaxedOptimum]:
    """The best optimum of each category, if it meets the limits; the best of all first."""
    first = {it.category: it for it in reversed(optima)}
    leaders = [it for it in optima if first[it.category] is it]
    return [it for it in leaders if it.feasible]


def tornado(
    gradients: Gradients,
    optima: Sequence[RelaxedOptimum],
    change: float,
    advance: Callable[[], None] = lambda: None,
) -> list[Bar]:
    """The relaxed optimum solved again with less and with more of each number, widest first.

    Numbers that neither objective nor limits hang on are left out, and standards of the trade.
    A number that belongs to one category changes in the best one only; every other number
    changes in all of them, so that another may become the best.

    Args:
        gradients: The relaxed study.
        optima: Its optima, the best first; it meets the limits.
        change: Share by which each number is made less and more, between 0 and 1; shares and
            yields grow to 1 at most.
        advance: Called after each number.
    """
    best, parameters = optima[0], gradients.parameters
    leaders, most = _leaders(optima), parameters.most
    worth, values = elasticities(gradients, best), parameters.values(best.category).tolist()
    bars = []
    for row in np.flatnonzero(np.abs(best.local.along_numbers).max(axis=0) > FELT).tolist():
        path = parameters.paths[row]
        if path.rpartition(".")[2] not in STANDARDS:
            low, high = (
                _end(gradients, leaders, row, factor, float(worth[row]))
                for factor in (1.0 - change, min(1.0 + change, most[row] / values[row]))
            )
            bars.append(Bar(path, values[row], parameters.units[row], low, high))
        advance()
    base = gradients.problem.objective(best.score)
    return sorted(bars, key=lambda bar: bar.width(base), reverse=True)
