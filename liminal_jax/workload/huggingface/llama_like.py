"""Families that differ from Llama in biases, in windows or in where their norms stand.

Phi-3, Seed-OSS, SmolLM3, MiMo, OLMo 2 and 3, EXAONE 4, Command R, Apertus, ERNIE 4.5, ChatGLM. Each
function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers; shapes follow its modelling code, or that of the checkpoint.
"""

from collections.abc import Sequence

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.huggingface.dense import llama, qwen2
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
    own_kv_heads,
    projection_biases,
    scoped,
    uniform_scope,
)
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    layer_count,
    layer_scopes,
    model,
    stack,
)


def phi3(fields: Fields) -> Table:
    """Phi-3 to Phi-4: no biases; one window for all layers, unless no text is longer."""
    activation(fields)
    for name in ("attention_bias", "mlp_bias", "lm_head_bias"):
        fields.demand(name, [False], "no biases")
    fields.demand("full_attn_mod", [1], "all layers are alike")
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=own_kv_heads(fields)
    )
    return _alike(fields, attention, [uniform_scope(fields)] * layer_count(fields))


def granite(fields: Fields) -> Table:
    """Granite 3: the layers of Llama, with fixed multipliers."""
    for part in ("attention", "embedding", "residual"):
        fields.ignore(f"{part}_multiplier", "scaling, has no weights")
    return llama(fields)


def cwm(fields: Fields) -> Table:
    """Code World Model: the layers of Llama, of which three slide after each one that does not."""
    activation(fields)
    fields.demand("mlp_bias", [False], "blocks have no biases")
    attention = grouped_query(fields, head_dim=128, kv_heads=null_means_own_heads(fields))
    scopes = ["sliding" if layer % 4 else "full" for layer in range(layer_count(fields))]
    return _alike(fields, attention, scopes, window=8192)


def gemma(fields: Fields) -> Table:
    """Gemma: heads wider than the width's share, as many norms as Llama."""
    for name in ("hidden_act", "hidden_activation"):
        if fields.values.get(name) is not None:
            activation(fields, name)
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=256,
        kv_heads=null_means_own_heads(fields),
    )
    return _alike(fields, attention, ["full"] * layer_count(fields))


def seed_oss(fields: Fields) -> Table:
    """Seed-OSS: biases of queries, keys and values, of the output and of blocks are options."""
    activation(fields)
    attention = grouped_query(
        fields,
        head_dim=128,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=fields.flag("attention_bias", note="biases of q, k and v", default=True),
        output_bias=fields.flag("attention_out_bias", note="bias of the output", default=False),
    )
    bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    return _alike(fields, attention, ["full"] * layer_count(fields), bias=bias)


def smollm3(fields: Fields) -> Table:
    """SmolLM3: some layers have no positions, which changes no shape."""
    activation(fields)
    for name in ("no_rope_layers", "no_rope_layer_interval", "max_window_layers"):
        fields.ignore(name, "positions have no weights; use_sliding_window is not true")
    fields.demand("use_sliding_window", [False], "every layer attends to all tokens")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=4 if "num_key_value_heads" not in fields.values else own_kv_heads(fields),
    )
    block_bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    return _alike(fields, attention, ["full"] * layer_count(fields), bias=block_bias)


def ernie4_5(fields: Fields) -> Table:
    """ERNIE 4.5, dense: one option for all biases."""
    activation(fields)
    bias = fields.flag("use_bias", note="biases of projections and blocks", default=False)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
    )
    return _alike(fields, attention, ["full"] * layer_count(fields), bias=bias)


def olmo2(fields: Fields) -> Table:
    """OLMo 2: norms behind each part, and over all query and all key heads."""
    return _olmo(fields, ["full"] * layer_count(fields))


def olmo3(fields: Fields) -> Table:
    """OLMo 3: as OLMo 2, but three layers of four slide."""
    layers = layer_count(fields)
    return _olmo(fields, _every_nth_full(layers, 4), window=4096)


def _olmo(fields: Fields, scopes: Sequence[str], window: int | None = None) -> Table:
    activation(fields)
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm="per-layer",
    )
    return _alike(fields, attention, scopes, window=window)


def exaone4(fields: Fields) -> Table:
    """EXAONE 4: norms behind each part and on each head; where a window is given, layers slide."""
    activation(fields)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
        qk_norm="per-head",
    )
    fields.demand("reorder_and_qk_norm", [True], "norms behind each part and on each head")
    layers = layer_count(fields)
    scopes = ["full"] * layers
    if fields.values.get("layer_types") is not None or not fields.values.get("sliding_window"):
        fields.ignore("sliding_window_pattern", "layer_types decides, or no layer slides")
    elif isinstance(fields.values.get("sliding_window_pattern"), str):
        fields.refuse("sliding_window_pattern", "as text needs layer_types beside it")
    else:
        note = "every n-th layer attends to all tokens"
        period = fields.count("sliding_window_pattern", note=note, default=4)
        scopes = _every_nth_full(layers, period)
    return _alike(fields, attention, scopes)


def cohere(fields: Fields) -> Table:
    """Command R and R+: attention and block side by side behind one norm without a bias."""
    normed = fields.flag("use_qk_norm", note="norms of each head's own", default=False)
    attention = _cohere_attention(fields, "per-layer" if normed else "none")
    return _alike(fields, attention, ["full"] * layer_count(fields), norms=1)


