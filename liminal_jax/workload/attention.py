"""Kinds of attention: what one token of one layer computes, reads and keeps."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import (
    grouped_query_cache,
    grouped_query_work,
    latent_cache,
    latent_work,
)
from liminal_jax.laws.parameters import (
    grouped_query_weights,
    latent_weights,
    latent_weights_direct,
    merged_latent_weights,
)


class AbstractScope(eqx.Module):
    """Which tokens of the context a layer keeps."""

    @abstractmethod
    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens kept, out of a context."""


class FullScope(AbstractScope):
    """Every token is kept."""

    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractScope`."""
        del relaxation
        return context


class WindowScope(AbstractScope):
    """At most `window` tokens are kept: a sliding window, or a chunk at its fullest."""

    window: Leaf = eqx.field(converter=as_leaf)

    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractScope`."""
        return relaxation.minimum(context, self.window)


class AbstractAttention(eqx.Module):
    """Attention of one layer; all quantities are per layer."""

    heads: eqx.AbstractVar[Leaf]
    scope: eqx.AbstractVar[AbstractScope]

    @abstractmethod
    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of its matrices, all of them read and used by every token."""

    @abstractmethod
    def work(self, tokens: Scalar) -> Scalar:
        """Tensor work of one token on the tokens kept [FLOP]."""

    @abstractmethod
    def cache(self) -> Scalar:
        """Elements that one kept token holds in the cache."""

    @abstractmethod
    def cache_heads(self) -> Scalar:
        """Ranks over which the cache divides without splitting the sequence."""

    @abstractmethod
    def output_width(self) -> Scalar:
        """Elements of the weighted sum that one head forms for one token."""

    def scores(self, tokens: Scalar) -> Scalar:
        """Attention scores of one token on the tokens kept."""
        return self.heads * tokens


class GroupedQuery(AbstractAttention):
    """Grouped-query attention; see `spec.GroupedQueryAttention`."""

    heads: Leaf = eqx.field(converter=as_leaf)
    kv_heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    scope: AbstractScope = eqx.field(default_factory=FullScope)

    def weights(self, hidden: Scalar) -> Scalar:
        """See `AbstractAttention`."""
        return grouped_query_weights(
            hidden=hidden, heads=self.heads, kv_heads=self.kv_heads, head_dim=self.head_dim
        )

    def work(self, tokens: Scalar) -> Scalar:
        """See `AbstractAttention`."""
        return grouped_query_work(heads=self.heads, head_dim=self.head_dim, tokens=tokens)

    def cache(self) -> Scalar:
        """See `AbstractAttention`."""
        return grouped_query_cache(kv_heads=self.kv_heads, head_dim=self.head_dim)

    def cache_heads(self) -> Scalar:
        """See `AbstractAttention`."""
        return self.kv_heads

    def output_width(self) -> Scalar:
        """See `AbstractAttention`."""
        return self.head_dim


class Latent(AbstractAttention):
    """Multi-head latent attention, its key and value projections absorbed in decode.

    Absorbing leaves the stored matrices as they are: the query is taken through the key's
    up-projection, the output through the value's, so a token's work on them is that of using each
    once. See `spec.LatentAttention`.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    q_rank: Leaf | None = eqx.field(converter=optional_leaf)
    kv_rank: Leaf = eqx.field(converter=as_leaf)
    nope_dim: Leaf = eqx.field(converter=as_leaf)
    rope_dim: Leaf = eqx.field(converter=as_leaf)
    value_dim: Leaf = eqx.field(converter=as_leaf)
    scope: AbstractScope = eqx.field(default_factory=FullScope)

    def weights(self, hidden: Scalar) -> Scalar:
        """See `AbstractAttention`."""
        widths = {
            "hidden": hidden,
            "heads": self.heads,
            "kv_rank": self.kv_rank,
            "nope_dim": self.nope_dim,
            "rope_dim": self.rope_dim,
            "value_dim": self.value_dim,
        }
        if self.q_rank is None:
            return latent_weights_direct(**widths)
        return latent_weights(q_rank=self.q_rank, **widths)

    def work(self, tokens: Scalar) -> Scalar:
        """See `AbstractAttention`."""
        return latent_work(
            heads=self.heads, kv_rank=self.kv_rank, rope_dim=self.rope_dim, tokens=tokens
        )

    def cache(self) -> Scalar:
        """See `AbstractAttention`."""
        return latent_cache(kv_rank=self.kv_rank, rope_dim=self.rope_dim)

    def cache_heads(self) -> Scalar:
        """One: all heads share the latent."""
        return 1.0

    def output_width(self) -> Scalar:
        """See `AbstractAttention`."""
        return self.kv_rank


class MergedLatent(AbstractAttention):
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
        """See `AbstractAttention`."""
        return merged_latent_weights(
            hidden=hidden,
            heads=self.heads,
            q_rank=self.q_rank,
            kv_rank=self.kv_rank,
            rope_dim=self.rope_dim,
        )

    def work(self, tokens: Scalar) -> Scalar:
        """See `AbstractAttention`."""
        return latent_work(
            heads=self.heads, kv_rank=self.kv_rank, rope_dim=self.rope_dim, tokens=tokens
        )

    def cache(self) -> Scalar:
        """See `AbstractAttention`."""
        return latent_cache(kv_rank=self.kv_rank, rope_dim=self.rope_dim)

    def cache_heads(self) -> Scalar:
        """See `AbstractAttention`."""
        return self.cache_ranks

    def output_width(self) -> Scalar:
        """See `AbstractAttention`."""
        return self.kv_rank
