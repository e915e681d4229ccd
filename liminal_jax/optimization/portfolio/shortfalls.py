"""What a portfolio search has proven, in sentences."""

from collections.abc import Sequence

from liminal_jax.optimization.portfolio.shared_branch_and_bound import (
    BestChip,
    SharedProblem,
    shared_branch_and_bound,
)
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget, Statistics
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.shortfalls import SHORTFALL_BUDGET, shortfalls
from liminal_jax.study.portfolio import Portfolio

ANY = Budget(gap=-UNKNOWN / 2, seconds=SHORTFALL_BUDGET.seconds)
"""A budget that ends a search at the first chip found."""


def proof_reason(portfolio: Portfolio, it: Certificate) -> str:
    """What is proven of the common chip."""
    if it.complete and not it.relative_gap:
        return (
            f"none of the {it.lattice:,} chips of the lattice serves them better, each with"
            f" {portfolio.mappings:,} mappings for every workload, by bounds of {it.boxes:,} boxes"
        )
    early = "" if it.complete else f"the proof stopped early, after bounds of {it.boxes:,} boxes: "
    if it.relative_gap is None:
        return f"{early}nothing is proven"
    return f"{early}no chip can serve them more than {it.relative_gap:.2%} better"


def unserved_reasons(
    portfolio: Portfolio,
    bounded: SharedProblem,
    statistics: Sequence[Statistics],
    unserved: Sequence[int],
) -> list[str]:
    """Why some workloads cannot be served by any chip.

    Args:
        portfolio: The workloads.
        bounded: Their bounded problem.
        statistics: Statistics of the search of each.
        unserved: Indices of the workloads for which no design was found.
    """
    sentences = []
    for number in unserved:
        member, its = portfolio.members[number], bounded.members[number]
        if not len(its.start):
            why = ["no hardware can be evaluated: published numbers are missing"]
        elif not statistics[number].complete:
            why = ["its search stopped early: designs are left that may meet every limit"]
        else:
            none = f"none of the {member.problem.lattice:,} designs meets every limit"
            why = [none, *shortfalls(member.problem, its)]
        sentences += [f"{member.name} cannot be served: {it}" for it in why]
    return sentences


def unshared_reasons(
    portfolio: Portfolio, bounded: SharedProblem, statistics: Statistics
) -> list[str]:
    """Why no chip serves all workloads, although each can be served by itself.

    Args:
        portfolio: The workloads.
        bounded: Their bounded problem.
        statistics: Statistics of the search.
    """
    if not statistics.complete:
        return [
            f"the proof stopped early, after bounds of {statistics.boxes:,} boxes: chips are left"
            " that may serve every workload"
        ]
    sentences = [
        "each workload can be served by itself, but none of the"
        f" {portfolio.lattice:,} chips of the lattice serves all,"
        f" by bounds of {statistics.boxes:,} boxes"
    ]
    numbers = range(len(portfolio.members))
    for left_out in numbers if len(numbers) > 2 else ():
        best = BestChip()
        others = [it for it in numbers if it != left_out]
        shared_branch_and_bound(bounded.these(others), best, ANY)
        if best.chip is not None:
            name = portfolio.members[left_out].name
            sentences.append(f"without {name} there is a chip that serves all others")
    return sentences
