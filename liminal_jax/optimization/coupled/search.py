"""The best design of a problem of many members: gradients, snap, polish, and a bound.

At a point of what all share each member's choices are known exactly: prices of the totals
(multipliers, found by gradients of the dual) choose for each member, and exchanges polish.
Neighbouring points of what is shared follow while they improve. The same prices bound every other
point from above, and where the bound does not exclude one, it is searched too.

Random starts also descend the soft model over all variables at once: the relaxed optimum, and where
the points of what is shared are many, the way to the good ones. They take longest, so they come
first only there; few points are bounded before.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.optimization.coupled.assignment import Places, all_places, point_at, shape_of
from liminal_jax.optimization.coupled.closing import closed
from liminal_jax.optimization.coupled.columns import Columns, ColumnsOf, Judge
from liminal_jax.optimization.coupled.descent import STARTS, Relaxed, descend
from liminal_jax.optimization.coupled.dual import Ascent, Dual, Planes, Prices, prices_at
from liminal_jax.optimization.coupled.exchange import Chosen, best_of, exchanged
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.branch_and_bound import MARGIN, Budget
from liminal_jax.optimization.search.local_search import INFEASIBLE, steps_from
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.study.coupled import AbstractCoupled, Point
from liminal_jax.study.problem import FEASIBLE

POLISHED = 4
"""Ends of descents whose neighbourhoods are searched."""

FEW = 64
"""Places of what all share that are bounded before the descents, which take from five seconds to,
where their gradient has to be compiled, half a minute; a place takes half a second."""


@dataclass(frozen=True)
class Evaluated:
    """A design of the grid as the exact model sees it.

    Attributes:
        places: Its places.
        score: Score.
        violation: Log violation of each limit of all together.
        excess: The largest log violation of each member's own limits.
        totals: Sums over all members.
    """

    places: Places
    score: float
    violation: Float[np.ndarray, " limits"]
    excess: Float[np.ndarray, " members"]
    totals: Float[np.ndarray, " totals"]

    @property
    def feasible(self) -> bool:
        """Whether every limit holds."""
        worst = np.max(np.concatenate([self.violation, self.excess]), initial=0.0)
        return bool(worst <= FEASIBLE) and bool(np.isfinite(self.score))


@dataclass
class Shortfalls:
    """What stands in the way where no design is feasible.

    Attributes:
        ratios: For each limit the least ratio over all that was searched of what is shared.
        members: Members without an allowed choice there, each with its least log violation.
    """

    ratios: Float[np.ndarray, " limits"]
    members: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        problem: The problem.
        relaxed: Where the descents ended.
        snapped: The grid point nearest to the best of them.
        best: The best design; where none is feasible, that of the least total violation.
        prices: Prices of the totals around the best design, and multipliers of the limits.
        open_score: Upper bound of the score of every design; infinite where it is not known.
        searched: Grid points of what is shared that were bounded or searched.
        of: Grid points of what is shared.
        shortfalls: What stands in the way.
        seconds: Wall time of each stage [s].
        closing: Seconds, best score and bound as the search went on.
    """

    problem: AbstractCoupled
    relaxed: Relaxed
    snapped: Evaluated
    best: Evaluated
    prices: Prices
    open_score: float
    searched: int
    of: int
    shortfalls: Shortfalls
    seconds: dict[str, float]
    closing: Float[np.ndarray, "rounds 3"]


