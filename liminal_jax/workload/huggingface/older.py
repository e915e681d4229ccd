"""Dense families of the years to 2024, with and without a gate in their blocks.

Each function reads one `model_type`. Shapes and defaults follow the modelling code of Hugging Face
transformers, and that beside the checkpoints where a family has never been in it.
"""

from typing import Any

from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    own_kv_heads,
    projection_biases,
)
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    hidden,
    layer_count,
    model,
    stack,
)

_UNGATED = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "relu2")
_EVERYWHERE = {"qkv_bias": True, "output_bias": True}


def gpt2(fields: Fields) -> Table:
    """GPT-2: learned positions, biases everywhere, blocks without a gate, 4 d wide."""
    fields.demand("add_cross_attention", [False], "no encoder")
    return _gpt2_like(fields, own_kv_heads(fields))


def gpt_bigcode(fields: Fields) -> Table:
    """StarCoder and SantaCoder: as GPT-2, with one key/value head unless `multi_query` is false."""
    single = fields.flag("multi_query", note="one key/value head", default=True)
    for name in ("pad_key_length", "pre_allocate_kv_cache"):
        fields.ignore(name, "running program")
    return _gpt2_like(fields, 1 if single else own_kv_heads(fields))


def _gpt2_like(fields: Fields, kv_heads: int) -> Table:
    for name in ("reorder_and_upcast_attn", "scale_attn_by_inverse_layer_idx"):
        fields.ignore(name, "scaling, has no weights")
    positions = fields.count("n_positions", "n_ctx", note="learned positions", default=1024)
    return _ungated(
        fields,
        {"kv_heads": kv_heads, **_EVERYWHERE},
        act="activation_function",
        positions=positions,
    )


def opt(fields: Fields) -> Table:
    """OPT: learned positions, two more than it says, and biases everywhere."""
    fields.demand("do_layer_norm_before", [True], "norms stand before each part")
    fields.demand("_remove_final_layer_norm", [False], "a norm stands before the head")
    fields.demand("word_embed_proj_dim", [fields.values.get("hidden_size")], "no projection")
    fields.demand("enable_bias", [True], "biases everywhere")
    fields.demand("layer_norm_elementwise_affine", [True], "norms have weights")
    positions = fields.count("max_position_embeddings", note="learned positions, less 2")
    return _ungated(
        fields,
        {"kv_heads": own_kv_heads(fields), **_EVERYWHERE},
        act="activation_function",
        positions=positions + 2,
    )


def gpt_neox(fields: Fields) -> Table:
    """GPT-NeoX and Pythia: biases everywhere; two norms also where parts stand side by side."""
    fields.ignore("use_parallel_residual", "order of norms and residuals")
    bias = fields.flag("attention_bias", note="biases of the projections", default=True)
    own = {"kv_heads": own_kv_heads(fields), "qkv_bias": bias, "output_bias": bias}
    return _ungated(fields, own, act="hidden_act")


def bloom(fields: Fields) -> Table:
    """BLOOM: as GPT-2 without learned positions, with a norm after the embedding."""
    for name in ("skip_bias_add", "skip_bias_add_qkv", "bias_dropout_fusion"):
        fields.ignore(name, "running program")
    fields.ignore("apply_residual_connection_post_layernorm", "order of norms and residuals")
    own = {"kv_heads": own_kv_heads(fields), **_EVERYWHERE}
    return _ungated(fields, own, act="hidden_act", small=2 * hidden(fields))


