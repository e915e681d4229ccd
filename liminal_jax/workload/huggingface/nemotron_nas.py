"""Llama-Nemotron of a search over blocks: each layer has a shape of its own, or lacks a part.

Bercovich et al. (2024), Puzzle, arXiv:2411.19146; shapes as in the code of the checkpoints
(`DeciLMForCausalLM`). A layer is one entry of `block_configs`.
"""

from typing import Any

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.mixer.grouped_query import derived_head_dim
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields, shown
from liminal_jax.workload.reading.parts import Table, activation, hidden, layer_count, model, stack

_MULTIPLE = 256
"""Blocks are as wide as a multiple of it: `_find_multiple` in the checkpoints' code."""


def nemotron_nas(fields: Fields) -> Table:
    """Nemotron-51B, Super-49B and Ultra-253B."""
    activation(fields)
    for name in ("attention_bias", "mlp_bias"):
        fields.demand(name, [False], "no biases")
    for name in ("num_key_value_heads", "intermediate_size"):
        fields.ignore(name, "block_configs decides")
    layers = layer_count(fields)
    blocks = _blocks(fields, layers)
    heads = fields.count("num_attention_heads", note="query heads")
    width = fields.count("head_dim", note="width of one head", default=derived_head_dim(fields))
    mixers: list[Table | None] = []
    feedforwards: list[Table | None] = []
    for block in blocks:
        attention = _attention(fields, block, heads, width)
        feedforward = _feedforward(fields, block)
        if attention is not None and attention["kind"] == "linear":
            mixers.append(None)
            feedforwards.append(attention)
            attention = None
        if attention is not None or feedforward is not None:
            mixers.append(attention)
            feedforwards.append(feedforward)
    if not mixers and fields.sound("block_configs"):
        fields.refuse("block_configs", "leaves no part of any layer")
    return model(fields, stack(mixers, feedforwards))


def _blocks(fields: Fields, layers: int) -> list[Fields]:
    """The entries of `block_configs`, each with an account of its keys."""
    name = "block_configs"
    value = fields.values.get(name)
    if value is None:
        fields.refuse(name, "is required")
        return []
    fields.accept(name, "the shape of each layer")
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        fields.refuse(name, f"must be a list of objects, got {shown(value)}")
        return []
    if fields.sound("num_hidden_layers") and len(value) != layers:
        message = f"must have one entry for each of {layers} layers, got {len(value)}"
        fields.refuse(name, message)
    blocks = [Fields(entry, f"{fields.prefix}{name}.{i}.") for i, entry in enumerate(value)]
    fields.inner.extend(blocks)
    return blocks


def _without(part: Fields) -> str | None:
    """What stands for a part: `nothing`, `linear`, or the part itself where None."""
    for name in ("sparsify", "window_length", "mamba", "moe", "llama4", "num_sink_tokens"):
        part.demand(name, [], "not used")
    for name in ("unshifted_sink", "use_prefill_window_in_sink_attention"):
        part.demand(name, [False], "not used")
    nothing = part.flag("no_op", note="whether it is left out", default=False)
    linear = part.flag("replace_with_linear", note="whether it is one matrix", default=False)
    if nothing:
        return "nothing"
    return "linear" if linear else None


def _attention(fields: Fields, block: Fields, heads: int, width: int) -> Table | None:
    part = block.table("attention", note="attention of a layer")
    instead = _without(part)
    if instead is not None:
        part.ignore("n_heads_in_group", "no attention")
        return _linear(fields) if instead == "linear" else None
    group = part.count("n_heads_in_group", note="query heads of one KV head")
    if part.sound("n_heads_in_group") and heads % group:
        part.refuse("n_heads_in_group", f"{group} must divide num_attention_heads ({heads})")
        group = 1
    return {
        "kind": "grouped-query",
        "heads": heads,
        "kv_heads": heads // group,
        "head_dim": width,
    }


def _feedforward(fields: Fields, block: Fields) -> Table | None:
    part = block.table("ffn", note="feed-forward of a layer")
    instead = _without(part)
    part.demand("gated", [True], "blocks are gated")
    part.ignore("hidden_act", "activation of a gated block")
    if instead is not None:
        for name in ("ffn_mult", "intermediate_size"):
            part.ignore(name, "no block")
        return _linear(fields) if instead == "linear" else None
    if part.values.get("ffn_mult") is None:
        return dense(part)
    multiple: Any = part.values["ffn_mult"]
    part.accept("ffn_mult", "width of a block, times 2/3 of the model's")
    if isinstance(multiple, bool) or not isinstance(multiple, int | float) or not 0 < multiple < 99:
        part.refuse("ffn_mult", f"must be a number between 0 and 99, got {shown(multiple)}")
        multiple = 1
    width = max(int(2 * multiple * hidden(fields) / 3), 1)
    return {"kind": "dense", "intermediate": -(-width // _MULTIPLE) * _MULTIPLE}


def _linear(fields: Fields) -> Table:
    return {"kind": "linear", "outputs": hidden(fields)}


FAMILIES = {"nemotron-nas": Family(nemotron_nas, "DeciLMForCausalLM")}
