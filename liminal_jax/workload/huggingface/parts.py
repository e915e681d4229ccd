"""Parts that families share: each reads the fields of one part and returns its table.

A table is what stands in a model file for the same part, so that nothing is built, and nothing
can fail, before every field has been read. Shapes of the tensors follow the public modeling code
of Hugging Face transformers; a part says so where families differ.
"""

from collections.abc import Sequence
from typing import Any

from liminal_jax.workload.huggingface.fields import Fields

Table = dict[str, Any]

GATED = ("silu", "swish", "swiglu", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh")
"""Activations whose blocks have a gate in every modelled family."""

MOST_LAYERS = 10_000
"""More layers than any model has: what exceeds it is a slip of the pen."""


def hidden(fields: Fields) -> int:
    """Width of the residual stream."""
    return fields.count("hidden_size", note="width of the residual stream")


def layer_count(fields: Fields) -> int:
    """Number of layers."""
    return fields.count("num_hidden_layers", note="layers", most=MOST_LAYERS)


def activation(fields: Fields, name: str = "hidden_act", default: str = "silu") -> None:
    """Check that the feed-forward blocks are gated."""
    fields.choice(name, GATED, note="activation of a gated block", default=default)


def grouped_query(
    fields: Fields,
    *,
    head_dim: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    **extras: Any,
) -> Table:
    """Grouped-query attention over all tokens.

    Args:
        fields: The config.
        head_dim: Default width of a head; required where none.
        heads: Default number of query heads.
        kv_heads: Default number of key/value heads.
        extras: Further entries of the table.

    Returns:
        The table; `scoped` gives it a window.
    """
    queries = fields.count("num_attention_heads", note="query heads", default=heads)
    keys = fields.count("num_key_value_heads", note="key/value heads", default=kv_heads)
    divides = fields.sound("num_attention_heads", "num_key_value_heads")
    if divides and queries % keys:
        fields.refuse("num_key_value_heads", f"{keys} must divide num_attention_heads ({queries})")
    width = fields.count("head_dim", note="width of one head", default=head_dim)
    return {
        "kind": "grouped-query",
        "heads": queries,
        "kv_heads": keys,
        "head_dim": width,
        **extras,
    }


def derived_head_dim(fields: Fields) -> int | None:
    """Width of a head where the config leaves it out: the hidden width over the heads.

    None, which makes the field required, where the heads do not divide the width.
    """
    width, heads = fields.values.get("hidden_size"), fields.values.get("num_attention_heads")
    if not (isinstance(width, int) and isinstance(heads, int) and width > 0 and heads > 0):
        return 1
    return None if width % heads else width // heads


def own_kv_heads(fields: Fields) -> int:
    """Key/value heads where the config leaves them out: one for each query head."""
    heads = fields.values.get("num_attention_heads")
    return heads if isinstance(heads, int) and heads > 0 else 1


def null_means_own_heads(fields: Fields) -> int | None:
    """Key/value heads where the config has null: as many as query heads; else required."""
    return own_kv_heads(fields) if "num_key_value_heads" in fields.values else None


def scoped(
    fields: Fields, attention: Table, scopes: Sequence[str], window: str = "sliding_window"
) -> list[Table]:
    """The attention of each layer: `attention` with its scope, windowed where it is not full."""
    if all(scope == "full" for scope in scopes):
        fields.ignore(window, "every layer attends to all tokens")
        return [attention] * len(scopes)
    width = fields.count(window, note="tokens that a layer with a window keeps")
    return [
        attention if scope == "full" else {**attention, "scope": scope, "window": width}
        for scope in scopes
    ]


def layer_scopes(fields: Fields, default: Sequence[str], *, modelled: Sequence[str]) -> list[str]:
    """The scope of each layer: `layer_types` where given, else `default`."""
    meanings = {f"{scope}_attention": scope for scope in ("full", *modelled)}
    given = fields.per_layer(
        "layer_types", meanings, note="scope of each layer", layers=len(default)
    )
    return list(default) if given is None else given


def latent(fields: Fields) -> Table:
    """Latent attention (MLA) of the DeepSeek family and its relatives.

    `q_lora_rank` null means queries projected in one step; left out, the field is required.
    """
    for name in ("num_key_value_heads", "head_dim", "qk_head_dim"):
        fields.ignore(name, "latent attention has one cache for all heads")
    table: Table = {
        "kind": "latent",
        "heads": fields.count("num_attention_heads", note="heads"),
        "kv_rank": fields.count("kv_lora_rank", note="width of the cached latent"),
        "nope_dim": fields.count("qk_nope_head_dim", note="query/key width without rotation"),
        "rope_dim": fields.count("qk_rope_head_dim", note="width of the shared rotary key"),
        "value_dim": fields.count("v_head_dim", note="width of a head's value"),
        "bias": fields.flag("attention_bias", note="biases of the projections", default=False),
    }
    if "q_lora_rank" in fields.values and fields.values["q_lora_rank"] is None:
        fields.ignore("q_lora_rank", "queries are projected in one step")
        return table
    return {**table, "q_rank": fields.count("q_lora_rank", note="rank of the query projection")}


def dense(fields: Fields, name: str = "intermediate_size", **extras: Any) -> Table:
    """A gated feed-forward block."""
    width = fields.count(name, note="width of a dense block")
    return {"kind": "dense", "intermediate": width, **extras}


def mixture(
    fields: Fields,
    *,
    experts: Sequence[str],
    intermediate: str,
    top_k: Sequence[str] = ("num_experts_per_tok",),
    **extras: Any,
) -> Table:
    """Routed experts, with gated blocks; `extras` add shared experts and biases.

    Args:
        fields: The config.
        experts: Names under which the number of experts may stand.
        intermediate: Name of the width of one expert.
        top_k: Names under which the number of experts a token uses may stand.
        extras: Further entries of the table.

    Returns:
        The table.
    """
    total = fields.count(*experts, note="routed experts")
    used = fields.count(*top_k, note="experts a token uses")
    if fields.sound(*experts, *top_k) and used > total:
        fields.refuse(top_k[0], f"{used} must not exceed {experts[0]} ({total})")
    return {
        "kind": "mixture",
        "experts": total,
        "top_k": used,
        "intermediate": fields.count(intermediate, note="width of one expert"),
        **extras,
    }


def shared_experts(fields: Fields) -> Table:
    """Entries for shared experts as wide as routed ones, side by side; null means none."""
    if "n_shared_experts" in fields.values and fields.values["n_shared_experts"] is None:
        fields.ignore("n_shared_experts", "no shared expert")
        return {}
    number = fields.count("n_shared_experts", note="shared experts", least=0)
    width = fields.values.get("moe_intermediate_size")
    return {"shared_intermediate": number * width if isinstance(width, int) else 0}


def dense_first(fields: Fields, layers: int) -> list[bool]:
    """Which layers are mixtures: all but the first few, or every n-th of those."""
    first = fields.count("first_k_dense_replace", note="dense layers before the mixtures", least=0)
    if fields.sound("first_k_dense_replace", "num_hidden_layers") and first > layers:
        fields.refuse("first_k_dense_replace", f"{first} exceeds num_hidden_layers ({layers})")
    return [layer >= first for layer in range(layers)]


def by_frequency(fields: Fields, sparse: list[bool]) -> list[bool]:
    """`sparse` thinned by `moe_layer_freq`: a period, or one 0 or 1 for each layer."""
    if isinstance(fields.values.get("moe_layer_freq"), list):
        meanings = {0: False, 1: True}
        given = fields.per_layer(
            "moe_layer_freq", meanings, note="which layers are mixtures", layers=len(sparse)
        )
        return sparse if given is None else [a and b for a, b in zip(sparse, given, strict=True)]
    period = fields.count("moe_layer_freq", note="every n-th layer is a mixture", default=1)
    return [is_sparse and layer % period == 0 for layer, is_sparse in enumerate(sparse)]


def chosen(fields: Fields, sparse: Sequence[bool], experts: Table, name: str) -> list[Table]:
    """The feed-forward of each layer; the dense width `name` is read only where it is used."""
    if all(sparse):
        fields.ignore(name, "every layer is a mixture")
        return [experts] * len(sparse)
    block = dense(fields, name)
    return [experts if is_sparse else block for is_sparse in sparse]


def stack(
    attentions: Sequence[Table], feedforwards: Sequence[Table], *, norms: int = 2
) -> tuple[Table, ...]:
    """Layers grouped by kind, in the order in which the kinds first appear."""
    groups: list[Table] = []
    for attention, feedforward in zip(attentions, feedforwards, strict=True):
        kind = {"attention": attention, "feedforward": feedforward, "norms": norms}
        for group in groups:
            if all(group[part] == kind[part] for part in kind):
                group["count"] += 1
                break
        else:
            groups.append({"count": 1, **kind})
    return tuple(groups)


def model(fields: Fields, layers: tuple[Table, ...], vocabulary: int | None = None) -> Table:
    """The table of a model, but for its name, its source and whether its head is tied."""
    return {
        "hidden": hidden(fields),
        "vocabulary": fields.count("vocab_size", note="vocabulary", default=vocabulary),
        "layers": layers,
    }
