"""Branch and bound over common hardware: the best chip for several workloads, and the proof.

The nodes are boxes of hardware. On each of them every workload chooses a mapping for itself, so a
node holds cases: pairs of a workload and a box of its mappings. The bound of a workload on a node
is the largest bound of its cases; the bound of the node is the weighted mean of these over the
workloads. That is a relaxation, since each workload may take other hardware of the box; it becomes
exact as boxes shrink to single designs. A single workload is a special case.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.bounds.boxes import Boxes, Halves, points
from liminal_jax.optimization.search.branch_and_bound import (
    LARGEST_DROP,
    MARGIN,
    UNKNOWN,
    Budget,
    PseudoCosts,
    Statistics,
)
from liminal_jax.optimization.search.certificate import BoundedProblem, objective_bounds

CASES_AT_ONCE = 40_000
"""Cases on the nodes of one round."""

PRICE_OF_HARDWARE = 4.0
"""Ratio of expected drops above which hardware is halved rather than mappings. Halving hardware
doubles every case on a node, halving mappings only the leading ones. For eight models at once the
number of boxes varies by a quarter between 3 and 20, and is three times as large at 1."""

LARGEST_GAIN = 1e3
"""Bounds are clipped to this, beyond the logarithm of any float, so that their mean is finite."""


@dataclass(frozen=True)
class SharedProblem:
    """Bounded problems of several workloads on common hardware.

    Attributes:
        members: The bounded problem of each workload; all have the same lattice.
        weights: Weight of each workload; the sum is 1.
        shared: Number of axes of hardware, which are the first of the lattice.
    """

    members: tuple[BoundedProblem, ...]
    weights: Float[np.ndarray, " workloads"]
    shared: int

    @property
    def trees(self) -> tuple[Halves, ...]:
        """Trees of all axes."""
        return self.members[0].bounds.trees

    @property
    def start(self) -> Boxes:
        """Boxes that together hold all hardware on which every workload can be evaluated."""
        categories = set.intersection(*(set(it.start.nodes[0].tolist()) for it in self.members))
        nodes = np.zeros((self.shared, len(categories)), np.int32)
        nodes[0] = sorted(categories)
        return Boxes(nodes, self.trees[: self.shared])

    def these(self, workloads: Sequence[int]) -> "SharedProblem":
        """The problem of some of the workloads."""
        weights = self.weights[list(workloads)]
        members = tuple(self.members[it] for it in workloads)
        return SharedProblem(members, weights / weights.sum(), self.shared)

    def hardware(self, indices: Int[np.ndarray, "axes designs"]) -> Boxes:
        """Boxes of single hardware."""
        return points(indices, self.trees[: self.shared])


class Chip(NamedTuple):
    """A chip with the best design of each workload on it.

    Attributes:
        score: Weighted mean of the scores.
        scores: Score of each workload.
        designs: Indices of the design of each workload; they agree on the hardware.
    """

    score: float
    scores: Float[np.ndarray, " workloads"]
    designs: Int[np.ndarray, "workloads axes"]


class BestChip:
    """The best chip known.

    Attributes:
        chip: The chip; None where none is known.
    """

    def __init__(self, chip: Chip | None = None):
        self.chip = chip

    @property
    def score(self) -> float:
        """Its score; `UNKNOWN` where none is known."""
        return UNKNOWN if self.chip is None else self.chip.score

    def update(self, chip: Chip) -> None:
        """Replace the best chip by one that serves every workload, if that is better."""
        if chip.score > self.score:
            self.chip = chip


@dataclass(frozen=True)
class _Cases:
    """Cases: on a box of hardware, a box of mappings of one workload.

    Attributes:
        owners: Index of the box of hardware.
        workloads: Index of the workload.
        boxes: The box of designs: hardware and mappings.
        scores: Upper bound of the score.
    """

    owners: Int[np.ndarray, " cases"]
    workloads: Int[np.ndarray, " cases"]
    boxes: Boxes
    scores: Float[np.ndarray, " cases"]

    def some(self, which: np.ndarray) -> "_Cases":
        return _Cases(
            self.owners[which],
            self.workloads[which],
            self.boxes.some(which),
            self.scores[which],
        )

    def with_others(self, others: "_Cases") -> "_Cases":
        return _Cases(
            np.concatenate([self.owners, others.owners]),
            np.concatenate([self.workloads, others.workloads]),
            self.boxes.with_others(others.boxes),
            np.concatenate([self.scores, others.scores]),
        )


@dataclass(frozen=True)
class _OpenBoxes:
    """Open boxes of hardware, and the cases on them.

    Attributes:
        bounded: The problem.
        hardware: The boxes of hardware.
        cases: The cases, in no order.
        leads: Upper bound of the score of each workload on each box; minus infinity where the
            workload cannot be served.
    """

    bounded: SharedProblem
    hardware: Boxes
    cases: _Cases
    leads: Float[np.ndarray, "boxes workloads"]

    def __len__(self) -> int:
        return len(self.hardware)

    @property
    def scores(self) -> Float[np.ndarray, " boxes"]:
        """Upper bound of the weighted score of each box of hardware."""
        return self.leads @ self.bounded.weights

    def some(self, which: Bool[np.ndarray, " boxes"]) -> "_OpenBoxes":
        """The boxes of hardware where a mask is true."""
        numbers = np.cumsum(which) - 1
        cases = self.cases.some(which[self.cases.owners])
        renumbered = _Cases(numbers[cases.owners], cases.workloads, cases.boxes, cases.scores)
        return _OpenBoxes(self.bounded, self.hardware.some(which), renumbered, self.leads[which])

    def with_others(self, others: "_OpenBoxes") -> "_OpenBoxes":
        """These boxes and others."""
        cases = others.cases
        moved = _Cases(cases.owners + len(self), cases.workloads, cases.boxes, cases.scores)
        return _OpenBoxes(
            self.bounded,
            self.hardware.with_others(others.hardware),
            self.cases.with_others(moved),
            np.concatenate([self.leads, others.leads]),
        )

    def prune(self, score: float) -> "_OpenBoxes":
        """The boxes and cases that may lead to a better score."""
        left = self.some(self.scores > score)
        # A case can be pruned by itself: with its workload in this case, the bound of the box falls
        # by the weighted distance of the case from the leading one. Where that reaches all that the
        # box has above the incumbent, no better chip uses the case.
        owners, workloads = left.cases.owners, left.cases.workloads
        behind = left.leads[owners, workloads] - left.cases.scores
        spare = (left.scores - score)[owners]
        kept = self.bounded.weights[workloads] * behind < spare
        return _OpenBoxes(self.bounded, left.hardware, left.cases.some(kept), left.leads)

    def leading(self) -> Int[np.ndarray, "boxes workloads"]:
        """Index of the case of the largest bound, of each workload on each box."""
        groups = self.cases.owners * self.leads.shape[1] + self.cases.workloads
        order = np.lexsort((-self.cases.scores, groups))
        first = np.flatnonzero(np.diff(groups[order], prepend=-1))
        return order[first].reshape(self.leads.shape)


def _open_boxes(bounded: SharedProblem, hardware: Boxes, cases: _Cases) -> _OpenBoxes:
    """Open boxes of hardware from all of their cases."""
    leads = np.full((len(hardware), len(bounded.members)), -np.inf)
    np.maximum.at(leads.reshape(-1), cases.owners * leads.shape[1] + cases.workloads, cases.scores)
    return _OpenBoxes(bounded, hardware, cases, leads)


def _bounded(bounded: SharedProblem, cases: _Cases) -> tuple[_Cases, Bool[np.ndarray, " cases"]]:
    """Cases with bounds, never above those of their parents; and which may be feasible."""
    scores, possible = cases.scores.copy(), np.zeros(len(cases.scores), bool)
    for workload, its in enumerate(bounded.members):
        mine = np.flatnonzero(cases.workloads == workload)
        boxes = cases.boxes.some(mine)
        node_bounds = objective_bounds(*its.bounds.over(boxes))
        scores[mine] = np.minimum(scores[mine], node_bounds.scores[0])
        possible[mine] = node_bounds.possible & (node_bounds.certain | (boxes.designs > 1))
    scores = np.maximum(scores, -LARGEST_GAIN)
    return _Cases(cases.owners, cases.workloads, cases.boxes, scores), possible


def _root(bounded: SharedProblem, hardware: Boxes) -> _OpenBoxes:
    """The root nodes: boxes of hardware, each with all mappings of every workload."""
    count, others = len(bounded.members), len(bounded.trees) - bounded.shared
    nodes = np.pad(np.repeat(hardware.nodes, count, axis=1), ((0, others), (0, 0)))
    cases = _Cases(
        owners=np.repeat(np.arange(len(hardware)), count),
        workloads=np.tile(np.arange(count), len(hardware)),
        boxes=Boxes(nodes, bounded.trees),
        scores=np.full(len(hardware) * count, LARGEST_GAIN),
    )
    known, possible = _bounded(bounded, cases)
    return _open_boxes(bounded, hardware, known.some(possible))


def _single(boxes: Boxes) -> Bool[np.ndarray, " boxes"]:
    return np.all(boxes.lengths == 1, axis=0)


def _fathom_single(left: _OpenBoxes, best: BestChip) -> tuple[_OpenBoxes, int]:
    """The boxes that stay open, once single chips with single mappings have updated the best chip.

    Also returns the number of chips evaluated.
    """
    single = np.flatnonzero(_single(left.hardware))
    if not len(single):
        return left, 0
    which = np.zeros(len(left), bool)
    which[single] = True
    pieces = left.some(which)
    leading = pieces.leading()
    # The leading cases are exact bounds of single designs: no other mapping of this chip is better.
    chosen = _single(pieces.cases.boxes)[leading].all(axis=1)
    for number in np.flatnonzero(chosen):
        cases = pieces.cases.some(leading[number])
        score = float(pieces.scores[number])
        best.update(Chip(score, cases.scores, cases.boxes.first.T))
    which[single[~chosen]] = False
    return left.some(~which), int(np.sum(chosen))


class _Costs:
    """The pseudo-costs of each workload."""

    def __init__(self, bounded: SharedProblem):
        self._widths = bounded.members[0].widths
        self._costs = [PseudoCosts(len(bounded.trees)) for _ in bounded.members]

    def widths(self, boxes: Boxes) -> Float[np.ndarray, "axes boxes"]:
        """Width of each axis of some boxes."""
        return np.stack([it[row] for it, row in zip(self._widths, boxes.nodes, strict=True)])

    def expected(self, cases: _Cases) -> Float[np.ndarray, "axes cases"]:
        """Expected drop from halving each axis of each case; below 0 for single values."""
        widths, lengths = self.widths(cases.boxes), cases.boxes.lengths
        drops = np.empty(widths.shape)
        for workload, costs in enumerate(self._costs):
            mine = cases.workloads == workload
            drops[:, mine] = costs.expected(widths[:, mine], lengths[:, mine])
        return drops

    def observe(
        self, workloads: np.ndarray, axes: np.ndarray, widths: np.ndarray, drops: np.ndarray
    ) -> None:
        """Update the pseudo-costs of each workload."""
        for workload, costs in enumerate(self._costs):
            mine = workloads == workload
            costs.observe(axes[mine], widths[mine], drops[mine])


class _Choice(NamedTuple):
    """A branching decision.

    Attributes:
        hardware: Axis along which each box of hardware is halved; -1 where it is not.
        cases: Indices of the cases to be halved.
        axes: Axis along which each of these is halved.
    """

    hardware: Int[np.ndarray, " boxes"]
    cases: Int[np.ndarray, " halved"]
    axes: Int[np.ndarray, " halved"]


def _branching(now: _OpenBoxes, costs: _Costs) -> _Choice:
    """The branching rule: on each node the halving of the largest expected drop of its bound.

    Either the hardware is halved, and with it every case; or for each workload those cases are
    halved whose bounds would be the largest once the leading case's has dropped.
    """
    bounded, cases = now.bounded, now.cases
    expected = costs.expected(cases)
    leading = now.leading()
    drops_of_hardware = expected[: bounded.shared, leading] @ bounded.weights
    hardware = drops_of_hardware.argmax(axis=0)
    drop = drops_of_hardware.max(axis=0)

    expected[: bounded.shared] = -1.0
    axes, drops = expected.argmax(axis=0), np.maximum(expected.max(axis=0), 0.0)
    halved = (drop > 0) & (drop >= PRICE_OF_HARDWARE * (drops[leading] @ bounded.weights))

    at = cases.owners, cases.workloads
    foremost = cases.scores >= now.leads[at] - drops[leading][at]
    with_hardware = halved[cases.owners]
    which = np.flatnonzero(with_hardware | (foremost & (drops > 0)))
    return _Choice(
        hardware=np.where(halved, hardware, -1),
        cases=which,
        axes=np.where(with_hardware, hardware[cases.owners], axes)[which],
    )


def _branch(now: _OpenBoxes, costs: _Costs) -> tuple[_OpenBoxes, int]:
    """The boxes after branching, and the number of cases bounded."""
    choice = _branching(now, costs)
    split = np.flatnonzero(choice.hardware >= 0)
    parts = now.hardware.some(split).halved(choice.hardware[split])
    nodes = now.hardware.nodes.copy()
    nodes[:, split] = parts.nodes[:, : len(split)]
    hardware = Boxes(nodes, now.hardware.trees).with_others(
        parts.some(slice(len(split), 2 * len(split)))
    )
    # The lower half of a box keeps its number, the upper half gets one after all others.
    upper = np.arange(len(now))
    upper[split] = len(now) + np.arange(len(split))

    parents = now.cases.some(choice.cases)
    children = _Cases(
        owners=np.concatenate([parents.owners, upper[parents.owners]]),
        workloads=np.tile(parents.workloads, 2),
        boxes=parents.boxes.halved(choice.axes),
        scores=np.tile(parents.scores, 2),
    )
    bounded, possible = _bounded(now.bounded, children)
    widths = np.take_along_axis(costs.widths(parents.boxes), choice.axes[None], axis=0)[0]
    drops = np.where(possible, children.scores - bounded.scores, LARGEST_DROP)
    costs.observe(
        bounded.workloads,
        np.tile(choice.axes, 2),
        np.tile(widths, 2),
        np.minimum(drops, LARGEST_DROP),
    )
    kept = np.ones(len(now.cases.scores), bool)
    kept[choice.cases] = False
    cases = now.cases.some(kept).with_others(bounded.some(possible))
    return _open_boxes(now.bounded, hardware, cases), len(possible)


def _most_promising(left: _OpenBoxes) -> tuple[_OpenBoxes, _OpenBoxes]:
    """The boxes of the largest bounds, to be branched next, and the others."""
    counts = np.bincount(left.cases.owners, minlength=len(left))
    order = np.argsort(-left.scores)
    before = np.cumsum(counts[order]) - counts[order]
    which = np.zeros(len(left), bool)
    which[order[before < CASES_AT_ONCE]] = True
    return left.some(which), left.some(~which)


def shared_branch_and_bound(
    bounded: SharedProblem,
    best: BestChip,
    budget: Budget | None = None,
    on_progress: Callable[[Statistics], None] = lambda _: None,
    start: Boxes | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """The best common hardware of some workloads, with the proof that none is better.

    Args:
        bounded: The problem.
        best: The best chip known; updated in place.
        budget: When to stop before the proof is complete.
        on_progress: Called with the statistics after each round.
        start: Boxes of hardware to search; all that can be evaluated if None.
        clock: Seconds from some origin.

    Returns:
        Statistics, whose designs are chips. Where they are not complete, `open_margin` bounds what
        could still be gained.
    """
    budget = Budget() if budget is None else budget
    begin, costs, tolerance = clock(), _Costs(bounded), max(MARGIN, budget.gap)
    hardware = bounded.start if start is None else start
    total = float(np.sum(hardware.designs))
    left = _root(bounded, hardware)
    boxes, evaluated = len(hardware) * len(bounded.members), 0
    while True:
        left, settled = _fathom_single(left.prune(best.score + tolerance), best)
        left = left.prune(best.score + tolerance)
        evaluated += settled
        most = float(np.max(left.scores, initial=-np.inf))
        covered = total - float(np.sum(left.hardware.designs))
        statistics = Statistics(boxes, covered, evaluated, most - best.score, most)
        on_progress(statistics)
        if not len(left) or clock() - begin >= budget.seconds:
            return statistics
        now, later = _most_promising(left)
        halves, count = _branch(now, costs)
        left, boxes = later.with_others(halves), boxes + count
