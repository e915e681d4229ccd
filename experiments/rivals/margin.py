"""CMA-ES with margin for whole numbers and categories, of the package cmaes."""

import numpy as np
from cmaes import CatCMAwM

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem, lattice_of
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

PENALTY = 3.0  # what a logarithm of violation costs, in logarithms of the objective


def _row(solution: CatCMAwM.Solution) -> np.ndarray:
    """Indices of a design: the category, of which there may be only one, then the others."""
    category = 0 if solution.c is None else int(np.argmax(solution.c[0]))
    return np.concatenate([[category], np.asarray(solution.z, int)])


def _optimizer(shape: tuple[int, ...], seed: int) -> CatCMAwM:
    categories, *lengths = shape
    return CatCMAwM(
        z_space=[list(range(length)) for length in lengths],
        c_space=[categories] if categories > 1 else None,
        seed=seed,
    )


def _margin(problem: AnyProblem) -> Searcher:
    shape = lattice_of(problem).shape
    judge = Judge(problem, _optimizer(shape, 0).population_size)

    def search(seed: int, race: Race) -> None:
        seeds = np.random.default_rng(seed)
        while race.open:
            optimizer = _optimizer(shape, int(seeds.integers(2**31)))
            while race.open and not optimizer.should_stop():
                asked = [optimizer.ask() for _ in range(optimizer.population_size)]
                losses = judge(race, np.stack([_row(it) for it in asked])).penalised(PENALTY)
                optimizer.tell(list(zip(asked, losses.tolist(), strict=True)))

    return search


MARGIN = Method(
    name="CatCMAwM",
    about="CMA-ES with margin and categories, of cmaes; limits as a penalty; started anew when it"
    " has converged",
    ours=False,
    prepare=_margin,
)
