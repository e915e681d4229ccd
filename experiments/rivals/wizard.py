"""NGOpt, nevergrad's choice among its optimisers."""

import importlib
import itertools
import warnings
from typing import Any

import numpy as np

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

ROUND = 10_000  # designs that an optimiser is told it may ask for


def _space(ng: Any, shape: tuple[int, ...]) -> Any:
    categories, *lengths = shape
    return ng.p.Tuple(
        ng.p.Choice(list(range(categories))),
        *(ng.p.Scalar(lower=0, upper=it - 1).set_integer_casting() for it in lengths),
    )


def _wizard(problem: AnyProblem) -> Searcher:
    # Of an extra that tests do without.
    ng: Any = importlib.import_module("nevergrad")
    judge = Judge(problem, 1)

    def search(seed: int, race: Race) -> None:
        draws = np.random.default_rng(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while race.open:
                space = _space(ng, judge.shape)
                space.random_state = np.random.RandomState(int(draws.integers(2**31)))
                optimizer = ng.optimizers.registry["NGOpt"](space, budget=ROUND)
                for _ in itertools.takewhile(lambda _: race.open, range(ROUND)):
                    asked = optimizer.ask()
                    judged = judge(race, np.asarray([asked.value], int))
                    violation = np.maximum(judged.violation[0], 0.0)
                    optimizer.tell(asked, -float(judged.score[0]), violation.tolist())

    return search


WIZARD = Method(
    name="nevergrad",
    about=f"NGOpt; limits as constraint_violation; started anew after {ROUND:,} designs",
    ours=False,
    prepare=_wizard,
)
