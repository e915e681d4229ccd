"""The answer to a problem of many members: the best design, how it was found, and its bound."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import jax
import numpy as np
from typing_extensions import override

from liminal_jax.optimization.coupled.assignment import Places, assignment_at
from liminal_jax.optimization.coupled.descent import STARTS
from liminal_jax.optimization.coupled.priced_search import STARTS as PRICED_STARTS
from liminal_jax.optimization.coupled.priced_search import is_priced, search_by_prices
from liminal_jax.optimization.coupled.search import Evaluated, Found, search
from liminal_jax.optimization.record import binding_record
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.binding_limits import Binding, binding_of
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.termination import TOLERANCE, Termination
from liminal_jax.results.coupled import page
from liminal_jax.results.page import Page
from liminal_jax.results.told import Told
from liminal_jax.study.anatomy import chip_package
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup
from liminal_jax.study.kind import kind_record
from liminal_jax.study.problem import FEASIBLE
from liminal_jax.study.report import number

LEAST_MULTIPLIER = 1e-3
"""A limit binds whose logarithmic price is larger: 1 % more of it is worth 0.001 % or more."""


@dataclass(frozen=True)
class CoupledOptimum(Told):
    """The best design of a problem of many members.

    Attributes:
        found: The result of the search.
        question: What was asked, as records tell it.
    """

    found: Found
    question: dict[str, Any]

    @property
    def problem(self) -> AbstractCoupled:
        """The problem."""
        return self.found.problem

    @property
    def feasible(self) -> bool:
        """Whether the design meets every limit."""
        return self.found.best.feasible

    def value(self, score: float) -> float:
        """The objective of a score, in SI."""
        with np.errstate(over="ignore"):
            return float(np.exp(score if self.problem.maximise else -score))

    @property
    def objective(self) -> float:
        """The objective, in SI."""
        return self.value(self.found.best.score)

    @property
    def shared(self) -> dict[str, Any]:
        """What all members share: the category, if there is a choice, and values in SI."""
        return _chosen(self.problem, self.found.best.places.shared)

    @property
    def members(self) -> dict[str, dict[str, Any]]:
        """What each member chose, by its name."""
        return _members(self.problem, self.found.best.places)

    @property
    def certificate(self) -> Certificate:
        """What is proven of all designs of the grid."""
        found, bound, gap = self.found, None, None
        if self.feasible and math.isfinite(found.open_score):
            bound = self.value(found.open_score)
            gap = abs(bound - self.objective) / abs(self.objective)
        infeasible = not self.feasible and found.open_score == -math.inf
        return Certificate(
            method="none" if bound is None and not infeasible else "bound",
            bound=bound,
            relative_gap=gap,
            lattice=self.problem.size,
            evaluated=found.searched,
            boxes=0,
            complete=found.searched == found.of,
        )

    @property
    def multipliers(self) -> dict[str, float]:
        """For each limit on all together the per cent that 1 % more of it is worth."""
        limits = np.asarray(self.found.prices.multipliers).sum(axis=1)
        names = [it.name for it in self.problem.limits]
        return dict(zip(names, limits.tolist(), strict=True))

    @property
    def binding(self) -> list[Binding]:
        """Limits on all together that have a price; where none is feasible, those exceeded."""
        best = self.found.best
        if self.feasible:
            rows = [
                row for row, it in enumerate(self.multipliers.values()) if it > LEAST_MULTIPLIER
            ]
        else:
            rows = np.flatnonzero(~(best.violation <= FEASIBLE)).tolist()
        return [binding_of(self.problem.limits[it], float(best.violation[it])) for it in rows]

    @property
    def reasons(self) -> list[str]:
        """What is proven, and what stands in the way where no design is feasible."""
        return [*(() if self.feasible else _shortfalls(self.found)), _proof(self)]

    @override
    def to_dict(self) -> dict[str, Any]:
        found, relaxed = self.found, self.found.relaxed
        first = int(relaxed.order()[0])
        goal = "maximise" if self.problem.maximise else "minimise"
        told = Counter(it.name.lower().replace("_", " ") for it in relaxed.termination)
        ended = sum(
            it in (Termination.CONVERGED, Termination.AT_BOUNDS) for it in relaxed.termination
        )
        score = float(relaxed.score[first])
        with jax.enable_x64(True):
            basis = self.problem.basis()
        used = self._used()
        return {
            **self.question,
            "objective": {
                goal: self.problem.goal,
                "value": number(self.objective),
                "unit": self.problem.unit,
            },
            "limits": [
                {
                    "name": it.name,
                    "at_least": it.at_least,
                    "bound": it.bound,
                    "unit": it.unit,
                    "used": used.get(it.name),
                }
                for it in self.problem.stated
            ],
            "feasible": self.feasible,
            "variables": self.problem.count,
            "design": self.shared,
            "members": [{"name": name, **it} for name, it in self.members.items()],
            "chips": self._chips(),
            "totals": {
                name: number(it)
                for name, it in zip(self.problem.totals, found.best.totals, strict=True)
            },
            "relaxed": {
                "value": number(self.value(score)),
                "feasible": bool(np.max(relaxed.violation[first], initial=0.0) <= TOLERANCE),
                "relative_gap": self._gap(score),
                "residual": number(relaxed.residual[first]),
                "starts": len(relaxed.termination),
                "converged": ended,
                "terminations": dict(told),
                "steps": len(relaxed.history),
            },
            "snapped": self._stage(found.snapped),
            "certificate": asdict(self.certificate),
            "binding": [binding_record(it) for it in self.binding],
            "multipliers": self.multipliers,
            "basis": basis,
            "reasons": self.reasons,
            "closing": [[number(at) for at in row] for row in found.closing],
            "seconds": sum(found.seconds.values()),
            "stages": found.seconds,
        }

    def _used(self) -> dict[str, float | None]:
        """How far each limit on all together is used: above 1 it is exceeded."""
        ratios = np.exp(self.found.best.violation)
        return {it.name: number(at) for it, at in zip(self.problem.limits, ratios, strict=True)}

    def _chips(self) -> list[dict[str, Any]]:
        """What pictures of its chips show."""
        with jax.enable_x64(True):
            best = assignment_at(self.problem, self.found.best.places)
            return [
                {"name": it.name, "package": chip_package(it.system, it.category)}
                for it in self.problem.chips(best.shared, best.own)
            ]

    def _gap(self, score: float) -> float | None:
        """How far a score's objective lies from the best design's."""
        return number(abs(self.value(score) - self.objective) / abs(self.objective))

    def _stage(self, it: Evaluated) -> dict[str, Any]:
        return {
            "value": number(self.value(it.score)),
            "feasible": it.feasible,
            "relative_gap": self._gap(it.score),
        }

    @override
    def page(self) -> Page:
        return page(self.to_dict())


BOTH = (
    "of layers, pools and requests, designs come from descents and multipliers, and a bound from"
    " those multipliers: neither stands alone"
)
"""Why a method cannot be asked for."""


def optimize_coupled(
    problem: AbstractCoupled,
    question: dict[str, Any] | None = None,
    schedule: Schedule | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
) -> CoupledOptimum:
    """The best design of a problem of many members.

    Args:
        problem: A problem.
        question: What was asked, as records tell it; its name where left out.
        schedule: Schedule of the descents; that of each search where left out.
        seed: Seed of their starts.
        progress: Callbacks.
        budget: When to stop before the bound is complete.
    """
    if question is None:
        question = {**kind_record("coupled"), "name": problem.name}
    with jax.enable_x64(True):
        if is_priced(problem):
            found = search_by_prices(problem, schedule or PRICED_STARTS, seed, progress, budget)
        else:
            found = search(problem, schedule or STARTS, seed, progress, budget)
        return CoupledOptimum(found, question)


def _chosen(chosen: AbstractCoupled | AbstractGroup, places: np.ndarray) -> dict[str, Any]:
    """A choice by names: of the category, if there are several, and of each variable."""
    category = chosen.categories[int(places[0])]
    named = {"choice": category} if len(chosen.categories) > 1 else {}
    values = [
        (it.name, float(it.grid.values[int(at)]))
        for it, at in zip(chosen.variables, places[1:], strict=True)
    ]
    return named | dict(values)


def _members(problem: AbstractCoupled, places: Places) -> dict[str, dict[str, Any]]:
    return {
        name: _chosen(group, row)
        for group, rows in zip(problem.groups, places.own, strict=True)
        for name, row in zip(group.members, rows, strict=True)
    }


def _shortfalls(found: Found) -> list[str]:
    """What stands in the way, in a sentence each."""
    problem, sentences = found.problem, []
    for place, least in sorted(found.shortfalls.members.items()):
        excess = (
            f"the nearest exceeds one by {math.expm1(least):.1%}"
            if math.isfinite(least)
            else "numbers that they need are not known"
        )
        sentences.append(
            f"{problem.members[place]} has no choice within its own limits for some of what all"
            f" share: {excess}"
        )
    for limit, ratio in zip(problem.limits, found.shortfalls.ratios, strict=True):
        if ratio > 1 + FEASIBLE and math.isfinite(ratio):
            side = "at least" if limit.at_least else "at most"
            sentences.append(
                f"{limit.name}: {side} {limit.bound:g} is asked, and nothing comes nearer than"
                f" {limit.value(math.log(ratio)):.4g}, whatever the members choose"
            )
    return sentences


def _proof(it: CoupledOptimum) -> str:
    """What is proven."""
    found, certificate = it.found, it.certificate
    if not certificate.complete:
        return (
            f"time ran out after {found.searched:,} of {found.of:,} combinations of what all share:"
            " of the others no bound is known"
        )
    if not it.feasible:
        if certificate.method == "bound":
            return "no design meets every limit: bounds exclude each combination of what all share"
        return "no design that meets every limit was found, and none is excluded"
    where = "" if found.of == 1 else f"at each of the {found.of:,} combinations of what all share, "
    return (
        f"no design is better than {certificate.bound:.6g}: {where}prices of the totals bound what"
        " the members can do"
    )
