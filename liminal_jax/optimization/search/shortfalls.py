"""What a search has shown, in sentences."""

import numpy as np

from liminal_jax.optimization.search.binding_limits import Binding, binding_of
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import BoundedProblem, Certificate, least_excess
from liminal_jax.study.problem import FEASIBLE, Outcome, Problem

WHAT_IS_LACKING = Budget(seconds=10.0)
"""How long it is looked for each thing that an infeasible study lacks."""


def shortfalls(problem: Problem, bounded: BoundedProblem) -> list[str]:
    """How far each limit is from being met when all others are, nearest first."""
    found = [least_excess(bounded, it, WHAT_IS_LACKING) for it in range(len(problem.limits))]
    known = [(short, index) for index, short in enumerate(found) if short is not None]
    sentences = []
    for short, index in sorted(known):
        it = binding_of(problem.limits[index], short)
        side = "at least" if problem.limits[index].at_least else "at most"
        away = f" ({abs(it.value / it.limit - 1):.1%} off)" if it.limit else ""
        sentences.append(
            f"{it.constraint} {side} {it.limit:.4g} {it.unit} cannot be met: with every other limit"
            f" met, {it.value:.4g} is the best{away}".replace("  ", " ")
        )
    return sentences or ["no limit can be met by giving up one other; several must give"]


def unknown_numbers(problem: Problem, outcome: Outcome, category: str) -> list[str]:
    """Which unknown numbers keep a design from being judged; nothing where none do."""
    violation = np.asarray(outcome.violation)
    names = [it.name for it, over in zip(problem.limits, violation, strict=True) if np.isnan(over)]
    if problem.criterion is not None and np.isnan(float(outcome.score)):
        names.append(problem.criterion.name)
    if not names:
        return []
    return [
        f"{', '.join(dict.fromkeys(names))} of {category} cannot be judged, for want of"
        " published numbers; state them in a system file of your own: liminal systems new mine"
        f" --like {category}"
    ]


def same_for_all(bounded: BoundedProblem) -> bool:
    """Whether the objective does not tell the designs of a lattice apart."""
    low, high = bounded.bounds.over(bounded.start)
    return bool(high[0].max() - low[0].min() <= FEASIBLE)


def proof_reasons(
    problem: Problem, bounded: BoundedProblem, it: Certificate, binding: list[Binding]
) -> list[str]:
    """What is proven of a design, or why there is none.

    Args:
        problem: The study.
        bounded: Its lattice.
        it: What is proven.
        binding: Limits that bind the design, or that the nearest one exceeds.
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
        same = f"{problem.asked} is the same for every design of the lattice"
        return [f"{designs} is better, {by}", *([same] if same_for_all(bounded) else [])]
    if it.relative_gap is not None:
        early = "" if it.complete else f"{stopped}: "
        return [f"{early}no design can be more than {it.relative_gap:.2%} better"]
    return [f"{stopped}: nothing is proven"]


def exceeding(it: Binding) -> str:
    """A limit and what stands against it."""
    return f"{it.constraint}: {it.value:.4g} against a limit of {it.limit:.4g} {it.unit}".rstrip()
