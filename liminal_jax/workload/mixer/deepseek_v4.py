"""DeepSeek-V4: compressed attention by layer, hash-routed first layers, hyper-connections.

DeepSeek-AI (2026), DeepSeek-V4 technical report, section 2. Shapes follow the public modeling code
of Hugging Face transformers. Every field that decides a shape is required.
"""

from typing import NamedTuple

from liminal_jax.workload.feedforward.mixture import mixture, shared_experts
from liminal_jax.workload.mixer.lightning import lightning_index, selected
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table, activation, layer_count, model, stack


class _Kind(NamedTuple):
    """What a compression ratio stands for.

    Attributes:
        name: The layer's type in newer configs.
        spans: Windows of tokens that an entry pools; 0 for no entries.
        indexed: Whether an index selects entries.
    """

    name: str
    spans: int
    indexed: bool


_KINDS = {
    0: _Kind("sliding_attention", spans=0, indexed=False),
    4: _Kind("compressed_sparse_attention", spans=2, indexed=True),
    128: _Kind("heavily_compressed_attention", spans=1, indexed=False),
}


def deepseek_v4(fields: Fields) -> Table:
    """DeepSeek-V4 Pro and Flash."""
    note = "router with a correction bias"
    fields.choice("topk_method", ("noaux_tc",), note=note, default="noaux_tc")
    activation(fields)
    for name in ("attention_bias", "mlp_bias"):
        fields.demand(name, [False], "projections have no biases")
    fields.ignore("compress_rope_theta", "positions, have no weights")
    for name in ("hc_eps", "hc_sinkhorn_iters"):
        fields.ignore(name, "scaling, has no weights")
    layers = layer_count(fields)
    attentions = _attentions(fields, _ratios(fields, layers))
    table = model(fields, stack(attentions, _mixtures(fields, layers)))
    return {**table, "streams": fields.count("hc_mult", note="residual streams")}


def _ratios(fields: Fields, layers: int) -> list[int]:
    """Tokens for each entry, by layer; entries for multi-token-prediction layers may follow."""
    predicting = fields.count(
        "num_nextn_predict_layers",
        note="multi-token-prediction layers, not counted",
        default=1,
        least=0,
    )
    value = fields.values.get("compress_ratios")
    stated = len(value) if isinstance(value, list) else layers
    rows = stated if stated == layers + predicting else layers
    ratios = fields.per_layer(
        "compress_ratios",
        {ratio: ratio for ratio in _KINDS},
        note="tokens for each entry; 0: a window only",
        layers=rows,
    )
    rates = {kind.name: ratio for ratio, kind in _KINDS.items() if ratio}
    fields.demand("compress_rates", [rates], "tokens for each entry, by kind of layer")
    if ratios is None:
        ratios = _by_kind(fields, layers)
    names = [_KINDS[ratio].name for ratio in ratios[:layers]]
    fields.demand("layer_types", [names], "as compress_ratios has it")
    return ratios[:layers]


def _by_kind(fields: Fields, layers: int) -> list[int]:
    """Tokens for each entry, by the names of kinds of layer, where a config has these alone."""
    meanings = {kind.name: ratio for ratio, kind in _KINDS.items()}
    given = fields.per_layer("layer_types", meanings, note="kind of each layer", layers=layers)
    if given is None and fields.sound("compress_ratios", "layer_types"):
        fields.refuse("compress_ratios", "is required, or layer_types")
    return given or [0] * layers


def _attentions(fields: Fields, ratios: list[int]) -> list[Table]:
    """The attention of each layer; fields of an index are read where some layer has one."""
    own = _windowed(fields)
    if any(_KINDS[ratio].indexed for ratio in ratios):
        index: Table = {"index": lightning_index(fields), "top_k": selected(fields)}
    else:
        index = {}
        for name in ("index_n_heads", "index_head_dim", "index_topk"):
            fields.ignore(name, "no layer has an index")
    tables: dict[int, Table] = {0: own}
    for ratio, kind in _KINDS.items():
        if ratio:
            pooled: Table = {"compressor": {"ratio": ratio, "spans": kind.spans}}
            tables[ratio] = {**own, **pooled, **(index if kind.indexed else {})}
    return [tables[ratio] for ratio in ratios]


def _windowed(fields: Fields) -> Table:
    """The table of attention to a window only, which all layers share."""
    fields.demand("num_key_value_heads", [1], "one vector is key and value of all heads")
    heads = fields.count("num_attention_heads", note="query heads")
    groups = fields.count("o_groups", note="groups of heads, each with an output projection")
    if fields.sound("num_attention_heads", "o_groups") and heads % groups:
        fields.refuse("o_groups", f"{groups} must divide num_attention_heads ({heads})")
    return {
        "kind": "compressed",
        "heads": heads,
        "head_dim": _head_dim(fields),
        "q_rank": fields.count("q_lora_rank", note="rank of the query projection"),
        "output_groups": groups,
        "output_rank": fields.count("o_lora_rank", note="rank of a group's output projection"),
        "window": fields.count("sliding_window", note="tokens attended to as they are"),
    }


def _head_dim(fields: Fields) -> int:
    """Width of a head; what part of it is rotated changes no count."""
    width = fields.count("head_dim", note="width of a head, and of the shared key and value")
    rotated = fields.count("qk_rope_head_dim", note="rotated part of a head", default=64)
    if fields.sound("head_dim", "qk_rope_head_dim") and rotated > width:
        fields.refuse("qk_rope_head_dim", f"{rotated} must not exceed head_dim ({width})")
    fields.demand("qk_nope_head_dim", [width - rotated], "the part of a head that is not rotated")
    return width


def _mixtures(fields: Fields, layers: int) -> list[Table]:
    """The mixture of each layer; the first ones look experts up by token, without a bias."""
    experts = mixture(
        fields,
        experts=("n_routed_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        **shared_experts(fields),
    )
    routed: Table = {**experts, "router_bias": True}
    note = "first layers, whose experts a table of tokens names (not counted)"
    if fields.values.get("num_hash_layers") is None:
        meanings = {"hash_moe": experts, "moe": routed}
        given = fields.per_layer("mlp_layer_types", meanings, note=note, layers=layers)
        if given is not None:
            return given
    hashed = fields.count("num_hash_layers", note=note, least=0)
    if fields.sound("num_hash_layers", "num_hidden_layers") and hashed > layers:
        fields.refuse("num_hash_layers", f"{hashed} exceeds num_hidden_layers ({layers})")
    names = ["hash_moe" if layer < hashed else "moe" for layer in range(layers)]
    fields.demand("mlp_layer_types", [names], "as num_hash_layers has it")
    return [experts if layer < hashed else routed for layer in range(layers)]


FAMILIES = {"deepseek_v4": Family(deepseek_v4, "DeepseekV4ForCausalLM")}
