"""The limits of the workloads that bind a common chip."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.bounds.boxes import points
from liminal_jax.optimization.portfolio.shared_branch_and_bound import Chip, SharedProblem
from liminal_jax.optimization.search.binding_limits import Binding, binding_of
from liminal_jax.optimization.search.local_search import steps_from
from liminal_jax.study.portfolio import Portfolio
from liminal_jax.study.problem import FEASIBLE


class MemberBinding(NamedTuple):
    """A limit that binds a workload."""

    workload: str
    binding: Binding


class _Near(NamedTuple):
    """The neighbours of one workload's design, the design itself first.

    Attributes:
        scores: Score of each.
        violation: Log violation of each limit, for each neighbour.
    """

    scores: Float[np.ndarray, " moves"]
    violation: Float[np.ndarray, "limits moves"]

    @property
    def broken(self) -> Bool[np.ndarray, "limits moves"]:
        """Which limits each exceeds."""
        return ~(self.violation <= FEASIBLE)


def _near(bounded: SharedProblem, chip: Chip, rows: Int[np.ndarray, "moves axes"]) -> list[_Near]:
    """The neighbours of the design of each workload."""
    last = [int(tree.lengths[0]) - 1 for tree in bounded.trees]
    near = []
    for its, design in zip(bounded.members, chip.designs, strict=True):
        indices = np.clip(design + rows, 0, last).T
        _, results = its.bounds.over(points(indices, bounded.trees))
        near.append(_Near(results[0], results[1:]))
    return near


def _hardware_moves(rows: Int[np.ndarray, "moves axes"], shared: int) -> Int[np.ndarray, " moves"]:
    """For each move, the index of the move of the same hardware and no mapping."""
    alone = rows.copy()
    alone[:, shared:] = 0
    numbers = {tuple(row): number for number, row in enumerate(rows.tolist())}
    return np.asarray([numbers[tuple(row)] for row in alone.tolist()])


def binding_limits_of_chip(
    portfolio: Portfolio, bounded: SharedProblem, chip: Chip
) -> list[MemberBinding]:
    """The limits that exclude every better neighbour of a common chip.

    A neighbour differs by a move of one or two variables: of the hardware, of one workload's
    mapping, or one of each. Where better neighbours exceed limits of several names, those that
    exceed the fewest names count.
    """
    rows = steps_from(tuple(int(tree.lengths[0]) for tree in bounded.trees))
    hardware_only = _hardware_moves(rows, bounded.shared)
    near = _near(bounded, chip, rows)
    broken = np.concatenate(
        [_broken(bounded, chip, near, hardware_only, mover) for mover in range(len(near))], axis=1
    )
    limits = [
        (number, row)
        for number, member in enumerate(portfolio.members)
        for row in range(len(member.problem.limits))
    ]
    names = np.asarray([portfolio.members[it].problem.limits[row].name for it, row in limits])
    counts = np.sum([broken[names == it].any(axis=0) for it in np.unique(names)], axis=0)
    fewest = np.min(counts[counts > 0], initial=len(names))
    bind = broken[:, counts == fewest].any(axis=1)
    return [_bound(portfolio, near, *limits[it]) for it in np.flatnonzero(bind)]


def _broken(
    bounded: SharedProblem,
    chip: Chip,
    near: list[_Near],
    hardware_only: Int[np.ndarray, " moves"],
    mover: int,
) -> Bool[np.ndarray, "limits better"]:
    """Limits of all workloads that better neighbours exceed, where one workload's mapping moves.

    The other workloads move with the hardware only.
    """
    which = [
        np.arange(len(hardware_only)) if it == mover else hardware_only for it in range(len(near))
    ]
    scores = np.stack([it.scores[move] for it, move in zip(near, which, strict=True)], axis=1)
    better = scores @ bounded.weights > chip.score + FEASIBLE
    rows = [it.broken[:, move[better]] for it, move in zip(near, which, strict=True)]
    return np.concatenate(rows, axis=0)


def _bound(portfolio: Portfolio, near: list[_Near], number: int, row: int) -> MemberBinding:
    member = portfolio.members[number]
    violation = float(near[number].violation[row, 0])
    return MemberBinding(member.name, binding_of(member.problem.limits[row], violation))
