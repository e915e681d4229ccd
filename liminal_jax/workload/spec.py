"""A language model as its file describes it: whole numbers, checked, counted exactly.

A `ModelSpec` is what a reader makes of a `config.json` and what a model file of the package
holds. It is pure Python (no arrays), so that counts are exact integers; `model.Model` is the
same architecture as a pytree of arrays for the predictor.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(gt=0)]


class Spec(BaseModel):
    """A record that is immutable and refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GroupedQueryAttention(Spec):
    """Attention in which `kv_heads` key/value heads serve `heads` query heads.

    Attributes:
        scope: `full` keeps every token, `sliding` the last `window` ones, `chunked` those of
            the current chunk of `window` tokens.
        qk_norm: Weights of the norms on queries and keys: none, one vector of `head_dim` each,
            or one vector over all query (key) heads.
        window: Tokens that sliding and chunked attention keep; none for full attention.
        sinks: One learned logit a head, as in GPT-OSS.
    """

    kind: Literal["grouped-query"] = "grouped-query"
    heads: Count
    kv_heads: Count
    head_dim: Count
    scope: Literal["full", "sliding", "chunked"] = "full"
    window: Count | None = None
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: Literal["none", "per-head", "per-layer"] = "none"
    sinks: bool = False

    @model_validator(mode="after")
    def _heads_and_window_agree(self) -> "GroupedQueryAttention":
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads ({self.kv_heads}) must divide heads ({self.heads})")
        if self.scope == "full" and self.window is not None:
            raise ValueError("window must be left out where scope is 'full'")
        if self.scope != "full" and self.window is None:
            raise ValueError(f"window is required where scope is {self.scope!r}")
        return self


class LatentAttention(Spec):
    """Multi-head latent attention (MLA): one latent a token, shared by all heads.

    Attributes:
        q_rank: Rank of the query's low-rank projection; none where queries are projected in one
            step.
        kv_rank: Width of the cached latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key, one for all heads, cached beside the latent.
        value_dim: Width of a head's value.
        bias: Biases on the down-projections and the output, as `attention_bias` of the config.
    """

    kind: Literal["latent"] = "latent"
    heads: Count
    q_rank: Count | None = None
    kv_rank: Count
    nope_dim: Count
    rope_dim: Count
    value_dim: Count
    bias: bool = False


class DenseFeedForward(Spec):
    """A feed-forward block: three matrices where gated (SwiGLU, GeGLU), two where not."""

    kind: Literal["dense"] = "dense"
    intermediate: Count
    gated: bool = True
    bias: bool = False


class MixtureOfExperts(Spec):
    """Routed experts of which each token uses `top_k`, and a shared expert that every token uses.

    Attributes:
        intermediate: Width of one routed expert.
        shared_intermediate: Width of all shared experts together; 0 for none.
        shared_gate: One vector that weighs the shared expert, as in Qwen2-MoE.
        router_bias: One bias (or correction) an expert.
        bias: Biases in the experts' matrices.
    """

    kind: Literal["mixture"] = "mixture"
    experts: Count
    top_k: Count
    intermediate: Count
    shared_intermediate: Annotated[int, Field(ge=0)] = 0
    gated: bool = True
    shared_gate: bool = False
    router_bias: bool = False
    bias: bool = False

    @model_validator(mode="after")
    def _experts_suffice(self) -> "MixtureOfExperts":
        if self.top_k > self.experts:
            raise ValueError(f"top_k ({self.top_k}) must not exceed experts ({self.experts})")
        if self.shared_gate and not self.shared_intermediate:
            raise ValueError("shared_gate needs a shared expert: give shared_intermediate")
        return self


Attention = Annotated[GroupedQueryAttention | LatentAttention, Field(discriminator="kind")]
FeedForward = Annotated[DenseFeedForward | MixtureOfExperts, Field(discriminator="kind")]


class LayerGroup(Spec):
    """Layers of one kind; their order in the stack does not matter to the model.

    Attributes:
        count: How many such layers the model has.
        norms: Norms of the hidden width in one layer: 2, or 4 with post-norms as in Gemma 3.
    """

    count: Count
    attention: Attention
    feedforward: FeedForward
    norms: Annotated[int, Field(ge=0)] = 2


class ModelSpec(Spec):
    """A decoder-only language model.

    Attributes:
        name: Lower case with hyphens.
        source: Where the numbers come from.
        hidden: Width of the residual stream.
        vocabulary: Rows of the embedding and of the head.
        tied: Whether the head is the embedding.
        positions: Rows of a learned position embedding; 0 for none (rotary).
        norm_bias: Whether norms have a bias (LayerNorm) beside their weight (RMSNorm).
    """

    name: str
    source: str
    hidden: Count
    vocabulary: Count
    tied: bool = False
    positions: Annotated[int, Field(ge=0)] = 0
    norm_bias: bool = False
    layers: Annotated[tuple[LayerGroup, ...], Field(min_length=1)]
