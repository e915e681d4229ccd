"""A genetic algorithm, as pymoo has it."""

from typing import Any

import numpy as np
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

POPULATION = 200  # designs of a generation
SPREAD = 3
"""Index of the distributions of crossover and mutation, as pymoo's guide has it for integers."""


def on_integers() -> dict[str, Any]:
    """Settings of a genetic algorithm on whole numbers."""
    spread = {"prob": 1.0, "eta": SPREAD, "vtype": float, "repair": RoundingRepair()}
    return {
        "pop_size": POPULATION,
        "sampling": IntegerRandomSampling(),
        "crossover": SBX(**spread),
        "mutation": PM(**spread),
        "eliminate_duplicates": True,
    }


class _Designs(Problem):
    """The lattice, as pymoo asks for it."""

    def __init__(self, judge: Judge, race: Race):
        super().__init__(
            n_var=len(judge.shape),
            n_obj=1,
            n_ieq_constr=judge.limits,
            xl=0,
            xu=np.asarray(judge.shape) - 1,
            vtype=int,
        )
        self._judge = judge
        self._race = race

    def _evaluate(self, x: np.ndarray, out: dict[str, Any], *_: Any, **__: Any) -> None:
        judged = self._judge(self._race, x)
        out["F"] = -judged.score[:, None]
        out["G"] = judged.violation


def _genetic(problem: AnyProblem) -> Searcher:
    judge = Judge(problem, POPULATION)

    def search(seed: int, race: Race) -> None:
        algorithm = GA(**on_integers())
        algorithm.setup(_Designs(judge, race), termination=NoTermination(), seed=seed)
        while race.open:
            algorithm.next()

    return search


GENETIC = Method(
    name="pymoo GA",
    about="genetic algorithm on whole numbers; limits as G",
    ours=False,
    prepare=_genetic,
)
