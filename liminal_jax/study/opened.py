"""A study as Python users hold it: its space, what is best, and what must hold."""

from typing import NamedTuple

import jax

from liminal_jax.study.problem import Criterion, Limit
from liminal_jax.study.questions import load_study as load_study_file
from liminal_jax.study.read import problems_of
from liminal_jax.study.space import Space


class Study(NamedTuple):
    """A study.

    Attributes:
        space: The designs.
        objective: What is best.
        limits: What must hold, beside what can be built.
    """

    space: Space
    objective: Criterion
    limits: tuple[Limit, ...]


def load_study(name_or_path: str) -> Study:
    """A study of one workload, by its name or from its file, in float64.

    Raises:
        InputError: there is no such study, or it has mistakes; all of them.

    Examples:
        >>> space, objective, limits = load_study("deepseek-v3-128k")
        >>> objective.name, [it.name for it in limits]
        ('stps', ['utps', 'chip_power', 'power', 'capital_cost'])
    """
    with jax.enable_x64(True):
        problems = problems_of(load_study_file(name_or_path))
    first = problems[0]
    own = tuple(it for it in first.limits if not it.physical)
    return Study(Space.of([it.region for it in problems], first.source), first.goal, own)
