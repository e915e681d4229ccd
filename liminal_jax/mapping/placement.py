"""What lies in the SRAM of the chips and what in their main memory."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation


class Placement(eqx.Module):
    """Share of each kind of data that lies in software-managed SRAM, between 0 and 1.

    Attributes:
        weights: Of the weights that every token uses.
        cache: Of what is kept for users: KV cache, index and states.
        experts: Of the routed experts.
    """

    weights: Leaf = eqx.field(converter=as_leaf, default=0)
    cache: Leaf = eqx.field(converter=as_leaf, default=0)
    experts: Leaf = eqx.field(converter=as_leaf, default=0)


def filled_placement(
    *,
    capacity: Scalar,
    weights: Scalar,
    cache: Scalar,
    experts: Scalar,
    relaxation: AbstractRelaxation,
) -> Placement:
    """Fill the SRAM with what is read most often for its size.

    Weights that every token uses and the cache are read once a step, whole; of the experts only
    those that the batch touches. So experts come last.

    Args:
        capacity: SRAM of the instance [B].
        weights: Bytes of the weights that every token uses [B].
        cache: Bytes of what is kept for all users: cache, index and states [B]; may be 0.
        experts: Bytes of the routed experts [B]; may be 0.
        relaxation: How kinks are read.

    Returns:
        Shares that fit.
    """
    # Shares are taken as least of one rather than of bytes, so that none exceeds one even in range
    # arithmetic, which takes dividend and divisor apart.
    of_weights = relaxation.share(capacity / weights)
    # Rounding may leave less than nothing.
    left = relaxation.maximum(capacity - of_weights * weights, 0.0)
    of_cache = _share(left, cache, relaxation)
    left = relaxation.maximum(left - of_cache * cache, 0.0)
    return Placement(weights=of_weights, cache=of_cache, experts=_share(left, experts, relaxation))


def _share(capacity: Scalar, data: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    """Share of some data that a capacity holds; 0 where there is none."""
    some = data > 0
    return jnp.where(some, relaxation.share(capacity / jnp.where(some, data, 1.0)), 0.0)
