"""What pools serve: requests of some lengths, at a rate, with tokens at a pace."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import Quantity
from liminal_jax.study.coupled import Point

SHARED = {
    "rate": Quantity("1/s", "requests a second"),
    "tpot": Quantity("s", "time of a token"),
    "micro_batches": Quantity("", "micro-batches in flight", whole=True),
}
"""What the numbers of a `Pace` are."""


class Pace(NamedTuple):
    """What all pools share.

    Attributes:
        rate: Requests a second [1/s].
        tpot: Time of a token, where attention and experts are apart [s].
        micro_batches: Micro-batches in flight between them.
    """

    rate: Scalar
    tpot: Scalar
    micro_batches: Scalar


class Requests(eqx.Module):
    """Requests, all of the same lengths.

    Attributes:
        isl: Tokens of a prompt.
        osl: Tokens of an answer.
        pace: What all pools share, where it is not free.
        free: Names of what of it is free, in the order of the shared variables.
    """

    isl: Leaf = eqx.field(converter=as_leaf)
    osl: Leaf = eqx.field(converter=as_leaf)
    pace: Pace
    free: tuple[str, ...] = eqx.field(static=True)

    def at(self, shared: Point) -> Pace:
        """The pace at a point of what is shared."""
        return self.pace._replace(**dict(zip(self.free, shared.values, strict=True)))

    def later(self) -> Scalar:
        """Tokens of an answer that are decoded: all but the first; one at least."""
        return jnp.maximum(self.osl - 1, 1.0)
