"""Block-sparse attention: an index chooses the blocks of tokens that each KV head serves.

Lai et al. (2026), MiniMax Sparse Attention, arXiv:2606.13392. MiniMax-M3 has it in all but its
first layers.
"""

from typing import Any, Literal

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.attention import grouped_query_cache, grouped_query_work
from liminal_jax.laws.block_sparse import block_index_weights, block_index_work
from liminal_jax.laws.parameters import grouped_query_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.mixture import chosen, mixture
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.grouped_query import grouped_query
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table, layer_count, model, stack
from liminal_jax.workload.record import Count


class BlockSparse(AbstractMixer):
    """Grouped-query attention to the blocks that an index scores highest.

    Attributes:
        heads: Query heads.
        kv_heads: Key/value heads, each with blocks of its own.
        head_dim: Width of a head.
        index_dim: Width of the index key of a token and of the index queries, one for each KV head.
        budget: Tokens in the blocks that a KV head serves.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    kv_heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    index_dim: Leaf = eqx.field(converter=as_leaf)
    budget: Leaf = eqx.field(converter=as_leaf)

    def _attended(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return relaxation.minimum(context, self.budget)

    def _cache_of_a_token(self) -> Scalar:
        return grouped_query_cache(kv_heads=self.kv_heads, head_dim=self.head_dim)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        projections = grouped_query_weights(
            hidden=hidden, heads=self.heads, kv_heads=self.kv_heads, head_dim=self.head_dim
        )
        return projections + block_index_weights(
            hidden=hidden, index_heads=self.kv_heads, index_dim=self.index_dim
        )

    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The index scores the whole context; attention runs over the chosen blocks."""
        index = block_index_work(
            index_heads=self.kv_heads, index_dim=self.index_dim, tokens=context
        )
        tokens = self._attended(context, relaxation)
        return index + grouped_query_work(heads=self.heads, head_dim=self.head_dim, tokens=tokens)

    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Scores of the attention alone: those of the index go through no softmax."""
        return self.heads * self._attended(context, relaxation)

    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Every token is kept."""
        del relaxation
        return self._cache_of_a_token() * context

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The chosen blocks are read; the new token's entry, in one of them, is written."""
        return self._cache_of_a_token() * self._attended(context, relaxation)

    def index_cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """All of the index, which is read for every token."""
        del relaxation
        return self.index_dim * context

    @override
    def cache_heads(self) -> Scalar:
        return self.kv_heads

    @override
    def output_width(self) -> Scalar:
        return self.head_dim

    @override
    def query_width(self) -> Scalar:
        return self.head_dim

    @override
    def index_query_width(self) -> Scalar:
        return self.kv_heads * self.index_dim

    @override
    def key_value_weights(self, hidden: Scalar) -> Scalar:
        return grouped_query_weights(
            hidden=hidden, heads=0, kv_heads=self.kv_heads, head_dim=self.head_dim
        )

    @override
    def basis(self) -> tuple[str, ...]:
        return (
            "Block-sparse attention reads its blocks as if all were full, and its whole index; the"
            " choice of blocks is not charged.",
        )


class BlockSparseAttention(
    spec_of(MixerSpec, BlockSparse, kind="block-sparse", without=("budget",))
):
    """Grouped-query attention to the blocks that an index scores highest, for each KV head its own.

    Blocks that are always attended to, the first or the last ones, count among the chosen.

    Attributes:
        qk_norm: Weights of the norms on queries and keys, of the index too: none, or one vector of
            the head's width each.
        block: Tokens of one block.
        top_blocks: Blocks that a KV head serves.
    """

    qk_norm: Literal["none", "per-head"] = "none"
    block: Count
    top_blocks: Count

    @model_validator(mode="after")
    def _heads_agree(self) -> "BlockSparseAttention":
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads ({self.kv_heads}) must divide heads ({self.heads})")
        return self

    @override
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        del hidden
        normed = self.qk_norm == "per-head"
        return 2 * (self.head_dim + self.index_dim) * norm_vectors if normed else 0

    @override
    def cache_elements(self) -> int:
        return int(grouped_query_cache(kv_heads=self.kv_heads, head_dim=self.head_dim))

    def growing_cache_elements(self) -> int:
        """All of them: any block may be chosen later."""
        return self.cache_elements()

    def index_elements(self) -> int:
        """One key, which all heads share."""
        return self.index_dim

    def derived(self) -> dict[str, Any]:
        """The tokens of all blocks that a KV head serves."""
        return {"budget": self.block * self.top_blocks}

    @override
    def label(self) -> str:
        return f"sparse {self.top_blocks}x{self.block}"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads}/{self.kv_heads} heads of {self.head_dim}"