def mpt(fields: Fields) -> Table:
    """MPT: no biases, also of norms; positions have no weights."""
    fields.demand("no_bias", [True], "no biases")
    fields.ignore("learned_pos_emb", "attn_config.alibi decides")
    fields.ignore("embedding_fraction", "scaling, has no weights")
    width, ratio = hidden(fields), fields.count("expansion_ratio", note="of a block", default=4)
    own = fields.table("attn_config", note="attention")
    own.demand("alibi", [True], "positions have no weights")
    own.demand("qk_ln", [False], "no norms of queries and keys")
    kinds = ("multihead_attention", "multiquery_attention", "grouped_query_attention")
    kind = own.choice("attn_type", kinds, note="kind of attention", default=kinds[0])
    heads = own_kv_heads(fields)
    keys = {kinds[0]: heads, kinds[1]: 1}.get(kind) or own.count("kv_n_heads", note="KV heads")
    for name in (
        "softmax_scale",
        "prefix_lm",
        "attn_uses_sequence_id",
        "alibi_bias_max",
        "attn_impl",
    ):
        own.ignore(name, "has no weights")
    own.ignore("kv_n_heads", "attn_type decides")
    attention = grouped_query(fields, head_dim=derived_head_dim(fields), kv_heads=keys)
    block = {"kind": "dense", "intermediate": ratio * width, "gated": False}
    layers = layer_count(fields)
    return model(fields, stack([attention] * layers, [block] * layers))


def gptj(fields: Fields) -> Table:
    """GPT-J and CodeGen: attention without biases beside a block with them; a biased head."""
    fields.ignore("n_ctx", "positions, have no weights")
    own = {"kv_heads": own_kv_heads(fields)}
    return _ungated(fields, own, act="activation_function", norms=1, head_bias=True)


def phi(fields: Fields) -> Table:
    """Phi-1, 1.5 and 2: attention beside a block, under one norm; biases everywhere."""
    own: Table = {"kv_heads": own_kv_heads(fields), **_EVERYWHERE}
    if fields.flag("qk_layernorm", note="norms on queries and keys", default=False):
        own["qk_norm"] = "per-head"
    return _ungated(fields, own, act="hidden_act", norms=1, head_bias=True)


def nemotron(fields: Fields) -> Table:
    """Nemotron-3, 4 and Minitron: squared ReLU without a gate, norms with biases."""
    own = {"kv_heads": own_kv_heads(fields), **projection_biases(fields)}
    bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    return _ungated(fields, own, act="hidden_act", block_bias=bias)


def _ungated(
    fields: Fields,
    own: Table,
    *,
    act: str,
    norms: int | None = None,
    block_bias: bool = True,
    **extras: Any,
) -> Table:
    """A model of blocks without a gate and norms with biases.

    Args:
        fields: The config.
        own: What its attention has, key/value heads among it.
        act: The field of the activation.
        norms: Norms of a layer; one before each part where none.
        block_bias: Whether blocks have biases.
        extras: Further entries of the model.
    """
    fields.choice(act, _UNGATED, note="activation without a gate", default="gelu")
    attention = grouped_query(fields, head_dim=derived_head_dim(fields), **own)
    width = fields.count("intermediate_size", note="width of a block", default=4 * hidden(fields))
    block = {"kind": "dense", "intermediate": width, "gated": False, "bias": block_bias}
    layers = layer_count(fields)
    groups = stack([attention] * layers, [block] * layers, norms=norms)
    return model(fields, groups, norm_bias=True, **extras)


def internlm(fields: Fields) -> Table:
    """InternLM 1 and 2: as Llama; `bias` is of the four projections."""
    bias = fields.flag("bias", note="biases of the projections", default=True)
    return _gated(fields, {"qkv_bias": bias, "output_bias": bias})


def internlm3(fields: Fields) -> Table:
    """InternLM 3: as Llama; `bias` is of blocks and of the output, `qkv_bias` of the rest."""
    bias = fields.flag("bias", note="biases of blocks and of the output", default=False)
    own = fields.flag("qkv_bias", note="biases of queries, keys and values", default=False)
    return _gated(fields, {"qkv_bias": own, "output_bias": bias}, block_bias=bias)


def plain(fields: Fields) -> Table:
    """Baichuan 1 and 2, EXAONE 3, MiniCPM: as Llama, without any bias."""
    for name in ("dim_model_base", "scale_depth"):
        fields.ignore(name, "scaling, has no weights")
    named = "activation_function"
    return _gated(fields, {}, act=named if named in fields.values else "hidden_act")


