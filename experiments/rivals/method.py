"""A way of searching, as the comparison knows it."""

from collections.abc import Callable
from dataclasses import dataclass

import liminal_jax as ll
from experiments.rivals.race import Race

Searcher = Callable[[int, Race], None]
"""Searches with a seed until the race is over."""


@dataclass(frozen=True)
class Method:
    """A way of searching.

    Attributes:
        name: How results call it.
        about: What it is, and how it is told of limits.
        ours: Whether it is a part of this package.
        prepare: Does what a study takes once: traces, compiles, tabulates.
        prepared: Whether nothing is left for the first search to compile.
    """

    name: str
    about: str
    ours: bool
    prepare: Callable[[ll.Problem], Searcher]
    prepared: bool = True
