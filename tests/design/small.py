"""Two small studies, relaxed: a planned chip at its most, finished systems at their least."""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from liminal_jax.design.anneal import Schedule
from liminal_jax.design.box import box_of
from liminal_jax.design.ending import Ending
from liminal_jax.design.prices import prices
from liminal_jax.design.refine import RelaxedOptimum, relaxed_optima
from liminal_jax.design.relaxed import RelaxedPoint, relaxed_points
from liminal_jax.design.slopes import Local, Slopes
from liminal_jax.study.file import load_study
from liminal_jax.study.problem import Problem, problem_of
from tests.design.brute import study

SCHEDULE = Schedule(starts=6, rounds=12, steps=40)
KEY = 7
CAPITAL, UTPS = 0.3e6, 100.0

PLANNED = {
    "workload": {"model": "llama-3-8b"},
    "design": {
        "memory": {"choices": ["hbm3e", "hbm4"]},
        "stacks": {"choices": [1, 2, 4, 8]},
        "dies": 2,
        "compute_area": {"min": "100 mm2", "max": "600 mm2", "step": "50 mm2"},
        "sram": "0 MB",
        "link_bandwidth": "900 GB/s",
        "chips": 8,
        "tp": 8,
        "cp": 1,
        "pp": 1,
        "ep": 1,
        "batch": {"min": 1, "max": 4096, "num": 25, "scale": "log"},
    },
    "constraints": [
        {"quantity": "capital_cost", "at_most": CAPITAL},
        {"quantity": "utps", "at_least": UTPS},
    ],
}
FINISHED = {
    "workload": {"model": "llama-3-8b"},
    "objective": {"minimise": "usd_per_million_tokens"},
    "design": {
        "system": {"choices": ["h100", "h200"]},
        "chips": None,
        "tp": {"choices": [1, 2, 4, 8]},
        "cp": 1,
        "pp": 1,
        "ep": 1,
        "batch": {"min": 1, "max": 4096, "num": 25, "scale": "log"},
    },
    "constraints": [{"quantity": "utps", "at_least": 150.0}],
}
STUDIES = {"planned": PLANNED, "finished": FINISHED}


class Solved(NamedTuple):
    """A study, where its starts ended, and its relaxed optima, the best first."""

    problem: Problem
    points: RelaxedPoint
    slopes: Slopes
    optima: list[RelaxedOptimum]


def unmoved(problem: Problem, units: Array, categories: Array) -> RelaxedPoint:
    """Starts that no gradient has moved, as if each met every limit."""

    def one(unit: Array, category: Array) -> RelaxedPoint:
        none, excess = jnp.zeros(len(unit), bool), jnp.zeros(len(problem.limits))
        return RelaxedPoint(unit, category, jnp.zeros(()), excess, none, jnp.zeros((), int))

    return jax.vmap(one)(units, categories)


def unrefined(_: Slopes, points: RelaxedPoint) -> list[RelaxedOptimum]:
    """The first start as it is, as if it were the optimum."""
    unit, excess = np.asarray(points.unit[0]), np.asarray(points.excess[0])
    nothing = np.zeros((1 + len(excess), len(unit)))
    local = Local(0.0, excess, nothing, nothing)
    worth = prices(local, unit)
    return [RelaxedOptimum(unit, int(points.category[0]), local, worth, Ending.CONVERGED, ())]


def small(name: str, **changes) -> Problem:
    """One of the studies, with some of its tables changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = study(Path(folder), name, **{**STUDIES[name], **changes})
        return problem_of(load_study(str(path)))


@functools.cache
def solved(name: str) -> Solved:
    """A study solved, once in each process."""
    problem = small(name)
    points = relaxed_points(problem, box_of(problem), SCHEDULE, jax.random.key(KEY))
    slopes = Slopes(problem, SCHEDULE.cold)
    return Solved(problem, points, slopes, relaxed_optima(slopes, points))
