"""Further families with mixtures of experts over grouped queries.

ERNIE 4.5, Hunyuan-A13B, dots.llm1, Ling, DeepSeekMoE, OLMoE, DBRX, MiMo-V2-Flash, Step-3.5. Each
function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers; shapes follow its modelling code, or that of the checkpoint.
"""

from collections.abc import Sequence
from typing import Any

from liminal_jax.workload.feedforward.mixture import (
    by_frequency,
    chosen,
    dense_first,
    mixture,
    shared_experts,
)
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
    own_kv_heads,
    projection_biases,
    scoped,
)
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields, shown
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    layer_count,
    layer_scopes,
    model,
    stack,
)


def ernie4_5_moe(fields: Fields) -> Table:
    """ERNIE 4.5 mixtures: those of a range of layers, every n-th; shared experts side by side."""
    activation(fields)
    fields.demand("moe_gate", ["topk"], "routing, has no weights")
    fields.demand("moe_use_aux_free", [True], "experts always have a correction bias")
    for name in ("moe_capacity", "moe_group", "moe_norm_min"):
        fields.ignore(name, "routing, has no weights")
    bias = fields.flag("use_bias", note="biases of projections and blocks", default=False)
    if bias:
        fields.refuse("use_bias", "true is not modelled here; modelled: false")
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=null_means_own_heads(fields)
    )
    experts = mixture(
        fields,
        experts=("num_experts",),
        intermediate="moe_intermediate_size",
        router_bias=True,
        **shared_experts(fields),
    )
    layers = layer_count(fields)
    first = fields.count("moe_layer_start_index", note="first mixture", default=1, least=0)
    if fields.values.get("moe_layer_end_index") in (None, -1):
        fields.ignore("moe_layer_end_index", "the last layer")
        last = layers - 1
    else:
        last = fields.count("moe_layer_end_index", note="last mixture", least=0)
    step = fields.count("moe_layer_interval", note="every n-th is a mixture", default=1)
    sparse = [first <= it <= last and (it + 1) % step == 0 for it in range(layers)]
    return _stacked(fields, attention, chosen(fields, sparse, experts, "intermediate_size"))


def _hunyuan_attention(fields: Fields) -> Table:
    """The attention of Hunyuan, and what its files say beside that nothing depends on."""
    activation(fields)
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.demand("norm_type", ["rms", "hf_rms", "fused"], "norms without biases")
    for name in ("use_cla", "use_mla", "mlp_bias", "add_classification_head"):
        fields.demand(name, [False], "not used")
    for name in ("cla_share_factor", "kv_lora_rank", "q_lora_rank", "qk_nope_head_dim"):
        fields.ignore(name, "use_cla and use_mla are false")
    for name in ("qk_rope_head_dim", "v_head_dim", "class_num", "pool_type", "dense_list"):
        fields.ignore(name, "use_mla is false; no classification head")
    for name in ("capacity_factor", "org_vocab_size", "use_rotary_pos_emb", "mask_init_id"):
        fields.ignore(name, "routing, tokens and positions")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm="per-head",
    )
    fields.demand("attention_head_dim", [attention["head_dim"]], "as head_dim")
    return attention


def hunyuan_v1_dense(fields: Fields) -> Table:
    """Hunyuan 0.5B to 7B: norms on each head, one block in every layer."""
    fields.demand("num_experts", [1], "one block in every layer")
    attention = _hunyuan_attention(fields)
    block = {"kind": "dense", "intermediate": fields.count("intermediate_size", note="of a block")}
    return _stacked(fields, attention, [block] * layer_count(fields))


