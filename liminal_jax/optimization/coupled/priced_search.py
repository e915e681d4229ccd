"""The best design of members whose grids are too large for tables, and a bound, from prices.

At a point of what all share, prices and choices follow from each other: multipliers price the
totals, each member's cheapest choice at the prices extends what it may choose from, and that
changes the multipliers, until no member has anything cheaper to offer. The best combination of what
was offered is the design; all points of what is shared try it, and the best is the next. Then boxes
of what is shared are bounded by prices around the cheapest design of each of their points, the
largest bound first, and halved while they may hold a better design.
"""

import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from liminal_jax.bounds.boxes import Halves
from liminal_jax.optimization.coupled.assignment import Places
from liminal_jax.optimization.coupled.descent import descend
from liminal_jax.optimization.coupled.dual import prices_at
from liminal_jax.optimization.coupled.exchange import merits
from liminal_jax.optimization.coupled.pricing import BoxBound, Planes, Pricing
from liminal_jax.optimization.coupled.search import Evaluated, Found, Shortfalls
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.branch_and_bound import MARGIN, Budget
from liminal_jax.optimization.search.local_search import steps_from
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.problem import FEASIBLE

STARTS = Schedule(starts=24, rounds=8, steps=20, rate=0.08, penalty=30.0, settled=0.01)
"""Starts and steps of the descents: members are few, and names among what they choose are drawn."""

ROUNDS = 16
"""Rounds of prices at a point, at most; each extends what every member may choose from."""

MOST_COMBINED = 200_000
"""Combinations of choices that are judged at once."""

PARTS = 16
"""Boxes of what is shared that are bounded first: larger ones show little."""

LAST = 1e6
"""A cost above those of all choices that are allowed."""

TRIED = 4
"""Choices of each member that every point of what is shared tries, those of the least cost."""

LARGEST_IN_A_BOX = 3.0
"""Largest weight of a limit over a box: where its points want larger ones, what is saved of a limit
at one of them is worth too much at the others."""

POINT = Budget(gap=1e-6, seconds=20.0)
"""When the cheapest choice of a member at a point is near enough, in shares of the cost of all."""

BOX = Budget(gap=3e-3, seconds=20.0)
"""The same over a box, which is halved anyhow."""


@dataclass(frozen=True)
class Design:
    """A design at a numbered point of what is shared.

    Attributes:
        point: Number of the point.
        own: Places of each member's choice.
        score: Score.
        violation: Log violation of each limit of all together.
    """

    point: int
    own: tuple[np.ndarray, ...]
    score: float
    violation: Float[np.ndarray, " limits"]

    @property
    def feasible(self) -> bool:
        """Whether every limit holds; the members' own do."""
        return bool(np.all(self.violation <= FEASIBLE)) and bool(np.isfinite(self.score))

    @property
    def merit(self) -> float:
        """Orders designs: the feasible ones by score, the others by violation."""
        return float(merits(np.asarray([self.score]), self.violation[None])[0])


class _Offers:
    """What a member may choose from, with its terms at every point of what is shared.

    Attributes:
        own: Places of each choice.
        totals: Totals of each choice at each point.
        worst: Its largest violation of the member's own limits there; infinite where a total is not
            known.
    """

    def __init__(self, pricing: Pricing, member: int):
        self._pricing, self._member = pricing, member
        self._known: set[tuple[int, ...]] = set()
        points = pricing.places.shape[1]
        self.own = np.zeros((len(pricing.choices[member].shape), 0), int)
        self.totals = np.zeros((0, points, len(pricing.problem.totals)))
        self.worst = np.zeros((0, points))

    def add(self, own: Int[np.ndarray, " axes"]) -> bool:
        """Add a choice; whether it is new."""
        key = tuple(map(int, own))
        if key in self._known:
            return False
        self._known.add(key)
        totals, worst = self._pricing.everywhere(self._member, np.asarray(own)[:, None])
        self.own = np.concatenate([self.own, np.asarray(own)[:, None]], axis=1)
        self.totals = np.concatenate([self.totals, totals])
        self.worst = np.concatenate([self.worst, worst])
        return True

    def allowed(self, point: int) -> Bool[np.ndarray, " choices"]:
        """Which choices are allowed at a point."""
        return self.worst[:, point] <= FEASIBLE


