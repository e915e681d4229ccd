"""Branch and bound over boxes of a lattice: the best designs, and the proof that none is better.

Every box has an upper bound of what it could gain, from the exact model. A box that cannot meet the
limits, or cannot beat what is known, is done with; the others are halved, the most promising first,
along the axis whose halving has tightened bounds the most so far (pseudo-costs: Benichou et al.
(1971), Experiments in mixed-integer linear programming, Mathematical Programming 1). When no box is
left, the best design known is the best of the lattice.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, Halves, columns, points, whole
from liminal_jax.bounds.lattice import LatticeBounds

MARGIN = 1e-9
"""Logarithm by which a design has to be better to count: a thousand times the error of evaluating
the model in float64, so that rounding cannot hide a better design."""

BOXES_AT_ONCE = 4_000
"""Boxes halved in one go, while few are open."""

SHARE_AT_ONCE = 20
"""Of many open boxes one in so many is halved in one go, lest choosing them take the time."""

TRIED_AT_ONCE = 400
"""Of the boxes halved in one go, the most promising so many have their middle evaluated, so that
good designs are known long before boxes have become single designs."""

UNKNOWN = -1e6
"""Stands for the logarithm of an objective where no design is known: below any that can be, yet
finite, so that boxes are still told apart."""

LARGEST_DROP = 2.0
"""Drop of a logarithmic bound that counts for a half in which there is nothing left."""

MEMORY = 0.7
"""Share of what earlier halvings have shown that is kept with each later round."""


class NodeBounds(NamedTuple):
    """What boxes could offer.

    Attributes:
        gains: Upper bounds of the logarithm of each objective; more is better.
        possible: Whether a design within the limits may be among them.
        certain: Whether all of them are within the limits, and can be judged.
    """

    gains: Float[np.ndarray, "objectives boxes"]
    possible: Bool[np.ndarray, " boxes"]
    certain: Bool[np.ndarray, " boxes"]


class AbstractIncumbents(ABC):
    """The best designs known."""

    @abstractmethod
    def margin(
        self, boxes: Boxes, gains: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """By how much boxes could better what is known, in logarithms; minus infinity if not."""

    @abstractmethod
    def offer(self, designs: Boxes, gains: Float[np.ndarray, "objectives boxes"]) -> None:
        """Take note of feasible designs."""


class IncumbentOfAll(AbstractIncumbents):
    """The best design of all, for one objective.

    Attributes:
        gain: Logarithm of its objective; `UNKNOWN` where none is known.
        indices: Its indices; none where none is known.
    """

    def __init__(self) -> None:
        self.gain = UNKNOWN
        self.indices: np.ndarray | None = None

    @override
    def margin(
        self, boxes: Boxes, gains: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        del boxes
        return gains[0] - self.gain

    @override
    def offer(self, designs: Boxes, gains: Float[np.ndarray, "objectives boxes"]) -> None:
        best = int(np.argmax(gains[0])) if len(designs) else 0
        if len(designs) and gains[0, best] > self.gain:
            self.gain, self.indices = float(gains[0, best]), designs.first[:, best]


class IncumbentOfEach(AbstractIncumbents):
    """The best design of each category, for one objective.

    Attributes:
        gains: Logarithm of the objective of the best design; `UNKNOWN` where none is known.
        indices: Indices of that design.
    """

    def __init__(self, categories: int, axes: int):
        self.gains = np.full(categories, UNKNOWN)
        self.indices = np.zeros((categories, axes), int)
        self.indices[:, 0] = np.arange(categories)

    def learn(self, indices: Int[np.ndarray, " axes"], gain: float) -> None:
        """Take note of a feasible design that was found elsewhere."""
        category = int(indices[0])
        if gain > self.gains[category]:
            self.gains[category], self.indices[category] = gain, indices

    def known(self) -> list[tuple[Int[np.ndarray, " axes"], float]]:
        """The designs that are known, by indices, and the logarithm of the objective of each."""
        rows = np.flatnonzero(self.gains > UNKNOWN)
        return [(self.indices[row], float(self.gains[row])) for row in rows]

    def margin(
        self, boxes: Boxes, gains: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """A box of several categories is compared with the worst of their incumbents."""
        tree, nodes = boxes.trees[0], boxes.nodes[0]
        return gains[0] - tree.extremes(self.gains, 0, np.minimum)[nodes]

    @override
    def offer(self, designs: Boxes, gains: Float[np.ndarray, "objectives boxes"]) -> None:
        for indices, gain in zip(designs.first.T, gains[0], strict=True):
            self.learn(indices, float(gain))


@dataclass(frozen=True)
class Statistics:
    """How far a proof has come.

    Attributes:
        boxes: Boxes bounded.
        designs: Designs known not to be better.
        evaluated: Designs evaluated one by one.
        open_margin: The most that what is left could better what was known when it was judged, in
            logarithms; minus infinity when nothing is left.
        open_gain: The greatest bound of the first objective among what is left; likewise.
    """

    boxes: int
    designs: float
    evaluated: int
    open_margin: float
    open_gain: float

    @property
    def complete(self) -> bool:
        """Whether nothing is left that could be better by more than the gap asked for."""
        return self.open_margin == -math.inf


@dataclass(frozen=True)
class Budget:
    """When to stop before everything is proven.

    Attributes:
        gap: Logarithm of the gap that will do.
        seconds: Wall time.
    """

    gap: float = 0.0
    seconds: float = 300.0


class PseudoCosts:
    """How much halving an axis has tightened bounds, for each unit of its width."""

    def __init__(self, axes: int):
        self._drops = np.full(axes, LARGEST_DROP)
        self._widths = np.ones(axes)

    def expected(
        self, widths: Float[np.ndarray, "axes boxes"], lengths: Int[np.ndarray, "axes boxes"]
    ) -> Float[np.ndarray, "axes boxes"]:
        """The drop to be expected of halving each axis of each box; below 0 for single values."""
        expected = (self._drops / self._widths)[:, None] * widths
        return np.where(lengths > 1, expected + 1e-12, -1.0)

    def axes(
        self, widths: Float[np.ndarray, "axes boxes"], lengths: Int[np.ndarray, "axes boxes"]
    ) -> Int[np.ndarray, " boxes"]:
        """The axis along which each box is halved: that of the largest drop to be expected."""
        return np.argmax(self.expected(widths, lengths), axis=0)

    def learn(self, axes: np.ndarray, widths: np.ndarray, drops: np.ndarray) -> None:
        """Take note of the drops that halving some axes of some widths has brought."""
        count = len(self._drops)
        self._drops = MEMORY * self._drops + np.bincount(axes, drops, minlength=count)
        self._widths = MEMORY * self._widths + np.bincount(axes, widths, minlength=count)


class _Open:
    """Boxes that are left, and by how much each could better what was known when it was judged."""

    def __init__(self, boxes: Boxes, gains: np.ndarray, margins: np.ndarray):
        self.boxes = boxes
        self.gains = gains
        self.margins = margins

    def __len__(self) -> int:
        return len(self.boxes)

    def some(self, which: np.ndarray) -> "_Open":
        return _Open(self.boxes.some(which), columns(self.gains, which), self.margins[which])

    def with_others(self, others: "_Open") -> "_Open":
        return _Open(
            self.boxes.with_others(others.boxes),
            np.concatenate([self.gains, others.gains], axis=1),
            np.concatenate([self.margins, others.margins]),
        )

    def most_promising(self) -> tuple["_Open", "_Open"]:
        """The boxes to halve next, and the others."""
        count = max(BOXES_AT_ONCE, len(self) // SHARE_AT_ONCE)
        if len(self) <= count:
            return self, self.some(np.zeros(0, int))
        order = np.argpartition(-self.margins, count)
        return self.some(order[:count]), self.some(order[count:])

    def worthwhile(self, tolerance: float) -> tuple["_Open", float]:
        """The boxes that could better what is known by more, and the designs of the others."""
        more = self.margins > tolerance
        return self.some(more), float(np.sum(self.boxes.some(~more).designs))


def _judged(boxes: Boxes, gains: np.ndarray, incumbents: AbstractIncumbents) -> _Open:
    return _Open(boxes, gains, incumbents.margin(boxes, gains))


def widths_of(trees: tuple[Halves, ...], axes: list[np.ndarray]) -> list[np.ndarray]:
    """Width of every node of each axis: the logarithm of greatest over least value.

    Args:
        trees: Tree of each axis.
        axes: Ascending values of each axis; a value of 0 counts as half the next one.
    """
    widths = []
    for tree, values in zip(trees, axes, strict=True):
        above = values[values > 0]
        safe = np.maximum(values, above.min() / 2 if len(above) else 1.0)
        widths.append(np.log(safe[tree.last] / safe[tree.first]))
    return widths


def branch_and_bound(
    bounds: LatticeBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    incumbents: AbstractIncumbents,
    widths: list[np.ndarray],
    budget: Budget | None = None,
    tell: Callable[[Statistics], None] = lambda _: None,
    start: Boxes | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """Find the best designs of a lattice, and prove it.

    Args:
        bounds: Bounds of the exact model.
        node_bounds: What lower and upper bounds of its results mean.
        incumbents: The best designs known; better ones are added.
        widths: Width of every node of each axis, see `widths_of`.
        budget: When to stop before everything is proven.
        tell: Told at the beginning and after each round.
        start: Boxes to search; the whole lattice if none.
        clock: Seconds from some origin.

    Returns:
        What was done. Unless it is complete, the margin says what could still be gained.
    """
    budget = Budget() if budget is None else budget
    begin, costs = clock(), PseudoCosts(len(bounds.trees))
    boxes = whole(bounds.trees) if start is None else start
    tolerance = max(MARGIN, budget.gap)
    left, statistics = _sorted_out(boxes, node_bounds(*bounds.over(boxes)), incumbents, tolerance)
    tell(statistics)
    while len(left) and clock() - begin < budget.seconds:
        now, later = left.most_promising()
        tried = _tried(now, bounds, node_bounds, incumbents)
        # What has been found since they were judged may have settled them.
        now, settled = _judged(now.boxes, now.gains, incumbents).worthwhile(tolerance)
        halves, promised = _halved(now, bounds, node_bounds, costs, widths)
        fresh, done = _sorted_out(halves, promised, incumbents, tolerance)
        left = later.with_others(fresh)
        statistics = Statistics(
            boxes=statistics.boxes + done.boxes,
            designs=statistics.designs + settled + done.designs,
            evaluated=statistics.evaluated + tried + done.evaluated,
            open_margin=float(np.max(left.margins, initial=-np.inf)),
            open_gain=float(np.max(left.gains[0], initial=-np.inf)),
        )
        tell(statistics)
    return statistics


def _tried(
    boxes: _Open,
    bounds: LatticeBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    incumbents: AbstractIncumbents,
) -> int:
    """Evaluate the design in the middle of the most promising boxes; returns how many."""
    count = min(TRIED_AT_ONCE, len(boxes))
    top = boxes.boxes.some(np.argpartition(-boxes.margins, count - 1)[:count])
    designs = points(top.middle, bounds.trees)
    promised = node_bounds(*bounds.over(designs))
    incumbents.offer(designs.some(promised.certain), columns(promised.gains, promised.certain))
    return count


def _sorted_out(
    boxes: Boxes, promised: NodeBounds, incumbents: AbstractIncumbents, tolerance: float
) -> tuple[_Open, Statistics]:
    """Those of some boxes that are worth halving, and what is known of the others."""
    single = boxes.designs == 1
    found = single & promised.certain
    incumbents.offer(boxes.some(found), columns(promised.gains, found))
    kept = promised.possible & ~single
    judged = _judged(boxes.some(kept), columns(promised.gains, kept), incumbents)
    left, dull = judged.worthwhile(tolerance)
    return left, Statistics(
        boxes=len(boxes),
        designs=dull + float(np.sum(boxes.some(~kept).designs)),
        evaluated=int(np.sum(found)),
        open_margin=float(np.max(left.margins, initial=-np.inf)),
        open_gain=float(np.max(left.gains[0], initial=-np.inf)),
    )


def _halved(
    parents: _Open,
    bounds: LatticeBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    costs: PseudoCosts,
    widths: list[np.ndarray],
) -> tuple[Boxes, NodeBounds]:
    """Halves of some boxes, and what they promise."""
    boxes = parents.boxes
    wide = np.stack([width[row] for width, row in zip(widths, boxes.nodes, strict=True)])
    axes = costs.axes(wide, boxes.lengths)
    halves = boxes.halved(axes)
    promised = node_bounds(*bounds.over(halves))
    # A half lies in its parent: the parent's bound holds for it too.
    gains = np.minimum(promised.gains, np.tile(parents.gains, 2))
    with np.errstate(invalid="ignore"):
        fallen = np.max(np.tile(parents.gains, 2) - gains, axis=0)
    fallen = np.where(promised.possible & np.isfinite(fallen), fallen, LARGEST_DROP)
    width = np.take_along_axis(wide, axes[None], axis=0)[0]
    costs.learn(np.tile(axes, 2), np.tile(width, 2), np.minimum(fallen, LARGEST_DROP))
    return halves, promised._replace(gains=gains)
