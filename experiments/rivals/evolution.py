"""Differential evolution, as SciPy has it."""

import numpy as np
from scipy.optimize import NonlinearConstraint, differential_evolution

from experiments.rivals.judge import Judge, Judged
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

AT_ONCE = 256  # designs of a compiled call, in which a population fits


class _Memory:
    """SciPy asks for limits first, for objectives of the feasible designs next: judge them once."""

    def __init__(self, judge: Judge, race: Race):
        self._judge = judge
        self._race = race
        self._scores: dict[bytes, float] = {}

    def _judged(self, rows: np.ndarray) -> Judged:
        judged = self._judge(self._race, rows)
        self._scores = dict(zip(map(bytes, rows), judged.score, strict=True))
        return judged

    def violation(self, columns: np.ndarray) -> np.ndarray:
        """Excess of each limit, a column for each design; of a single design a vector."""
        rows = np.ascontiguousarray(np.rint(np.atleast_2d(columns.T)).astype(int))
        violation = self._judged(rows).violation.T
        return violation if columns.ndim > 1 else violation[:, 0]

    def loss(self, columns: np.ndarray) -> np.ndarray:
        """What is minimised; SciPy has asked for the violation of the same designs before."""
        rows = np.ascontiguousarray(np.rint(np.atleast_2d(columns.T)).astype(int))
        return -np.asarray([self._scores[bytes(row)] for row in rows])


def _evolution(problem: AnyProblem) -> Searcher:
    judge = Judge(problem, AT_ONCE)

    def search(seed: int, race: Race) -> None:
        again = np.random.default_rng(seed)
        while race.open:
            memory = _Memory(judge, race)
            differential_evolution(
                memory.loss,
                [(0, length - 1) for length in judge.shape],
                constraints=NonlinearConstraint(memory.violation, -np.inf, 0.0),
                integrality=[True] * len(judge.shape),
                vectorized=True,
                updating="deferred",
                polish=False,
                maxiter=10**6,
                rng=again,
                callback=lambda *_, **__: not race.open,
            )

    return search


EVOLUTION = Method(
    name="SciPy DE",
    about="differential evolution; integrality and NonlinearConstraint; started anew when it has"
    " converged",
    ours=False,
    prepare=_evolution,
)
