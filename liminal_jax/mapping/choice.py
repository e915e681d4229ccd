"""An attention mapping that is chosen among several by a number, as a search chooses it."""

from itertools import pairwise

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
from liminal_jax.mapping.attention import (
    ATTENTION_MAPPINGS,
    RANKS,
    AbstractAttentionMapping,
    DataParallel,
    WeightedAttention,
    attention_name,
)


class AttentionChoice(eqx.Module):
    """One of some attention mappings, by its place among all.

    Attributes:
        choices: Places of the mappings that may be chosen, ascending.
        place: One of them, or a number between.
        ranks: Ranks that share one user's attention; as the mapping has it where left out.
    """

    choices: tuple[float, ...] = eqx.field(static=True)
    place: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "attention mapping"))
    ranks: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=RANKS,
    )

    def mapping(self) -> AbstractAttentionMapping:
        """The mapping at the place; between two of them, the mean of both."""
        options = tuple(_attention_of(it, self.ranks) for it in self.choices)
        if len(options) == 1:
            return options[0]
        shares = [(self.place - low) / (high - low) for low, high in pairwise(self.choices)]
        passed = [jnp.clip(share, 0.0, 1.0) for share in shares]
        weights = [1 - passed[0], *(one - two for one, two in pairwise(passed))]
        return WeightedAttention(jnp.stack([*weights, passed[-1]]), options)


def _attention_of(place: float, ranks: Scalar | None) -> AbstractAttentionMapping:
    kind = ATTENTION_MAPPINGS[attention_name(place)]
    return kind() if kind is DataParallel else kind(ranks)
