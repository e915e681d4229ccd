"""What the search for a shared chip has shown, in sentences."""

from collections.abc import Sequence

from liminal_jax.optimization.portfolio.shared_branch_and_bound import (
    BestChip,
    SharedProblem,
    shared_branch_and_bound,
)
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget, Statistics
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.shortfalls import WHAT_IS_LACKING, shortfalls
from liminal_jax.study.portfolio import Portfolio

ANY = Budget(gap=-UNKNOWN / 2, seconds=WHAT_IS_LACKING.seconds)
"""Ends a search with the first chip that is found."""


def proof_reason(portfolio: Portfolio, it: Certificate) -> str:
    """What is proven of a shared chip."""
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
    tallies: Sequence[Statistics],
    unserved: Sequence[int],
) -> list[str]:
    """Why some workloads cannot be served even alone.

    Args:
        portfolio: The workloads.
        bounded: Where they are searched.
        tallies: What was done for each.
        unserved: Numbers of those for which no design was found.
    """
    sentences = []
    for number in unserved:
        member, its = portfolio.members[number], bounded.members[number]
        if not len(its.start):
            why = ["no hardware can be judged, for want of published numbers"]
        elif not tallies[number].complete:
            why = ["its search stopped early: designs are left that may meet every limit"]
        else:
            none = f"none of the {member.problem.lattice:,} designs meets every limit"
            why = [none, *shortfalls(member.problem, its)]
        sentences += [f"{member.name} cannot be served: {it}" for it in why]
    return sentences


def unshared_reasons(
    portfolio: Portfolio, bounded: SharedProblem, statistics: Statistics
) -> list[str]:
    """Why no chip serves all workloads, each of which can be served alone.

    Args:
        portfolio: The workloads.
        bounded: Where they are searched.
        statistics: What was done.
    """
    if not statistics.complete:
        return [
            f"the proof stopped early, after bounds of {statistics.boxes:,} boxes: chips are left"
            " that may serve every workload"
        ]
    sentences = [
        "each workload can be served alone, but none of the"
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
