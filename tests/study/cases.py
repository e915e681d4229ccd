"""Designs of a study by the short names of their numbers."""

import jax.numpy as jnp

from liminal_jax.study.limits import use_of
from liminal_jax.study.variables import PATHS, names_of


def case_with(problem, category=0, **values):
    """The design at the first values of a study's variables, or at others; all exist there."""
    space = problem.region
    numbers = {PATHS[name]: jnp.asarray(value, float) for name, value in values.items()}
    assert set(numbers) <= set(space.numbers)
    point = [numbers.get(it.path, it.grid.values[0]) for it in problem.variables]
    return space.with_numbers(numbers).at(point, jnp.asarray(category))


def known(problem, values):
    """Those of some numbers by short name that a study has."""
    names = names_of(problem.region.case)
    there = {name for path, name in names.items() if path in problem.region.numbers}
    return {name: it for name, it in values.items() if name in there}


def seen(case, relaxation):
    """The prediction of the whole system, and how far each physical limit is used."""
    fleet = case.fleet(relaxation)
    return fleet, use_of(case, fleet, relaxation)
