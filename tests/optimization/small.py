"""Two small studies, relaxed: a planned chip at its most, finished systems at their least."""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.descents import Descents
from liminal_jax.optimization.search.gradient_search import STARTS, Starts, descended, starts_of
from liminal_jax.optimization.sensitivity.fixed_integers import with_fixed_integers
from liminal_jax.optimization.sensitivity.gradients import Gradients
from liminal_jax.optimization.sensitivity.relaxed_optimum import RelaxedOptimum
from liminal_jax.study.problem import Problem
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from tests.optimization.brute import study

SCHEDULE = STARTS._replace(starts=6)
KEY = 7
CAPITAL, UTPS = 1.65e6, 100.0

PLANNED = {
    "workload": {"model": "llama-3-8b"},
    "assumptions": {"facility": {"selling_multiple": 6.3}},
    "design": {
        "memory": {"choices": ["hbm3e", "hbm4"]},
        "stacks": {"choices": [1, 2, 4, 8]},
        "dies": 2,
        "compute_area": {"min": "100 mm2", "max": "600 mm2", "step": "50 mm2"},
        "sram": "0 MB",
        "link_bandwidth": "900 GB/s",
        "chips": {"min": 8, "max": 64, "step": 8},
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
    """A study, and the best design of each category with its sizes free, the best first."""

    problem: Problem
    gradients: Gradients
    optima: list[RelaxedOptimum]


def small(name: str, **changes) -> Problem:
    """One of the studies, with some of its tables changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = study(Path(folder), name, **{**STUDIES[name], **changes})
        return problem_of(load_study(str(path)))


@functools.cache
def solved(name: str) -> Solved:
    """A study solved, once in each process."""
    problem = small(name)
    bounded = bounded_problem_of(problem)
    freed = with_fixed_integers(problem, proven(bounded, []))
    optima = [freed.optimum(number) for number in range(len(freed.rows))]
    return Solved(problem, freed.gradients, optima)


class Ended(NamedTuple):
    """A study, where its descents begin, and where they end."""

    problem: Problem
    starts: Starts
    ends: Descents


@functools.cache
def ended(name: str) -> Ended:
    """A study descended, once in each process."""
    problem = small(name)
    starts = starts_of(problem, SCHEDULE, KEY)
    return Ended(problem, starts, descended(problem, starts, SCHEDULE))
