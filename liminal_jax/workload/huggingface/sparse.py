"""Families with mixtures of experts.

Each function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers; what a class leaves to chance, or what differs between its versions, is required.
"""

from collections.abc import Sequence

from liminal_jax.workload.feedforward.mixture import (
    by_frequency,
    chosen,
    dense_first,
    listed_or_dense_first,
    mixture,
    shared_experts,
)
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
    projection_biases,
    scoped,
)
from liminal_jax.workload.mixer.latent import latent
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    hidden,
    layer_count,
    layer_scopes,
    model,
    stack,
)


def mixtral(fields: Fields) -> Table:
    """Mixtral: every layer is a mixture; one window for all layers, none if left out."""
    activation(fields)
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=null_means_own_heads(fields)
    )
    experts = mixture(
        fields, experts=("num_local_experts", "num_experts"), intermediate="intermediate_size"
    )
    layers = layer_count(fields)
    scope = "full" if fields.values.get("sliding_window") is None else "sliding"
    fields.demand("layer_types", [[f"{scope}_attention"] * layers], "as sliding_window has it")
    attentions = scoped(fields, attention, [scope] * layers)
    return model(fields, stack(attentions, [experts] * layers))


def granitemoe(fields: Fields) -> Table:
    """Granite 3 mixtures: every layer is one, with a shared expert where it has a width."""
    activation(fields)
    for part in ("attention", "embedding", "residual"):
        fields.ignore(f"{part}_multiplier", "scaling, has no weights")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
    )
    note = "width of the shared expert"
    experts = mixture(
        fields,
        experts=("num_local_experts",),
        intermediate="intermediate_size",
        shared_intermediate=fields.count("shared_intermediate_size", note=note, default=0, least=0),
    )
    layers = layer_count(fields)
    return model(fields, stack([attention] * layers, [experts] * layers))


def gpt_oss(fields: Fields) -> Table:
    """GPT-OSS: sinks, biases on everything, every other layer slides from the first on."""
    activation(fields)
    bias = fields.flag("attention_bias", note="biases of the projections", default=True)
    attention = grouped_query(
        fields,
        head_dim=64,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
        sinks=True,
    )
    experts = mixture(
        fields,
        experts=("num_local_experts", "num_experts"),
        intermediate="intermediate_size",
        top_k=("num_experts_per_tok", "experts_per_token"),
        router_bias=True,
        bias=True,
    )
    layers = layer_count(fields)
    alternate = ["full" if layer % 2 else "sliding" for layer in range(layers)]
    attentions = scoped(fields, attention, layer_scopes(fields, alternate, modelled=("sliding",)))
    return model(fields, stack(attentions, [experts] * layers))


def minimax_m2(fields: Fields) -> Table:
    """MiniMax-M2: norms over all query and over all key heads, a correction bias an expert."""
    activation(fields)
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.demand("qk_norm_type", ["per_layer"], "norms run over all heads")
    fields.demand("use_routing_bias", [True], "experts always have a correction bias")
    fields.demand("shared_intermediate_size", [0], "no shared expert")
    fields.ignore("mlp_intermediate_size", "every layer is a mixture")
    attention = grouped_query(fields, kv_heads=null_means_own_heads(fields), qk_norm="per-layer")
    experts = mixture(
        fields,
        experts=("num_local_experts", "num_experts"),
        intermediate="intermediate_size",
        router_bias=True,
    )
    layers = layer_count(fields)
    fields.per_layer("attn_type_list", {1: "full"}, note="1: full attention", layers=layers)
    layer_scopes(fields, ["full"] * layers, modelled=())
    return model(fields, stack([attention] * layers, [experts] * layers))


