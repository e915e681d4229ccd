"""Nemotron-H, Nemotron Nano 2 and Nemotron 3: blocks of one part each, most of them Mamba-2.

NVIDIA (2025), Nemotron-H, arXiv:2504.03624; Nemotron 3, arXiv:2512.20856. A block is a mixer or a
feed-forward, behind one norm. Feed-forward blocks and experts have two matrices and a squared
ReLU; routed experts may work in a latent space.
"""

from collections.abc import Callable, Sequence

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.feedforward.mixture import mixture
from liminal_jax.workload.mixer.grouped_query import grouped_query, null_means_own_heads
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields, shown
from liminal_jax.workload.reading.parts import Table, model, stack

LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
"""What a letter of `hybrid_override_pattern` stands for."""

WORDS = {
    "mamba": "mamba",
    "linear_attention": "mamba",
    "attention": "attention",
    "full_attention": "attention",
    "mlp": "mlp",
    "moe": "moe",
}
"""What a word of `layers_block_type` stands for, under its first and its later name."""

OWN_FIELDS = {
    "mamba": """
        mamba_num_heads n_groups mamba_n_groups mamba_hidden_act use_conv_bias mamba_conv_bias
        mamba_head_dim ssm_state_size conv_kernel mamba_d_conv use_bias
    """,
    "attention": """
        num_attention_heads num_key_value_heads head_dim attention_head_dim attention_bias
    """,
    "mlp": "intermediate_size mlp_bias",
    "moe": """
        mlp_bias n_routed_experts num_experts_per_tok moe_intermediate_size n_shared_experts
        moe_shared_expert_intermediate_size moe_latent_size
    """,
}
"""Fields that say nothing where no block is of their kind."""

WEIGHTLESS = {
    "expand": "heads and their channels decide",
    "mamba_expand": "heads and their channels decide",
    "mamba_ssm_cache_dtype": "number format of states, which a request decides",
    "residual_in_fp32": "number format",
    **dict.fromkeys(("chunk_size", "mamba_chunk_size"), "how prompts are cut"),
    **dict.fromkeys(("use_mamba_kernels", "moe_shared_expert_overlap"), "running program"),
    "rescale_prenorm_residual": "initialisation",
    **dict.fromkeys(
        [f"time_step_{part}" for part in ("min", "max", "floor", "limit", "rank")]
        + [f"mamba_dt_{part}" for part in ("min", "max", "init_floor", "limit")],
        "limits of time steps and their initialisation",
    ),
}
"""Fields that change no shape, and why."""


def _kinds(fields: Fields) -> list[str]:
    """The kind of each block, by letters, by words, or by both, which must agree."""
    words, letters = _by_words(fields), _by_letters(fields)
    kinds = words or letters or []
    names = ("layers_block_type", "hybrid_override_pattern")
    if fields.sound(*names):
        if not kinds:
            fields.refuse(names[0], f"is required, or {names[1]}; at least one block")
        elif letters not in (None, kinds):
            fields.refuse(names[1], f"contradicts {names[0]}")
    stated = fields.count("num_hidden_layers", note="blocks", default=len(kinds) or 1)
    if fields.sound(*names, "num_hidden_layers") and stated != len(kinds):
        fields.refuse("num_hidden_layers", f"is {stated}, but {len(kinds)} blocks are named")
    return kinds


def _by_words(fields: Fields) -> list[str] | None:
    value = fields.values.get("layers_block_type")
    return fields.per_layer(
        "layers_block_type",
        WORDS,
        note="kind of each block",
        layers=len(value) if isinstance(value, list) else 0,
    )


def _by_letters(fields: Fields) -> list[str] | None:
    name = "hybrid_override_pattern"
    value = fields.values.get(name)
    if value is None:
        return None
    fields.accept(name, "kind of each block, a letter each")
    if not isinstance(value, str):
        fields.refuse(name, f"must be text, got {shown(value)}")
        return None
    if odd := [letter for letter in dict.fromkeys(value) if letter not in LETTERS]:
        allowed = ", ".join(LETTERS)
        fields.refuse(
            name, f"holds {shown(odd[0])}, which is not modelled here; modelled: {allowed}"
        )
        return None
    return [LETTERS[letter] for letter in value]


