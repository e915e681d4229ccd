"""DeepSeek sparse attention (DSA): latent attention to the tokens that an index selects.

DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556. All latents are kept, few are read. In GLM-5.2
some layers attend to what an earlier layer's index has selected (arXiv:2603.12201).
"""

from typing import Any

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.sparse import index_key_weights
from liminal_jax.workload.counted import exactly, spec_of
from liminal_jax.workload.feedforward.mixture import (
    chosen,
    listed_or_by_frequency,
    listed_or_dense_first,
    mixture,
    shared_experts,
)
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec
from liminal_jax.workload.mixer.latent import Latent, LatentAttention, latent
from liminal_jax.workload.mixer.latent_format import AbstractLatentFormat, PlainLatents
from liminal_jax.workload.mixer.lightning import BASIS, Index, IndexSpec, lightning_index, selected
from liminal_jax.workload.mixer.scope import AbstractScope, FullScope, WindowScope
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields, shown
from liminal_jax.workload.reading.parts import Table, activation, layer_count, model, stack


class SparseLatent(AbstractMixer):
    """Latent attention to what an index selects.

    Attributes:
        heads: Query heads.
        q_rank: Rank of the query's low-rank projection, from which an index takes its queries.
        kv_rank: Width of the cached latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key, one for all heads, cached beside the latent.
        value_dim: Width of a head's value.
        top_k: Tokens attended to.
        index: What selects them; none where an earlier layer has.
        stored: Format of the cache of latents; keys of the index are stored apart.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    q_rank: Leaf | None = eqx.field(converter=optional_leaf)
    kv_rank: Leaf = eqx.field(converter=as_leaf)
    nope_dim: Leaf = eqx.field(converter=as_leaf)
    rope_dim: Leaf = eqx.field(converter=as_leaf)
    value_dim: Leaf = eqx.field(converter=as_leaf)
    top_k: Leaf = eqx.field(converter=as_leaf)
    index: Index | None
    stored: AbstractLatentFormat = eqx.field(default_factory=PlainLatents)

    def _latent(self, scope: AbstractScope) -> Latent:
        """The attention over the tokens of a scope."""
        return exactly(
            Latent,
            heads=self.heads,
            q_rank=self.q_rank,
            kv_rank=self.kv_rank,
            nope_dim=self.nope_dim,
            rope_dim=self.rope_dim,
            value_dim=self.value_dim,
            scope=scope,
            stored=self.stored,
        )

    def _kept(self) -> Latent:
        return self._latent(FullScope())

    def _attended(self) -> Latent:
        return self._latent(WindowScope(self.top_k))

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        own = self._kept().weights(hidden)
        if self.index is None or self.q_rank is None:
            return own
        keys = index_key_weights(hidden=hidden, head_dim=self.index.head_dim)
        return own + keys + self.index.query_weights(hidden, self.q_rank)

    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Scoring every token, where there is an index, and attending to the selected ones."""
        attending = self._attended().work(context, relaxation)
        return attending if self.index is None else attending + self.index.work(context)

    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Scores of the attention alone: an index has no softmax."""
        return self._attended().scores(context, relaxation)

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self._kept().cache(context, relaxation)

    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The selected latents: the new token's, one of them, is written, the others are read."""
        return self._attended().traffic(context, relaxation)

    def index_cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """All keys of the index, which are read for every token."""
        del relaxation
        return 0.0 if self.index is None else self.index.head_dim * context

    def cache_heads(self) -> Scalar:
        """One: all heads share the latent."""
        return self._kept().cache_heads()

    @override
    def output_width(self) -> Scalar:
        return self._kept().output_width()

    @override
    def query_width(self) -> Scalar:
        return self._kept().query_width()

    @override
    def index_query_width(self) -> Scalar:
        return 0.0 if self.index is None else self.index.width()

    @override
    def down_weights(self, hidden: Scalar) -> Scalar:
        return self._kept().down_weights(hidden)

    @override
    def basis(self) -> tuple[str, ...]:
        return (BASIS, *self.stored.basis(self.kv_rank, self.rope_dim))


class SparseLatentAttention(
    spec_of(
        MixerSpec, SparseLatent, kind="sparse-latent", without=tuple(LatentAttention.model_fields)
    )
):
    """Latent attention to at most `top_k` tokens.

    Attributes:
        latent: The attention itself.
        index: The index that selects them; none where an earlier layer's selection is used again.
    """

    latent: LatentAttention
    index: IndexSpec | None = None

    @model_validator(mode="after")
    def _queries_have_a_rank(self) -> "SparseLatentAttention":
        if self.index is not None and self.latent.q_rank is None:
            raise ValueError("index needs queries of a low rank: give latent.q_rank")
        return self

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """Those of the latents, and the index's norm on its key, a weight and a bias."""
        own = self.latent.small_parameters(hidden, norm_vectors)
        return own + 2 * self.index_elements()

    @override
    def cache_elements(self) -> int:
        return self.latent.cache_elements()

    def growing_cache_elements(self) -> int:
        """The whole cache: what is not selected is kept all the same."""
        return self.latent.growing_cache_elements()

    @override
    def index_elements(self) -> int:
        return 0 if self.index is None else self.index.head_dim

    def derived(self) -> dict[str, Any]:
        """The shape of its latents, and its index."""
        shape = {name: getattr(self.latent, name) for name in type(self.latent).model_fields}
        return {**shape, "index": None if self.index is None else self.index.counted()}

    @override
    def label(self) -> str:
        shared = " shared" if self.index is None else ""
        return f"{self.latent.label()} top-{self.top_k}{shared}"

    @override
    def words(self) -> str:
        heads = f"{self.label()}, {self.latent.heads} heads"
        if self.index is None:
            return f"{heads}, selected by an earlier layer"
        return f"{heads}, index {self.index.heads} heads of {self.index.head_dim}"