def _attentions(fields: Fields, layers: int) -> list[Table]:
    """The attention of each layer: sparse where `sparse_attention_freq` says, else full."""
    full = grouped_query(fields, qk_norm="per-head")
    if fields.values.get("sparse_attention_config") is None:
        return [full] * layers
    inner = fields.table("sparse_attention_config", note="index, blocks and their place")
    sparse = _sparse(inner, full)
    where = _flags(inner, "sparse_attention_freq", "layers that attend to chosen blocks", layers)
    without = _flags(inner, "sparse_disable_index_value", "layers whose index only scores", layers)
    if inner.sound("sparse_disable_index_value") and any(
        chooses and not only for chooses, only in zip(where, without, strict=True)
    ):
        message = "is 0 for a sparse layer: values of the index are not modelled"
        inner.refuse("sparse_disable_index_value", message)
    return [sparse if chooses else full for chooses in where]


def _flags(inner: Fields, name: str, note: str, layers: int) -> list[bool]:
    found = inner.per_layer(name, {0: False, 1: True}, note=note, layers=layers)
    if found is None and inner.sound(name):
        inner.refuse(name, "is required")
    return [False] * layers if found is None else found


def _sparse(inner: Fields, full: Table) -> Table:
    """The table of the sparse layers; MSA has one index query for each KV head."""
    inner.demand("use_sparse_attention", [True], "sparse_attention_freq decides")
    inner.demand("sparse_score_type", ["max"], "a block's score is the largest of its tokens'")
    queries = inner.count("sparse_num_index_heads", note="index queries, one for each KV head")
    if inner.sound("sparse_num_index_heads") and queries != full["kv_heads"]:
        message = f"{queries} is not num_key_value_heads ({full['kv_heads']})"
        inner.refuse("sparse_num_index_heads", message)
    top = inner.count("sparse_topk_blocks", note="blocks that a KV head serves")
    always = sum(
        inner.count(name, note=f"{which} blocks, always among them", default=0, least=0)
        for name, which in (("sparse_init_block", "first"), ("sparse_local_block", "last"))
    )
    if (
        inner.sound("sparse_topk_blocks", "sparse_init_block", "sparse_local_block")
        and always > top
    ):
        message = f"{top} is fewer than the {always} of sparse_init_block and sparse_local_block"
        inner.refuse("sparse_topk_blocks", message)
    return {
        **full,
        "kind": "block-sparse",
        "index_dim": inner.count("sparse_index_dim", note="width of index queries and keys"),
        "block": inner.count("sparse_block_size", note="tokens of one block"),
        "top_blocks": top,
    }


def _mixtures(fields: Fields, layers: int) -> list[Table]:
    sparse = fields.per_layer(
        "moe_layer_freq", {0: False, 1: True}, note="which layers are mixtures", layers=layers
    )
    shared = fields.count("n_shared_experts", note="shared experts", least=0, most=1000)
    width = 0
    if shared:
        width = fields.count("shared_intermediate_size", note="width of one shared expert")
    fields.ignore("shared_intermediate_size", "no shared expert")
    experts = mixture(
        fields,
        experts=("num_local_experts", "num_experts"),
        intermediate="intermediate_size",
        shared_intermediate=shared * width,
        router_bias=fields.flag(
            "use_routing_bias", note="a correction bias an expert", default=True
        ),
    )
    width = fields.values.get("intermediate_size")
    fields.demand("moe_intermediate_size", [width], "as intermediate_size has it")
    sparse = [True] * layers if sparse is None else sparse
    first = sparse.index(True) if True in sparse else layers
    fields.demand("first_k_dense_replace", [first], "as moe_layer_freq has it")
    return chosen(fields, sparse, experts, "dense_intermediate_size")


def minimax_m3(fields: Fields) -> Table:
    """MiniMax-M3: norms on each head, gates with an offset (SwiGLU-OAI), first layers dense."""
    fields.choice("hidden_act", ("swigluoai", "silu"), note="gated activation", default="swigluoai")
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.demand("qk_norm_type", ["per_head"], "norms run over each head")
    fields.demand("use_gemma_norm", [True, False], "an offset of norms has no weights")
    fields.demand("attention_output_gate", [False], "no gate")
    fields.demand("attention_bias", [False], "no biases")
    fields.ignore("swiglu_beta", "scaling, has no weights")
    layers = layer_count(fields)
    return model(fields, stack(_attentions(fields, layers), _mixtures(fields, layers)))


FAMILIES: dict[str, Family] = {
    "minimax_m3_text": Family(minimax_m3, "MiniMaxM3SparseForCausalLM"),
    "minimax_m3": Family(minimax_m3, "MiniMaxM3SparseForCausalLM", also=("MiniMaxM3ForCausalLM",)),
}

WRAPPERS = {
    "minimax_m3_vl": Wrapper(
        "MiniMaxM3SparseForConditionalGeneration", ("minimax_m3_text", "minimax_m3")
    ),
}
