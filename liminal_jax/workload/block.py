"""Consecutive tokens of one user that pass the model together in a decode step."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown


class Block(Shown):
    """Consecutive tokens of one user that pass the model together in a decode step.

    The cache of the user is read once for all of them.

    Attributes:
        tokens: Tokens of the block.
        fresh: Share of the new experts of independent tokens that its further tokens touch.
    """

    tokens: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "tokens of a block"))
    fresh: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "new experts that further tokens touch", least=0.0, most=1.0),
    )
