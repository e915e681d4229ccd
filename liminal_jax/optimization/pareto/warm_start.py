"""Good designs of several objectives before their proof, which ends the sooner for them.

From random designs uphill by weighted sums of the objectives; then from every nondominated design
to its neighbours, as long as that turns up new ones (Pareto local search: Paquete, Chiarandini and
Stuetzle (2004), Metaheuristics for Multiobjective Optimisation).
"""

import numpy as np

from liminal_jax.optimization.pareto.archive import Front
from liminal_jax.optimization.search.certificate import BoundedProblem
from liminal_jax.optimization.search.local_search import LocalSearch, neighbours

STARTS = 48
"""Random designs from which it goes uphill."""

AT_ONCE = 64
"""Designs whose neighbours are looked at in one go."""

MOST_DESIGNS = 500_000
"""Designs after which no more neighbours are looked at."""


def scout(bounded: BoundedProblem, local_search: LocalSearch, front: Front, seed: int = 0) -> None:
    """Climb from random designs, then walk along the front.

    Args:
        bounded: The lattice.
        local_search: Looks at its designs, and offers them to the front.
        front: The nondominated designs known.
        seed: Of the random designs.
    """
    if len(bounded.categories):
        draws = np.random.default_rng(seed)
        starts = draws.integers(0, np.asarray(bounded.shape)[:, None], (len(bounded.shape), STARTS))
        starts[0] = draws.choice(bounded.categories, STARTS)
        local_search.climb(starts, draws.dirichlet(np.ones(front.objectives), STARTS).T)
        _walk(bounded, local_search, front)


def _walk(bounded: BoundedProblem, local_search: LocalSearch, front: Front) -> None:
    """From every point of the front to its neighbours, until none is left to start from."""
    begun: set[bytes] = set()
    while local_search.looked < MOST_DESIGNS:
        fresh = [row for row in front.indices.T if row.tobytes() not in begun][:AT_ONCE]
        if not fresh:
            return
        begun |= {row.tobytes() for row in fresh}
        local_search.look(neighbours(np.stack(fresh, axis=1), bounded.shape))
