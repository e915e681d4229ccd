"""Random search."""

import numpy as np

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

AT_ONCE = 256  # designs drawn at once


def _guesses(problem: AnyProblem) -> Searcher:
    judge = Judge(problem, AT_ONCE)

    def search(seed: int, race: Race) -> None:
        draws = np.random.default_rng(seed)
        while race.open:
            judge(race, draws.integers(0, judge.shape, (AT_ONCE, len(judge.shape))))

    return search


RANDOM = Method(
    name="random", about=f"designs drawn at random, {AT_ONCE} at once", ours=False, prepare=_guesses
)
