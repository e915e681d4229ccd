"""A warm start of the archive, which lets branch and bound prune sooner.

Local search of random weighted sums of the scores from random designs; then Pareto local search:
the neighbours of every nondominated design, until there is none whose neighbours are unknown
(Paquete, Chiarandini and Stuetzle (2004), Metaheuristics for Multiobjective Optimisation).
"""

import numpy as np

from liminal_jax.optimization.pareto.archive import ParetoArchive
from liminal_jax.optimization.search.certificate import BoundedProblem
from liminal_jax.optimization.search.local_search import LocalSearch, neighbours

STARTS = 48
"""Random designs that local search starts from."""

AT_ONCE = 64
"""Designs whose neighbours are evaluated at a time."""

MOST_DESIGNS = 500_000
"""Evaluations after which the Pareto local search stops."""


def warm_start(
    bounded: BoundedProblem, local_search: LocalSearch, front: ParetoArchive, seed: int = 0
) -> None:
    """Fill an archive by local search.

    Args:
        bounded: The problem.
        local_search: A local search that updates the archive.
        front: The archive.
        seed: Seed of the random designs and weights.
    """
    if len(bounded.categories):
        draws = np.random.default_rng(seed)
        starts = draws.integers(0, np.asarray(bounded.shape)[:, None], (len(bounded.shape), STARTS))
        starts[0] = draws.choice(bounded.categories, STARTS)
        local_search.run(starts, draws.dirichlet(np.ones(front.objectives), STARTS).T)
        _pareto_local_search(bounded, local_search, front)


def _pareto_local_search(
    bounded: BoundedProblem, local_search: LocalSearch, front: ParetoArchive
) -> None:
    """Evaluate the neighbours of every point of the archive, until all have been."""
    begun: set[bytes] = set()
    while local_search.evaluations < MOST_DESIGNS:
        fresh = [row for row in front.indices.T if row.tobytes() not in begun][:AT_ONCE]
        if not fresh:
            return
        begun |= {row.tobytes() for row in fresh}
        local_search.evaluate(neighbours(np.stack(fresh, axis=1), bounded.shape))
