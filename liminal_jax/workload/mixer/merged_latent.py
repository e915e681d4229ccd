"""Latent attention as the talk counts it; no model file describes it."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import latent_cache, latent_work
from liminal_jax.laws.parameters import merged_latent_weights
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.mixer.scope import AbstractScope, FullScope


class MergedLatent(AbstractMixer):
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

    def weights(self, hidden: Scalar) -> Scalar:
        """See `AbstractMixer`."""
        return merged_latent_weights(
            hidden=hidden,
            heads=self.heads,
            q_rank=self.q_rank,
            kv_rank=self.kv_rank,
            rope_dim=self.rope_dim,
        )

    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractMixer`."""
        tokens = self.scope.kept(context, relaxation)
        return latent_work(
            heads=self.heads, kv_rank=self.kv_rank, rope_dim=self.rope_dim, tokens=tokens
        )

    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractMixer`."""
        return self.heads * self.scope.kept(context, relaxation)

    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractMixer`."""
        a_token = latent_cache(kv_rank=self.kv_rank, rope_dim=self.rope_dim)
        return a_token * self.scope.kept(context, relaxation)

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractMixer`."""
        return self.cache(context, relaxation)

    def cache_heads(self) -> Scalar:
        """See `AbstractMixer`."""
        return self.cache_ranks

    def output_width(self) -> Scalar:
        """See `AbstractMixer`."""
        return self.kv_rank