class PricedSearch:
    """What is known while a problem is searched.

    Attributes:
        pricing: Bounds of the problem.
        best: The best design; none before a point was searched where all members have a choice.
        multipliers: Those of the limits at each point of what is shared.
        trace: Seconds, best score and bound as the search went on.
    """

    def __init__(self, pricing: Pricing, clock: Callable[[], float]):
        self.pricing = pricing
        self.best: Design | None = None
        self.multipliers = np.zeros((pricing.places.shape[1], len(pricing.problem.limits)))
        self.trace: list[tuple[float, float, float]] = []
        self._clock = clock
        self._offers = [_Offers(pricing, it) for it in range(len(pricing.choices))]

    @property
    def merit(self) -> float:
        """Merit of the best design."""
        return -np.inf if self.best is None else self.best.merit

    def offer(self, own: Iterable[np.ndarray | None]) -> bool:
        """Extend what members may choose from; whether any of it is new."""
        pairs = zip(self._offers, own, strict=True)
        return any([offers.add(it) for offers, it in pairs if it is not None])

    def _columns(self, point: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each member the choices offered that are allowed at a point, and their totals."""
        allowed = [it.allowed(point) for it in self._offers]
        return [
            (it.own[:, which], it.totals[which, point])
            for it, which in zip(self._offers, allowed, strict=True)
        ]

    def _price(self, planes: Planes, point: int) -> bool:
        """Find the multipliers at a point from what was offered; whether there are any."""
        columns = [totals for _, totals in self._columns(point)]
        if not all(map(len, columns)):
            return False
        self.multipliers[point] = self.pricing.multipliers(planes, point, columns)
        return True

    def _combine(self, point: int, columns: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Judge all combinations of some choices, and keep the best."""
        counts = [it.shape[1] for it, _ in columns]
        if not 0 < math.prod(counts) <= MOST_COMBINED:
            return
        rows = np.stack([it.ravel() for it in np.indices(counts)])
        totals = np.sum([each[row] for (_, each), row in zip(columns, rows, strict=True)], axis=0)
        self._keep(np.full(rows.shape[1], point), rows, [own for own, _ in columns], totals)

    def _keep(
        self,
        where: Int[np.ndarray, " rows"],
        rows: Int[np.ndarray, "members rows"],
        own: list[np.ndarray],
        totals: Float[np.ndarray, "rows totals"],
    ) -> None:
        """Keep the best of some designs, if it is better than the best."""
        scores, violations = self.pricing.judge(where, totals)
        at = int(np.argmax(merits(scores, violations)))
        chosen = tuple(each[:, row[at]] for each, row in zip(own, rows, strict=True))
        found = Design(int(where[at]), chosen, float(scores[at]), violations[at])
        if self.best is None or found.merit > self.merit + MARGIN:
            self.best = found

    def start(self, own: tuple[np.ndarray, ...]) -> Planes:
        """Begin with some choices: the planes around them."""
        self.offer(own)
        every = [self.pricing.everywhere(member, it[:, None]) for member, it in enumerate(own)]
        totals, worst = (np.stack([it[0] for it in each]) for each in zip(*every, strict=True))
        return self.pricing.planes(totals, worst <= FEASIBLE)

    def solve(self, point: int, planes: Planes) -> float:
        """The best design that prices find at a point, and a lower bound of the cost there.

        Args:
            point: Number of the point.
            planes: Planes around any designs.
        """
        box, least = self.pricing.choices[0].at(self.pricing.places[:, point]), -np.inf
        for _ in range(ROUNDS):
            known = self.multipliers[point].copy()
            if self._price(planes, point):
                self._combine(point, self._columns(point))
            bound = self.pricing.bound(planes, self.multipliers, box, POINT)
            if bound.cost > least:
                least = bound.cost
            else:
                self.multipliers[point] = known
            if least == np.inf or not self._taken(bound):
                break
        return least

    def _taken(self, bound: BoxBound) -> bool:
        """Offer what members choose; whether any of it is new."""
        own = [it.own for it in bound.found]
        return self.offer([*own, *[None] * (len(self._offers) - len(own))])

    def spread(self, planes: Planes) -> Planes:
        """Try the cheapest of what was offered at every point of what is shared.

        Returns:
            Planes around the cheapest choices of each point.
        """
        prices = planes.prices(self.multipliers)
        owns, picks, every = [], [], []
        known = []
        for offers in self._offers:
            worst = offers.worst
            costs = np.einsum("nst,st->ns", offers.totals, prices)
            # Those that are not allowed come last, the nearest to it first.
            order = np.where(worst <= FEASIBLE, costs, LAST * (1 + np.minimum(worst, LAST)))
            picked = np.argsort(order, axis=0, kind="stable")[:TRIED]
            allowed = np.take_along_axis(worst, picked, axis=0) <= FEASIBLE
            known.append(allowed[0])
            owns.append(offers.own)
            # Where fewer are allowed than are tried, the cheapest stands in for the others.
            picks.append(np.where(allowed, picked, picked[:1]))
            every.append(offers.totals)
        if len(where := np.flatnonzero(np.all(known, axis=0))):
            combined = np.indices([len(it) for it in picks]).reshape(len(picks), -1)
            at_once = max(MOST_COMBINED // len(where), 1)
            for first in range(0, combined.shape[1], at_once):
                ranks = combined[:, first : first + at_once]
                at = np.tile(where, ranks.shape[1])
                each = zip(picks, np.repeat(ranks, len(where), axis=1), strict=True)
                rows = np.stack([it[rank, at] for it, rank in each])
                summed = np.sum([it[row, at] for it, row in zip(every, rows, strict=True)], axis=0)
                self._keep(at, rows, owns, summed)
        points = np.arange(self.pricing.places.shape[1])
        cheapest = [it[pick[0], points] for it, pick in zip(every, picks, strict=True)]
        return self.pricing.planes(np.stack(cheapest), np.stack(known))

    def polish(self) -> None:
        """Change the choice of one member of the best design while that helps."""
        before = -np.inf
        while self.best is not None and self.merit > before:
            before = self.merit
            for member in range(len(self._offers)):
                self._exchange(member)

    def _exchange(self, member: int) -> None:
        """Try the neighbours of a member's choice in the best design."""
        if self.best is None:
            return
        best, choices = self.best, self.pricing.choices
        shared = self.pricing.places[:, [best.point]]
        fixed = [
            it.terms(at[:, None], shared)[0][:, 0] for it, at in zip(choices, best.own, strict=True)
        ]
        shape = choices[member].shape
        near = np.clip(best.own[member] + steps_from(shape), 0, np.asarray(shape) - 1)
        own = np.unique(near, axis=0).T
        totals, violation = choices[member].terms(own, np.repeat(shared, own.shape[1], axis=1))
        allowed = np.all(violation <= FEASIBLE, axis=0) & np.all(np.isfinite(totals), axis=0)
        if not allowed.any():
            return
        others = np.sum([it for at, it in enumerate(fixed) if at != member], axis=0)
        rows = np.zeros((len(choices), int(allowed.sum())), int)
        rows[member] = np.arange(rows.shape[1])
        every = [at[:, None] for at in best.own]
        every[member] = own[:, allowed]
        where = np.full(rows.shape[1], best.point)
        self._keep(where, rows, every, totals[:, allowed].T + others)
        if self.best is not best:
            self.offer(self.best.own)

    def climb(self, point: int, planes: Planes, left: Callable[[], bool]) -> Planes:
        """Solve one point after another, each the best for what was found at the last."""
        solved: set[int] = set()
        while point not in solved and left():
            solved.add(point)
            self.solve(point, planes)
            self.polish()
            planes = self.spread(planes)
            if self.best is not None:
                point = self.best.point
        return planes

    def close(self, planes: Planes, gap: float, left: Callable[[], bool]) -> float:
        """Upper bound of the score of every design; points that may be better are solved.

        Args:
            planes: Planes around designs.
            gap: Logarithm by which a design must be better to be looked for.
            left: Whether there is time left.
        """
        heap: list[tuple[float, int, tuple[int, ...], int | None]] = []
        trees = self.pricing.choices[0].trees
        number, settled = itertools.count(), np.inf

        def push(box: Int[np.ndarray, " axes"], above: float) -> None:
            for point in np.flatnonzero(self.pricing.inside(box) & planes.possible()).tolist():
                self._price(planes, point)
            weights = self.multipliers.clip(max=LARGEST_IN_A_BOX)
            bound = self.pricing.bound(planes, weights, box, BOX)
            self._taken(bound)
            cost = max(bound.cost, above)
            if self._open(cost, gap):
                entry = cost, next(number), tuple(map(int, box)), self._axis(box, bound)
                heapq.heappush(heap, entry)

        for box in _parts(trees, PARTS):
            push(box, 0.0)
        while heap and left() and self._open(heap[0][0], gap):
            cost, _, nodes, axis = heapq.heappop(heap)
            box = np.asarray(nodes)
            if axis is None:
                point = int(np.flatnonzero(self.pricing.inside(box))[0])
                settled = min(settled, max(cost, self.solve(point, planes)))
                self.polish()
            else:
                for half in _halved(trees, box, axis):
                    push(half, cost)
            planes = self.spread(planes)
            self.trace.append((self._clock(), self._score(), -_log(heap[0][0] if heap else cost)))
        least = min([settled, *(it[0] for it in heap if self._open(it[0], gap))])
        # Boxes that were left out hold nothing that is better by more than the gap.
        known = self._score()
        return max(-_log(least), known + gap) if np.isfinite(known) else -_log(least)

    def _score(self) -> float:
        return self.best.score if self.best is not None and self.best.feasible else np.nan

    def _open(self, cost: float, gap: float) -> bool:
        """Whether a box may hold a design that is better by more than the gap."""
        if cost == np.inf:
            return False
        known = self._score()
        return not np.isfinite(known) or -_log(cost) > known + max(gap, MARGIN)

    def _axis(self, box: Int[np.ndarray, " axes"], bound: BoxBound) -> int | None:
        """The axis along which a box is halved: where members disagree most; none for a point."""
        trees = self.pricing.choices[0].trees
        lengths = np.asarray([tree.lengths[it] for tree, it in zip(trees, box, strict=True)])
        if np.all(lengths == 1):
            return None
        chosen = [it.shared for it in bound.found if it.shared is not None]
        apart = np.ptp(np.stack(chosen), axis=0) if len(chosen) > 1 else np.zeros(len(lengths))
        return int(np.argmax(np.where(lengths > 1, apart + 1e-3 * lengths, -1.0)))


def _halved(trees: tuple[Halves, ...], box: np.ndarray, axis: int) -> list[np.ndarray]:
    """Both halves of a box along an axis."""
    children = []
    for half in (trees[axis].lower, trees[axis].upper):
        child = box.copy()
        child[axis] = half[box[axis]]
        children.append(child)
    return children


def _parts(trees: tuple[Halves, ...], count: int) -> list[np.ndarray]:
    """The whole in some boxes or more, halved along the longest axis each time."""
    boxes = [np.zeros(len(trees), int)]
    while len(boxes) < count:
        lengths = [int(tree.lengths[it]) for tree, it in zip(trees, boxes[0], strict=True)]
        axis = int(np.argmax(lengths))
        if lengths[axis] == 1:
            break
        boxes = [half for box in boxes for half in _halved(trees, box, axis)]
    return list({tuple(it): it for it in boxes}.values())


def _log(cost: float) -> float:
    """The logarithm of a lower bound of the cost."""
    if cost == math.inf:
        return math.inf
    return math.log(cost) if cost > 0 else -math.inf


MOST_CHOICES = 100_000
"""Choices of a member up to which a table of them is made."""


def is_priced(problem: AbstractCoupled) -> bool:
    """Whether the grid of some member is too large for a table, or each has laws of its own."""
    alone = all(len(it.members) == 1 for it in problem.groups)
    return alone or any(it.choices > MOST_CHOICES for it in problem.groups)


def search_by_prices(
    problem: AbstractCoupled,
    schedule: Schedule = STARTS,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Found:
    """The best design of a problem whose members' grids are too large for tables, and a bound.

    Args:
        problem: A problem.
        schedule: Schedule of the descents.
        seed: Seed of their starts.
        progress: Callbacks.
        budget: When to stop before the bound is complete.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    budget = Budget() if budget is None else budget
    begin = clock()

    def since() -> float:
        return clock() - begin

    progress.stage("descending by gradients")
    relaxed = descend(problem, schedule, seed)
    ends = [relaxed.places(problem, it) for it in relaxed.order().tolist()]
    descended = since()
    progress.stage("polishing on the exact model")
    pricing = Pricing(problem)
    known = PricedSearch(pricing, since)
    for it in ends:
        known.offer(_every(it))
    first = _number(pricing, ends[0])
    planes = known.start(_every(ends[0]))
    snapped = _evaluated(pricing, first, _every(ends[0]))
    planes = known.climb(first, planes, lambda: since() < 0.5 * budget.seconds)
    polished = since()
    progress.stage("bounding what all share")
    bound = known.close(planes, budget.gap, lambda: since() < budget.seconds)
    best = snapped
    if known.best is not None:
        best = _evaluated(pricing, known.best.point, known.best.own)
    count = pricing.places.shape[1]
    return Found(
        problem=problem,
        relaxed=relaxed,
        snapped=snapped,
        best=best,
        prices=prices_at(best.totals, known.multipliers[_number(pricing, best.places)]),
        open_score=max(bound, best.score) if best.feasible else bound,
        searched=count,
        of=count,
        shortfalls=Shortfalls(np.full(len(problem.limits), np.inf))
        if best.feasible
        else _shortfalls(pricing, planes),
        seconds={
            "gradients": descended,
            "polish": polished - descended,
            "bound": since() - polished,
        },
        closing=np.asarray([*known.trace, (since(), best.score, bound)]),
    )


def _every(places: Places) -> tuple[np.ndarray, ...]:
    """Places of the choices of all members."""
    return tuple(row for rows in places.own for row in rows)


def _number(pricing: Pricing, places: Places) -> int:
    """The number of the point of what is shared."""
    return int(np.ravel_multi_index(tuple(places.shared), pricing.shape))


def _evaluated(pricing: Pricing, point: int, own: tuple[np.ndarray, ...]) -> Evaluated:
    """A design as the exact model sees it."""
    shared = pricing.places[:, [point]]
    terms = [it.terms(at[:, None], shared) for it, at in zip(pricing.choices, own, strict=True)]
    totals = np.sum([it[0][:, 0] for it in terms], axis=0)
    scores, violations = pricing.judge(np.asarray([point]), totals[None])
    return Evaluated(
        places=Places(pricing.places[:, point], pricing.grouped(own)),
        score=float(scores[0]),
        violation=violations[0],
        excess=np.asarray([it[1].max(initial=-np.inf) for it in terms]),
        totals=totals,
    )


def _shortfalls(pricing: Pricing, planes: Planes) -> Shortfalls:
    """What stands in the way where no design is feasible."""
    everywhere = pricing.choices[0].everywhere
    excess = [it.least_excess(everywhere, BOX) for it in pricing.choices]
    limits = range(len(pricing.problem.limits))
    ratios = [pricing.least_ratio(planes, it, BOX) for it in limits]
    return Shortfalls(
        np.asarray(ratios),
        {member: it for member, it in enumerate(excess) if it > FEASIBLE},
    )
