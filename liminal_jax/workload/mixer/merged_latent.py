"""Latent attention as the talk counts it; no model file describes it."""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.attention import latent_cache
from liminal_jax.laws.parameters import merged_latent_weights
from liminal_jax.workload.mixer.latent import AbstractLatent
from liminal_jax.workload.mixer.scope import AbstractScope, FullScope


class MergedLatent(AbstractLatent):
    """Latent attention with its projections multiplied out, as the talk's tables count it.

    Attributes:
        cache_ranks: Ranks up to which no extra collectives are charged for splitting the sequence.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    q_rank: Leaf = eqx.field(converter=as_leaf)
    kv_rank: Leaf = eqx.field(converter=as_leaf)
    rope_dim: Leaf = eqx.field(converter=as_leaf)
    cache_ranks: Leaf = eqx.field(converter=as_leaf)
    scope: AbstractScope = eqx.field(default_factory=FullScope)

    @override
    def token_elements(self) -> Scalar:
        return latent_cache(kv_rank=self.kv_rank, rope_dim=self.rope_dim)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return merged_latent_weights(
            hidden=hidden,
            heads=self.heads,
            q_rank=self.q_rank,
            kv_rank=self.kv_rank,
            rope_dim=self.rope_dim,
        )

    @override
    def cache_heads(self) -> Scalar:
        return self.cache_ranks
