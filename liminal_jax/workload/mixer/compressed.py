"""Compressed attention: a window of tokens, and entries that stand for all tokens before.

DeepSeek-AI (2026), DeepSeek-V4 technical report, section 2.3. One vector is key and value of all
heads. Compressed sparse attention (CSA) pools 4 tokens into an entry, over overlapping windows,
and reads the entries that an index selects; heavily compressed attention (HCA) pools 128 and reads
them all.
"""

from fractions import Fraction
from typing import Any

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import grouped_query_work
from liminal_jax.laws.sparse import shared_key_value_weights
from liminal_jax.workload.counted import exactly, spec_of
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.compressor import Compressor, CompressorSpec
from liminal_jax.workload.mixer.lightning import BASIS, Index, IndexSpec
from liminal_jax.workload.record import Count


class EntryIndex(Shown):
    """An index over entries.

    Attributes:
        queries: Its queries.
        compressor: What pools its keys.
        top_k: Entries that it selects.
    """

    queries: Index
    compressor: Compressor
    top_k: Leaf = eqx.field(converter=as_leaf)

    def weights(self, hidden: Scalar, q_rank: Scalar) -> Scalar:
        """Elements of its projections."""
        return self.queries.query_weights(hidden, q_rank) + self.compressor.weights(hidden)

    def work(self, context: Scalar) -> Scalar:
        """Tensor work of pooling its keys and scoring all of them [FLOP]."""
        return self.compressor.work() + self.queries.work(self.compressor.entries(context))


class Compressed(AbstractMixer):
    """Attention to a window, and to all or to the selected entries of a compressor.

    Attributes:
        heads: Query heads.
        head_dim: Width of a head, and of the one vector a token (or entry) that is key and value.
        q_rank: Rank of the query's low-rank projection.
        output_groups: Groups of heads, each with an output projection of its own.
        output_rank: Rank of one of them.
        window: Tokens that are attended to as they are.
        compressor: What pools the others; None where a layer has a window only.
        index: What selects entries; None where all are read.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    q_rank: Leaf = eqx.field(converter=as_leaf)
    output_groups: Leaf = eqx.field(converter=as_leaf)
    output_rank: Leaf = eqx.field(converter=as_leaf)
    window: Leaf = eqx.field(converter=as_leaf)
    compressor: Compressor | None
    index: EntryIndex | None

    def _compressors(self) -> tuple[Compressor, ...]:
        """What pools entries, and what pools keys of the index."""
        of_index = None if self.index is None else self.index.compressor
        return tuple(it for it in (self.compressor, of_index) if it is not None)

    def _windowed(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return relaxation.minimum(context, self.window)

    def _attended(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens of the window, and entries; these stand for the window's tokens too."""
        tokens = self._windowed(context, relaxation)
        if self.compressor is None:
            return tokens
        entries = self.compressor.entries(context)
        if self.index is not None:
            entries = relaxation.minimum(entries, self.index.top_k)
        return tokens + entries

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        total = shared_key_value_weights(
            hidden=hidden,
            heads=self.heads,
            head_dim=self.head_dim,
            q_rank=self.q_rank,
            output_groups=self.output_groups,
            output_rank=self.output_rank,
        )
        if self.compressor is not None:
            total = total + self.compressor.weights(hidden)
        if self.index is not None:
            total = total + self.index.weights(hidden, self.q_rank)
        return total

    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Pooling, scoring every entry where there is an index, and attending."""
        attended = self._attended(context, relaxation)
        total = grouped_query_work(heads=self.heads, head_dim=self.head_dim, tokens=attended)
        if self.compressor is not None:
            total = total + self.compressor.work()
        return total if self.index is None else total + self.index.work(context)

    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Those of the heads and those of the compressors; an index has no softmax."""
        own = self.heads * self._attended(context, relaxation)
        return sum((it.scores() for it in self._compressors()), own)

    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens of the window, and all entries."""
        tokens = self.head_dim * self._windowed(context, relaxation)
        return tokens if self.compressor is None else tokens + self.compressor.cache(context)

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """What is attended to, the new token written; what is pooled, written and read."""
        attended = self.head_dim * self._attended(context, relaxation)
        return attended if self.compressor is None else attended + self.compressor.traffic()

    def index_cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """One key of the index for each entry."""
        del relaxation
        return 0.0 if self.index is None else self.index.compressor.cache(context)

    def index_traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """All keys; what is pooled into the next one, written and read."""
        keys = self.index_cache(context, relaxation)
        return keys if self.index is None else keys + self.index.compressor.traffic()

    def cache_heads(self) -> Scalar:
        """One: all heads share one vector."""
        return 1.0

    @override
    def output_width(self) -> Scalar:
        return self.head_dim

    @override
    def query_width(self) -> Scalar:
        return self.head_dim

    @override
    def index_query_width(self) -> Scalar:
        return 0.0 if self.index is None else self.index.queries.width()

    def down_weights(self, hidden: Scalar) -> Scalar:
        """The query's low rank and the one vector that all heads share."""
        return hidden * (self.q_rank + self.head_dim)

    @override
    def basis(self) -> tuple[str, ...]:
        windows = "Windows hold at most their width."
        pooled = (
            "Tokens are pooled into entries at an even pace; while they wait they are moved at the"
            " precision of the cache, and an entry that is not yet full takes room by its part."
        )
        return (
            windows,
            *(() if self.compressor is None else (pooled,)),
            *(() if self.index is None else (BASIS,)),
        )


