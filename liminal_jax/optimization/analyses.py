"""Sensitivity and uncertainty analysis from Python."""

from collections.abc import Iterable
from dataclasses import replace

import jax

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.optimization.optimum import Optimum, one_objective, problems_of
from liminal_jax.optimization.robust.measure import AbstractMeasure
from liminal_jax.optimization.robust.result import RobustOptimum, most_robust
from liminal_jax.optimization.robust.search import robust_design
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.sensitivity.analysis import sensitivity_analysis
from liminal_jax.optimization.sensitivity.result import SensitivityAnalysis
from liminal_jax.optimization.uncertainty.analysis import draws_of
from liminal_jax.optimization.uncertainty.analysis import uncertainty as uncertain
from liminal_jax.optimization.uncertainty.result import Uncertainty
from liminal_jax.study.asked import Bound, Function
from liminal_jax.study.problem import Criterion, Limit
from liminal_jax.study.space import Space, with_precision


def robust(
    space: Space,
    objective: Criterion | None = None,
    *,
    measure: AbstractMeasure,
    maximise: str | Function | None = None,
    minimise: str | Function | None = None,
    limits: Iterable[Bound | Function | Limit] = (),
    samples: int = 256,
    seed: int = 0,
    reliability: float = 0.95,
    progress: Progress | None = None,
) -> RobustOptimum:
    """The design that does best in many futures, and what it costs with the nominal numbers.

    Every number that has a range in the data files is drawn from its distribution; which these are
    of a space that was written in Python, see `uncertainty`. The search descends by gradients under
    all samples at once, and ends in a local optimum of the exact model on the grid: nothing is
    proven of it. Of several structures, under the same samples, the best of their robust designs is
    the answer.

    Args:
        space: The space, from `load_study` or written in Python.
        objective: The objective of a study.
        measure: What counts of the objective over the futures: `ll.Mean()`, `ll.Worst()` or
            `ll.Quantile(0.1)`, which all but a tenth of them reach or better.
        maximise: An objective to maximise: a name such as "stps", or a function.
        minimise: An objective to minimise.
        limits: `ll.at_most`, `ll.at_least`, or functions g with g(prediction) <= 0.
        samples: Number of samples, a power of two.
        seed: Seed of the samples and of the starts.
        reliability: Share of the samples in which every limit has to hold.
        progress: Callbacks.

    Raises:
        InputError: no ranges are known, since the hardware was given as objects; or what is wrong
            with objectives or limits.
    """
    _check_ranges("robust", space)
    with jax.enable_x64(True):
        asked = one_objective(objective, maximise, minimise)
        problems, _ = problems_of(with_precision(space), [asked], limits)
        draws, fresh = draws_of(problems, samples, seed)
        found = [
            robust_design(it, draws, fresh, measure, reliability, seed=seed, progress=progress)
            for it in problems
        ]
    return replace(most_robust(found), seed=seed)


def _check_ranges(caller: str, space: Space) -> None:
    """Refuse a space of whose numbers no ranges are known."""
    if space.source is None and all(it.rows is None for it in space.regions):
        message = (
            "was written in Python with its hardware as objects, of which no ranges are known; take"
            ' it by name, as in {"system": ["h200"]}, so that those of its data files are drawn, or'
            " load a study with ll.load_study"
        )
        raise InputError(caller, [Mistake("space", message)])


def sensitivity(
    optimum: Optimum, change: float = 0.1, *, seed: int = 0, progress: Progress | None = None
) -> SensitivityAnalysis:
    """Shadow prices, elasticities and the tornado of an optimum, its continuous variables free.

    Of a space of several structures they are those of the structure of the optimum, which the first
    of the reasons names; the certificate speaks of all.

    Args:
        optimum: The result of `optimize`.
        change: Share by which each number is decreased and increased.
        seed: Seed of the relaxed search, should the proof need it.
        progress: Callbacks.

    Raises:
        InputError: no variable is free, or the objective is the same for every design.
    """
    with jax.enable_x64(True):
        found = sensitivity_analysis(optimum.problem, change, seed, progress)
    return _of_structure(found, optimum)


def _of_structure(found: SensitivityAnalysis, optimum: Optimum) -> SensitivityAnalysis:
    """What was found with what is known of the other structures of the space, if there are any."""
    names, own = [it.name for it in optimum.alternatives], found.problem.categories
    if len(names) == len(own):
        return found
    best = (
        f"{optimum.name} has the best design of {', '.join(names)}; what numbers are worth is told"
        f" within its structure, that of {', '.join(own)}"
    )
    # What is proven of the structure alone comes first, and is among what is proven of all.
    further = found.reasons[len(found.best.reasons) :]
    return replace(
        found,
        best=replace(found.best, certificate=optimum.certificate),
        reasons=[*([best] if optimum.feasible else []), *optimum.reasons, *further],
    )


def uncertainty(
    space: Space,
    objective: Criterion | None = None,
    limits: Iterable[Bound | Function | Limit] = (),
    *,
    maximise: str | Function | None = None,
    minimise: str | Function | None = None,
    samples: int = 64,
    seed: int = 0,
    reliability: float = 0.95,
) -> Uncertainty:
    """The problem solved again for every sample of the numbers that have ranges in the data files.

    Systems of any structure share the samples, and the best design of a sample is the best of all.
    Drawn is every number with a range that the answer depends on: of a study the numbers behind it
    that it does not state; of a space that was written in Python those of the systems, memory
    technologies and processes that it takes by name, as in `{"system": ["h200", "mi355x"]}`. What
    it is given as an object, and the numbers that it states, are known.

    Args:
        space: The space, from `load_study` or written in Python.
        objective: The objective of a study.
        limits: `ll.at_most`, `ll.at_least`, or functions g with g(prediction) <= 0.
        maximise: An objective to maximise: a name such as "stps", or a function.
        minimise: An objective to minimise.
        samples: Number of samples, a power of two.
        seed: Seed of the samples.
        reliability: Share of the samples in which a robust design has to meet every limit.

    Raises:
        InputError: no ranges are known, since the hardware was given as objects; or what is wrong
            with objectives or limits.
    """
    _check_ranges("uncertainty", space)
    with jax.enable_x64(True):
        asked = one_objective(objective, maximise, minimise)
        problems, _ = problems_of(with_precision(space), [asked], limits)
        draws, fresh = draws_of(problems, samples, seed)
        return replace(uncertain(problems, draws, fresh, reliability), seed=seed)