def hunyuan_v1_moe(fields: Fields) -> Table:
    """Hunyuan-A13B: norms on each head, one shared expert beside the routed ones in every layer.

    Published files repeat the same number for every layer; layers that differ are refused.
    """
    fields.demand("use_mixed_mlp_moe", [True], "one shared expert beside the routed ones")
    for name in ("moe_drop_tokens", "moe_random_routing_dropped_token", "group_limited_greedy"):
        fields.ignore(name, "routing, has no weights")
    for name in ("moe_layer_num_skipped", "num_nextn_predict_layers"):
        fields.demand(name, [0], "every layer is a mixture")
    for name in ("num_experts_per_tok", "num_experts", "n_shared_experts", "moe_intermediate_size"):
        _even(fields, name)
    attention = _hunyuan_attention(fields)
    name = (
        "intermediate_size"
        if "moe_intermediate_size" not in fields.values
        else ("moe_intermediate_size")
    )
    experts = mixture(fields, experts=("num_experts",), intermediate=name)
    shared = fields.count("n_shared_experts", note="shared experts", default=1)
    width = fields.count("intermediate_size", note="width of a shared expert")
    experts["shared_intermediate"] = shared * width
    return _stacked(fields, attention, [experts] * layer_count(fields))


def _even(fields: Fields, name: str) -> None:
    """Take a list of one number for each layer, all the same, as that number."""
    value = fields.values.get(name)
    if not isinstance(value, list):
        return
    if value and all(entry == value[0] for entry in value):
        fields.values[name] = value[0]
    else:
        fields.refuse(name, f"must be the same in every layer, got {shown(value)}")


def dots1(fields: Fields) -> Table:
    """dots.llm1: the attention of Qwen 3 over the mixtures of DeepSeek-V3."""
    activation(fields)
    fields.demand("topk_method", ["noaux_tc"], "router with a correction bias")
    fields.demand("use_sliding_window", [False], "every layer attends to all tokens")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm="per-head",
    )
    layers = layer_count(fields)
    window = fields.values.get("sliding_window")
    first = layers
    if window is not None:
        note = "layers before those that slide"
        first = fields.count("max_window_layers", note=note, default=layers, least=0)
    fields.ignore("max_window_layers", "no window")
    scopes = ["sliding" if layer >= first else "full" for layer in range(layers)]
    attentions = scoped(fields, attention, layer_scopes(fields, scopes, modelled=("sliding",)))
    blocks = _dense_then_mixtures(fields, layers, "n_routed_experts", router_bias=True)
    return model(fields, stack(attentions, blocks))


def deepseek(fields: Fields) -> Table:
    """DeepSeekMoE, the first of DeepSeek's mixtures: plain attention, no correction bias."""
    activation(fields)
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
    )
    layers = layer_count(fields)
    blocks = _dense_then_mixtures(fields, layers, "n_routed_experts", router_bias=False)
    return _stacked(fields, attention, blocks)


def bailing_moe(fields: Fields) -> Table:
    """Ling-lite and Ling-plus: shared experts side by side, softmax router without a bias."""
    fields.demand("multi_gate", [False], "one router")
    return _bailing(fields, normed=False, router_bias=False)


def bailing_moe_v2(fields: Fields) -> Table:
    """Ling and Ring 2.0: norms on each head, a correction bias an expert."""
    normed = fields.flag("use_qk_norm", note="norms on queries and keys", default=False)
    bias = fields.flag("moe_router_enable_expert_bias", note="a bias an expert", default=False)
    fields.demand("use_rmsnorm", [True], "norms without biases")
    fields.ignore("moe_shared_expert_intermediate_size", "as wide as routed experts")
    return _bailing(fields, normed=normed, router_bias=bias)


def _bailing(fields: Fields, *, normed: bool, router_bias: bool) -> Table:
    activation(fields)
    for name in (
        "norm_head",
        "norm_softmax",
        "score_function",
        "router_dtype",
        "max_window_layers",
    ):
        fields.ignore(name, "scaling and number format, have no weights")
    fields.demand("use_sliding_window", [False], "every layer attends to all tokens")
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qkv_bias=fields.flag("use_qkv_bias", note="biases of q, k and v", default=False),
        output_bias=fields.flag("use_bias", note="bias of the output", default=False),
        qk_norm="per-head" if normed else "none",
    )
    layers = layer_count(fields)
    blocks = _dense_then_mixtures(fields, layers, "num_experts", router_bias=router_bias)
    return _stacked(fields, attention, blocks)


