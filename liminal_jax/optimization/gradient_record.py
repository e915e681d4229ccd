"""What gradients found, and how the proof closed: records and words."""

import math
from typing import Any

import numpy as np

from liminal_jax.optimization.search.best_design import Finding
from liminal_jax.optimization.search.gradient_search import GradientSearch, Reached
from liminal_jax.optimization.search.termination import Termination
from liminal_jax.results.words import quantity
from liminal_jax.study.problem import Problem
from liminal_jax.study.report import number
from liminal_jax.study.write import written

MOMENTS = 32
"""Steps of a descent, and rounds of a proof, that a record holds."""

ENDED = (Termination.CONVERGED, Termination.AT_BOUNDS)
"""Terminations of descents that have converged."""


def gap_between(value: float, answer: float) -> float | None:
    """Relative difference of an objective from the answer's; None where either is not known."""
    return number(abs(value - answer) / abs(answer)) if answer else None


def _reached(problem: Problem, it: Reached | None) -> dict[str, Any] | None:
    if it is None:
        return None
    return {
        "objective": number(it.objective),
        "feasible": it.feasible,
        "values": {problem.region.kind: it.solution.category, **written(it.solution.values)},
    }


def _some(count: int) -> np.ndarray:
    """Places of some of so many moments, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOMENTS)).round().astype(int))


def _descent(problem: Problem, found: GradientSearch) -> dict[str, Any]:
    """The best start and the middle one, step by step."""
    history, best = found.ends.history, found.ends.best()
    excess = np.expm1(np.minimum(np.maximum(history.violation, 0.0), 20.0))
    steps = _some(len(history.temperature))

    def line(scores: np.ndarray, violations: np.ndarray) -> dict[str, Any]:
        return {
            "objective": [number(problem.objective(float(it))) for it in scores[steps]],
            "violation": [number(float(it)) for it in violations[steps]],
        }

    return {
        "step": steps.tolist(),
        "temperature": [float(it) for it in history.temperature[steps]],
        "best": line(history.score[:, best], excess[:, best]),
        "median": line(np.median(history.score, axis=1), np.median(excess, axis=1)),
    }


def gradients_record(finding: Finding) -> dict[str, Any] | None:
    """What gradients found; None where they were not asked.

    Violations of the history are shares by which the worst limit is exceeded.
    """
    found, problem = finding.gradients, finding.problem
    if found is None:
        return None
    ends = found.ends
    reached = {"relaxed": found.relaxed, "snapped": found.snapped, "polished": found.polished}
    counts = {it.name.lower(): ends.count(it) for it in Termination}
    return {
        "starts": len(found.starts.category),
        "steps": len(ends.history.temperature),
        "converged": ends.count(*ENDED),
        "terminations": {name: count for name, count in counts.items() if count},
        **{name: _reached(problem, it) for name, it in reached.items()},
        "gap_to_answer": {
            name: None if it is None else gap_between(it.objective, finding.objective)
            for name, it in reached.items()
        },
        "seconds": found.seconds,
        "history": _descent(problem, found),
    }


def proof_record(finding: Finding) -> dict[str, Any]:
    """How the proof closed: the best design known and the bound, round by round."""
    closing = finding.closing
    rounds = _some(len(closing.seconds)) if closing.seconds else []
    return {
        "seconds": {
            name: finding.seconds[name]
            for name in ("bound the model", "prove")
            if name in finding.seconds
        },
        "history": {
            name: [number(getattr(closing, name)[it]) for it in rounds]
            for name in ("seconds", "incumbent", "bound")
        },
    }


def descent_words(finding: Finding) -> str:
    """What gradients found, in a line."""
    found, goal = finding.gradients, finding.problem.goal
    if found is None:
        return "not asked"
    ends = found.ends
    words = [f"{ends.count(*ENDED)} of {len(found.starts.category)} starts converged"]
    for name, it in (("relaxed", found.relaxed), ("polished", found.polished)):
        if it is not None and it.feasible and math.isfinite(it.objective):
            away = gap_between(it.objective, finding.objective)
            gap = "" if away is None else f" ({away:.2%} from the answer)"
            words.append(f"{name} {quantity(goal.name, it.objective, goal.unit)}{gap}")
    return ", ".join(words)
