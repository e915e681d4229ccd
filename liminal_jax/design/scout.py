"""Good designs of several objectives before their proof, which ends the sooner for them.

From random designs uphill by weighted sums of the objectives; then from every nondominated design
to its neighbours, as long as that turns up new ones (Pareto local search: Paquete, Chiarandini and
Stuetzle (2004), Metaheuristics for Multiobjective Optimisation).
"""

import numpy as np

from liminal_jax.design.certify import Ground
from liminal_jax.design.climb import Climber, neighbours
from liminal_jax.design.front import Front

STARTS = 48
"""Random designs from which it goes uphill."""

AT_ONCE = 64
"""Designs whose neighbours are looked at in one go."""

MOST_DESIGNS = 500_000
"""Designs after which no more neighbours are looked at."""


def scout(ground: Ground, climber: Climber, front: Front, seed: int = 0) -> None:
    """Climb from random designs, then walk along the front.

    Args:
        ground: The lattice.
        climber: Looks at its designs, and offers them to the front.
        front: The nondominated designs known.
        seed: Of the random designs.
    """
    if len(ground.categories):
        draws = np.random.default_rng(seed)
        starts = draws.integers(0, np.asarray(ground.shape)[:, None], (len(ground.shape), STARTS))
        starts[0] = draws.choice(ground.categories, STARTS)
        climber.climb(starts, draws.dirichlet(np.ones(front.objectives), STARTS).T)
        _walk(ground, climber, front)


def _walk(ground: Ground, climber: Climber, front: Front) -> None:
    """From every point of the front to its neighbours, until none is left to start from."""
    begun: set[bytes] = set()
    while climber.looked < MOST_DESIGNS:
        fresh = [row for row in front.indices.T if row.tobytes() not in begun][:AT_ONCE]
        if not fresh:
            return
        begun |= {row.tobytes() for row in fresh}
        climber.look(neighbours(np.stack(fresh, axis=1), ground.shape))