def _dense_then_mixtures(
    fields: Fields, layers: int, experts: str, *, router_bias: bool
) -> list[Table]:
    """Blocks of which the first few are dense, the others mixtures with shared experts."""
    if fields.values.get("first_k_dense_replace") is None:
        fields.default("first_k_dense_replace", 0, "every layer is a mixture")
        sparse = [True] * layers
    else:
        sparse = dense_first(fields, layers)
    routed = mixture(
        fields,
        experts=(experts,),
        intermediate="moe_intermediate_size",
        router_bias=router_bias,
        **shared_experts(fields),
    )
    return chosen(fields, by_frequency(fields, sparse), routed, "intermediate_size")


def olmoe(fields: Fields) -> Table:
    """OLMoE: norms over all query and all key heads, every layer a mixture."""
    activation(fields)
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm="per-layer",
    )
    experts = mixture(fields, experts=("num_experts",), intermediate="intermediate_size")
    return _stacked(fields, attention, [experts] * layer_count(fields))


def dbrx(fields: Fields) -> Table:
    """DBRX: norms without biases; attention and experts each have an object of their own."""
    inner = fields.table("attn_config", note="attention")
    routed = fields.table("ffn_config", note="experts")
    for name in ("attn_pdrop", "clip_qkv", "rope_theta", "model_type"):
        inner.ignore(name, "training, scaling and positions")
    fields.values["num_key_value_heads"] = inner.count("kv_n_heads", note="KV heads", default=1)
    attention = grouped_query(fields, head_dim=derived_head_dim(fields))
    for name in ("ffn_act_fn", "moe_jitter_eps", "moe_loss_weight", "uniform_expert_assignment"):
        routed.ignore(name, "gated; training")
    for name in ("moe_normalize_expert_weights", "model_type", "hidden_size"):
        routed.ignore(name, "routing; as wide as the residual stream")
    experts: Table = {
        "kind": "mixture",
        "experts": routed.count("moe_num_experts", note="routed experts", default=4),
        "top_k": routed.count("moe_top_k", note="experts a token uses", default=1),
        "intermediate": routed.count("ffn_hidden_size", note="width of one expert", default=3584),
    }
    if routed.sound("moe_top_k", "moe_num_experts") and experts["top_k"] > experts["experts"]:
        routed.refuse("moe_top_k", f"must not exceed moe_num_experts ({experts['experts']})")
    return _stacked(fields, attention, [experts] * layer_count(fields))


def mimo_v2(fields: Fields) -> Table:
    """MiMo-V2-Flash: values narrower than keys; sliding layers with heads and sinks of their own.

    Files say it by `hybrid_layer_pattern` (1: sliding) and `swa_*`, or, in transformers' own form,
    by `layer_types`, where sliding layers have twice the key/value heads, and sinks.
    """
    activation(fields)
    fields.demand("topk_method", ["noaux_tc"], "router with a correction bias")
    for name in ("sliding_window_size", "attention_chunk_size", "attention_value_scale"):
        fields.ignore(name, "sliding_window decides; scaling has no weights")
    fields.ignore("swa_rope_theta", "positions have no weights")
    bias = fields.flag("attention_bias", note="biases of q, k and v", default=False)
    full = grouped_query(
        fields,
        head_dim=192,
        kv_heads=4 if "num_key_value_heads" not in fields.values else own_kv_heads(fields),
        value_dim=fields.count("v_head_dim", note="width of a value", default=128),
        qkv_bias=bias,
        sinks=fields.flag("add_full_attention_sink_bias", note="sinks", default=False),
    )
    sliding: Table = {
        **full,
        "heads": fields.count(
            "swa_num_attention_heads", note="heads of sliding layers", default=full["heads"]
        ),
        "kv_heads": fields.count(
            "swa_num_key_value_heads", note="KV heads of those", default=2 * full["kv_heads"]
        ),
        "head_dim": fields.count(
            "swa_head_dim", note="width of their keys", default=full["head_dim"]
        ),
        "value_dim": fields.count(
            "swa_v_head_dim", note="width of their values", default=full["value_dim"]
        ),
        "sinks": fields.flag("add_swa_attention_sink_bias", note="sinks of those", default=True),
    }
    if fields.sound("swa_num_attention_heads", "swa_num_key_value_heads") and (
        sliding["heads"] % sliding["kv_heads"]
    ):
        fields.refuse("swa_num_key_value_heads", "must divide swa_num_attention_heads")
    layers = layer_count(fields)
    pattern = fields.per_layer(
        "hybrid_layer_pattern", {0: "full", 1: "sliding"}, note="1: sliding", layers=layers
    )
    by_period = ["sliding" if layer and (layer + 1) % 6 else "full" for layer in range(layers)]
    scopes = layer_scopes(fields, pattern or by_period, modelled=("sliding",))
    window = fields.count("sliding_window", note="tokens that a layer with a window keeps")
    sliding |= {"scope": "sliding", "window": window}
    mixers = [sliding if scope == "sliding" else full for scope in scopes]
    return model(fields, stack(mixers, _mimo_blocks(fields, layers)))


