"""Families whose layers have Mamba-2: Granite 4.0, Bamba, Falcon-H1, Codestral Mamba.

Each function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers, whose modelling code the shapes follow.
"""

from typing import Any

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.feedforward.mixture import mixture
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    own_kv_heads,
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

_KINDS = {
    "mamba": False,
    "linear_attention": False,
    "attention": True,
    "full_attention": True,
}
"""Whether layers of a kind attend, under their first and their later names."""


def _state_space(fields: Fields, channels: int, *, state_dim: int) -> Table:
    """The table of a Mamba-2 layer under the names of Granite, Bamba and Falcon-H1."""
    for name in ("mamba_chunk_size", "time_step_min", "time_step_max", "time_step_limit"):
        fields.ignore(name, "how prompts are cut; limits of time steps")
    for name in ("mamba_use_mlp", "mamba_dt_limit", "mamba_dt_min", "mamba_dt_max"):
        fields.ignore(name, "limits of time steps; every layer has a block")
    heads = fields.count("mamba_n_heads", note="state-space heads", default=128)
    if fields.values.get("mamba_d_head") == "auto":
        fields.accept("mamba_d_head", "channels over heads")
        width = channels // heads or 1
    else:
        width = fields.count("mamba_d_head", note="channels of a head", default=64)
    if fields.sound("mamba_n_heads", "mamba_d_head") and heads * width != channels:
        fields.refuse("mamba_n_heads", f"times mamba_d_head must be {channels} channels")
    groups = fields.count("mamba_n_groups", note="groups of state-space heads", default=1)
    if fields.sound("mamba_n_heads", "mamba_n_groups") and heads % groups:
        fields.refuse("mamba_n_groups", f"{groups} must divide mamba_n_heads ({heads})")
    note = "width of the state space"
    return {
        "kind": "mamba-2",
        "heads": heads,
        "head_dim": width,
        "state_dim": fields.count("mamba_d_state", note=note, default=state_dim),
        "groups": groups,
        "kernel": fields.count("mamba_d_conv", note="tokens of the convolution", default=4),
        "convolution_bias": fields.flag("mamba_conv_bias", note="its biases", default=True),
        "projection_bias": fields.flag(
            "mamba_proj_bias", note="biases of state-space projections", default=False
        ),
    }


def _expanded(fields: Fields) -> int:
    """Channels of a state-space layer, as a multiple of the width."""
    return hidden(fields) * fields.count("mamba_expand", note="channels over width", default=2)


def _attention(fields: Fields, **extras: Any) -> Table:
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    return grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
        **extras,
    )


def granitemoehybrid(fields: Fields) -> Table:
    """Granite 4.0: Mamba-2 and a few layers of attention; mixtures, or their shared part alone."""
    activation(fields)
    fields.demand("normalization_function", ["rmsnorm"], "norms without biases")
    fields.demand("position_embedding_type", ["nope", "rope"], "have no weights")
    for part in ("attention", "embedding", "residual"):
        fields.ignore(f"{part}_multiplier", "scaling, has no weights")
    layers = layer_count(fields)
    note = "kind of each layer"
    full = fields.per_layer("layer_types", _KINDS, note=note, layers=layers)
    if full is None:
        full = fields.per_layer("layers_block_type", _KINDS, note=note, layers=layers)
    if full is None:
        if fields.sound("layer_types", "layers_block_type"):
            fields.refuse("layer_types", "is required")
        full = [False] * layers
    attention: Table = _attention(fields)
    state_space = attention
    if all(full):
        _ignore_state_space(fields)
    else:
        state_space = _state_space(fields, _expanded(fields), state_dim=256)
    shared = fields.count("shared_intermediate_size", note="width of the shared expert")
    if (
        fields.values.get("num_local_experts") == 0
        and fields.values["num_local_experts"] is not False
    ):
        for name in ("num_local_experts", "num_experts_per_tok", "intermediate_size"):
            fields.ignore(name, "no routed experts")
        block: Table = {"kind": "dense", "intermediate": shared}
    else:
        block = mixture(
            fields,
            experts=("num_local_experts",),
            intermediate="intermediate_size",
            shared_intermediate=shared,
        )
    mixers = [attention if yes else state_space for yes in full]
    return model(fields, stack(mixers, [block] * layers))


def _ignore_state_space(fields: Fields) -> None:
    for name in [name for name in fields.values if name.startswith("mamba_")]:
        fields.ignore(name, "no layer is a state-space layer")


