"""Tornado: the relaxed optimum solved again with one parameter changed at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum, refined
from liminal_jax.optimization.sensitivity.shadow_prices import elasticities
from liminal_jax.results.words import constraint_word, design_word
from liminal_jax.study.parameters import STANDARDS

LEAST_DERIVATIVE = 1e-6
"""Derivative below which neither objective nor limits depend on a parameter."""

NONLINEARITY = 0.25
"""Relative error of the first-order change above which it is reported."""

LEAST_CHANGE = 1e-4
"""Differences of the log objective below this are not reported."""

LEAST_MULTIPLIER = 1e-3
"""Lagrange multiplier above which a limit is reported as binding."""


@dataclass(frozen=True)
class End:
    """The relaxed optimum with one parameter changed.

    Attributes:
        factor: Factor on the parameter.
        objective: Objective of the optimum, solved again; None where no design meets the limits.
        first_order: Objective predicted by the elasticity.
        active_set_changes: How active limits, active bounds and the best category differ from
            before, in sentences; or that the model is not linear over the change. Where there are
            any, the elasticity does not predict the change.
    """

    factor: float
    objective: float | None
    first_order: float
    active_set_changes: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """A parameter, and the relaxed optimum with less and with more of it.

    Attributes:
        parameter: Path of the parameter.
        value: Its value, in SI.
        unit: Its unit.
        low: The optimum with less of it.
        high: The optimum with more of it.
    """

    parameter: str
    value: float
    unit: str
    low: End
    high: End

    def width(self, base: float) -> float:
        """Range of the log objective over both ends and the nominal value.

        Infinite where the problem is infeasible at an end.

        Args:
            base: The nominal objective.
        """
        if self.low.objective is None or self.high.objective is None:
            return math.inf
        logarithms = [math.log(it) for it in (self.low.objective, base, self.high.objective)]
        return max(logarithms) - min(logarithms)


def _binding(gradients: Gradients, optimum: RelaxedOptimum) -> set[str]:
    """The active set: what active limits are on, and of what active bounds are."""
    limits = zip(gradients.problem.limits, optimum.multipliers.limits, strict=True)
    return {constraint_word(it.name) for it, price in limits if price > LEAST_MULTIPLIER} | {
        f"the range of {design_word(name)}" for name in optimum.at_bounds
    }


def active_set_changes(
    gradients: Gradients, before: RelaxedOptimum, after: RelaxedOptimum
) -> tuple[str, ...]:
    """How the active set of an optimum differs from that of another, in sentences."""
    old, new = _binding(gradients, before), _binding(gradients, after)
    begins, ends = sorted(new - old), sorted(old - new)
    names = gradients.problem.categories
    sentences = [
        (
            before.category != after.category,
            f"{names[after.category]} is best instead of {names[before.category]}",
        ),
        (begins, f"{' and '.join(begins)} begin{'s' * (len(begins) == 1)} to bind"),
        (ends, f"{' and '.join(ends)} no longer bind{'s' * (len(ends) == 1)}"),
    ]
    return tuple(sentence for changed, sentence in sentences if changed)


def solved_again(
    gradients: Gradients, optima: Sequence[RelaxedOptimum], row: int, change: float
) -> RelaxedOptimum:
    """The best optimum with one parameter changed, warm-started from the nominal optima.

    Args:
        gradients: The relaxed problem.
        optima: Its nominal optima, the best first.
        row: Index of the parameter.
        change: Logarithm of the factor on it.
    """
    changes = gradients.unchanged()
    changes[row] = change
    own = gradients.parameters.own(gradients.parameters.paths[row])
    best = optima[0].category
    # A parameter of one category leaves the optima of the others as they are.
    found = [
        it if own and it.category != best else refined(gradients, it.unit, it.category, changes)
        for it in optima
    ]
    return max(found, key=RelaxedOptimum.merit)


def _tornado_end(
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
        return End(factor, None, first_order, ("no point meets every limit",))
    objective = problem.objective(found.score)
    changes = active_set_changes(gradients, best, found)
    missed = abs(math.log(objective / first_order))
    if not changes and missed > NONLINEARITY * abs(elasticity * math.log(factor)) + LEAST_CHANGE:
        changes = ("the model is not linear over this change",)
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
    progress: Progress | None = None,
) -> list[Bar]:
    """The relaxed optimum solved again with less and with more of each parameter, widest first.

    Parameters on which neither objective nor limits depend are left out, and so are standards. A
    parameter of a single category changes in the best category only; every other changes in all
    categories, so that another may become the best.

    Args:
        gradients: The relaxed problem.
        optima: Its optima, the best first; that one is feasible.
        change: Share by which each parameter is decreased and increased, between 0 and 1; shares
            and yields are increased to 1 at most.
        progress: Told of each parameter.
    """
    progress = Progress() if progress is None else progress
    best, parameters = optima[0], gradients.parameters
    leaders, most = _leaders(optima), parameters.most
    slopes, values = elasticities(gradients, best), parameters.values(best.category).tolist()
    bars = []
    felt = np.abs(best.local.along_numbers).max(axis=0) > LEAST_DERIVATIVE
    rows = np.flatnonzero(felt).tolist()
    for done, row in enumerate(rows, start=1):
        path = parameters.paths[row]
        if path.rpartition(".")[2] not in STANDARDS:
            low, high = (
                _tornado_end(gradients, leaders, row, factor, float(slopes[row]))
                for factor in (1.0 - change, min(1.0 + change, most[row] / values[row]))
            )
            bars.append(Bar(path, values[row], parameters.units[row], low, high))
        progress.step(done, len(rows))
    base = gradients.problem.objective(best.score)
    return sorted(bars, key=lambda bar: bar.width(base), reverse=True)
