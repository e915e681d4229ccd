"""A way of searching, as the comparison knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from experiments.rivals.race import Race

Searcher = Callable[[int, Race], None]
"""Searches with a seed until the race is over."""


Asked = TypeVar("Asked", contravariant=True)
"""What a method takes: problems of one design, of many members, or both."""


@dataclass(frozen=True)
class Method(Generic[Asked]):
    """A way of searching.

    Attributes:
        name: How results call it.
        about: What it is, and how it is told of limits.
        ours: Whether it is a part of this package.
        prepare: Does what a problem takes once: traces, compiles, tabulates.
        prepared: Whether nothing is left for the first search to compile.
    """

    name: str
    about: str
    ours: bool
    prepare: Callable[[Asked], Searcher]
    prepared: bool = True
