"""Our search as it is, and its parts one by one."""

import itertools
import math
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Int
from typing_extensions import override

import liminal_jax as ll
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import Method as Way
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, IncumbentOfEach, Statistics
from liminal_jax.optimization.search.certificate import (
    BoundedProblem,
    bounded_problem_of,
    objective_bounds,
    proven,
)
from liminal_jax.optimization.search.gradient_search import STARTS, descended, snapped, starts_of
from liminal_jax.optimization.search.local_search import LocalSearch
from liminal_jax.optimization.search.progress import Progress


def _gradients(problem: ll.Problem, schedule: Schedule) -> int:
    """Gradients of the relaxed stage."""
    return len(problem.categories) * schedule.starts * schedule.rounds * schedule.steps


class _Proof(Progress):
    """Takes note of what `optimize` says while it proves."""

    def __init__(self, race: Race, maximise: bool):
        self._race = race
        self._maximise = maximise
        self._boxes = 0

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage: a proof counts its boxes from its beginning."""
        del name, total
        self._boxes = 0

    @override
    def proven(self, statistics: Statistics, best: float | None, seconds: float) -> None:
        del seconds
        score = -math.inf if best is None else math.log(best) * (1 if self._maximise else -1)
        self._race.note(statistics.boxes - self._boxes, score)
        self._boxes = statistics.boxes
        if statistics.complete:
            self._race.proof = self._race.seconds


def _optimize(problem: ll.Problem) -> Searcher:
    maximise = problem.goal.maximise

    def search(seed: int, race: Race) -> None:
        ll.find(
            problem,
            seed=seed,
            progress=_Proof(race, maximise),
            clock=time.process_time,
            method=Way.AUTO,
        )

    return search


def _proof(problem: ll.Problem) -> Searcher:
    bounded = bounded_problem_of(problem)

    def search(seed: int, race: Race) -> None:
        del seed
        boxes = 0

        def tell(statistics: Statistics, score: float) -> None:
            nonlocal boxes
            race.note(statistics.boxes - boxes, score if score > UNKNOWN else -math.inf)
            boxes = statistics.boxes

        if proven(bounded, [], on_progress=tell).statistics.complete:
            race.proof = race.seconds

    return search


Starts = Callable[[int], Int[np.ndarray, "axes designs"]]
"""Designs to climb from, drawn with a seed."""

MOST_ROUNDS = 1_000_003  # factor on a seed, so that the rounds of two seeds are others


def _repeated(bounded: BoundedProblem, starts: Starts, before: int) -> Searcher:
    """Climb from new starts over and over.

    Args:
        bounded: The lattice of a study.
        starts: Where each round begins.
        before: Evaluations that the starts of a round take.
    """

    def search(seed: int, race: Race) -> None:
        for number in itertools.count():
            best = IncumbentOfEach(bounded.shape[0], len(bounded.shape))
            local_search = LocalSearch(bounded, objective_bounds, best)
            local_search.climb(starts(seed * MOST_ROUNDS + number))
            score = float(best.scores.max())
            race.note(before + local_search.evaluations, score if score > UNKNOWN else -math.inf)
            if not race.open:
                return

    return search


def _descents(starts: int) -> Callable[[ll.Problem], Searcher]:
    """Gradients, snapped and climbed from, from so many starts of each category at once."""
    schedule = STARTS._replace(starts=starts)

    def prepare(problem: ll.Problem) -> Searcher:
        def begin(seed: int) -> np.ndarray:
            first = starts_of(problem, schedule, seed)
            return snapped(problem, first, descended(problem, first, schedule))

        return _repeated(bounded_problem_of(problem), begin, _gradients(problem, schedule))

    return prepare


def _climbs(problem: ll.Problem) -> Searcher:
    """Climbing alone, from as many starts as the descents have, drawn at random."""
    bounded = bounded_problem_of(problem)
    shape = np.asarray(bounded.shape)

    def begin(seed: int) -> np.ndarray:
        draws = np.random.default_rng(seed)
        return draws.integers(0, shape[:, None], (len(shape), STARTS.starts * shape[0]))

    return _repeated(bounded, begin, 0)


OPTIMIZE = Method(
    name="optimize",
    about="its search, traced anew each time, without what it explains afterwards; a box counts as"
    " an evaluation",
    ours=True,
    prepare=_optimize,
    prepared=False,
)

PROOF = Method(
    name="proof alone",
    about="branch and bound, traced beforehand; a box counts as an evaluation",
    ours=True,
    prepare=_proof,
)

DESCENTS = Method(
    name="descents",
    about="gradients from 32 starts of each category at once, snapped and climbed from, no proof;"
    " from new starts until the end; a gradient counts as an evaluation",
    ours=True,
    prepare=_descents(STARTS.starts),
)

DESCENTS_IN_TURN = Method(
    name="descents in turn",
    about="the same from one start of each category after another",
    ours=True,
    prepare=_descents(1),
)

CLIMBS = Method(
    name="climbs",
    about="the same local search from as many random starts, no gradients; from new starts until"
    " the end",
    ours=True,
    prepare=_climbs,
)