class _Search:
    """What is known while a problem is searched.

    Attributes:
        best: Place of what is shared, and choices of the members, of the best design.
        scores: Upper bound of the score at each place of what is shared that was visited.
        prices: Prices of the best bound at the best design.
        shortfalls: What stands in the way.
        closing: Seconds, best score and largest bound after each change of the best design.
    """

    def __init__(self, problem: AbstractCoupled, clock: Callable[[], float], seconds: float):
        self.problem, self._clock, self._seconds = problem, clock, seconds
        self._columns_of, self._judge = ColumnsOf(problem), Judge(problem)
        self._dual = Dual(problem)
        # A place where a search begins is visited next.
        self._known = lru_cache(1)(self._point_and_columns)
        self.best: tuple[tuple[int, ...], Chosen] | None = None
        self.scores: dict[tuple[int, ...], float] = {}
        limits = len(problem.limits)
        self.prices = prices_at(np.zeros(len(problem.totals)), np.zeros(limits))
        self.shortfalls = Shortfalls(np.full(limits, np.inf))
        self.closing: list[tuple[float, float, float]] = []

    @property
    def merit(self) -> float:
        """Merit of the best design."""
        return -np.inf if self.best is None else self.best[1].merit

    def begin(self, places: Places, multipliers: np.ndarray | None = None) -> Evaluated:
        """Take a design to begin with, if it is better than the best.

        Where no design is known, the multipliers of limits there price the totals.
        """
        evaluated, chosen = self._at(places)
        if self.merit < INFEASIBLE / 2:
            given = np.zeros(len(self.problem.limits)) if multipliers is None else multipliers
            self.prices = prices_at(chosen.totals, np.nan_to_num(given))
        if evaluated.feasible:
            self._take(_place(places.shared), chosen)
        return evaluated

    def climb(self, starts: Iterable[tuple[int, ...]]) -> None:
        """Visit some places, then neighbours of the best one for as long as they improve it."""
        self.visit_all(starts)
        shape, here = shape_of(self.problem), None
        while self.best is not None and self.best[0] != here and self._clock() < self._seconds:
            here = self.best[0]
            self.visit_all(_near(shape, here))

    def visit_all(self, places: Iterable[tuple[int, ...]]) -> None:
        """Visit places while there is time; one at least, so that there is an answer."""
        for place in places:
            if not self.scores or self._clock() < self._seconds:
                self.visit(place)

    def _point_and_columns(self, place: tuple[int, ...]) -> tuple[Point, Columns]:
        shared = point_at(self.problem, np.asarray(place))
        return shared, self._columns_of.at(shared)

    def _at(self, places: Places) -> tuple[Evaluated, Chosen]:
        shared, columns = self._known(_place(places.shared))
        choices = self._columns_of.choices_at(places.own)
        chosen = best_of(self._judge, shared, columns, choices[None])
        excess = columns.excess[np.arange(len(choices)), choices]
        found = Evaluated(places, chosen.score, chosen.violation, excess, chosen.totals)
        return found, chosen

    def found(self) -> Evaluated | None:
        """The best design; none where no member has an allowed choice anywhere."""
        if self.best is None:
            return None
        place, chosen = self.best
        own = self._columns_of.places_of(chosen.choices)
        return self._at(Places(np.asarray(place), own))[0]

    def _take(self, place: tuple[int, ...], chosen: Chosen) -> bool:
        """Keep a design if it is better than the best."""
        better = chosen.merit > self.merit
        if better:
            self.best = place, chosen
            known = chosen.score if chosen.feasible else np.nan
            bound = max(self.scores.values(), default=np.nan)
            self.closing.append((self._clock(), known, bound))
        return better

    def visit(self, place: tuple[int, ...]) -> None:
        """Bound, and unless that excludes it search, a place of what is shared."""
        if place not in self.scores:
            self.scores[place] = self._bounded(place, *self._known(place))

    def _bounded(self, place: tuple[int, ...], shared: Point, columns: Columns) -> float:
        """Upper bound of the score at a place."""
        if self._lacking(columns):
            return -np.inf
        least, ratios = self._dual.bounds(shared, self.prices, columns)
        self.shortfalls.ratios = np.fmin(self.shortfalls.ratios, ratios)
        if np.any(ratios > 1 + FEASIBLE):
            if self.merit < INFEASIBLE / 2:
                ascent = self._dual.ascent(shared, self.prices, columns)
                self._polish(place, shared, columns, ascent)
            return -math.inf
        bound = -least
        if bound > self.merit + MARGIN:
            ascent = self._dual.ascent(shared, self.prices, columns)
            bound = min(bound, -ascent.bound)
            if bound > self.merit + MARGIN:
                planes = self._polish(place, shared, columns, ascent)
                if bound > self.merit + MARGIN:
                    bound = min(bound, self._closed(place, shared, columns, planes))
        return bound

    def _lacking(self, columns: Columns) -> bool:
        """Whether a member has no allowed choice; notes by how much it misses."""
        lacking = np.flatnonzero(~columns.allowed.any(axis=1)).tolist()
        for it in lacking:
            least = min(float(columns.excess[it].min()), self.shortfalls.members.get(it, np.inf))
            self.shortfalls.members[it] = least
        return bool(lacking)

    def _polish(
        self, place: tuple[int, ...], shared: Point, columns: Columns, ascent: Ascent
    ) -> Planes:
        """Exchange from the choices of an ascent, and from those of the best design.

        Returns:
            The planes of the ascent.
        """
        starts = ascent.choices
        if self.best is not None:
            known = self.best[1].choices[None]
            if columns.allowed[np.arange(known.shape[1]), known].all():
                starts = np.concatenate([starts, known])
        begin = best_of(self._judge, shared, columns, starts)
        planes = self._dual.planes(shared, ascent.prices)
        if self._take(place, exchanged(self._judge, shared, columns, begin, planes.slopes[0])):
            self.prices = ascent.prices
        return planes

    def _closed(
        self, place: tuple[int, ...], shared: Point, columns: Columns, planes: Planes
    ) -> float:
        """The largest score at a place if all that may be better can be listed; else infinity."""
        feasible = self.merit > INFEASIBLE / 2
        most = math.exp(-self.merit) if feasible else math.inf
        left = closed(self._judge, shared, columns, planes, most)
        if not left.complete:
            return math.inf
        if left.best is not None:
            self._take(place, left.best)
        return self.merit if self.merit > INFEASIBLE / 2 else -math.inf


