"""What was found of problems that ask the same, each of designs of one structure, as one answer."""

from collections.abc import Sequence

import numpy as np

from liminal_jax.optimization.search.best_design import Finding
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.study.problem import relative_gap


def best_finding(findings: Sequence[Finding]) -> Finding:
    """That of the best design; the first where no design is feasible.

    Args:
        findings: What was found of each structure.
    """
    # Where none is feasible all scores are `UNKNOWN`, and `max` takes the first.
    return max(findings, key=lambda it: float(np.max(it.proof.scores)))


def merged_certificate(findings: Sequence[Finding]) -> Certificate:
    """The certificate of the best design over all structures.

    Args:
        findings: What was found of each structure.
    """
    best = best_finding(findings)
    if len(findings) == 1:
        return best.certificate
    complete = all(it.certificate.complete for it in findings)
    slack = [it.proof.slack + float(np.max(it.proof.scores)) for it in findings]
    bound = gap = None
    if best.feasible and max(slack) < -UNKNOWN / 2:
        score = float(np.max(best.proof.scores))
        bound = best.problem.objective(max(*slack, score))
        gap = relative_gap(bound, best.objective)
    return Certificate(
        method="none" if bound is None and not complete else _proved(findings),
        bound=bound,
        relative_gap=gap,
        lattice=sum(it.certificate.lattice for it in findings),
        evaluated=sum(it.certificate.evaluated for it in findings),
        boxes=sum(it.certificate.boxes for it in findings),
        complete=complete,
    )


def _proved(findings: Sequence[Finding]) -> str:
    """What a bound speaks of: all designs, or the steps in ranges."""
    return "bound" if all(it.continuum is None for it in findings) else "steps"
