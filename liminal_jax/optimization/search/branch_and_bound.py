"""Branch and bound over boxes of a lattice: the best designs, and the proof that none is better.

Every box (node) has an upper bound of the score of its designs, from the exact model. A box that
cannot meet the limits, or cannot beat the incumbents, is pruned; the others are halved, the largest
bound first, along the axis whose halving has tightened bounds the most so far (pseudo-costs:
Benichou et al. (1971), Experiments in mixed-integer linear programming, Mathematical Programming
1). When no box is open, the incumbent is the best design of the lattice.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from typing_extensions import override

from liminal_jax.bounds.boxes import Boxes, Halves, columns, points, whole
from liminal_jax.bounds.lattice import AbstractBounds

MARGIN = 1e-9
"""Logarithm by which a design must be better to replace an incumbent: a thousand times the error of
evaluating the model in float64, so that rounding cannot hide a better design."""

BOXES_AT_ONCE = 4_000
"""Boxes halved in one round, while few are open."""

SHARE_AT_ONCE = 20
"""Of many open boxes one in n is halved in a round: selecting them costs a pass over all."""

TRIED_AT_ONCE = 400
"""Boxes of a round, those of the largest bounds, whose middle design is evaluated: good incumbents
are known long before boxes have become single designs."""

UNKNOWN = -1e6
"""Score where no design is known: below any possible score, yet finite, so that margins still order
the boxes."""

SHARPENED_AFTER = 80_000
"""Boxes after which narrower bounds are set up, which takes a few tenths of a second. Proofs of
fewer boxes end sooner without; seven bundled studies of 0.2 to 1.4 million take 11.6 s of processor
time in the place of 17.1, with four fifths of the boxes."""

LARGEST_DROP = 2.0
"""Largest drop of a logarithmic bound that is recorded; also that of a half that is infeasible."""

MEMORY = 0.7
"""Weight of earlier rounds in the pseudo-costs, for each later round."""


Known: TypeAlias = list[tuple[Int[np.ndarray, " axes"], float]]
"""Feasible designs by their indices, with their scores."""


class NodeBounds(NamedTuple):
    """Bounds of boxes.

    Attributes:
        scores: Upper bounds of the score (signed logarithm) of each objective; more is better.
        possible: Whether a box may hold a feasible design.
        certain: Whether every design of a box is feasible, and no number that it needs is missing.
    """

    scores: Float[np.ndarray, "objectives boxes"]
    possible: Bool[np.ndarray, " boxes"]
    certain: Bool[np.ndarray, " boxes"]


class AbstractIncumbents(ABC):
    """The best designs known."""

    @abstractmethod
    def margin(
        self, boxes: Boxes, scores: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """Logarithm by which boxes may beat the incumbents; at most 0 if they cannot."""

    @abstractmethod
    def update(self, designs: Boxes, scores: Float[np.ndarray, "objectives boxes"]) -> None:
        """Replace incumbents by feasible designs that are better."""


class IncumbentOfAll(AbstractIncumbents):
    """The best design of all, for one objective.

    Attributes:
        score: Its score; `UNKNOWN` where no design is known.
        indices: Its indices; None where no design is known.
    """

    def __init__(self) -> None:
        self.score = UNKNOWN
        self.indices: np.ndarray | None = None

    @override
    def margin(
        self, boxes: Boxes, scores: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        del boxes
        return scores[0] - self.score

    @override
    def update(self, designs: Boxes, scores: Float[np.ndarray, "objectives boxes"]) -> None:
        best = int(np.argmax(scores[0])) if len(designs) else 0
        if len(designs) and scores[0, best] > self.score:
            self.score, self.indices = float(scores[0, best]), designs.first[:, best]


class IncumbentOfEach(AbstractIncumbents):
    """The best design of each category, for one objective.

    Attributes:
        scores: Score of the best design of each category; `UNKNOWN` where none is known.
        indices: Indices of that design.
    """

    def __init__(self, categories: int, axes: int):
        self.scores = np.full(categories, UNKNOWN)
        self.indices = np.zeros((categories, axes), int)
        self.indices[:, 0] = np.arange(categories)

    def update_one(self, indices: Int[np.ndarray, " axes"], score: float) -> None:
        """Replace the incumbent of a category by a feasible design, if that is better."""
        category = int(indices[0])
        if score > self.scores[category]:
            self.scores[category], self.indices[category] = score, indices

    def join(self, known: Known) -> None:
        """Replace incumbents by designs that others have found, where those are better."""
        for indices, score in known:
            self.update_one(indices, score)

    def known(self) -> Known:
        """Indices and score of each design known."""
        rows = np.flatnonzero(self.scores > UNKNOWN)
        return [(self.indices[row], float(self.scores[row])) for row in rows]

    def margin(
        self, boxes: Boxes, scores: Float[np.ndarray, "objectives boxes"]
    ) -> Float[np.ndarray, " boxes"]:
        """A box of several categories is compared with the worst of their incumbents."""
        # The worst of them: a box may be pruned only if no category that it holds can improve.
        tree, nodes = boxes.trees[0], boxes.nodes[0]
        return scores[0] - tree.extremes(self.scores, 0, np.minimum)[nodes]

    @override
    def update(self, designs: Boxes, scores: Float[np.ndarray, "objectives boxes"]) -> None:
        for indices, score in zip(designs.first.T, scores[0], strict=True):
            self.update_one(indices, float(score))


@dataclass(frozen=True)
class Statistics:
    """Statistics of a branch and bound.

    Attributes:
        boxes: Boxes bounded.
        designs: Designs pruned or evaluated.
        evaluated: Designs evaluated one by one as boxes of a single design.
        open_margin: The largest margin of an open box over the incumbents of the round that bounded
            it, in logarithms; minus infinity when no box is open.
        open_score: The largest bound of the first objective over the open boxes; minus infinity
            when no box is open.
    """

    boxes: int
    designs: float
    evaluated: int
    open_margin: float
    open_score: float

    @property
    def complete(self) -> bool:
        """Whether no open box could beat the incumbents by more than the gap allowed."""
        return self.open_margin == -math.inf


@dataclass(frozen=True)
class Budget:
    """When to stop before the proof is complete.

    Attributes:
        gap: Logarithm of the optimality gap allowed.
        seconds: Wall time [s].
    """

    gap: float = 0.0
    seconds: float = 300.0


class PseudoCosts:
    """Mean drop of the bound when an axis is halved, for each unit of the box's width along it."""

    def __init__(self, axes: int):
        self._drops = np.full(axes, LARGEST_DROP)
        self._widths = np.ones(axes)

    def expected(
        self, widths: Float[np.ndarray, "axes boxes"], lengths: Int[np.ndarray, "axes boxes"]
    ) -> Float[np.ndarray, "axes boxes"]:
        """Expected drop from halving each axis of each box; below 0 for single values."""
        # A small constant keeps axes of width 0 with several values (categories) above single ones.
        expected = (self._drops / self._widths)[:, None] * widths
        return np.where(lengths > 1, expected + 1e-12, -1.0)

    def axes(
        self, widths: Float[np.ndarray, "axes boxes"], lengths: Int[np.ndarray, "axes boxes"]
    ) -> Int[np.ndarray, " boxes"]:
        """The branching rule: each box is halved along the axis of the largest expected drop."""
        return np.argmax(self.expected(widths, lengths), axis=0)

    def observe(self, axes: np.ndarray, widths: np.ndarray, drops: np.ndarray) -> None:
        """Update the averages with the drops that halving some axes of some widths has brought."""
        count = len(self._drops)
        self._drops = MEMORY * self._drops + np.bincount(axes, drops, minlength=count)
        self._widths = MEMORY * self._widths + np.bincount(axes, widths, minlength=count)


