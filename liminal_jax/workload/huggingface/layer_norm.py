"""Families whose norms have biases (LayerNorm): Falcon, StarCoder2, Phi-3.5-MoE.

Each function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers, whose modelling code the shapes follow.
"""

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.feedforward.mixture import mixture
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    own_kv_heads,
    scoped,
    uniform_scope,
)
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

_UNGATED = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh")


def falcon(fields: Fields) -> Table:
    """Falcon: one key/value head, or some in the newer design; blocks without a gate, 4 d wide."""
    fields.choice("activation", _UNGATED, note="activation without a gate", default="gelu")
    newer = fields.flag(
        "new_decoder_architecture", note="some key/value heads, perhaps two norms", default=False
    )
    single = fields.flag("multi_query", note="one key/value head", default=True)
    keys = own_kv_heads(fields)
    if single and not newer:
        fields.ignore("num_key_value_heads", "one key/value head")
        fields.values.pop("num_key_value_heads", None)
        keys = 1
    bias = fields.flag("bias", note="biases of projections and blocks", default=False)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=keys,
        qkv_bias=bias,
        output_bias=bias,
    )
    width = fields.count("intermediate_size", note="width of a block", default=4 * hidden(fields))
    block: Table = {"kind": "dense", "intermediate": width, "gated": False, "bias": bias}
    fields.ignore("ff_factor", "ffn_hidden_size decides, or four times the width")
    fields.ignore("alibi", "positions have no weights")
    fields.ignore("apply_residual_connection_post_layernorm", "order of norms and residuals")
    parallel = fields.flag("parallel_attn", note="attention and block side by side", default=True)
    norms = 1 if parallel else 2
    if newer:
        norms = fields.count("num_ln_in_parallel_attn", note="norms of a layer", default=2, most=2)
    fields.ignore("num_ln_in_parallel_attn", "parallel_attn decides")
    layers = layer_count(fields)
    groups = stack([attention] * layers, [block] * layers, norms=norms)
    return model(fields, groups, norm_bias=True)


def starcoder2(fields: Fields) -> Table:
    """StarCoder2: biases everywhere, blocks without a gate, one window for all layers."""
    fields.choice("hidden_act", _UNGATED, note="without a gate", default="gelu_pytorch_tanh")
    fields.demand("norm_type", ["layer_norm"], "norms have biases")
    fields.demand("mlp_type", ["default"], "two matrices")
    for name in ("layer_norm_epsilon", "norm_epsilon"):
        fields.ignore(name, "scaling, has no weights")
    bias = fields.flag("use_bias", note="biases of projections and blocks", default=True)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=2 if "num_key_value_heads" not in fields.values else own_kv_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
    )
    layers = layer_count(fields)
    scopes = layer_scopes(fields, [uniform_scope(fields)] * layers, modelled=("sliding",))
    block = dense(fields, gated=False, bias=bias)
    groups = stack(scoped(fields, attention, scopes), [block] * layers)
    return model(fields, groups, norm_bias=True)


def phimoe(fields: Fields) -> Table:
    """Phi-3.5-MoE: biases on all four projections and on the head, as options."""
    activation(fields)
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=8 if "num_key_value_heads" not in fields.values else own_kv_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
    )
    experts = mixture(fields, experts=("num_local_experts",), intermediate="intermediate_size")
    layers = layer_count(fields)
    scopes = layer_scopes(fields, [uniform_scope(fields)] * layers, modelled=("sliding",))
    head_bias = fields.flag("lm_head_bias", note="a bias of the head", default=False)
    groups = stack(scoped(fields, attention, scopes), [experts] * layers)
    return model(fields, groups, norm_bias=True, head_bias=head_bias)


FAMILIES = {
    "falcon": Family(falcon, "FalconForCausalLM", tied=True, also=("RWForCausalLM",)),
    "starcoder2": Family(starcoder2, "Starcoder2ForCausalLM", tied=True),
    "phimoe": Family(phimoe, "PhimoeForCausalLM", also=("PhiMoEForCausalLM",)),
}