def qwen2_moe(fields: Fields) -> Table:
    """Qwen 1.5 and 2 mixtures: a shared expert behind a gate, biases as in Qwen 2."""
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
        qkv_bias=fields.flag("qkv_bias", note="biases of queries, keys, values", default=True),
    )
    shared = fields.count("shared_expert_intermediate_size", note="width of the shared expert")
    experts = mixture(
        fields,
        experts=("num_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        shared_intermediate=shared,
        shared_gate=True,
    )
    return _qwen_moe(fields, attention, experts)


def qwen3_moe(fields: Fields) -> Table:
    """Qwen 3 mixtures: norms on queries and keys, no shared expert; head_dim is required."""
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.demand("qkv_bias", [False], "attention_bias decides")
    fields.demand("shared_expert_intermediate_size", [0], "no shared expert")
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
        qk_norm="per-head",
    )
    experts = mixture(
        fields,
        experts=("num_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
    )
    return _qwen_moe(fields, attention, experts)


def _qwen_moe(fields: Fields, attention: Table, experts: Table) -> Table:
    """Every `decoder_sparse_step`-th layer is a mixture unless `mlp_only_layers` names it.

    Which layers slide with `use_sliding_window` differs between versions: refused.
    """
    activation(fields)
    fields.demand("use_sliding_window", [False], "every layer attends to all tokens")
    for name in ("max_window_layers", "sliding_window"):
        fields.ignore(name, "use_sliding_window is not true")
    layers = layer_count(fields)
    layer_scopes(fields, ["full"] * layers, modelled=())
    step = fields.count("decoder_sparse_step", note="every n-th is a mixture", default=1)
    named = fields.indices("mlp_only_layers", note="dense layers", below=layers) or frozenset()
    sparse = [(layer + 1) % step == 0 and layer not in named for layer in range(layers)]
    feedforwards = chosen(fields, sparse, experts, "intermediate_size")
    return model(fields, stack([attention] * layers, feedforwards))


def llama4(fields: Fields) -> Table:
    """Llama 4: rotary layers attend within chunks, those without positions to all tokens.

    Norms on queries and keys have no weights. Mixtures stand every `interleave_moe_layer_step`,
    or where `moe_layers` says; their experts and the shared one have `intermediate_size`, dense
    blocks `intermediate_size_mlp`.
    """
    activation(fields)
    fields.flag("use_qk_norm", note="norms on queries and keys, without weights", default=True)
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        head_dim=128,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
    )
    experts = mixture(
        fields,
        experts=("num_local_experts", "num_experts"),
        intermediate="intermediate_size",
    )
    experts["shared_intermediate"] = experts["intermediate"]
    layers = layer_count(fields)
    scopes = layer_scopes(fields, _llama4_scopes(fields, layers), modelled=("chunked",))
    attentions = scoped(fields, attention, scopes, "attention_chunk_size")
    sparse = _llama4_mixtures(fields, layers)
    feedforwards = chosen(fields, sparse, experts, "intermediate_size_mlp")
    return model(fields, stack(attentions, feedforwards))


def _llama4_scopes(fields: Fields, layers: int) -> list[str]:
    period = fields.count(
        "no_rope_layer_interval",
        "nope_layer_interval",
        note="every n-th layer attends to all tokens",
        default=4,
    )
    by_period = ["chunked" if (layer + 1) % period else "full" for layer in range(layers)]
    if fields.values.get("no_rope_layers") == []:
        fields.ignore("no_rope_layers", "empty: the interval decides")
        return by_period
    given = fields.per_layer(
        "no_rope_layers",
        {0: "full", 1: "chunked"},
        note="1: rotary and chunked, 0: all tokens",
        layers=layers,
    )
    return by_period if given is None else given


def _llama4_mixtures(fields: Fields, layers: int) -> list[bool]:
    step = fields.count("interleave_moe_layer_step", note="every n-th is a mixture", default=1)
    given = fields.indices("moe_layers", note="layers that are mixtures", below=layers)
    if given is not None:
        return [layer in given for layer in range(layers)]
    return [(layer + 1) % step == 0 for layer in range(layers)]


def deepseek_v2(fields: Fields) -> Table:
    """DeepSeek-V2 and V2-Lite: latent attention, softmax router without a correction bias."""
    methods = ("greedy", "group_limited_greedy")
    fields.choice("topk_method", methods, note="router without a bias", default="greedy")
    return _deepseek(fields, router_bias=False)


def deepseek_v3(fields: Fields) -> Table:
    """DeepSeek-V3, R1, V3.1 and Kimi-K2: latent attention, a correction bias an expert."""
    note = "router with a correction bias"
    fields.choice("topk_method", ("noaux_tc",), note=note, default="noaux_tc")
    return _deepseek(fields, router_bias=True)


