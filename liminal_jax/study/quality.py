"""What levers cost in quality, as the user of a study says: it is never guessed."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf

_Numbers: TypeAlias = Sequence[int | float]


class StatedLoss(eqx.Module):
    """The loss of quality at some settings of one number, and on the lines between them.

    Attributes:
        path: The path of the number in a case.
        settings: Its values, ascending.
        losses: The loss at each.
    """

    path: str = eqx.field(static=True)
    settings: tuple[Leaf, ...]
    losses: tuple[Leaf, ...]

    def __init__(self, path: str, settings: _Numbers, losses: _Numbers):
        """A loss.

        Raises:
            ValueError: there are fewer than two settings, they do not ascend, or there are not as
                many losses.
        """
        if len(settings) < 2 or len(settings) != len(losses):
            raise ValueError(
                f"{path}: give two settings at least and a loss for each, got"
                f" {len(settings)} and {len(losses)}"
            )
        if any(b <= a for a, b in itertools.pairwise(settings)):
            raise ValueError(f"{path}: settings must ascend, got {list(settings)}")
        self.path = path
        self.settings, self.losses = (tuple(map(as_leaf, it)) for it in (settings, losses))

    def at(self, value: Scalar) -> Scalar:
        """The loss at a value; beyond the settings that of the nearest.

        Examples:
            >>> loss = StatedLoss("request.kv_bits", settings=[4, 8, 16], losses=[3, 1, 0])
            >>> [float(loss.at(bits)) for bits in (2.0, 6.0, 16.0)]
            [3.0, 2.0, 0.0]
        """
        total = self.losses[0]
        for row in range(1, len(self.settings)):
            low, high = self.settings[row - 1], self.settings[row]
            rise = (self.losses[row] - self.losses[row - 1]) / (high - low)
            total = total + rise * jnp.clip(value - low, 0.0, high - low)
        return total


class Quality(eqx.Module):
    """What a design loses of a model's quality: the sum over the levers that cost some.

    Attributes:
        losses: The loss of each lever.
        unit: What is lost, in words: `points of MMLU-Pro`.
    """

    losses: tuple[StatedLoss, ...]
    unit: str = eqx.field(static=True, default="")

    def loss(self, case: Any) -> Scalar:
        """The loss of a case; a lever that it leaves out costs nothing."""
        total: Scalar = jnp.zeros(())
        for it in self.losses:
            value = _value(case, it.path)
            total = total if value is None else total + it.at(value)
        return total


def _value(case: Any, path: str) -> Scalar | None:
    for name in path.split("."):
        case = None if case is None else getattr(case, name)
    return case


def quality_of(
    losses: Mapping[str, tuple[Sequence[int | float], Sequence[int | float]]], unit: str
) -> Quality:
    """What levers cost, from their settings and losses by path."""
    return Quality(tuple(StatedLoss(path, *it) for path, it in losses.items()), unit)
