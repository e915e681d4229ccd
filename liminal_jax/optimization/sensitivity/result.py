"""What a sensitivity analysis finds, and the object of `liminal sensitivity --json`."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from liminal_jax.optimization.search.best_design import Finding
from liminal_jax.optimization.search.solution import Solution
from liminal_jax.optimization.sensitivity.shadow_prices import Sensitivity, ShadowPrice
from liminal_jax.optimization.sensitivity.tornado import Bar, End
from liminal_jax.optimization.sensitivity.words import label, limit_amount, price_sentence
from liminal_jax.results.page import Page
from liminal_jax.results.sensitivity import page
from liminal_jax.results.told import Told
from liminal_jax.study.problem import Problem
from liminal_jax.study.question import problem_record
from liminal_jax.study.report import number
from liminal_jax.study.write import written


@dataclass(frozen=True)
class FreedSizes:
    """The local optimum of the continuous variables, integers fixed.

    Attributes:
        objective: Its objective, in SI.
        solution: The design.
        residual: KKT residual, as a share of the gradient.
    """

    objective: float
    solution: Solution
    residual: float


@dataclass(frozen=True, repr=False)
class SensitivityAnalysis(Told):
    """Sensitivities of the best design of a problem, its continuous variables free.

    Attributes:
        problem: The problem.
        best: Its best design with its certificate.
        relaxed: The local optimum of the continuous variables; None where no design is feasible,
            or no point near the best design is. All but `reasons` is empty then.
        change: Share by which parameters were decreased and increased.
        shadow_prices: Shadow prices of limits and of bounds of variables.
        elasticities: Elasticities of the objective, the largest first.
        moves: Elasticity of each variable with respect to each parameter; None where it is
            undetermined.
        bars: The problem solved again with less and with more of each parameter, widest first.
        reasons: Messages: what is proven, how the solver ended, and what is undetermined.
        seconds: Wall time of each stage [s].
    """

    problem: Problem
    best: Finding
    relaxed: FreedSizes | None
    change: float
    shadow_prices: list[ShadowPrice]
    elasticities: list[Sensitivity]
    moves: dict[str, dict[str, float | None]]
    bars: list[Bar]
    reasons: list[str]
    seconds: dict[str, float] = field(default_factory=dict)

    @override
    def to_dict(self) -> dict[str, Any]:
        return sensitivity_record(self, len(self.bars))

    @override
    def page(self) -> Page:
        return page(self.to_dict())


def sensitivity_record(found: SensitivityAnalysis, top: int) -> dict[str, Any]:
    """SI units and USD, stable keys; what is not known is null.

    Args:
        found: What numbers are worth.
        top: How many numbers the tornado shows.
    """
    problem, relaxed = found.problem, found.relaxed
    return {
        **problem_record("sensitivity", problem),
        "feasible": found.best.feasible,
        "best": {
            "value": number(found.best.objective),
            "design": _design(found, found.best.solution),
            "certificate": dataclasses.asdict(found.best.certificate),
        },
        "relaxed": {
            "value": None if relaxed is None else number(relaxed.objective),
            "design": None if relaxed is None else _design(found, relaxed.solution),
        },
        "shadow_prices": [
            {**dataclasses.asdict(it), "sentence": price_sentence(problem, it)}
            for it in found.shadow_prices
        ],
        "elasticities": [
            {
                "parameter": it.parameter,
                "label": label(problem, it.parameter, found.best.solution.category),
                "value": number(it.value),
                "unit": it.unit,
                "elasticity": it.elasticity,
            }
            for it in found.elasticities
        ],
        "moves": found.moves,
        "change": found.change,
        "tornado": [_bar(found, it) for it in found.bars[:top]],
        "residual": None if relaxed is None else number(relaxed.residual),
        "reasons": found.reasons,
        "seconds": sum(found.seconds.values()),
        "stages": found.seconds,
    }


def _design(found: SensitivityAnalysis, solution: Solution) -> dict[str, Any]:
    return {found.problem.region.kind: solution.category, **written(solution.values)}


def _bar(found: SensitivityAnalysis, bar: Bar) -> dict[str, Any]:
    return {
        "parameter": bar.parameter,
        "label": label(found.problem, bar.parameter, found.best.solution.category),
        "value": limit_amount(bar.parameter, bar.value, bar.unit),
        "low": _objective(bar.low),
        "high": _objective(bar.high),
        "first_order": {
            "low": number(bar.low.first_order),
            "high": number(bar.high.first_order),
        },
        "factors": {"low": bar.low.factor, "high": bar.high.factor},
        "active_set_changes": {
            "low": list(bar.low.active_set_changes),
            "high": list(bar.high.active_set_changes),
        },
    }


def _objective(end: End) -> float | None:
    return None if end.objective is None else number(end.objective)