def _deepseek(fields: Fields, *, router_bias: bool) -> Table:
    layers = layer_count(fields)
    sparse = by_frequency(fields, dense_first(fields, layers))
    return _latent_mixture(fields, sparse, router_bias=router_bias)


def glm4_moe_lite(fields: Fields) -> Table:
    """GLM-4.7-Flash: the layers of DeepSeek-V3, the dense ones named by `mlp_layer_types`."""
    note = "router with a correction bias"
    fields.choice("topk_method", ("noaux_tc",), note=note, default="noaux_tc")
    layers = layer_count(fields)
    sparse = listed_or_dense_first(fields, layers)
    return _latent_mixture(fields, sparse, router_bias=True)


def _latent_mixture(fields: Fields, sparse: Sequence[bool], *, router_bias: bool) -> Table:
    activation(fields)
    attention = latent(fields)
    experts = mixture(
        fields,
        experts=("n_routed_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        router_bias=router_bias,
        **shared_experts(fields),
    )
    layer_scopes(fields, ["full"] * len(sparse), modelled=())
    feedforwards = chosen(fields, sparse, experts, "intermediate_size")
    return model(fields, stack([attention] * len(sparse), feedforwards))


def glm4_moe(fields: Fields) -> Table:
    """GLM-4.5 to 4.7: biases on queries, keys and values, a correction bias an expert.

    Files that leave out `attention_bias` and `use_qk_norm` are of the published shapes: all have
    the biases, those of width 5120 the norms, and the one of width 4096 (Air) not.
    """
    norms = {5120: True, 4096: False}.get(hidden(fields))
    normed = fields.flag("use_qk_norm", note="norms on queries and keys", default=norms)
    return _glm4_moe(fields, normed=normed)


def glm4v_moe(fields: Fields) -> Table:
    """The text model of GLM-4.5V and GLM-4.6V: as GLM-4.5-Air, without norms on heads."""
    fields.demand("use_qk_norm", [False], "queries and keys have no norms")
    return _glm4_moe(fields, normed=False)


def _glm4_moe(fields: Fields, *, normed: bool) -> Table:
    activation(fields)
    attention = grouped_query(
        fields,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=fields.flag("attention_bias", note="biases of q, k and v", default=True),
        qk_norm="per-head" if normed else "none",
    )
    experts = mixture(
        fields,
        experts=("n_routed_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        router_bias=True,
        **shared_experts(fields),
    )
    layers = layer_count(fields)
    layer_scopes(fields, ["full"] * layers, modelled=())
    feedforwards = chosen(fields, dense_first(fields, layers), experts, "intermediate_size")
    return model(fields, stack([attention] * layers, feedforwards))


FAMILIES = {
    "granitemoe": Family(granitemoe, "GraniteMoeForCausalLM"),
    "granitemoeshared": Family(granitemoe, "GraniteMoeSharedForCausalLM"),
    "mixtral": Family(mixtral, "MixtralForCausalLM"),
    "gpt_oss": Family(gpt_oss, "GptOssForCausalLM"),
    "minimax_m2": Family(minimax_m2, "MiniMaxM2ForCausalLM"),
    "qwen2_moe": Family(qwen2_moe, "Qwen2MoeForCausalLM"),
    "qwen3_moe": Family(qwen3_moe, "Qwen3MoeForCausalLM"),
    "qwen3_omni_moe_text": Family(qwen3_moe, "Qwen3OmniMoeThinkerTextModel"),
    "qwen3_vl_moe_text": Family(qwen3_moe, "Qwen3VLMoeTextModel"),
    "llama4_text": Family(llama4, "Llama4ForCausalLM"),
    "deepseek_v2": Family(deepseek_v2, "DeepseekV2ForCausalLM"),
    "deepseek_v3": Family(deepseek_v3, "DeepseekV3ForCausalLM"),
    "kimi_k2": Family(deepseek_v3, "DeepseekV3ForCausalLM"),
    "glm4_moe": Family(glm4_moe, "Glm4MoeForCausalLM"),
    "glm4v_moe_text": Family(glm4v_moe, "Glm4vMoeTextModel"),
    "glm4_moe_lite": Family(glm4_moe_lite, "Glm4MoeLiteForCausalLM"),
}
