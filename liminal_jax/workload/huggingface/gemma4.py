"""Gemma 4: two shapes of attention, shared keys and caches, experts beside a block.

Shapes follow the modelling code of Hugging Face transformers 5.24. Layers that attend to all tokens
have heads of their own width; their values may be their keys. The last layers may use the cache of
earlier ones. Where there are embeddings for each layer, a layer gates and projects its own: with
its share of the projection that they are added to, these are the three matrices of a gated block
as wide as such an embedding, and counted as such.
"""

from liminal_jax.workload.feedforward.mixture import mixture
from liminal_jax.workload.mixer.grouped_query import grouped_query, scoped
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    layer_count,
    layer_scopes,
    model,
    stack,
)

_INPUTS = "hidden_size_per_layer_input"


def gemma4(fields: Fields) -> Table:
    """Gemma 4; a norm before and behind each part, and one for what each layer is given."""
    note = "width of embeddings for layers"
    return _gemma4(fields, fields.count(_INPUTS, note=note, default=256, least=0))


def gemma4_unified(fields: Fields) -> Table:
    """The text model of Gemma 4 12B: without embeddings for each layer."""
    fields.demand(_INPUTS, [0], "no embeddings for layers")
    return _gemma4(fields, 0)


def _gemma4(fields: Fields, given: int) -> Table:
    """A model whose layers are each given embeddings of a width, or none where it is 0."""
    activation(fields, "hidden_activation", "gelu_pytorch_tanh")
    fields.demand("use_bidirectional_attention", ["vision"], "images alone look ahead")
    layers = layer_count(fields)
    scopes = _scopes(fields, layers)
    _take_layers_apart(fields, scopes)
    reused = fields.count("num_kv_shared_layers", note="layers without a cache", default=0, least=0)
    own = max(layers - reused, 0)
    if reused and not {*scopes[own:]} <= {*scopes[:own]}:
        fields.refuse("num_kv_shared_layers", "leaves no cache of each kind of layer to use")
    doubled = fields.flag(
        "use_double_wide_mlp", note="blocks twice as wide without a cache", default=False
    )
    block = fields.count("intermediate_size", note="width of a block")
    widths = [block * (2 if doubled and layer >= own else 1) + given for layer in range(layers)]
    mixed = fields.flag("enable_moe_block", note="experts beside each block", default=False)
    if mixed:
        experts = mixture(
            fields,
            experts=("num_experts",),
            intermediate="moe_intermediate_size",
            top_k=("top_k_experts", "num_experts_per_tok"),
            router_bias=True,
        )
        blocks = [{**experts, "shared_intermediate": width} for width in widths]
    else:
        for name in ("num_experts", "top_k_experts", "moe_intermediate_size"):
            fields.ignore(name, "no experts")
        blocks = [{"kind": "dense", "intermediate": width} for width in widths]
    attentions = _attentions(fields, scopes)
    mixers = [
        {**attention, "reuses_cache": True} if layer >= own else attention
        for layer, attention in enumerate(attentions)
    ]
    norms = 4 + (4 if mixed else 0) + (1 if given else 0)
    table = model(fields, stack(mixers, blocks, norms=norms), 262_144)
    if not given:
        fields.ignore("vocab_size_per_layer_input", "no embeddings for layers")
        return table
    note = "rows of embeddings for layers"
    rows = fields.count("vocab_size_per_layer_input", note=note, default=262_144)
    return {**table, "small": given, "further_inputs": rows * layers * given}


def _scopes(fields: Fields, layers: int) -> list[str]:
    """Five layers slide, the sixth does not; the last never does."""
    by_period = ["sliding" if (layer + 1) % 6 else "full" for layer in range(layers)]
    given = layer_scopes(fields, by_period, modelled=("sliding",))
    return [*given[:-1], "full"]


_OF_FULL_LAYERS = {
    "head_dim": "global_head_dim",
    "num_key_value_heads": "num_global_key_value_heads",
}
"""What `per_layer_config` may state of layers that see all tokens, and the field of all of them."""


def _take_layers_apart(fields: Fields, scopes: list[str]) -> None:
    """File what newer configs say of each full layer under the fields that older ones have."""
    stated = fields.values.get("per_layer_config")
    if not stated:
        return
    full = {layer for layer, scope in enumerate(scopes) if scope == "full"}
    own = list(stated.values()) if isinstance(stated, dict) else []
    if (
        not own
        or not all(key.isdigit() for key in stated)
        or {int(key) for key in stated} != full
        or any(it != own[0] for it in own)
        or not isinstance(own[0], dict)
        or not own[0].keys() <= _OF_FULL_LAYERS.keys()
    ):
        fields.refuse("per_layer_config", "only heads that all full layers have are modelled")
    else:
        fields.values |= {_OF_FULL_LAYERS[name]: value for name, value in own[0].items()}
    fields.accept("per_layer_config", "heads of layers that see all tokens")


def _attentions(fields: Fields, scopes: list[str]) -> list[Table]:
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        head_dim=256,
        heads=8,
        kv_heads=4,
        qkv_bias=bias,
        output_bias=bias,
        qk_norm="per-head",
    )
    shared = fields.flag("attention_k_eq_v", note="values that are keys", default=False)
    keys = attention["kv_heads"]
    if shared:
        keys = fields.count("num_global_key_value_heads", note="KV heads of those", default=keys)
    fields.ignore("num_global_key_value_heads", "attention_k_eq_v is false")
    if fields.sound("num_global_key_value_heads") and attention["heads"] % keys:
        fields.refuse("num_global_key_value_heads", "must divide num_attention_heads")
    full: Table = {
        **attention,
        "head_dim": fields.count(
            "global_head_dim", note="width of a head that sees all tokens", default=512
        ),
        "kv_heads": keys,
        "keys_are_values": shared,
    }
    if bias and shared:
        fields.refuse("attention_bias", "true is not modelled here; modelled: false")
    sliding = scoped(fields, attention, scopes, default=512)
    return [full if scope == "full" else it for scope, it in zip(scopes, sliding, strict=True)]


FAMILIES = {
    "gemma4_text": Family(gemma4, "Gemma4ForCausalLM", tied=True),
    "gemma4_unified_text": Family(gemma4_unified, "Gemma4UnifiedForCausalLM", tied=True),
}

WRAPPERS = {
    "gemma4": Wrapper("Gemma4ForConditionalGeneration", ("gemma4_text",)),
    "gemma4_unified": Wrapper("Gemma4UnifiedForConditionalGeneration", ("gemma4_unified_text",)),
}