def bamba(fields: Fields) -> Table:
    """Bamba: Mamba-2, and attention in the layers that are named."""
    activation(fields)
    layers = layer_count(fields)
    named = fields.indices("attn_layer_indices", note="layers of attention", below=layers)
    attention = _attention(fields)
    state_space = _state_space(fields, _expanded(fields), state_dim=256)
    bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    mixers = [attention if layer in (named or ()) else state_space for layer in range(layers)]
    return model(fields, stack(mixers, [dense(fields, bias=bias)] * layers))


def falcon_h1(fields: Fields) -> Table:
    """Falcon-H1: attention and Mamba-2 side by side in every layer."""
    activation(fields)
    for name in ("ssm_multipliers", "mlp_multipliers", "mamba_norm_before_gate"):
        fields.ignore(name, "scaling and order, have no weights")
    for part in ("attention_in", "attention_out", "ssm_in", "ssm_out", "key", "embedding"):
        fields.ignore(f"{part}_multiplier", "scaling, has no weights")
    for name in ("lm_head_multiplier", "mlp_expansion_factor", "attn_layer_indices"):
        fields.ignore(name, "scaling, or every layer has both")
    fields.demand("projectors_bias", [False], "no biases")
    if fields.values.get("mamba_d_ssm") is None:
        channels = _expanded(fields)
    else:
        channels = fields.count("mamba_d_ssm", note="channels of the state-space layer")
        fields.ignore("mamba_expand", "mamba_d_ssm decides")
    normed = fields.flag("mamba_rms_norm", note="a norm behind the gate", default=False)
    state_space = {**_state_space(fields, channels, state_dim=256), "gate_norm": normed}
    if state_space["projection_bias"]:
        fields.refuse("mamba_proj_bias", "true is not modelled here; modelled: false")
    attention = _attention(fields)
    both = {"kind": "beside", "attention": attention, "state_space": state_space}
    bias = fields.flag("mlp_bias", note="biases of blocks", default=False)
    layers = layer_count(fields)
    return model(fields, stack([both] * layers, [dense(fields, bias=bias)] * layers))


def mamba2(fields: Fields) -> Table:
    """Codestral Mamba and others: every layer is a Mamba-2 layer alone."""
    activation(fields)
    for name in ("residual_in_fp32", "rescale_prenorm_residual", "norm_before_gate"):
        fields.ignore(name, "number format, initialisation and order")
    for name in ("chunk_size", "time_step_rank", "time_step_min", "time_step_max"):
        fields.ignore(name, "how prompts are cut; initialisation of time steps")
    for name in ("time_step_floor", "time_step_limit", "time_step_init_scheme"):
        fields.ignore(name, "limits of time steps and their initialisation")
    fields.ignore("time_step_scale", "initialisation of time steps")
    fields.demand("rms_norm", [True], "a norm behind the gate")
    heads = fields.count("num_attention_heads", note="state-space heads", default=128)
    width = fields.count("head_dim", note="channels of a head", default=64)
    channels = hidden(fields) * fields.count("expand", note="channels over width", default=2)
    for name in ("d_inner", "intermediate_size"):
        fields.demand(name, [channels], "channels")
    if fields.sound("num_attention_heads", "head_dim", "expand") and heads * width != channels:
        fields.refuse("num_attention_heads", f"times head_dim must be {channels} channels")
    groups = fields.count("n_groups", note="groups of heads", default=8)
    if fields.sound("num_attention_heads", "n_groups") and heads % groups:
        fields.refuse("n_groups", f"{groups} must divide num_heads ({heads})")
    table: Table = {
        "kind": "mamba-2",
        "heads": heads,
        "head_dim": width,
        "state_dim": fields.count("state_size", note="width of the state space", default=128),
        "groups": groups,
        "kernel": fields.count("conv_kernel", note="tokens of the convolution", default=4),
        "convolution_bias": fields.flag("use_conv_bias", note="its biases", default=True),
        "projection_bias": fields.flag(
            "use_bias", note="biases of state-space projections", default=False
        ),
    }
    layers = layer_count(fields)
    return model(fields, stack([table] * layers, [None] * layers))


FAMILIES = {
    "granitemoehybrid": Family(granitemoehybrid, "GraniteMoeHybridForCausalLM"),
    "bamba": Family(bamba, "BambaForCausalLM"),
    "falcon_h1": Family(falcon_h1, "FalconH1ForCausalLM"),
    "mamba2": Family(mamba2, "Mamba2ForCausalLM"),
}