def _place(places: Int[np.ndarray, " axes"]) -> tuple[int, ...]:
    return tuple(map(int, places))


def _middles(problem: AbstractCoupled) -> list[tuple[int, ...]]:
    """The places in the middle of all ranges of what is shared, one of each category."""
    middle = [len(it.grid.values) // 2 for it in problem.variables]
    return [(category, *middle) for category in range(len(problem.categories))]


def _middle(problem: AbstractCoupled) -> Places:
    """The design in the middle of all ranges, of the first categories."""
    own = [
        np.tile([0, *(len(it.grid.values) // 2 for it in group.variables)], (len(group.members), 1))
        for group in problem.groups
    ]
    return Places(np.asarray(_middles(problem)[0]), tuple(own))


def _near(shape: tuple[int, ...], place: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    """The neighbours of a place of what is shared."""
    near = np.clip(np.asarray(place) + steps_from(shape), 0, np.asarray(shape) - 1)
    return dict.fromkeys(map(_place, near))


def search(
    problem: AbstractCoupled,
    schedule: Schedule = STARTS,
    seed: int = 0,
    progress: Progress | None = None,
    budget: Budget | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Found:
    """The best design of a problem of many members, and a bound.

    Args:
        problem: A problem.
        schedule: Schedule of the descents.
        seed: Seed of their starts.
        progress: Callbacks.
        budget: When to stop before the bound is complete; the descents have half of the time.
        clock: Seconds from some origin.
    """
    progress = Progress() if progress is None else progress
    budget = Budget() if budget is None else budget
    begin = clock()
    known = _Search(problem, lambda: clock() - begin, budget.seconds)
    places = [_place(it) for it in all_places(problem)]

    def bound() -> float:
        progress.stage("bounding what all share", len(places))
        started = clock()
        known.visit_all(places)
        return clock() - started

    progress.stage("polishing on the exact model")
    known.begin(_middle(problem))
    known.climb(_middles(problem))
    polished = clock()
    early = bound() if len(places) <= FEW else 0.0

    progress.stage("descending by gradients")
    descending = clock()
    allowed = min(0.5 * budget.seconds, budget.seconds - (descending - begin))
    relaxed = descend(problem, schedule, seed, allowed, clock)
    descended = clock()
    order = relaxed.order().tolist()
    ends = [relaxed.places(problem, it) for it in order[:POLISHED]]
    snapped = known.begin(ends[0], relaxed.multipliers[order[0], : len(problem.limits)])
    known.climb([_place(it.shared) for it in ends])
    climbed = clock()
    late = bound()
    best, end = known.found() or snapped, clock()
    complete = len(known.scores) == len(places)
    bounds = max(known.scores.values(), default=np.inf) if complete else np.inf
    open_score = max(bounds, best.score) if best.feasible else bounds
    return Found(
        problem=problem,
        relaxed=relaxed,
        snapped=snapped,
        best=best,
        prices=known.prices,
        open_score=open_score,
        searched=len(known.scores),
        of=len(places),
        shortfalls=known.shortfalls,
        seconds={
            "polish": polished - begin + climbed - descended,
            "gradients": descended - descending,
            "bound": early + late,
        },
        closing=np.asarray([*known.closing, (end - begin, best.score, open_score)]),
    )
