"""What the numbers behind an answer are worth, and how sure it is, for those who ask in Python."""

import jax
import numpy as np

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.optimum import Optimum, problems_of
from liminal_jax.optimization.sensitivity.analysis import (
    SensitivityAnalysis,
    sensitivity_analysis,
)
from liminal_jax.optimization.uncertainty.analysis import Uncertainty
from liminal_jax.optimization.uncertainty.analysis import uncertainty as uncertain
from liminal_jax.study.problem import Criterion, Limit
from liminal_jax.study.space import Space, with_precision
from liminal_jax.study.uncertain import drawn, uncertain_numbers


def sensitivity(optimum: Optimum, change: float = 0.1) -> SensitivityAnalysis:
    """Shadow prices, elasticities and the tornado of an optimum, its sizes free to follow.

    Args:
        optimum: What `optimize` found.
        change: Share by which each number is made less and more.

    Raises:
        InputError: nothing is free, or the objective is the same everywhere.
    """
    with jax.enable_x64(True):
        return sensitivity_analysis(optimum.problem, change)


def uncertainty(
    space: Space,
    objective: Criterion,
    limits: tuple[Limit, ...] = (),
    *,
    samples: int = 64,
    seed: int = 0,
    reliability: float = 0.95,
) -> Uncertainty:
    """The search run again for every draw of the numbers that have ranges in the data files.

    Args:
        space: The space of a study, from `load_study`: the ranges are those of its files.
        objective: What is best.
        limits: What must hold.
        samples: Draws, a power of two.
        seed: Of the draws.
        reliability: Share of the draws in which a robust design has to meet every limit.

    Raises:
        InputError: the space was not read from a file, so that no ranges are known.
    """
    if space.source is None:
        message = "was written in Python: ranges stand in the files of a study; load one"
        raise InputError("uncertainty", [Mistake("space", message)])
    with jax.enable_x64(True):
        (problem,), _ = problems_of(with_precision(space), [(objective, True)], limits)
        chance = np.random.default_rng(seed)
        numbers = uncertain_numbers(problem)
        draws, fresh = (drawn(numbers, samples, chance) for _ in range(2))
        return uncertain(problem, draws, fresh, reliability)
