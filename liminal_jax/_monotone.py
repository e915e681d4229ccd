"""Functions that rise or fall in each argument, so that their bounds are their values at the ends.

Interval arithmetic takes a function step by step. Where a step uses one number twice, as the search
for a root does, it forgets that both are the same and finds ranges without end. A function that is
known to be monotone is bounded as a whole instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

Law = TypeVar("Law", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Monotone:
    """A function of numbers, and which way it goes in each.

    Attributes:
        batched: The function over arrays of one dimension.
        rises: For each argument whether the function never falls in it; else it never rises.
    """

    batched: Callable[..., jax.Array]
    rises: tuple[bool, ...]

    def at(self, *values: np.ndarray) -> np.ndarray:
        """The function at each entry of arrays that broadcast against each other."""
        shape = np.broadcast_shapes(*(it.shape for it in values))
        flat = [np.broadcast_to(it, shape).ravel() for it in values]
        count = len(flat[0])
        # Few lengths, so that few programs are compiled.
        room = 1 << (count - 1).bit_length()
        padded = [np.pad(it, (0, room - count), mode="edge") for it in flat]
        return np.asarray(self.batched(*padded))[:count].reshape(shape)

    def slope(self, number: int) -> Callable[..., np.ndarray]:
        """The slope along one argument, at each entry of arrays that broadcast."""

        def of_one(*values: jax.Array) -> jax.Array:
            return self.batched(*(it[None] for it in values))[0]

        along = jax.jit(jax.vmap(jax.grad(of_one, number)))
        return Monotone(along, self.rises).at

    def ends(
        self, lows: Sequence[np.ndarray], highs: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value over ranges of the arguments."""
        pairs = list(zip(self.rises, lows, highs, strict=True))
        least = self.at(*(low if rises else high for rises, low, high in pairs))
        greatest = self.at(*(high if rises else low for rises, low, high in pairs))
        return least, greatest


MONOTONE: dict[str, Monotone] = {}
"""Monotone functions, by the name that a call of them has in a trace."""


def monotone(**rises: bool) -> Callable[[Law], Law]:
    """Marks a law as monotone in each of its arguments, all of them numbers.

    Args:
        **rises: For each argument whether the law never falls in it (True) or never rises (False).

    Examples:
        >>> @monotone(work=True, rate=False)
        ... def busy_time(*, work, rate):
        ...     return work / rate
        >>> float(busy_time(work=6.0, rate=2.0))
        3.0
        >>> MONOTONE["monotone_busy_time"].ends([np.array(2.0), np.array(1.0)],
        ...     [np.array(6.0), np.array(2.0)])
        (array(1.), array(6.))
    """

    def marked(law: Law) -> Law:
        def positional(*values: Any) -> Any:
            return law(**dict(zip(rises, values, strict=True)))

        positional.__name__ = f"monotone_{law.__name__}"
        call = jax.jit(positional)
        MONOTONE[positional.__name__] = Monotone(jax.jit(jax.vmap(call)), tuple(rises.values()))

        @wraps(law)
        def wrapped(**given: Any) -> Any:
            return call(*(jnp.asarray(given[name], float) for name in rises))

        return cast(Law, wrapped)

    return marked
