"""Multi-head latent attention (MLA): one latent a token, shared by all heads.

Counted in elements; `liminal_jax.performance.operators` makes bytes of them.

DeepSeek-AI (2024), DeepSeek-V2, arXiv:2405.04434.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._once import once
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import expanded_latent_work, latent_cache, latent_work
from liminal_jax.laws.parameters import (
    latent_weights,
    latent_weights_direct,
    output_gate_weights,
)
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.latent_format import AbstractLatentFormat, PlainLatents
from liminal_jax.workload.mixer.scope import AbstractScope, FullScope
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table


class AbstractLatent(AbstractMixer):
    """Attention to latents that all heads share, however its projections are counted.

    Attributes:
        heads: Heads.
        kv_rank: Width of the latent.
        rope_dim: Width of the rotary key.
        scope: Tokens kept.
    """

    heads: eqx.AbstractVar[Leaf]
    kv_rank: eqx.AbstractVar[Leaf]
    rope_dim: eqx.AbstractVar[Leaf]
    scope: eqx.AbstractVar[AbstractScope]

    @abstractmethod
    def token_elements(self) -> Scalar:
        """Elements that one token leaves in the cache."""

    @override
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        tokens = self.scope.kept(context, relaxation)
        return latent_work(
            heads=self.heads, kv_rank=self.kv_rank, rope_dim=self.rope_dim, tokens=tokens
        )

    @override
    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.heads * self.scope.kept(context, relaxation)

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.token_elements() * self.scope.kept(context, relaxation)

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """All that is kept: the new token's latent is written, the others are read."""
        return self.cache(context, relaxation)

    @override
    def output_width(self) -> Scalar:
        return self.kv_rank

    def query_width(self) -> Scalar:
        """Absorbed: as wide as the latent and the rotary key."""
        return latent_cache(kv_rank=self.kv_rank, rope_dim=self.rope_dim)


class Latent(AbstractLatent):
    """Multi-head latent attention, its key and value projections absorbed in decode.

    Absorbing leaves the stored matrices as they are: the query is taken through the key's
    up-projection, the output through the value's, so a token's work on them is that of using each
    once.

    Attributes:
        heads: Query heads.
        q_rank: Rank of the query's low-rank projection; None where queries are projected in one
            step.
        kv_rank: Width of the cached latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key, one for all heads, cached beside the latent.
        value_dim: Width of a head's value.
        scope: Tokens kept; all of them by default.
        stored: Format of the cache.
        gate_dim: Gates on the output of one head; none in most models.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    q_rank: Leaf | None = eqx.field(converter=optional_leaf)
    kv_rank: Leaf = eqx.field(converter=as_leaf)
    nope_dim: Leaf = eqx.field(converter=as_leaf)
    rope_dim: Leaf = eqx.field(converter=as_leaf)
    value_dim: Leaf = eqx.field(converter=as_leaf)
    scope: AbstractScope = eqx.field(default_factory=FullScope)
    stored: AbstractLatentFormat = eqx.field(default_factory=PlainLatents)
    gate_dim: Leaf | None = eqx.field(converter=optional_leaf, default=None)

    @override
    def token_elements(self) -> Scalar:
        return self.stored.elements(self.kv_rank, self.rope_dim)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        projections = self._projections(hidden)
        if self.gate_dim is None:
            return projections
        gates = output_gate_weights(hidden=hidden, heads=self.heads, gate_dim=self.gate_dim)
        return projections + gates

    @once
    def _projections(self, hidden: Scalar) -> Scalar:
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

    def chunk_work(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """With keys and values expanded or absorbed, whichever is less work."""
        absorbed = AbstractLatent.chunk_work(self, chunk, relaxation)
        expanded = expanded_latent_work(
            heads=self.heads,
            kv_rank=self.kv_rank,
            nope_dim=self.nope_dim,
            rope_dim=self.rope_dim,
            value_dim=self.value_dim,
            pairs=self.chunk_scores(chunk, relaxation) / self.heads,
            past=self.scope.kept(chunk.past, relaxation),
        )
        return relaxation.minimum(absorbed, expanded)

    def cache_heads(self) -> Scalar:
        """One: all heads share the latent."""
        return 1.0

    def down_weights(self, hidden: Scalar) -> Scalar:
        """The latent's, the rotary key's and, where they have a low rank, the queries'."""
        rank = 0.0 if self.q_rank is None else self.q_rank
        return hidden * (rank + self.kv_rank + self.rope_dim)

    @override
    def basis(self) -> tuple[str, ...]:
        return (*self.scope.basis(), *self.stored.basis(self.kv_rank, self.rope_dim))


class LatentAttention(spec_of(MixerSpec, Latent, kind="latent", without=("gate_dim",))):
    """Multi-head latent attention (MLA): one latent a token, shared by all heads.

    Attributes:
        bias: Biases on the down-projections and the output, as `attention_bias` of the config.
        output_gate: Gates on the output of each head, as in Kimi K3.
    """

    bias: bool = False
    output_gate: bool = False

    def derived(self) -> dict[str, Any]:
        """Gates as wide as its values."""
        return {"gate_dim": self.value_dim if self.output_gate else None}

    @override
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        q_rank = self.q_rank or 0
        norms = (q_rank + self.kv_rank) * norm_vectors
        biases = q_rank + self.kv_rank + self.rope_dim + hidden
        return norms + (biases if self.bias else 0)

    @override
    def cache_elements(self) -> int:
        return int(self.counted().token_elements())

    @override
    def growing_cache_elements(self) -> int:
        return self.cache_elements()

    @override
    def label(self) -> str:
        return f"MLA {self.kv_rank}+{self.rope_dim}"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads} heads"


def latent(fields: Fields) -> Table:
    """The table of latent attention in the DeepSeek family and its relatives.

    `q_lora_rank` null means queries projected in one step; left out, the field is required.
    """
    for name in ("num_key_value_heads", "head_dim", "qk_head_dim"):
        fields.ignore(name, "latent attention has one cache for all heads")
    table: Table = {
        "kind": "latent",
        "heads": fields.count("num_attention_heads", note="heads"),
        "kv_rank": fields.count("kv_lora_rank", note="width of the cached latent"),
        "nope_dim": fields.count("qk_nope_head_dim", note="query/key width without rotation"),
        "rope_dim": fields.count("qk_rope_head_dim", note="width of the shared rotary key"),
        "value_dim": fields.count("v_head_dim", note="width of a head's value"),
        "bias": fields.flag("attention_bias", note="biases of the projections", default=False),
    }
    if "q_lora_rank" in fields.values and fields.values["q_lora_rank"] is None:
        fields.ignore("q_lora_rank", "queries are projected in one step")
        return table
    return {**table, "q_rank": fields.count("q_lora_rank", note="rank of the query projection")}
