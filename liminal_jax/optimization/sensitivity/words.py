"""Numbers, limits and prices of a study in words that people use."""

from liminal_jax._display import plain, with_prefix
from liminal_jax.optimization.sensitivity.shadow_prices import ShadowPrice
from liminal_jax.results.words import (
    constraint_word,
    number_words,
    quantity,
    quantity_word,
    step,
    step_words,
)
from liminal_jax.study.limits import PHYSICAL
from liminal_jax.study.parameters import parameters_of
from liminal_jax.study.problem import Limit, Problem
from liminal_jax.study.quantities import NAMED
from liminal_jax.study.variables import stated_as

_USED = {
    "USD/m2": ("USD/mm2", 1e-6),
    "USD*s/B": ("USD/(GB/s)", 1e9),
    "USD/J": ("USD/kWh", 3.6e6),
    "J/B": ("pJ/bit", 1.25e11),
    "J/FLOP": ("pJ/FLOP", 1e12),
    "FLOP/s/m2": ("TFLOP/s/mm2", 1e-18),
    "B/m2": ("MB/mm2", 1e-12),
    "B/s/m2": ("GB/s/mm2", 1e-15),
    "1/m2": ("1/cm2", 1e-4),
    "W/m2": ("W/mm2", 1e-6),
    "m2": ("mm2", 1e6),
    "m2*s/B": ("mm2/(GB/s)", 1e15),
    "m": ("mm", 1e3),
    "USD": ("USD", 1.0),
    "tokens": ("tokens", 1.0),
    "bits": ("bits", 1.0),
    "": ("", 1.0),
}
"""What people say instead of a unit of SI, and how many of it one is."""


def amount(value: float, unit: str) -> str:
    """A number of a study with the unit that people use for it.

    Examples:
        >>> amount(2.9e5, "USD/m2")
        '0.29 USD/mm2'
        >>> amount(6e12, "B/s")
        '6 TB/s'
    """
    if unit not in _USED:
        return with_prefix(value, unit)
    shown, scale = _USED[unit]
    return f"{plain(value * scale)} {shown}".rstrip()


def label(problem: Problem, path: str, category: str) -> str:
    """A number of a study in a few words, with the category that it is one of."""
    words, limit = number_words(path), path.startswith("limit.")
    return f"{words}, {category}" if not limit and parameters_of(problem).own(path) else words


def variable(name: str) -> str:
    """A variable of the design in a word or two."""
    return stated_as(name).label


def limit_amount(path: str, value: float, unit: str) -> str:
    """The value of a number or of a limit; limits are told as their quantity is."""
    if path.startswith("limit."):
        return quantity(path.split(".")[1], value, unit)
    return amount(value, unit)


def price_sentence(problem: Problem, price: ShadowPrice) -> str:
    """A shadow price in words: what a little more of the limit is worth."""
    name = price.constraint.removeprefix("range.")
    if name != price.constraint:
        return f"{_range(name, price, problem)}: {_worth(problem, price, name)}"
    limits = [it for it in problem.limits if (it.name, it.bound) == (price.constraint, price.limit)]
    if price.constraint in PHYSICAL:
        gain = f"{abs(price.elasticity):.2g} %"
        asked = quantity_word(problem.asked)
        return f"{constraint_word(price.constraint)}: 1 % more room is worth {gain} of {asked}"
    asked = _limit(limits[0])
    return f"{asked}: {_worth(problem, price, name)}" if price.price else f"{asked}: does not bind"


def _limit(limit: Limit) -> str:
    side = "at least" if limit.at_least else "at most"
    return f"{quantity_word(limit.name)} {side} {quantity(limit.name, limit.bound, limit.unit)}"


def _range(name: str, price: ShadowPrice, problem: Problem) -> str:
    """Which end of its range holds a variable."""
    (grid,) = [it.grid.values for it in problem.variables if it.name == name]
    end = "least" if price.limit - grid[0] < grid[-1] - price.limit else "most"
    return f"{variable(name)} held at the {end} allowed, {amount(price.limit, price.unit)}"


def _worth(problem: Problem, price: ShadowPrice, name: str) -> str:
    """What one step more of a limit does to the objective."""
    more = step(price.limit, price.unit)
    told = amount(more, price.unit)
    if name in NAMED:
        told = step_words(name, price.limit, price.unit)
    effect = quantity(problem.asked, abs(price.price) * more, problem.goal.unit)
    gains = (price.price > 0) == problem.maximises
    verb = "costs" if not gains else "is worth" if problem.maximises else "saves"
    return f"{told} more {verb} {effect}"