class CompressedAttention(spec_of(MixerSpec, Compressed, kind="compressed")):
    """Attention to a window, and to all or to the selected entries of a compressor.

    Attributes:
        compressor: What pools the others; none where a layer has a window only.
        index: What selects entries, its keys pooled as they are; none where all are read.
        top_k: Entries that it selects.
    """

    compressor: CompressorSpec | None = None
    index: IndexSpec | None = None
    top_k: Count | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> "CompressedAttention":
        if self.heads % self.output_groups:
            raise ValueError(
                f"output_groups ({self.output_groups}) must divide heads ({self.heads})"
            )
        if self.index is not None and self.compressor is None:
            raise ValueError("index needs entries to select from: give compressor")
        if (self.index is None) != (self.top_k is None):
            raise ValueError("index and top_k go together: give both or none")
        return self

    def _pooled_widths(self) -> list[int]:
        """Widths of what is pooled: the entries, and the keys of the index."""
        if self.compressor is None:
            return []
        return [self.head_dim] + ([] if self.index is None else [self.index.head_dim])

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """Norms of the query's latent and of the shared vector, a sink a head, the compressors'."""
        del hidden
        total = (self.q_rank + self.head_dim) * norm_vectors + self.heads
        if self.compressor is not None:
            widths = self._pooled_widths()
            total += sum(self.compressor.small_parameters(width, norm_vectors) for width in widths)
        return total

    def cache_elements(self) -> int | Fraction:
        """A token's own vector, and its part of an entry."""
        return self.head_dim + self.growing_cache_elements()

    def growing_cache_elements(self) -> int | Fraction:
        """A token's part of an entry."""
        return 0 if self.compressor is None else self.compressor.elements(self.head_dim)

    def index_elements(self) -> int | Fraction:
        """A token's part of the key of an entry."""
        if self.compressor is None or self.index is None:
            return 0
        return self.compressor.elements(self.index.head_dim)

    def derived(self) -> dict[str, Any]:
        """The entries and the keys of the index have widths of their own."""
        if self.compressor is None:
            return {"compressor": None, "index": None}
        own = {"compressor": self.compressor.pooling(self.head_dim), "index": None}
        if self.index is None:
            return own
        index = exactly(
            EntryIndex,
            queries=self.index.counted(),
            compressor=self.compressor.pooling(self.index.head_dim),
            top_k=self.top_k,
        )
        return {**own, "index": index}

    @override
    def label(self) -> str:
        window = f"sliding {self.window}"
        if self.compressor is None:
            return window
        chosen = "" if self.index is None else f" top-{self.top_k}"
        return f"1/{self.compressor.ratio}{chosen} + {window}"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads} heads of {self.head_dim}, key = value"
