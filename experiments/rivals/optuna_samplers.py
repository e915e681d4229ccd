"""Samplers of Optuna: TPE, CMA-ES and NSGA-II."""

import warnings
from collections.abc import Callable

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, TPESampler
from optuna.trial import Trial

from experiments.rivals.judge import Judge, Judged
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

PENALTY = 3.0  # what a logarithm of violation costs where a sampler knows no limits


def _with_limits(trial: Trial, judged: Judged) -> float:
    """Tell a trial its limits; its loss."""
    for number, violation in enumerate(judged.violation[0]):
        trial.set_constraint(str(number), float(violation))
    return -float(judged.score[0])


def _with_penalty(trial: Trial, judged: Judged) -> float:
    """The loss of a trial with its penalty."""
    del trial
    return float(judged.penalised(PENALTY)[0])


def _with_category(trial: Trial, shape: tuple[int, ...]) -> list[int]:
    """A design of which the first index is a category."""
    categories, *lengths = shape
    return [
        trial.suggest_categorical("category", list(range(categories))),
        *(trial.suggest_int(str(axis), 0, it - 1) for axis, it in enumerate(lengths)),
    ]


def _with_numbers(trial: Trial, shape: tuple[int, ...]) -> list[int]:
    """A design by numbers alone."""
    return [trial.suggest_int(str(axis), 0, it - 1) for axis, it in enumerate(shape)]


def _sampled(
    sampler: Callable[[int], BaseSampler],
    suggested: Callable[[Trial, tuple[int, ...]], list[int]],
    loss: Callable[[Trial, Judged], float],
) -> Callable[[AnyProblem], Searcher]:
    def prepare(problem: AnyProblem) -> Searcher:
        judge = Judge(problem, 1)
        optuna.logging.set_verbosity(optuna.logging.ERROR)

        def search(seed: int, race: Race) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                study = optuna.create_study(sampler=sampler(seed))
                while race.open:
                    trial = study.ask()
                    row = np.asarray([suggested(trial, judge.shape)])
                    study.tell(trial, loss(trial, judge(race, row)))

        return search

    return prepare


TPE = Method(
    name="Optuna TPE",
    about="multivariate TPE; limits by set_constraint",
    ours=False,
    prepare=_sampled(
        lambda seed: TPESampler(seed=seed, multivariate=True), _with_category, _with_limits
    ),
)

CMA = Method(
    name="Optuna CMA-ES",
    about="CMA-ES with margin; it knows neither categories, which are numbers to it, nor limits,"
    " which are a penalty",
    ours=False,
    prepare=_sampled(
        lambda seed: CmaEsSampler(seed=seed, with_margin=True), _with_numbers, _with_penalty
    ),
)

NSGA = Method(
    name="Optuna NSGA-II",
    about="NSGA-II; limits by set_constraint",
    ours=False,
    prepare=_sampled(lambda seed: NSGAIISampler(seed=seed), _with_category, _with_limits),
)