def _mimo_blocks(fields: Fields, layers: int) -> list[Table]:
    meanings: dict[Any, bool] = {"dense": False, "sparse": True, 0: False, 1: True}
    sparse = [layer > 0 for layer in range(layers)]
    for name in ("mlp_layer_types", "moe_layer_freq"):
        given = fields.per_layer(name, meanings, note="which layers are mixtures", layers=layers)
        sparse = sparse if given is None else given
    shared = shared_experts(fields) if "n_shared_experts" in fields.values else {}
    experts = mixture(
        fields,
        experts=("n_routed_experts",),
        intermediate="moe_intermediate_size",
        router_bias=True,
        **shared,
    )
    return chosen(fields, sparse, experts, "intermediate_size")


def step3p5(fields: Fields) -> Table:
    """Step-3.5-Flash and the text model of Step-3.7: a gate a head, sliding layers with more heads.

    Lists of layers may go on with those of multi-token prediction, which are not counted.
    """
    fields.choice("hidden_act", ("silu", "swigluoai"), note="gated activation", default="silu")
    fields.demand("use_head_wise_attn_gate", [True], "each head has a gate")
    fields.demand("gating", [True, "per-head"], "each head has a gate")
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.demand("use_moe_router_bias", [True], "experts always have a correction bias")
    fields.demand("mlp_bias", [False], "blocks have no biases")
    fields.demand("share_expert_dims", [fields.values.get("share_expert_dim")], "one width")
    fields.demand("use_mfa", [False], "grouped queries")
    fields.demand("use_moe", [True], "moe_layers_enum decides")
    for name in ("swiglu_limits", "swiglu_limits_shared", "use_rope_layers", "yarn_only_types"):
        fields.ignore(name, "scaling and positions, have no weights")
    for name in (
        "need_fp32_gate",
        "moe_router_activation",
        "partial_rotary_factors",
        "zero_centered",
    ):
        fields.ignore(name, "routing, number format and positions")
    for name in ("moe_router_scaling_factor", "moe_every_n_layer", "norm_expert_weight"):
        fields.ignore(name, "scaling; moe_layers_enum decides")
    for name in ("att_impl_type", "sink", "num_mtp_layers", "max_seq_len"):
        fields.ignore(name, "running program; positions")
    layers = layer_count(fields)
    scopes = _step_scopes(fields, layers)
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    full = grouped_query(
        fields, head_dim=128, qkv_bias=bias, output_bias=bias, qk_norm="per-head", head_gate=True
    )
    sliding = {**full, "heads": _sliding_heads(fields, full)}
    attentions = [
        full if given["scope"] == "full" else {**sliding, **given}
        for given in scoped(fields, {"scope": "full"}, scopes)
    ]
    experts = mixture(
        fields,
        experts=("n_routed_experts",),
        intermediate="moe_intermediate_size",
        router_bias=True,
        shared_intermediate=fields.count("share_expert_dim", note="width of the shared expert"),
    )
    blocks = chosen(fields, _step_mixtures(fields, layers), experts, "intermediate_size")
    return model(fields, stack(attentions, blocks))