def qwen(fields: Fields) -> Table:
    """Qwen 1: queries, keys and values have biases; a block's width counts both its halves."""
    fields.demand("no_bias", [True], "the output and blocks have no biases")
    fields.ignore("use_logn_attn", "scaling, has no weights")
    width = fields.count("intermediate_size", note="width of both halves of a block") // 2
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=own_kv_heads(fields), qkv_bias=True
    )
    layers = layer_count(fields)
    block = {"kind": "dense", "intermediate": width}
    return model(fields, stack([attention] * layers, [block] * layers))


def stablelm(fields: Fields) -> Table:
    """StableLM 3B and 2: norms with biases, one of them where parts stand side by side."""
    fields.demand("qk_layernorm", [False], "no norms of queries and keys")
    bias = fields.flag("use_qkv_bias", note="biases of queries, keys, values", default=False)
    parallel = fields.flag(
        "use_parallel_residual", note="attention and block side by side", default=False
    )
    return _gated(fields, {"qkv_bias": bias}, norms=1 if parallel else None, norm_bias=True)


def arcee(fields: Fields) -> Table:
    """Arcee: as Llama, with squared ReLU and no gate."""
    fields.choice("hidden_act", _UNGATED, note="activation without a gate", default="relu2")
    bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    own = {**projection_biases(fields), "kv_heads": own_kv_heads(fields)}
    attention = grouped_query(fields, head_dim=derived_head_dim(fields), **own)
    width = fields.count("intermediate_size", note="width of a block")
    block = {"kind": "dense", "intermediate": width, "gated": False, "bias": bias}
    layers = layer_count(fields)
    return model(fields, stack([attention] * layers, [block] * layers))


def _gated(
    fields: Fields,
    own: Table,
    *,
    act: str = "hidden_act",
    norms: int | None = None,
    block_bias: bool = False,
    **extras: Any,
) -> Table:
    """A model as Llama but for what its attention has of its own; arguments as of `_ungated`."""
    activation(fields, act)
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=own_kv_heads(fields), **own
    )
    width = fields.count("intermediate_size", note="width of a block")
    block = {"kind": "dense", "intermediate": width, "bias": block_bias}
    layers = layer_count(fields)
    groups = stack([attention] * layers, [block] * layers, norms=norms)
    return model(fields, groups, **extras)


FAMILIES = {
    "gpt2": Family(gpt2, "GPT2LMHeadModel", tied=True),
    "gpt_bigcode": Family(gpt_bigcode, "GPTBigCodeForCausalLM", tied=True),
    "opt": Family(opt, "OPTForCausalLM", tied=True),
    "gpt_neox": Family(gpt_neox, "GPTNeoXForCausalLM"),
    "bloom": Family(bloom, "BloomForCausalLM", tied=True, also=("BloomModel",)),
    "mpt": Family(mpt, "MPTForCausalLM", tied=True, also=("MptForCausalLM",)),
    "gptj": Family(gptj, "GPTJForCausalLM"),
    "codegen": Family(gptj, "CodeGenForCausalLM"),
    "phi": Family(phi, "PhiForCausalLM"),
    "nemotron": Family(nemotron, "NemotronForCausalLM"),
    "internlm": Family(internlm, "InternLMForCausalLM"),
    "internlm2": Family(internlm, "InternLM2ForCausalLM"),
    "internlm3": Family(internlm3, "InternLM3ForCausalLM"),
    "baichuan": Family(plain, "BaichuanForCausalLM", also=("BaiChuanForCausalLM",)),
    "exaone": Family(plain, "ExaoneForCausalLM"),
    "minicpm": Family(plain, "MiniCPMForCausalLM"),
    "qwen": Family(qwen, "QWenLMHeadModel"),
    "stablelm": Family(stablelm, "StableLmForCausalLM", also=("StableLMEpochForCausalLM",)),
    "arcee": Family(arcee, "ArceeForCausalLM"),
}