def sparse_latent(fields: Fields, indexed: list[bool]) -> list[Table]:
    """The attention of each layer, with an index or with an earlier layer's selection."""
    inner = latent(fields)
    if "q_rank" not in inner:
        fields.refuse("q_lora_rank", "is required: the index takes its queries from that rank")
    index = lightning_index(fields)
    own: Table = {"kind": "sparse-latent", "latent": inner, "top_k": selected(fields)}
    return [{**own, "index": index} if yes else own for yes in indexed]


def _model(fields: Fields, sparse: list[bool], indexed: list[bool]) -> Table:
    note = "router with a correction bias"
    fields.choice("topk_method", ("noaux_tc",), note=note, default="noaux_tc")
    names = ("deepseek_sparse_attention", "indexed_attention")
    fields.demand("layer_types", [[name] * len(sparse) for name in names], "all are sparse")
    fields.demand("mlp_bias", [False], "blocks have no biases")
    activation(fields)
    experts = mixture(
        fields,
        experts=("n_routed_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        router_bias=True,
        **shared_experts(fields),
    )
    blocks = chosen(fields, sparse, experts, "intermediate_size")
    return model(fields, stack(sparse_latent(fields, indexed), blocks))


def deepseek_v32(fields: Fields) -> Table:
    """DeepSeek-V3.2 and V3.2-Exp: the layers of DeepSeek-V3, each with an index."""
    layers = layer_count(fields)
    sparse = listed_or_by_frequency(fields, layers)
    return _model(fields, sparse, [True] * layers)


def glm_moe_dsa(fields: Fields) -> Table:
    """GLM-5 to 5.2: as DeepSeek-V3.2, but some layers may share an earlier layer's index."""
    fields.ignore("index_share_for_mtp_iteration", "multi-token-prediction heads are not counted")
    fields.ignore("indexer_rope_interleave", "positions, have no weights")
    fields.ignore("moe_router_dtype", "number format")
    layers = layer_count(fields)
    sparse = listed_or_dense_first(fields, layers)
    return _model(fields, sparse, _indexed(fields, layers))


def _indexed(fields: Fields, layers: int) -> list[bool]:
    """Which layers have an index; where the config says so more than once, it must agree."""
    said = {
        "indexer_types": fields.per_layer(
            "indexer_types",
            {"full": True, "shared": False},
            note="layers with an index, and layers that share one",
            layers=layers,
        ),
        "index_topk_pattern": _by_pattern(fields, layers),
        "index_topk_freq": _by_frequency(fields, layers),
    }
    given = {name: answer for name, answer in said.items() if answer is not None}
    if not given and "index_topk_freq" not in fields.values:
        fields.default("index_topk_freq", 1, "every layer has an index: GLM-5; GLM-5.2 states 4")
    first, answer = next(iter(given.items()), ("", [True] * layers))
    for name, other in given.items():
        if other != answer and fields.sound(first, name, "num_hidden_layers"):
            fields.refuse(name, f"contradicts {first}")
    if first and not answer[0] and fields.sound(first, "num_hidden_layers"):
        fields.refuse(first, "the first layer must have an index: there is none to share")
    return answer


def _by_pattern(fields: Fields, layers: int) -> list[bool] | None:
    """F for a layer with an index, S for one that shares; none where the config has null."""
    value: Any = fields.values.get("index_topk_pattern")
    if value is None:
        fields.ignore("index_topk_pattern", "no pattern")
        return None
    fields.accept("index_topk_pattern", "F: a layer with an index, S: one that shares")
    if not isinstance(value, str) or set(value) - set("FS") or len(value) != layers:
        wanted = f"must have one letter, F or S, for each of {layers} layers"
        fields.refuse("index_topk_pattern", f"{wanted}, got {shown(value)}")
        return None
    return [letter == "F" for letter in value]


def _by_frequency(fields: Fields, layers: int) -> list[bool] | None:
    """Every n-th layer from the offset on has an index, and so have those before it."""
    if fields.values.get("index_topk_freq") is None:
        fields.ignore("index_topk_freq", "every layer has an index, but for those named")
        fields.ignore("index_skip_topk_offset", "no period is given")
        return None
    period = fields.count("index_topk_freq", note="every n-th layer has an index")
    first = fields.count(
        "index_skip_topk_offset",
        note="layers before the first that shares",
        default=_offset(period),
    )
    if not fields.sound("index_topk_freq", "index_skip_topk_offset"):
        return None
    return [max(layer + 1 - first, 0) % period == 0 for layer in range(layers)]


def _offset(period: int) -> int | None:
    """Layers before the first that shares: any where none shares, else versions differ."""
    return 1 if period == 1 else None


FAMILIES = {
    "deepseek_v32": Family(deepseek_v32, "DeepseekV32ForCausalLM"),
    "glm_moe_dsa": Family(glm_moe_dsa, "GlmMoeDsaForCausalLM"),
}
