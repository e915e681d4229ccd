"""The robust design beside the nominal optimum, and the same as plain data."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from typing_extensions import override

from liminal_jax.optimization.record import design_record
from liminal_jax.optimization.robust.measure import AbstractMeasure
from liminal_jax.optimization.search.best_design import Finding
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.structures import best_finding, merged_certificate
from liminal_jax.optimization.uncertainty.result import Breach
from liminal_jax.results.page import Page
from liminal_jax.results.robust import page
from liminal_jax.results.told import Told
from liminal_jax.study.problem import Problem
from liminal_jax.study.question import problem_record
from liminal_jax.study.report import number
from liminal_jax.study.uncertain import Draws

_ROUNDING = 1e-9
"""Share of the samples that is less than one of them."""


@dataclass(frozen=True)
class FutureSpread:
    """The objective of a design over the samples, whether it meets the limits in them or not.

    Attributes:
        mean: The mean.
        low: The 5 % quantile.
        high: The 95 % quantile.
        worst: The least where more is better, the largest where less is.
    """

    mean: float
    low: float
    high: float
    worst: float


def spread_of(objectives: Float[np.ndarray, " draws"], maximise: bool) -> FutureSpread:
    """The spread of an objective over samples.

    Examples:
        >>> spread_of(np.array([1.0, 2.0, 3.0]), maximise=True).worst
        1.0
    """
    low, high = np.quantile(objectives, [0.05, 0.95]).tolist()
    worst = np.min(objectives) if maximise else np.max(objectives)
    return FutureSpread(float(np.mean(objectives)), low, high, float(worst))


@dataclass(frozen=True)
class Tried:
    """One design in many futures.

    Attributes:
        category: Its category.
        values: Values of its free variables, in SI.
        thought: Its objective with nominal numbers.
        meets_thought: Whether it meets every limit with them.
        measure: What the search optimises: the mean, a quantile or the worst over the samples.
        spread: Its objective over the samples.
        meets: Share of the samples in which it meets every limit.
        measure_fresh: The measure over fresh samples, on which no design was chosen.
        meets_fresh: Share of the fresh samples in which it meets every limit.
        breaches: Limits that it exceeds in some samples, the most often exceeded first.
        excess: Mean over the samples of the log violation of its limits.
        objectives: Its objective in each sample.
    """

    category: str
    values: dict[str, float]
    thought: float
    meets_thought: bool
    measure: float
    spread: FutureSpread
    meets: float
    measure_fresh: float
    meets_fresh: float
    breaches: list[Breach]
    excess: float
    objectives: Float[np.ndarray, " draws"]


@dataclass(frozen=True, repr=False)
class RobustOptimum(Told):
    """The design that does best in many futures.

    Attributes:
        problem: The problem, of the structure of the robust design.
        draws: The samples of the uncertain numbers.
        fresh: Number of fresh samples.
        measure: What counts of the objective over the samples.
        reliability: Share of the samples in which every limit has to hold.
        nominal: The best design with nominal numbers; None where none meets the limits.
        robust: The robust design; None where none that was tried meets the limits in any sample.
        rounded: Measure of the best design that relaxed starts snap to, before local search, of
            the structure of the robust design.
        relaxed: The best measure at which a relaxed start of that structure ended within the
            limits, on the soft model; no bound. None where none has.
        starts: Relaxed starts, of all structures.
        within: Those of them that ended within the limits.
        converged: Those of these that converged.
        candidates: Designs evaluated under every sample, of all structures.
        findings: The search for the nominal optimum in each structure.
        seconds: Wall time of each stage [s].
        seed: Seed of the samples; None where they were drawn elsewhere.
    """

    problem: Problem
    draws: Draws
    fresh: int
    measure: AbstractMeasure
    reliability: float
    nominal: Tried | None
    robust: Tried | None
    rounded: float
    relaxed: float | None
    starts: int
    within: int
    converged: int
    candidates: int
    findings: tuple[Finding, ...]
    seconds: dict[str, float]
    seed: int | None = None

    @property
    def certificate(self) -> Certificate:
        """What is proven of the nominal optimum, over all structures."""
        return merged_certificate(self.findings)

    @property
    def feasible(self) -> bool:
        """Whether a design was found that meets every limit in the share of the samples."""
        return self.robust is not None and self.robust.meets >= self.reliability - _ROUNDING

    @property
    def price(self) -> float | None:
        """Share of the nominal objective that the robust design gives up with nominal numbers.

        Below 0 where it does better than the nominal optimum, which it may where it breaks a limit
        with nominal numbers.
        """
        return self._loss(self.nominal, self.robust, "thought")

    @property
    def gain(self) -> float | None:
        """Share of the robust design's measure that the nominal optimum falls short of it.

        None where the nominal optimum meets the limits in too few samples to be compared.
        """
        if self.nominal is None or self.nominal.meets < self.reliability - _ROUNDING:
            return None
        return self._loss(self.robust, self.nominal, "measure")

    def _loss(self, best: Tried | None, other: Tried | None, of: str) -> float | None:
        if best is None or other is None:
            return None
        one, two = getattr(best, of), getattr(other, of)
        return (one - two) / one if self.problem.maximises else (two - one) / one

    @property
    def order(self) -> tuple[bool, float, float, float]:
        """Orders the robust designs of several structures, the best first.

        As the designs of one are ordered: those that are reliable by their measure, and before the
        others, of which the shortfall of reliability counts, then the violation.
        """
        it = self.robust
        if it is None:
            return True, 0.0, 0.0, 0.0
        shortfall = max(self.reliability - it.meets, 0.0)
        short = shortfall > _ROUNDING
        sign = -1.0 if self.problem.maximises else 1.0
        return False, shortfall * short, it.excess * short, sign * it.measure

    @override
    def to_dict(self) -> dict[str, Any]:
        return robust_record(self)

    @override
    def page(self) -> Page:
        return page(self.to_dict())


def most_robust(answers: Sequence[RobustOptimum]) -> RobustOptimum:
    """The robust design of several structures, beside the best nominal one of all.

    Args:
        answers: The answer of each structure, under the same samples.
    """
    best = min(answers, key=lambda it: it.order)
    findings = tuple(finding for it in answers for finding in it.findings)
    first = best_finding(findings)
    nominal = next(it.nominal for it in answers if it.findings[0] is first)
    return dataclasses.replace(
        best,
        nominal=nominal,
        starts=sum(it.starts for it in answers),
        within=sum(it.within for it in answers),
        converged=sum(it.converged for it in answers),
        candidates=sum(it.candidates for it in answers),
        findings=findings,
        seconds={name: sum(it.seconds[name] for it in answers) for name in best.seconds},
    )


def _tried(problem: Problem, it: Tried | None) -> dict[str, Any] | None:
    if it is None:
        return None
    return {
        **design_record(problem, it.category, it.values),
        "thought": number(it.thought),
        "meets_thought": it.meets_thought,
        "measure": number(it.measure),
        **{name: number(value) for name, value in dataclasses.asdict(it.spread).items()},
        "meets": it.meets,
        "measure_fresh": number(it.measure_fresh),
        "meets_fresh": it.meets_fresh,
        "breaches": [dataclasses.asdict(breach) for breach in it.breaches],
    }


def robust_record(answer: RobustOptimum) -> dict[str, Any]:
    """The record, in SI units and USD; `liminal optimize --help-all` explains the keys."""
    problem, robust = answer.problem, answer.robust
    question = problem_record("robust", problem)
    return {
        **question,
        "feasible": answer.feasible,
        "objective": {
            **question["objective"],
            "value": None if robust is None else number(robust.measure),
        },
        "measure": answer.measure.name,
        "measure_about": answer.measure.about,
        "samples": len(answer.draws),
        "fresh_samples": answer.fresh,
        "seed": answer.seed,
        "reliability": answer.reliability,
        "robust": _tried(problem, robust),
        "nominal": _tried(problem, answer.nominal),
        "price": answer.price,
        "gain": answer.gain,
        "relaxed": None if answer.relaxed is None else number(answer.relaxed),
        "rounded": number(answer.rounded),
        "starts": answer.starts,
        "within": answer.within,
        "converged": answer.converged,
        "numbers": [
            {**dataclasses.asdict(it), "distribution": it.distribution}
            for it in answer.draws.numbers
        ],
        "certificate": {
            "method": "none",
            "candidates": answer.candidates,
            "nominal": dataclasses.asdict(answer.certificate),
        },
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }
