"""Grouped-query attention: some key/value heads serve all query heads.

Ainslie et al. (2023), GQA, arXiv:2305.13245.
"""

from collections.abc import Sequence
from typing import Any, Literal

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import grouped_query_cache, grouped_query_work
from liminal_jax.laws.parameters import grouped_query_weights, output_gate_weights
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counted import exactly, spec_of
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.scope import AbstractScope, FullScope, WindowScope
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table
from liminal_jax.workload.record import Count


class GroupedQuery(AbstractMixer):
    """Attention in which some key/value heads serve all query heads.

    Attributes:
        heads: Query heads.
        kv_heads: Key/value heads; as many as query heads in multi-head attention.
        head_dim: Width of a head.
        scope: Tokens kept; all of them by default.
        gate_dim: Gates on the output of one head; 0 for none.
        value_dim: Width of a head's value; that of its key where none.
        keys_are_values: Whether values are keys, made by the same matrix and kept beside them, as
            in Gemma 4.
        reuses_cache: Whether keys and values are those of an earlier layer, as in Gemma 4: they
            are read, but neither made nor kept here.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    kv_heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    scope: AbstractScope = eqx.field(default_factory=FullScope)
    gate_dim: Leaf = eqx.field(converter=as_leaf, default=0)
    value_dim: Leaf | None = eqx.field(converter=optional_leaf, default=None)
    keys_are_values: bool = eqx.field(static=True, default=False)
    reuses_cache: bool = eqx.field(static=True, default=False)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        projections = grouped_query_weights(
            hidden=hidden,
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            value_dim=self.value_dim,
        )
        gates = output_gate_weights(hidden=hidden, heads=self.heads, gate_dim=self.gate_dim)
        return projections - self._spared(hidden) + gates

    def _spared(self, hidden: Scalar) -> Scalar:
        """Elements of matrices that the layer does without."""
        values = self.head_dim if self.value_dim is None else self.value_dim
        if self.reuses_cache:
            return hidden * self.kv_heads * (self.head_dim + values)
        return hidden * self.kv_heads * values if self.keys_are_values else 0

    def _cache_of_a_token(self) -> Scalar:
        return grouped_query_cache(
            kv_heads=self.kv_heads, head_dim=self.head_dim, value_dim=self.value_dim
        )

    @override
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return grouped_query_work(
            heads=self.heads,
            head_dim=self.head_dim,
            tokens=self.scope.kept(context, relaxation),
            value_dim=self.value_dim,
        )

    @override
    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.heads * self.scope.kept(context, relaxation)

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        if self.reuses_cache:
            return 0.0
        return self._cache_of_a_token() * self.scope.kept(context, relaxation)

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """All that is kept: the new token's entry is written, the others are read."""
        return self._cache_of_a_token() * self.scope.kept(context, relaxation)

    def chunk_traffic(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """As of any attention; where the cache is another layer's, what that keeps is read."""
        if not self.reuses_cache:
            return AbstractMixer.chunk_traffic(self, chunk, relaxation)
        return self._cache_of_a_token() * self.scope.kept(chunk.past, relaxation)

    @override
    def cache_heads(self) -> Scalar:
        return self.kv_heads

    @override
    def output_width(self) -> Scalar:
        return self.head_dim if self.value_dim is None else self.value_dim

    @override
    def query_width(self) -> Scalar:
        return self.head_dim

    @override
    def key_value_weights(self, hidden: Scalar) -> Scalar:
        return grouped_query_weights(
            hidden=hidden,
            heads=0,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            value_dim=self.value_dim,
        ) - self._spared(hidden)

    @override
    def basis(self) -> tuple[str, ...]:
        return self.scope.basis()


class GroupedQueryAttention(
    spec_of(MixerSpec, GroupedQuery, kind="grouped-query", without=("gate_dim",))
):
    """Attention in which `kv_heads` key/value heads serve `heads` query heads.

    Attributes:
        scope: `full` keeps every token, `sliding` the last `window` ones, `chunked` those of
            the current chunk of `window` tokens.
        qk_norm: Weights of the norms on queries and keys: none, one vector of `head_dim` each,
            or one vector over all query (key) heads.
        window: Tokens that sliding and chunked attention keep; none for full attention.
        sinks: One learned logit a head, as in GPT-OSS.
        output_gate: Gates on the output of each head, projected together with its query, as in
            Qwen3-Next.
        head_gate: One gate on the output of each head, as in Step-3.5.
        keys_are_values: Values are keys, made by the same matrix, as in Gemma 4.
        reuses_cache: Keys and values are those of an earlier layer, as in Gemma 4.
    """

    scope: Literal["full", "sliding", "chunked"] = "full"
    window: Count | None = None
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: Literal["none", "per-head", "per-layer"] = "none"
    sinks: bool = False
    output_gate: bool = False
    head_gate: bool = False
    keys_are_values: bool = False
    reuses_cache: bool = False

    @model_validator(mode="after")
    def _heads_and_window_agree(self) -> "GroupedQueryAttention":
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads ({self.kv_heads}) must divide heads ({self.heads})")
        if self.scope == "full" and self.window is not None:
            raise ValueError("window must be left out where scope is 'full'")
        if self.scope != "full" and self.window is None:
            raise ValueError(f"window is required where scope is {self.scope!r}")
        return self

    def _gate_dim(self) -> int:
        return self.head_dim if self.output_gate else int(self.head_gate)

    @override
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        queries = self.heads * self.head_dim
        gates = self.heads * self.head_dim if self.output_gate else 0
        keys = 0 if self.reuses_cache else self.kv_heads * self.head_dim
        values = 0 if self.reuses_cache else self.kv_heads * (self.value_dim or self.head_dim)
        normed = self.head_dim if self.reuses_cache else 2 * self.head_dim
        norm_widths = {"none": 0, "per-head": normed, "per-layer": queries + keys}
        return (
            norm_widths[self.qk_norm] * norm_vectors
            + (queries + gates + keys + values if self.qkv_bias else 0)
            + (hidden if self.output_bias else 0)
            + (self.heads if self.sinks else 0)
        )

    @override
    def cache_elements(self) -> int:
        if self.reuses_cache:
            return 0
        return self.kv_heads * (self.head_dim + (self.value_dim or self.head_dim))

    @override
    def growing_cache_elements(self) -> int:
        return self.cache_elements() if self.scope == "full" else 0

    def derived(self) -> dict[str, Any]:
        """Its window, and gates as wide as its heads."""
        scope = FullScope() if self.window is None else exactly(WindowScope, window=self.window)
        return {"scope": scope, "gate_dim": self._gate_dim()}

    @override
    def label(self) -> str:
        return self.scope if self.window is None else f"{self.scope} {self.window}"

    @override
    def words(self) -> str:
        gated = ", gated" if self.output_gate or self.head_gate else ""
        reused = ", another layer's cache" if self.reuses_cache else ""
        widths = f"{self.head_dim}" + (f"/{self.value_dim}" if self.value_dim else "")
        return f"{self.label()}{gated}{reused}, {self.heads}/{self.kv_heads} heads of {widths}"


def grouped_query(
    fields: Fields,
    *,
    head_dim: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    **extras: Any,
) -> Table:
    """The table of grouped-query attention over all tokens.

    Args:
        fields: The config.
        head_dim: Default width of a head; required where none.
        heads: Default number of query heads.
        kv_heads: Default number of key/value heads.
        extras: Further entries of the table.

    Returns:
        The table; `scoped` gives it a window.
    """
    queries = fields.count("num_attention_heads", note="query heads", default=heads)
    keys = fields.count("num_key_value_heads", note="key/value heads", default=kv_heads)
    divides = fields.sound("num_attention_heads", "num_key_value_heads")
    if divides and queries % keys:
        fields.refuse("num_key_value_heads", f"{keys} must divide num_attention_heads ({queries})")
    width = fields.count("head_dim", note="width of one head", default=head_dim)
    return {
        "kind": "grouped-query",
        "heads": queries,
        "kv_heads": keys,
        "head_dim": width,
        **extras,
    }


def derived_head_dim(fields: Fields) -> int | None:
    """Width of a head where the config leaves it out: the hidden width over the heads.

    None, which makes the field required, where the heads do not divide the width.
    """
    width, heads = fields.values.get("hidden_size"), fields.values.get("num_attention_heads")
    if not (isinstance(width, int) and isinstance(heads, int) and width > 0 and heads > 0):
        return 1
    return None if width % heads else width // heads


def own_kv_heads(fields: Fields) -> int:
    """Key/value heads where the config leaves them out: one for each query head."""
    heads = fields.values.get("num_attention_heads")
    return heads if isinstance(heads, int) and heads > 0 else 1


def null_means_own_heads(fields: Fields) -> int | None:
    """Key/value heads where the config has null: as many as query heads; else required."""
    return own_kv_heads(fields) if "num_key_value_heads" in fields.values else None


def uniform_scope(fields: Fields) -> str:
    """The scope of all layers: they slide where there is a window shorter than any text may be."""
    names = ("sliding_window", "max_position_embeddings")
    window, longest = (fields.values.get(name) for name in names)
    endless = isinstance(window, int) and isinstance(longest, int) and window >= longest
    return "full" if window is None or endless else "sliding"


def scoped(
    fields: Fields,
    attention: Table,
    scopes: Sequence[str],
    window: str = "sliding_window",
    default: int | None = None,
) -> list[Table]:
    """The attention of each layer: `attention` with its scope, windowed where it is not full."""
    if all(scope == "full" for scope in scopes):
        fields.ignore(window, "every layer attends to all tokens")
        return [attention] * len(scopes)
    width = fields.count(window, note="tokens that a layer with a window keeps", default=default)
    return [
        attention if scope == "full" else {**attention, "scope": scope, "window": width}
        for scope in scopes
    ]


def projection_biases(fields: Fields) -> Table:
    """Entries for biases on all four projections, which `attention_bias` turns on."""
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    return {"qkv_bias": bias, "output_bias": bias}
