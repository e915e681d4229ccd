"""Sensitivity and uncertainty analysis from Python."""

from dataclasses import replace

import jax

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.optimum import Optimum, problems_of
from liminal_jax.optimization.sensitivity.analysis import sensitivity_analysis
from liminal_jax.optimization.sensitivity.result import SensitivityAnalysis
from liminal_jax.optimization.uncertainty.analysis import draws_of
from liminal_jax.optimization.uncertainty.analysis import uncertainty as uncertain
from liminal_jax.optimization.uncertainty.result import Uncertainty
from liminal_jax.study.problem import Criterion, Limit
from liminal_jax.study.space import Space, with_precision


def sensitivity(optimum: Optimum, change: float = 0.1) -> SensitivityAnalysis:
    """Shadow prices, elasticities and the tornado of an optimum, its continuous variables free.

    Args:
        optimum: The result of `optimize`.
        change: Share by which each number is decreased and increased.

    Raises:
        InputError: no variable is free, or the objective is the same for every design.
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
    """The problem solved again for every sample of the numbers that have ranges in the data files.

    Args:
        space: The space of a study, from `load_study`: the ranges are those of its files.
        objective: The objective.
        limits: The limits.
        samples: Number of samples, a power of two.
        seed: Seed of the samples.
        reliability: Share of the samples in which a robust design has to meet every limit.

    Raises:
        InputError: the space was not read from a file, so that no ranges are known.
    """
    if space.source is None:
        message = "was written in Python: ranges stand in the files of a study; load one"
        raise InputError("uncertainty", [Mistake("space", message)])
    with jax.enable_x64(True):
        (problem,), _ = problems_of(with_precision(space), [(objective, True)], limits)
        draws, fresh = draws_of(problem, samples, seed)
        return replace(uncertain(problem, draws, fresh, reliability), seed=seed)
