"""Our search of problems of many members, and what is left of it without gradients."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race
from liminal_jax._smooth import Free
from liminal_jax.optimization.coupled import descent
from liminal_jax.optimization.coupled.assignment import outcome_of
from liminal_jax.optimization.coupled.lagrangian import Categories, assignment
from liminal_jax.optimization.coupled.search import search
from liminal_jax.optimization.search.augmented_lagrangian import augmented
from liminal_jax.optimization.search.branch_and_bound import MARGIN, Budget
from liminal_jax.optimization.search.descents import Evaluated, Lagrangian
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.problem import Outcome

MOST_ROUNDS = 1_000_003  # factor on a seed, so that the rounds of two seeds are others


def _searched(problem: AbstractCoupled) -> Searcher:
    def run(seed: int, race: Race) -> None:
        for number in itertools.count():
            begin = race.seconds
            found = search(
                problem,
                seed=seed * MOST_ROUNDS + number,
                budget=Budget(seconds=race.left),
                clock=race.clock,
            )
            for seconds, score, _ in found.closing:
                if np.isfinite(score):
                    race.note(0, float(score), begin + float(seconds))
            race.bound = min(race.bound, found.open_score)
            if race.bound <= race.best + MARGIN:
                race.proof = race.seconds
            if race.proof is not None or not race.open:
                return

    return run


STEP = 1e-5
"""Step of a difference, in ranges of a variable: rounding errs less than 1e-10, curvature too."""


def differences(problem: AbstractCoupled, categories: Categories) -> Lagrangian:
    """What a step of the descents asks of gradients, from values of the soft model alone.

    One variable after another is moved up and down, those at an end of their range beyond it.
    """

    def of_one(
        categories: Categories, unit: Array, multipliers: Array, weight: Array, heat: Array
    ) -> tuple[Array, Array, Array]:
        def outcome(at: Array) -> Outcome:
            return outcome_of(problem, assignment(problem, categories, at), Free(heat))

        def slope(axis: Array) -> Array:
            step = jnp.zeros_like(unit).at[axis].set(STEP)
            above = augmented(outcome(unit + step), multipliers, weight)
            below = augmented(outcome(unit - step), multipliers, weight)
            return (above - below) / (2 * STEP)

        here, slopes = outcome(unit), jax.lax.map(slope, jnp.arange(len(unit)))
        return jnp.asarray(here.score), here.violation, slopes

    each = jax.jit(jax.vmap(of_one, in_axes=(0, 0, 0, None, None)))

    def at(unit: np.ndarray, multipliers: np.ndarray, weight: float, heat: float) -> Evaluated:
        return Evaluated(*map(np.asarray, each(categories, unit, multipliers, weight, heat)))

    return at


@contextmanager
def without_gradients() -> Iterator[None]:
    """Descents take differences."""
    with patch.object(descent, "lagrangian_of", differences):
        yield


def _differenced(problem: AbstractCoupled) -> Searcher:
    run = _searched(problem)

    def without(seed: int, race: Race) -> None:
        with without_gradients():
            run(seed, race)

    return without


NEIGHBOURS = 256  # designs near the best one that are judged at once
PATIENCE = 8  # times that none of them is better before the next random start
PENALTY = 3.0  # what a logarithm of violation costs, in logarithms of the objective


def _near(row: np.ndarray, shape: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Designs near another one: one or two of its indices moved by one or two steps."""
    rows, every = np.tile(row, (NEIGHBOURS, 1)), np.arange(NEIGHBOURS)
    for _ in range(2):
        axis = draws.integers(len(shape), size=NEIGHBOURS)
        rows[every, axis] += draws.integers(-2, 3, NEIGHBOURS)
    return np.clip(rows, 0, shape - 1)


def _stepping(problem: AnyProblem) -> Searcher:
    judge = Judge(problem, NEIGHBOURS)
    shape = np.asarray(judge.shape)

    def run(seed: int, race: Race) -> None:
        draws = np.random.default_rng(seed)
        while race.open:
            rows = draws.integers(0, shape, (NEIGHBOURS, len(shape)))
            here, best, failed = rows[0], np.inf, 0
            while race.open and failed < PATIENCE:
                losses = judge(race, rows).penalised(PENALTY)
                found = int(np.argmin(losses))
                failed += 1
                if losses[found] < best:
                    here, best, failed = rows[found], losses[found], 0
                rows = _near(here, shape, draws)

    return run


SEARCH = Method(
    name="ours",
    about="gradients, snap, exchanges and prices that bound; from other starts where the bound"
    " stays open",
    ours=True,
    prepare=_searched,
    prepared=False,
)

DIFFERENCES = Method(
    name="ours, differences",
    about="the same with differences in the place of gradients",
    ours=True,
    prepare=_differenced,
    prepared=False,
)

STEPS = Method(
    name="local search",
    about=f"the best of {NEIGHBOURS} designs that differ in one or two indices by one or two steps,"
    f" until {PATIENCE} such lots bring nothing; limits as a penalty; from random starts",
    ours=True,
    prepare=_stepping,
)