def cohere2(fields: Fields) -> Table:
    """Command R7B and Command A: as Command R, but three layers of four slide."""
    for name in ("use_gated_activation", "use_parallel_block", "use_embedding_sharing"):
        fields.demand(name, [True], "always so")
    fields.demand("use_qk_norm", [False], "queries and keys have no norms")
    fields.demand("order_of_interleaved_layers", ["local_attn_first"], "the last of a period")
    fields.demand("use_parallel_embedding", [False], "one table")
    fields.demand("position_embedding_type", ["rope_gptj", "rope"], "have no weights")
    note = "every n-th layer attends to all tokens"
    names = ("sliding_window_pattern", "_sliding_window_pattern", "layer_switch")
    period = fields.count(*names, note=note, default=4)
    scopes = _every_nth_full(layer_count(fields), period)
    return _alike(fields, _cohere_attention(fields, "none"), scopes, norms=1, window=4096)


def _cohere_attention(fields: Fields, qk_norm: str) -> Table:
    activation(fields)
    return grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm=qk_norm,
    )


def apertus(fields: Fields) -> Table:
    """Apertus: norms on each head, two matrices and a function with two slopes to learn (xIELU)."""
    fields.choice("hidden_act", ("xielu",), note="activation without a gate", default="xielu")
    fields.demand("qk_norm", [True], "queries and keys always have norms")
    fields.demand("post_norm", [False], "norms stand before each part")
    fields.demand("mlp_bias", [False], "blocks have no biases")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qk_norm="per-head",
    )
    layers = layer_count(fields)
    layer_scopes(fields, ["full"] * layers, modelled=())
    block = dense(fields, gated=False, slopes=2)
    return model(fields, stack([attention] * layers, [block] * layers))


def chatglm(fields: Fields) -> Table:
    """ChatGLM2, ChatGLM3 and GLM-4-9B: few key/value heads, biases on q, k and v."""
    multi = fields.flag("multi_query_attention", note="few key/value heads", default=False)
    if multi:
        keys = fields.count("multi_query_group_num", note="key/value heads", default=1)
        fields.values["num_key_value_heads"] = keys
    fields.ignore("multi_query_group_num", "each query head has its own keys")
    fields.demand("apply_residual_connection_post_layernorm", [False], "residuals before norms")
    fields.demand("post_layer_norm", [True], "a norm before the head")
    fields.demand("rmsnorm", [True], "norms without biases")
    for name in ("pre_seq_len", "prefix_projection"):
        fields.demand(name, [False, 0], "no learned prefix")
    for name in ("interleaved_qkv", "fp32_residual_connection", "apply_query_key_layer_scaling"):
        fields.ignore(name, "order and number format")
    for name in ("bias_dropout_fusion", "attention_softmax_in_fp32", "quantization_bit"):
        fields.ignore(name, "running program and number format")
    fields.demand("original_rope", [True, False], "positions have no weights")
    bias = fields.flag("add_bias_linear", note="biases of projections and blocks", default=False)
    qkv_bias = fields.flag("add_qkv_bias", note="biases of q, k and v", default=False)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qkv_bias=bias or qkv_bias,
        output_bias=bias,
    )
    return _alike(fields, attention, ["full"] * layer_count(fields), bias=bias)


def _alike(
    fields: Fields,
    attention: Table,
    scopes: Sequence[str],
    *,
    bias: bool = False,
    norms: int | None = None,
    window: int | None = None,
) -> Table:
    """A model whose layers differ in their windows alone, with gated blocks.

    Args:
        fields: The config.
        attention: The attention over all tokens.
        scopes: The scope of each layer where `layer_types` does not say.
        bias: Whether blocks have biases.
        norms: Norms in each layer; one before each part where none.
        window: The window where the config does not say; required where none.
    """
    given = layer_scopes(fields, scopes, modelled=("sliding",))
    attentions = scoped(fields, attention, given, default=window)
    block = dense(fields, bias=bias)
    return model(fields, stack(attentions, [block] * len(given), norms=norms))


def _every_nth_full(layers: int, period: int) -> list[str]:
    return ["sliding" if (layer + 1) % period else "full" for layer in range(layers)]


FAMILIES = {
    "phi3": Family(phi3, "Phi3ForCausalLM"),
    "granite": Family(granite, "GraniteForCausalLM"),
    "cwm": Family(cwm, "CwmForCausalLM"),
    "gemma": Family(gemma, "GemmaForCausalLM", tied=True),
    "seed_oss": Family(seed_oss, "SeedOssForCausalLM"),
    "smollm3": Family(smollm3, "SmolLM3ForCausalLM", tied=True),
    "mimo": Family(qwen2, "MiMoForCausalLM"),
    "ernie4_5": Family(ernie4_5, "Ernie4_5ForCausalLM", tied=True, also=("Ernie4_5_ForCausalLM",)),
    "olmo2": Family(olmo2, "Olmo2ForCausalLM"),
    "olmo3": Family(olmo3, "Olmo3ForCausalLM"),
    "exaone4": Family(exaone4, "Exaone4ForCausalLM"),
    "cohere": Family(cohere, "CohereForCausalLM", tied=True),
    "cohere2": Family(cohere2, "Cohere2ForCausalLM", tied=True),
    "apertus": Family(apertus, "ApertusForCausalLM"),
    "chatglm": Family(
        chatglm, "ChatGLMModel", also=("ChatGLMForConditionalGeneration", "ChatGLMForCausalLM")
    ),
}