class _OpenBoxes:
    """Open boxes, with their margins over the incumbents at the time of bounding."""

    def __init__(self, boxes: Boxes, scores: np.ndarray, margins: np.ndarray):
        self.boxes = boxes
        self.scores = scores
        self.margins = margins

    def __len__(self) -> int:
        return len(self.boxes)

    def some(self, which: np.ndarray) -> "_OpenBoxes":
        return _OpenBoxes(self.boxes.some(which), columns(self.scores, which), self.margins[which])

    def with_others(self, others: "_OpenBoxes") -> "_OpenBoxes":
        return _OpenBoxes(
            self.boxes.with_others(others.boxes),
            np.concatenate([self.scores, others.scores], axis=1),
            np.concatenate([self.margins, others.margins]),
        )

    def most_promising(self) -> tuple["_OpenBoxes", "_OpenBoxes"]:
        """The boxes of the largest margins, to be halved next, and the others."""
        count = max(BOXES_AT_ONCE, len(self) // SHARE_AT_ONCE)
        if len(self) <= count:
            return self, self.some(np.zeros(0, int))
        order = np.argpartition(-self.margins, count)
        return self.some(order[:count]), self.some(order[count:])

    def prune(self, tolerance: float) -> tuple["_OpenBoxes", float]:
        """The boxes whose margin exceeds the tolerance, and the number of designs in the others."""
        more = self.margins > tolerance
        return self.some(more), float(np.sum(self.boxes.some(~more).designs))


def _open_boxes(boxes: Boxes, scores: np.ndarray, incumbents: AbstractIncumbents) -> _OpenBoxes:
    return _OpenBoxes(boxes, scores, incumbents.margin(boxes, scores))


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
    bounds: AbstractBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    incumbents: AbstractIncumbents,
    widths: list[np.ndarray],
    budget: Budget | None = None,
    on_progress: Callable[[Statistics], None] = lambda _: None,
    start: Boxes | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Statistics:
    """The best designs of a lattice, with the proof that none is better.

    Args:
        bounds: Bounds of the exact model.
        node_bounds: Turns lower and upper bounds of the model's results into bounds of nodes.
        incumbents: The best designs known; updated in place.
        widths: Width of every node of each axis, from `widths_of`.
        budget: When to stop before the proof is complete.
        on_progress: Called with the statistics at the beginning and after each round.
        start: Boxes to search; the whole lattice if None.
        clock: Seconds from some origin.

    Returns:
        Statistics. Where they are not complete, `open_margin` bounds what could still be gained.
    """
    budget = Budget() if budget is None else budget
    begin, costs = clock(), PseudoCosts(len(bounds.trees))
    boxes = whole(bounds.trees) if start is None else start
    tolerance = max(MARGIN, budget.gap)
    left, statistics = _prune_boxes(boxes, node_bounds(*bounds.over(boxes)), incumbents, tolerance)
    on_progress(statistics)
    while len(left) and clock() - begin < budget.seconds:
        sharp = bounds.sharpened() if statistics.boxes > SHARPENED_AFTER else bounds
        now, later = left.most_promising()
        tried = _evaluate_middles(now, sharp, node_bounds, incumbents)
        # Incumbents have improved since these boxes were bounded: prune again before branching.
        now, pruned = _open_boxes(now.boxes, now.scores, incumbents).prune(tolerance)
        halves, node = _branch(now, sharp, node_bounds, costs, widths)
        fresh, done = _prune_boxes(halves, node, incumbents, tolerance)
        left = later.with_others(fresh)
        statistics = Statistics(
            boxes=statistics.boxes + done.boxes,
            designs=statistics.designs + pruned + done.designs,
            evaluated=statistics.evaluated + tried + done.evaluated,
            open_margin=float(np.max(left.margins, initial=-np.inf)),
            open_score=float(np.max(left.scores[0], initial=-np.inf)),
        )
        on_progress(statistics)
    return statistics


def _evaluate_middles(
    boxes: _OpenBoxes,
    bounds: AbstractBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    incumbents: AbstractIncumbents,
) -> int:
    """Evaluate the middle design of the boxes of the largest margins; returns how many."""
    count = min(TRIED_AT_ONCE, len(boxes))
    top = boxes.boxes.some(np.argpartition(-boxes.margins, count - 1)[:count])
    designs = points(top.middle, bounds.trees)
    node = node_bounds(*bounds.over(designs))
    incumbents.update(designs.some(node.certain), columns(node.scores, node.certain))
    return count


def _prune_boxes(
    boxes: Boxes, node: NodeBounds, incumbents: AbstractIncumbents, tolerance: float
) -> tuple[_OpenBoxes, Statistics]:
    """The boxes that stay open, and statistics of the others.

    A box of a single design is evaluated by its bounds, which are exact there, and closed.
    """
    single = boxes.designs == 1
    found = single & node.certain
    incumbents.update(boxes.some(found), columns(node.scores, found))
    kept = node.possible & ~single
    candidates = _open_boxes(boxes.some(kept), columns(node.scores, kept), incumbents)
    left, pruned = candidates.prune(tolerance)
    return left, Statistics(
        boxes=len(boxes),
        designs=pruned + float(np.sum(boxes.some(~kept).designs)),
        evaluated=int(np.sum(found)),
        open_margin=float(np.max(left.margins, initial=-np.inf)),
        open_score=float(np.max(left.scores[0], initial=-np.inf)),
    )


def _branch(
    parents: _OpenBoxes,
    bounds: AbstractBounds,
    node_bounds: Callable[[np.ndarray, np.ndarray], NodeBounds],
    costs: PseudoCosts,
    widths: list[np.ndarray],
) -> tuple[Boxes, NodeBounds]:
    """Halves of some boxes, and their bounds."""
    boxes = parents.boxes
    wide = np.stack([width[row] for width, row in zip(widths, boxes.nodes, strict=True)])
    axes = costs.axes(wide, boxes.lengths)
    halves = boxes.halved(axes)
    node = node_bounds(*bounds.over(halves))
    # A half is a subset of its parent, so the parent's bound holds for it too: take the lower one.
    scores = np.minimum(node.scores, np.tile(parents.scores, 2))
    with np.errstate(invalid="ignore"):
        fallen = np.max(np.tile(parents.scores, 2) - scores, axis=0)
    fallen = np.where(node.possible & np.isfinite(fallen), fallen, LARGEST_DROP)
    width = np.take_along_axis(wide, axes[None], axis=0)[0]
    costs.observe(np.tile(axes, 2), np.tile(width, 2), np.minimum(fallen, LARGEST_DROP))
    return halves, node._replace(scores=scores)