def _step_scopes(fields: Fields, layers: int) -> list[str]:
    value = fields.values.get("layer_types")
    if isinstance(value, list) and len(value) > layers:
        fields.values["layer_types"] = value[:layers]
    return layer_scopes(fields, ["full"] * layers, modelled=("sliding",))


def _sliding_heads(fields: Fields, full: Table) -> int:
    """Query heads of layers that slide, whose other widths must be those of the others."""
    name = "attention_other_setting"
    if not isinstance(fields.values.get(name), dict):
        note = "heads of sliding layers"
        return fields.count("num_sliding_attention_heads", note=note, default=full["heads"])
    inner = fields.table(name, note="attention of sliding layers")
    inner.demand("attention_type", ["sliding_attention"], "of sliding layers")
    inner.demand("num_attention_groups", [full["kv_heads"]], "as in the other layers")
    for width in ("head_dim", "true_head_dim"):
        inner.demand(width, [full["head_dim"]], "as in the other layers")
    heads = inner.count("num_attention_heads", note="heads of sliding layers")
    if inner.sound("num_attention_heads") and heads % full["kv_heads"]:
        inner.refuse("num_attention_heads", f"{heads} must be a multiple of {full['kv_heads']}")
    return heads


def _step_mixtures(fields: Fields, layers: int) -> list[bool]:
    """Layers named in `moe_layers_enum`, as text or list; from the fourth on where left out."""
    name = "moe_layers_enum"
    value = fields.values.get(name)
    if isinstance(value, str) and all(it.strip().isdigit() for it in value.split(",")):
        fields.values[name] = [int(it) for it in value.split(",")]
    if isinstance(fields.values.get(name), list):
        fields.values[name] = [it for it in fields.values[name] if it not in range(layers, 10_000)]
    named = fields.indices(name, note="layers that are mixtures", below=layers)
    if named is not None:
        return [layer in named for layer in range(layers)]
    types = fields.values.get("mlp_layer_types")
    if isinstance(types, list) and len(types) > layers:
        fields.values["mlp_layer_types"] = types[:layers]
    meanings = {"dense": False, "sparse": True}
    note = "dense layers and mixtures"
    given = fields.per_layer("mlp_layer_types", meanings, note=note, layers=layers)
    if given is None and fields.sound(name):
        fields.default(name, list(range(3, layers)), note)
    return [layer >= 3 for layer in range(layers)] if given is None else given


def _stacked(fields: Fields, attention: Table, blocks: Sequence[Table]) -> Table:
    """A model whose layers all attend to all tokens in the same way."""
    layer_scopes(fields, ["full"] * len(blocks), modelled=())
    return model(fields, stack([attention] * len(blocks), blocks))


FAMILIES = {
    "ernie4_5_moe": Family(
        ernie4_5_moe, "Ernie4_5_MoeForCausalLM", tied=True, also=("Ernie4_5MoeForCausalLM",)
    ),
    "hunyuan_v1_dense": Family(hunyuan_v1_dense, "HunYuanDenseV1ForCausalLM"),
    "hunyuan_v1_moe": Family(
        hunyuan_v1_moe, "HunYuanMoEV1ForCausalLM", also=("HunYuanMoEForCausalLM",)
    ),
    "dots1": Family(dots1, "Dots1ForCausalLM"),
    "deepseek": Family(deepseek, "DeepseekForCausalLM"),
    "bailing_moe": Family(
        bailing_moe, "BailingMoeForCausalLM", shares_its_name_with="bailing_moe_v2"
    ),
    "bailing_moe_v2": Family(bailing_moe_v2, "BailingMoeV2ForCausalLM"),
    "olmoe": Family(olmoe, "OlmoeForCausalLM"),
    "dbrx": Family(dbrx, "DbrxForCausalLM"),
    "mimo_v2_flash": Family(mimo_v2, "MiMoV2FlashForCausalLM"),
    "mimo_v2": Family(mimo_v2, "MiMoV2ForCausalLM"),
    "step3p5": Family(step3p5, "Step3p5ForCausalLM"),
}

WRAPPERS = {
    "step3p7": Wrapper(
        "Step3p7ForConditionalGeneration", ("step3p5",), also=("StepVLForConditionalGeneration",)
    ),
}
