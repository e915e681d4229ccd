"""Our search as it is, and its parts one by one."""

import itertools
import math
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

import liminal_jax as ll
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race
from liminal_jax.design.anneal import Schedule
from liminal_jax.design.box import box_of
from liminal_jax.design.branch import UNKNOWN, Tally
from liminal_jax.design.certify import ground_of, proven
from liminal_jax.design.lattice import lattice_of
from liminal_jax.design.polish import INFEASIBLE, climbed, moves, snapped
from liminal_jax.design.relaxed import relaxed_points
from liminal_jax.design.search import Progress
from liminal_jax.study.file import StudyFile


def _gradients(problem: ll.Problem, schedule: Schedule) -> int:
    """Gradients of the relaxed stage."""
    return len(problem.categories) * schedule.starts * schedule.rounds * schedule.steps


class _Proof(Progress):
    """Takes note of what `optimize` says while it proves."""

    def __init__(self, race: Race, maximise: bool):
        self._race = race
        self._maximise = maximise
        self._boxes = 0

    def proven(self, tally: Tally, best: float | None, seconds: float) -> None:
        """See `Progress`."""
        del seconds
        score = -math.inf if best is None else math.log(best) * (1 if self._maximise else -1)
        self._race.note(tally.boxes - self._boxes, score)
        self._boxes = tally.boxes


def _optimize(problem: ll.Problem) -> Searcher:
    if not isinstance(problem.file, StudyFile):
        raise TypeError("a design has no objective")
    maximise = problem.file.objective.maximise is not None

    def search(seed: int, race: Race) -> None:
        race.note(_gradients(problem, Schedule()), -math.inf)
        answer = ll.optimize(
            problem, seed=seed, progress=_Proof(race, maximise), clock=time.process_time
        )
        race.proof = sum(answer.seconds[stage] for stage in ("relaxed", "polish", "certify"))

    return search


def _proof(problem: ll.Problem) -> Searcher:
    ground = ground_of(problem)

    def search(seed: int, race: Race) -> None:
        del seed
        boxes = 0

        def tell(tally: Tally, score: float) -> None:
            nonlocal boxes
            race.note(tally.boxes - boxes, score if score > UNKNOWN else -math.inf)
            boxes = tally.boxes

        if proven(ground, [], tell=tell).tally.complete:
            race.proof = race.seconds

    return search


Ends = tuple[Array, Array]
"""Merits of the designs where many starts ended, and how often neighbours were looked at."""


def _repeated(problem: ll.Problem, ends: Callable[[Array], Ends], before: int) -> Searcher:
    """Search from new starts over and over.

    Args:
        problem: A study.
        ends: Where the starts of a key lead.
        before: Evaluations of a round other than those of neighbours.
    """
    compiled = jax.jit(ends).lower(jax.random.key(0)).compile()
    neighbours = len(moves(lattice_of(problem).shape))

    def search(seed: int, race: Race) -> None:
        rounds = itertools.count()
        while race.open:
            merits, looks = compiled(jax.random.fold_in(jax.random.key(seed), next(rounds)))
            best = float(jnp.max(merits))
            # All starts of a round are looked around for as long as one of them still moves.
            spent = before + neighbours * len(merits) * int(jnp.max(looks))
            race.note(spent, best if best > INFEASIBLE else -math.inf)

    return search


def _descents(starts: int) -> Callable[[ll.Problem], Searcher]:
    """Gradients, snapping and polishing, from so many starts of each category at once."""
    schedule = Schedule(starts=starts)

    def prepare(problem: ll.Problem) -> Searcher:
        box, lattice = box_of(problem), lattice_of(problem)

        def ends(key: Array) -> Ends:
            near = snapped(problem, box, lattice, relaxed_points(problem, box, schedule, key))
            candidates, looks = climbed(problem, lattice, near.indices)
            return candidates.merit, looks

        return _repeated(problem, ends, _gradients(problem, schedule))

    return prepare


def _climbs(problem: ll.Problem) -> Searcher:
    """Polishing alone, from as many starts as the descents have, drawn at random."""
    lattice = lattice_of(problem)
    starts = (Schedule().starts * lattice.shape[0], len(lattice.shape))

    def ends(key: Array) -> Ends:
        indices = jax.random.randint(key, starts, 0, jnp.asarray(lattice.shape))
        candidates, looks = climbed(problem, lattice, indices)
        return candidates.merit, looks

    return _repeated(problem, ends, 0)


OPTIMIZE = Method(
    name="optimize",
    about="gradients from many starts, snapped, polished, proven, explained, with all that takes in"
    " a process whose compilation cache is full; evaluations are gradients and boxes",
    ours=True,
    prepare=_optimize,
    prepared=False,
)

PROOF = Method(
    name="proof alone",
    about="branch and bound from no known design; a box counts as an evaluation",
    ours=True,
    prepare=_proof,
)

DESCENTS = Method(
    name="descents",
    about="gradients from 32 starts of each category at once, snapped and polished, no proof; from"
    " new starts until the end; a gradient counts as an evaluation",
    ours=True,
    prepare=_descents(Schedule().starts),
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
