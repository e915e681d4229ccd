"""What a search has proven, in sentences, and by how much limits are missed."""

import numpy as np

from liminal_jax.optimization.search.binding_limits import Binding, binding_of
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import BoundedProblem, Certificate, least_violation
from liminal_jax.results.words import constraint_word, quantity_word
from liminal_jax.study.problem import FEASIBLE, Outcome, Problem

SHORTFALL_BUDGET = Budget(seconds=10.0)
"""Budget of the search for the least violation of each limit of an infeasible study."""


def shortfalls(problem: Problem, bounded: BoundedProblem) -> list[str]:
    """By how much each limit is missed when all others are met, the smallest shortfall first."""
    found = [least_violation(bounded, it, SHORTFALL_BUDGET) for it in range(len(problem.limits))]
    known = [(short, index) for index, short in enumerate(found) if short is not None]
    sentences = []
    for short, index in sorted(known):
        it = binding_of(problem.limits[index], short)
        side = "at least" if problem.limits[index].at_least else "at most"
        away = f" ({abs(it.value / it.limit - 1):.1%} off)" if it.limit else ""
        sentences.append(
            f"{constraint_word(it.constraint)} {side} {it.limit:.4g} {it.unit} cannot be met: with"
            f" every other limit met, {it.value:.4g} is the best{away}".replace("  ", " ")
        )
    return sentences or ["no limit can be met by relaxing one other alone; several must be relaxed"]


def unknown_numbers(problem: Problem, outcome: Outcome, category: str) -> list[str]:
    """The quantities of a design that cannot be evaluated, as a sentence; empty if all can."""
    violation = np.asarray(outcome.violation)
    names = [it.name for it, over in zip(problem.limits, violation, strict=True) if np.isnan(over)]
    if problem.criterion is not None and np.isnan(float(outcome.score)):
        names.append(problem.criterion.name)
    if not names:
        return []
    unknown = ", ".join(map(constraint_word, dict.fromkeys(names)))
    return [
        f"{unknown} of {category} cannot be evaluated: published numbers"
        " are missing; state them in a system file of your own: liminal systems new mine"
        f" --like {category}"
    ]


def missing_data(problem: Problem, bounded: BoundedProblem) -> list[str]:
    """A sentence on the categories whose data lack numbers; none where all can be evaluated.

    Args:
        problem: The problem.
        bounded: The same with bounds.
    """
    evaluable = set(bounded.categories.tolist())
    names = [name for row, name in enumerate(problem.categories) if row not in evaluable]
    missing = "cannot be evaluated: published numbers are missing"
    return [f"{', '.join(names)} {missing}"] if names else []


def same_for_all(bounded: BoundedProblem) -> bool:
    """Whether the objective is the same for every design of a lattice."""
    low, high = bounded.bounds.over(bounded.start)
    return bool(high[0].max() - low[0].min() <= FEASIBLE)


def proof_reasons(
    problem: Problem, bounded: BoundedProblem, it: Certificate, binding: list[Binding]
) -> list[str]:
    """What is proven of the best design, or why no design is feasible.

    Args:
        problem: The problem.
        bounded: The same with bounds.
        it: Its certificate.
        binding: Limits that bind the best design, or that the design of least violation exceeds.
    """
    designs = f"none of the {it.lattice:,} designs of the lattice"
    by = f"by bounds of {it.boxes:,} boxes"
    stopped = f"the proof stopped early, after bounds of {it.boxes:,} boxes"
    worst = [exceeded for exceeded in binding if exceeded.slack < 0]
    if worst:
        still = "the nearest design still has " + "; ".join(map(exceeding, worst))
        if it.complete:
            return [f"{designs} meets every limit, {by}", *shortfalls(problem, bounded), still]
        return [f"{stopped}: designs are left that may meet every limit", still]
    if it.complete and not it.relative_gap:
        same = f"{quantity_word(problem.asked)} is the same for every design of the lattice"
        return [f"{designs} is better, {by}", *([same] if same_for_all(bounded) else [])]
    if it.relative_gap is not None:
        early = "" if it.complete else f"{stopped}: "
        return [f"{early}no design can be more than {it.relative_gap:.2%} better"]
    return [f"{stopped}: nothing is proven"]


def exceeding(it: Binding) -> str:
    """A limit and the value that exceeds it."""
    name = constraint_word(it.constraint)
    return f"{name}: {it.value:.4g} against a limit of {it.limit:.4g} {it.unit}".rstrip()
