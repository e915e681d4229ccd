"""Attention that sees less, or keeps less, than the model's own."""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.cache_reads import shared_bytes, window_tokens
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Model

_Law: TypeAlias = Callable[[Scalar, AbstractRelaxation], Scalar]
_ChunkLaw: TypeAlias = Callable[[Chunk, AbstractRelaxation], Scalar]


class ReducedAttention(Shown):
    """Attention that sees less, or keeps less, than the model's own.

    Each changes the model: it must be trained so, or adapted.

    Attributes:
        windowed: Share of the layers that see a window alone.
        window: Tokens of it.
        sparse: Share of the layers that attend to chosen tokens alone, found by an index.
        chosen: Tokens that are chosen: 2,048 in DeepSeek-V3.2 (arXiv:2512.02556).
        index: Elements of a token in the index; 128 in DeepSeek-V3.2.
        sharing: Layers that share a cache, as in cross-layer attention (arXiv:2405.12981): it is
            kept once, and read by each.
    """

    windowed: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "layers with a window", least=0.0, most=1.0),
    )
    window: Leaf = eqx.field(
        converter=as_leaf, default=4096, metadata=quantity("tokens", "window", least=1.0)
    )
    sparse: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "layers with sparse attention", least=0.0, most=1.0),
    )
    chosen: Leaf = eqx.field(
        converter=as_leaf, default=2048, metadata=quantity("tokens", "tokens chosen", least=1.0)
    )
    index: Leaf = eqx.field(
        converter=as_leaf, default=128, metadata=quantity("", "index of a token", least=0.0)
    )
    sharing: Leaf = eqx.field(
        converter=as_leaf, default=1, metadata=quantity("", "layers that share a cache", least=1.0)
    )

    def of(self, model: Model) -> Model:
        """The model with such attention."""
        layers = tuple(
            layers
            if layers.attention is None
            else dataclasses.replace(layers, attention=_altered(layers.attention, self))
            for layers in model.layers
        )
        return dataclasses.replace(model, layers=layers)


def _altered(own: AbstractMixer, attention: ReducedAttention) -> AbstractMixer:
    return _Altered(heads=own.heads, own=own, attention=attention)


class _Altered(AbstractMixer):
    """A mixer that sees and keeps less, on average over the layers that have it."""

    heads: Leaf
    own: AbstractMixer
    attention: ReducedAttention

    def _mean(self, law: _Law, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        it = self.attention
        near = window_tokens(context=context, window=it.window, relaxation=relaxation)
        chosen = window_tokens(context=context, window=it.chosen, relaxation=relaxation)
        return (
            (1 - it.windowed - it.sparse) * law(context, relaxation)
            + it.windowed * law(near, relaxation)
            + it.sparse * law(chosen, relaxation)
        )

    def _kept(self, law: _Law, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The mean of what is kept: of all tokens, but behind a window."""
        it = self.attention
        near = window_tokens(context=context, window=it.window, relaxation=relaxation)
        whole = (1 - it.windowed) * law(context, relaxation) + it.windowed * law(near, relaxation)
        return shared_bytes(whole=whole, layers=it.sharing, others=0.0)

    def _mean_over(self, law: _ChunkLaw, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """A window holds the tokens before a chunk, and each of the chunk sees the chunk."""
        it = self.attention
        near = dataclasses.replace(chunk, past=relaxation.minimum(chunk.past, it.window))
        chosen = dataclasses.replace(chunk, past=relaxation.minimum(chunk.past, it.chosen))
        return (
            (1 - it.windowed - it.sparse) * law(chunk, relaxation)
            + it.windowed * law(near, relaxation)
            + it.sparse * law(chosen, relaxation)
        )

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return self.own.weights(hidden)

    @override
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean(self.own.work, context, relaxation)

    @override
    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean(self.own.scores, context, relaxation)

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._kept(self.own.cache, context, relaxation)

    @override
    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean(self.own.traffic, context, relaxation)

    @override
    def index_cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        own = self._kept(self.own.index_cache, context, relaxation)
        return own + self._index(context) / self.attention.sharing

    @override
    def index_traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean(self.own.index_traffic, context, relaxation) + self._index(context)

    def _index(self, context: Scalar) -> Scalar:
        """Elements of an index of all tokens, on average over the layers."""
        return self.attention.sparse * self.attention.index * context

    @override
    def state(self) -> Scalar:
        return self.own.state()

    @override
    def chunk_work(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean_over(self.own.chunk_work, chunk, relaxation)

    @override
    def chunk_scores(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean_over(self.own.chunk_scores, chunk, relaxation)

    @override
    def chunk_traffic(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        return self._mean_over(self.own.chunk_traffic, chunk, relaxation)

    @override
    def chunk_index_traffic(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        own = self._mean_over(self.own.chunk_index_traffic, chunk, relaxation)
        return own + self._index(chunk.past + chunk.tokens)

    @override
    def cache_heads(self) -> Scalar | None:
        return self.own.cache_heads()

    @override
    def output_width(self) -> Scalar:
        return self.own.output_width()

    @override
    def query_width(self) -> Scalar:
        return self.own.query_width()

    @override
    def index_query_width(self) -> Scalar:
        return self.own.index_query_width()

    @override
    def key_value_weights(self, hidden: Scalar) -> Scalar:
        return self.own.key_value_weights(hidden)

    @override
    def down_weights(self, hidden: Scalar) -> Scalar:
        return self.own.down_weights(hidden)

    @override
    def basis(self) -> tuple[str, ...]:
        return self.own.basis()
