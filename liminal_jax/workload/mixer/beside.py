"""Attention and a state-space layer side by side in one layer, as in Falcon-H1.

TII (2025), Falcon-H1, arXiv:2507.22448: both read what one norm leaves, and their outputs are
added.
"""

from typing import Any

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.grouped_query import GroupedQuery, GroupedQueryAttention
from liminal_jax.workload.mixer.mamba2 import Mamba2, Mamba2Layer


class Beside(AbstractMixer):
    """Attention, and a state-space layer beside it.

    Attributes:
        heads: Query heads of the attention.
        attention: The attention.
        state_space: The state-space layer.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    attention: GroupedQuery
    state_space: Mamba2

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return self.attention.weights(hidden) + self.state_space.weights(hidden)

    @override
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.attention.work(context, relaxation) + self.state_space.update_work()

    @override
    def chunk_work(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        updates = self.state_space.chunk_work(chunk, relaxation)
        return self.attention.chunk_work(chunk, relaxation) + updates

    @override
    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.attention.scores(context, relaxation)

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.attention.cache(context, relaxation)

    @override
    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.attention.traffic(context, relaxation)

    @override
    def state(self) -> Scalar:
        return self.state_space.state()

    @override
    def cache_heads(self) -> Scalar:
        return self.attention.cache_heads()

    @override
    def output_width(self) -> Scalar:
        return self.attention.output_width()

    @override
    def query_width(self) -> Scalar:
        return self.attention.query_width()

    @override
    def key_value_weights(self, hidden: Scalar) -> Scalar:
        return self.attention.key_value_weights(hidden)

    @override
    def basis(self) -> tuple[str, ...]:
        return (*self.attention.basis(), *self.state_space.basis())


class AttentionBesideMamba2(spec_of(MixerSpec, Beside, kind="beside", without=("heads",))):
    """Attention, and a state-space layer beside it.

    Attributes:
        attention: The attention.
        state_space: The state-space layer.
    """

    attention: GroupedQueryAttention
    state_space: Mamba2Layer

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """Those of both."""
        own = self.attention.small_parameters(hidden, norm_vectors)
        return own + self.state_space.small_parameters(hidden, norm_vectors)

    @override
    def cache_elements(self) -> int:
        return self.attention.cache_elements()

    @override
    def growing_cache_elements(self) -> int:
        return self.attention.growing_cache_elements()

    def derived(self) -> dict[str, Any]:
        """Both, as pytrees."""
        return {
            "heads": self.attention.heads,
            "attention": self.attention.counted(),
            "state_space": self.state_space.counted(),
        }

    @override
    def label(self) -> str:
        return f"{self.attention.label()} beside {self.state_space.label()}"

    @override
    def words(self) -> str:
        return f"{self.attention.words()} beside {self.state_space.words()}"