def _mamba2(fields: Fields) -> Table:
    heads = fields.count("mamba_num_heads", note="state-space heads", default=128)
    groups = fields.count(
        "n_groups", "mamba_n_groups", note="groups of state-space heads", default=8
    )
    if fields.sound("mamba_num_heads", "n_groups", "mamba_n_groups") and heads % groups:
        fields.refuse("n_groups", f"{groups} must divide mamba_num_heads ({heads})")
    fields.choice("mamba_hidden_act", ("silu", "swish"), note="after convolution", default="silu")
    bias = fields.flag("use_conv_bias", note="biases of the convolution", default=True)
    fields.demand("mamba_conv_bias", [bias], "as use_conv_bias")
    return {
        "kind": "mamba-2",
        "heads": heads,
        "head_dim": fields.count("mamba_head_dim", note="channels of such a head", default=64),
        "state_dim": fields.count("ssm_state_size", note="width of the state space", default=128),
        "groups": groups,
        "kernel": fields.count(
            "conv_kernel", "mamba_d_conv", note="tokens that the convolution spans", default=4
        ),
        "convolution_bias": bias,
        "projection_bias": fields.flag(
            "use_bias", note="biases of state-space projections", default=False
        ),
    }


def _attention(fields: Fields) -> Table:
    """Grouped queries without positions; the first releases call `head_dim` otherwise."""
    first = fields.values.get("attention_head_dim")
    width = None if "head_dim" in fields.values else 128
    if first is not None:
        width = fields.count("attention_head_dim", note="width of one head")
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        head_dim=width,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
    )
    if fields.sound("head_dim", "attention_head_dim") and first not in (
        None,
        attention["head_dim"],
    ):
        fields.refuse(
            "attention_head_dim", f"contradicts head_dim, which is {attention['head_dim']}"
        )
    return attention


def _block(fields: Fields) -> Table:
    bias = fields.flag("mlp_bias", note="biases of feed-forward blocks", default=False)
    return dense(fields, gated=False, bias=bias)


def _experts(fields: Fields) -> Table:
    """Experts; with biases they differ between implementations, as do several shared ones."""
    fields.demand("mlp_bias", [False], "experts have no biases")
    fields.count(
        "n_shared_experts",
        note="one shared expert, of a width of its own",
        default=None if "n_shared_experts" in fields.values else 1,
        most=1,
    )
    experts = mixture(
        fields,
        experts=("n_routed_experts",),
        intermediate="moe_intermediate_size",
        shared_intermediate=fields.count(
            "moe_shared_expert_intermediate_size", note="width of the shared expert"
        ),
        gated=False,
        router_bias=True,
    )
    if fields.values.get("moe_latent_size") is None:
        return experts
    latent = fields.count("moe_latent_size", note="width of the space of routed experts")
    return {**experts, "kind": "latent-mixture", "latent": latent}


def _ignore_unused(fields: Fields, kinds: Sequence[str]) -> None:
    for name, reason in WEIGHTLESS.items():
        fields.ignore(name, reason)
    for kind, names in OWN_FIELDS.items():
        if kind not in kinds:
            for name in names.split():
                fields.ignore(name, f"no block is of kind {kind}")


READERS: dict[str, Callable[[Fields], Table]] = {
    "mamba": _mamba2,
    "attention": _attention,
    "mlp": _block,
    "moe": _experts,
}


def nemotron_h(fields: Fields) -> Table:
    """Nemotron-H and its successors: every block is what the pattern says, and that alone."""
    fields.choice("mlp_hidden_act", ("relu2",), note="activation without a gate", default="relu2")
    fields.demand("mamba_proj_bias", [False], "use_bias decides")
    kinds = _kinds(fields)
    parts = {kind: READERS[kind](fields) for kind in READERS if kind in kinds}
    _ignore_unused(fields, kinds)
    mixers = [parts[kind] if kind in ("mamba", "attention") else None for kind in kinds]
    blocks = [parts[kind] if kind in ("mlp", "moe") else None for kind in kinds]
    return model(fields, stack(mixers, blocks))


FAMILIES = {"nemotron_h": Family(nemotron_h, "NemotronHForCausalLM")}
