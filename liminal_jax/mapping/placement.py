"""Placement of data in SRAM, main memory and a capacity tier."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.kinds import KINDS


class Shares(Shown):
    """Share of each kind of data, between 0 and 1.

    Attributes:
        weights: Of the weights that every token uses.
        cache: Of what is kept for users: KV cache, index and states.
        experts: Of the routed experts.
    """

    weights: Leaf = eqx.field(converter=as_leaf, default=0)
    cache: Leaf = eqx.field(converter=as_leaf, default=0)
    experts: Leaf = eqx.field(converter=as_leaf, default=0)

    def bytes_of(self, *, weights: Scalar, experts: Scalar, cache: Scalar) -> Scalar:
        """Bytes of these shares of some data [B]."""
        return self.weights * weights + self.experts * experts + self.cache * cache


class Placement(Shown):
    """Share of each kind of data that lies in software-managed SRAM, between 0 and 1.

    Attributes:
        weights: Of the weights that every token uses.
        cache: Of what is kept for users: KV cache, index and states.
        experts: Of the routed experts.
        capacity_tier: Share in the capacity tier of what does not lie in SRAM; None where nothing
            does. All else lies in main memory.
    """

    weights: Leaf = eqx.field(converter=as_leaf, default=0)
    cache: Leaf = eqx.field(converter=as_leaf, default=0)
    experts: Leaf = eqx.field(converter=as_leaf, default=0)
    capacity_tier: Shares | None = None

    def in_sram(self) -> Shares:
        """The data in SRAM."""
        return Shares(weights=self.weights, cache=self.cache, experts=self.experts)

    def beyond_sram(self) -> Shares:
        """The data in main memory and in the capacity tier."""
        return Shares(weights=1 - self.weights, cache=1 - self.cache, experts=1 - self.experts)

    @once
    def by_tier(self) -> tuple[Shares, ...]:
        """The data in SRAM, in main memory, and in the capacity tier if there is any."""
        beyond, far = self.beyond_sram(), self.capacity_tier
        if far is None:
            return self.in_sram(), beyond
        # Products of shares, not differences: in range arithmetic, which takes the shares as
        # independent, a difference of them could fall below 0.
        main = Shares(
            weights=beyond.weights * (1 - far.weights),
            cache=beyond.cache * (1 - far.cache),
            experts=beyond.experts * (1 - far.experts),
        )
        tier = Shares(
            weights=beyond.weights * far.weights,
            cache=beyond.cache * far.cache,
            experts=beyond.experts * far.experts,
        )
        return self.in_sram(), main, tier


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


def overflowing(
    *,
    capacity: Scalar,
    weights: Scalar,
    cache: Scalar,
    experts: Scalar,
    relaxation: AbstractRelaxation,
    kinds: tuple[str, ...] = KINDS,
) -> Shares:
    """Share of each kind of data that main memory cannot hold.

    Main memory is filled with what must not leave it, then in the order of `KINDS`, which is that
    of `filled_placement`. So the experts overflow first, of which a step reads those only that its
    batch touches; then the cache, which a request adds to and then leaves; last the weights that
    every token uses.

    Args:
        capacity: Main memory of the instance [B].
        weights: Bytes of the weights outside SRAM that every token uses [B]; may be 0.
        cache: Bytes outside SRAM of what is kept for all users [B]; may be 0.
        experts: Bytes of the routed experts outside SRAM [B]; may be 0.
        relaxation: How kinks are read.
        kinds: Kinds of data that may overflow.

    Returns:
        Shares of what is outside SRAM.
    """
    outside = dict(zip(KINDS, (weights, cache, experts), strict=True))
    left, missing = capacity, {}
    for kind in sorted(KINDS, key=lambda it: it in kinds):
        data = outside[kind]
        held = _share(left, data, relaxation)
        if kind in kinds:
            missing[kind] = jnp.where(data > 0, 1.0, 0.0) * (1 - held)
        left = relaxation.maximum(left - held * data, 0.0)
    return Shares(**missing)
