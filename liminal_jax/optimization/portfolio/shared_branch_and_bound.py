"""Branch and bound over hardware that several workloads share: the best chip, and the proof.

Boxes of hardware are searched, not of whole designs: on each box of hardware every workload has
mappings of its own to choose from, held as boxes too. What a workload may gain from the hardware is
the most that one of its boxes of mappings may gain; what the hardware may gain is the weighted mean
of that over the workloads. A workload alone is searched in the same way.
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
"""Cases on the boxes of hardware that are worked on in one go."""

PRICE_OF_HARDWARE = 4.0
"""How many times the drop of halving mappings must be hoped for of halving hardware: it doubles
every case on the hardware, the other only the leading ones. Between 3 and 20 the boxes of eight
models at once differ by a quarter; at 1 there are three times as many."""

LARGEST_GAIN = 1e3
"""Bounds are cut off here, beyond any logarithm of a float, so that their mean is a number."""


@dataclass(frozen=True)
class SharedProblem:
    """Where hardware that workloads share is searched.

    Attributes:
        members: Where the designs of each workload are searched; all on the same lattice.
        weights: Weight of each workload; together 1.
        shared: How many axes, the first of the lattice, are hardware.
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
        """Boxes that together hold all hardware that every workload can be judged on."""
        categories = set.intersection(*(set(it.start.nodes[0].tolist()) for it in self.members))
        nodes = np.zeros((self.shared, len(categories)), np.int32)
        nodes[0] = sorted(categories)
        return Boxes(nodes, self.trees[: self.shared])

    def these(self, workloads: Sequence[int]) -> "SharedProblem":
        """Where some of the workloads are searched without the others."""
        weights = self.weights[list(workloads)]
        members = tuple(self.members[it] for it in workloads)
        return SharedProblem(members, weights / weights.sum(), self.shared)

    def hardware(self, indices: Int[np.ndarray, "axes designs"]) -> Boxes:
        """Boxes of one piece of hardware each."""
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
        chip: It; none where none is known.
    """

    def __init__(self, chip: Chip | None = None):
        self.chip = chip

    @property
    def score(self) -> float:
        """Its score; `UNKNOWN` where none is known."""
        return UNKNOWN if self.chip is None else self.chip.score

    def offer(self, chip: Chip) -> None:
        """Take note of a chip that serves every workload."""
        if chip.score > self.score:
            self.chip = chip


@dataclass(frozen=True)
class _Cases:
    """Cases: on a box of hardware, a box of mappings of one workload.

    Attributes:
        owners: Number of the box of hardware.
        workloads: Number of the workload.
        boxes: The box of designs: the hardware's, and mappings.
        gains: Upper bound of the score.
    """

    owners: Int[np.ndarray, " cases"]
    workloads: Int[np.ndarray, " cases"]
    boxes: Boxes
    gains: Float[np.ndarray, " cases"]

    def some(self, which: np.ndarray) -> "_Cases":
        return _Cases(
            self.owners[which],
            self.workloads[which],
            self.boxes.some(which),
            self.gains[which],
        )

    def with_others(self, others: "_Cases") -> "_Cases":
        return _Cases(
            np.concatenate([self.owners, others.owners]),
            np.concatenate([self.workloads, others.workloads]),
            self.boxes.with_others(others.boxes),
            np.concatenate([self.gains, others.gains]),
        )


@dataclass(frozen=True)
class _Open:
    """Boxes of hardware that are left, and the cases on them.

    Attributes:
        bounded: Where it is.
        hardware: The boxes of hardware.
        cases: The cases, in no order.
        leads: The most that each workload may gain on each box; minus infinity for nothing.
    """

    bounded: SharedProblem
    hardware: Boxes
    cases: _Cases
    leads: Float[np.ndarray, "boxes workloads"]

    def __len__(self) -> int:
        return len(self.hardware)

    @property
    def gains(self) -> Float[np.ndarray, " boxes"]:
        """The most that each box of hardware may gain."""
        return self.leads @ self.bounded.weights

    def some(self, which: Bool[np.ndarray, " boxes"]) -> "_Open":
        """The boxes of hardware of a mask."""
        numbers = np.cumsum(which) - 1
        cases = self.cases.some(which[self.cases.owners])
        renumbered = _Cases(numbers[cases.owners], cases.workloads, cases.boxes, cases.gains)
        return _Open(self.bounded, self.hardware.some(which), renumbered, self.leads[which])

    def with_others(self, others: "_Open") -> "_Open":
        """These boxes and others."""
        cases = others.cases
        moved = _Cases(cases.owners + len(self), cases.workloads, cases.boxes, cases.gains)
        return _Open(
            self.bounded,
            self.hardware.with_others(others.hardware),
            self.cases.with_others(moved),
            np.concatenate([self.leads, others.leads]),
        )

    def worthwhile(self, score: float) -> "_Open":
        """What may lead to chips of a better score."""
        left = self.some(self.gains > score)
        owners, workloads = left.cases.owners, left.cases.workloads
        behind = left.leads[owners, workloads] - left.cases.gains
        spare = (left.gains - score)[owners]
        kept = self.bounded.weights[workloads] * behind < spare
        return _Open(self.bounded, left.hardware, left.cases.some(kept), left.leads)

    def leading(self) -> Int[np.ndarray, "boxes workloads"]:
        """Number of the case that may gain most, of each workload on each box."""
        groups = self.cases.owners * self.leads.shape[1] + self.cases.workloads
        order = np.lexsort((-self.cases.gains, groups))
        first = np.flatnonzero(np.diff(groups[order], prepend=-1))
        return order[first].reshape(self.leads.shape)


def _opened(bounded: SharedProblem, hardware: Boxes, cases: _Cases) -> _Open:
    """Boxes of hardware with the cases that are on them, in which no other may be missing."""
    leads = np.full((len(hardware), len(bounded.members)), -np.inf)
    np.maximum.at(leads.reshape(-1), cases.owners * leads.shape[1] + cases.workloads, cases.gains)
    return _Open(bounded, hardware, cases, leads)


def _bounded(bounded: SharedProblem, cases: _Cases) -> tuple[_Cases, Bool[np.ndarray, " cases"]]:
    """Cases with what they may gain, at most what they came with; and which can be at all."""
    gains, possible = cases.gains.copy(), np.zeros(len(cases.gains), bool)
    for workload, its in enumerate(bounded.members):
        mine = np.flatnonzero(cases.workloads == workload)
        boxes = cases.boxes.some(mine)
        node_bounds = objective_bounds(*its.bounds.over(boxes))
        gains[mine] = np.minimum(gains[mine], node_bounds.gains[0])
        possible[mine] = node_bounds.possible & (node_bounds.certain | (boxes.designs > 1))
    gains = np.maximum(gains, -LARGEST_GAIN)
    return _Cases(cases.owners, cases.workloads, cases.boxes, gains), possible


def _whole(bounded: SharedProblem, hardware: Boxes) -> _Open:
    """Boxes of hardware, each with all mappings of every workload."""
    count, others = len(bounded.members), len(bounded.trees) - bounded.shared
    nodes = np.pad(np.repeat(hardware.nodes, count, axis=1), ((0, others), (0, 0)))
    cases = _Cases(
        owners=np.repeat(np.arange(len(hardware)), count),
        workloads=np.tile(np.arange(count), len(hardware)),
        boxes=Boxes(nodes, bounded.trees),
        gains=np.full(len(hardware) * count, LARGEST_GAIN),
    )
    known, possible = _bounded(bounded, cases)
    return _opened(bounded, hardware, known.some(possible))


def _single(boxes: Boxes) -> Bool[np.ndarray, " boxes"]:
    return np.all(boxes.lengths == 1, axis=0)


def _settled(left: _Open, best: BestChip) -> tuple[_Open, int]:
    """What is left when single pieces of hardware, with mappings chosen, have been looked at."""
    alone = np.flatnonzero(_single(left.hardware))
    if not len(alone):
        return left, 0
    which = np.zeros(len(left), bool)
    which[alone] = True
    pieces = left.some(which)
    leading = pieces.leading()
    chosen = _single(pieces.cases.boxes)[leading].all(axis=1)
    for number in np.flatnonzero(chosen):
        cases = pieces.cases.some(leading[number])
        score = float(pieces.gains[number])
        best.offer(Chip(score, cases.gains, cases.boxes.first.T))
    which[alone[~chosen]] = False
    return left.some(~which), int(np.sum(chosen))


class _Costs:
    """What halving each axis has brought each workload, and what it can be hoped to bring."""

    def __init__(self, bounded: SharedProblem):
        self._widths = bounded.members[0].widths
        self._costs = [PseudoCosts(len(bounded.trees)) for _ in bounded.members]

    def widths(self, boxes: Boxes) -> Float[np.ndarray, "axes boxes"]:
        """Width of each axis of some boxes."""
        return np.stack([it[row] for it, row in zip(self._widths, boxes.nodes, strict=True)])

    def expected(self, cases: _Cases) -> Float[np.ndarray, "axes cases"]:
        """The drop to be expected of halving each axis of each case; below 0 for single values."""
        widths, lengths = self.widths(cases.boxes), cases.boxes.lengths
        drops = np.empty(widths.shape)
        for workload, costs in enumerate(self._costs):
            mine = cases.workloads == workload
            drops[:, mine] = costs.expected(widths[:, mine], lengths[:, mine])
        return drops

    def learn(
        self, workloads: np.ndarray, axes: np.ndarray, widths: np.ndarray, drops: np.ndarray
    ) -> None:
        """Take note of what halving has brought."""
        for workload, costs in enumerate(self._costs):
            mine = workloads == workload
            costs.learn(axes[mine], widths[mine], drops[mine])


class _Choice(NamedTuple):
    """What is to be halved.

    Attributes:
        hardware: Axis along which each box of hardware is; -1 for those that are kept.
        cases: Numbers of the cases that are.
        axes: Axis along which each of these is.
    """

    hardware: Int[np.ndarray, " boxes"]
    cases: Int[np.ndarray, " halved"]
    axes: Int[np.ndarray, " halved"]


def _chosen(now: _Open, costs: _Costs) -> _Choice:
    """What promises to lower the bounds of some boxes of hardware most.

    Either the hardware is halved, and with it every case; or of each workload those cases are
    halved whose bounds would be the greatest once the leading case's has dropped.
    """
    bounded, cases = now.bounded, now.cases
    expected = costs.expected(cases)
    leading = now.leading()
    hopes = expected[: bounded.shared, leading] @ bounded.weights
    hardware, hope = hopes.argmax(axis=0), hopes.max(axis=0)

    expected[: bounded.shared] = -1.0
    axes, drops = expected.argmax(axis=0), np.maximum(expected.max(axis=0), 0.0)
    halved = (hope > 0) & (hope >= PRICE_OF_HARDWARE * (drops[leading] @ bounded.weights))

    at = cases.owners, cases.workloads
    foremost = cases.gains >= now.leads[at] - drops[leading][at]
    with_hardware = halved[cases.owners]
    which = np.flatnonzero(with_hardware | (foremost & (drops > 0)))
    return _Choice(
        hardware=np.where(halved, hardware, -1),
        cases=which,
        axes=np.where(with_hardware, hardware[cases.owners], axes)[which],
    )


def _halved(now: _Open, costs: _Costs) -> tuple[_Open, int]:
    """Boxes of hardware with some of them, or some of their cases, halved; and cases bounded."""
    choice = _chosen(now, costs)
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
        gains=np.tile(parents.gains, 2),
    )
    bounded, possible = _bounded(now.bounded, children)
    widths = np.take_along_axis(costs.widths(parents.boxes), choice.axes[None], axis=0)[0]
    drops = np.where(possible, children.gains - bounded.gains, LARGEST_DROP)
    costs.learn(
        bounded.workloads,
        np.tile(choice.axes, 2),
        np.tile(widths, 2),
        np.minimum(drops, LARGEST_DROP),
    )
    kept = np.ones(len(now.cases.gains), bool)
    kept[choice.cases] = False
    cases = now.cases.some(kept).with_others(bounded.some(possible))
    return _opened(now.bounded, hardware, cases), len(possible)


def _most_promising(left: _Open) -> tuple[_Open, _Open]:
    """The boxes of hardware to work on next, and the others."""
    counts = np.bincount(left.cases.owners, minlength=len(left))
    order = np.argsort(-left.gains)
    before = np.cumsum(counts[order]) - counts[order]
    which = np.zeros(len(left), bool)
    which[order[before < CASES_AT_ONCE]] = True
    return left.some(which), left.some(~which)


def shared_branch_and_bound(
    bounded: SharedProblem,
    best: BestChip,
    budget: Budget | None = None,
    tell: Callable[[Statistics], None] = lambda _: None,
    start: Boxes | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """Find the best hardware for some workloads, and prove it.

    Args:
        bounded: Where it is searched.
        best: The best chip known; better ones are put in its place.
        budget: When to stop before everything is proven.
        tell: Told after each round.
        start: Boxes of hardware to search; all hardware that can be judged if none.
        clock: Seconds from some origin.

    Returns:
        What was done; its designs are pieces of hardware. Unless it is complete, the margin says
        what could still be gained.
    """
    budget = Budget() if budget is None else budget
    begin, costs, tolerance = clock(), _Costs(bounded), max(MARGIN, budget.gap)
    hardware = bounded.start if start is None else start
    total = float(np.sum(hardware.designs))
    left = _whole(bounded, hardware)
    boxes, evaluated = len(hardware) * len(bounded.members), 0
    while True:
        left, settled = _settled(left.worthwhile(best.score + tolerance), best)
        left = left.worthwhile(best.score + tolerance)
        evaluated += settled
        most = float(np.max(left.gains, initial=-np.inf))
        covered = total - float(np.sum(left.hardware.designs))
        statistics = Statistics(boxes, covered, evaluated, most - best.score, most)
        tell(statistics)
        if not len(left) or clock() - begin >= budget.seconds:
            return statistics
        now, later = _most_promising(left)
        halves, count = _halved(now, costs)
        left, boxes = later.with_others(halves), boxes + count
