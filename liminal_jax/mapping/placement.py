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
    in_weights = relaxation.minimum(capacity, weights)
    # Rounding may leave less than nothing.
    left = relaxation.maximum(capacity - in_weights, 0.0)
    in_cache = relaxation.minimum(left, cache)
    in_experts = relaxation.minimum(relaxation.maximum(left - in_cache, 0.0), experts)
    return Placement(
        weights=in_weights / weights,
        cache=in_cache / jnp.where(cache > 0, cache, 1.0),
        experts=in_experts / jnp.where(experts > 0, experts, 1.0),
    )
