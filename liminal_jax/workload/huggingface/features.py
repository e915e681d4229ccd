"""Fields that announce an architecture which is not modelled, and what each announces."""

import fnmatch
from collections.abc import Mapping
from typing import Any

_INDEX = "sparse attention by an index"
_LINEAR = "linear attention"
_MAMBA = "state-space layers"
_HYPER = "hyper-connections"

_FEATURES: dict[str, str] = {
    "index_*": _INDEX,
    "indexer_*": _INDEX,
    "sparse_attention_config": "sparse attention",
    "use_sparse_attention": "sparse attention",
    "compress_*": "compressed sparse attention",
    "linear_*": _LINEAR,
    "full_attention_interval": _LINEAR,
    "full_attn_idxs": _LINEAR,
    "lightning_*": _LINEAR,
    "mamba_*": _MAMBA,
    "ssm_*": _MAMBA,
    "time_step_*": _MAMBA,
    "conv_kernel": _MAMBA,
    "hybrid_*": "hybrid layers",
    "layers_block_type": "hybrid layers",
    "attn_layer_period": "hybrid layers",
    "attn_layer_offset": "hybrid layers",
    "attn_layer_indices": "hybrid layers",
    "attn_output_gate": "gated attention output",
    "attention_output_gate": "gated attention output",
    "mla_use_nope": "latent attention without positions",
    "hc_*": _HYPER,
    "num_hash_layers": "hash-routed experts",
    "o_lora_rank": "low-rank output projection",
    "o_groups": "low-rank output projection",
    "moe_latent_size": "experts in a latent space",
    "moe_shared_expert_intermediate_size": "shared experts of their own width",
    "swa_*": "window attention with its own shape",
    "altup_*": "alternating updates",
    "laurel_rank": "learned augmented residuals",
    "hidden_size_per_layer_input": "per-layer embeddings",
    "vocab_size_per_layer_input": "per-layer embeddings",
    "num_kv_shared_layers": "layers that share a cache",
    "attention_k_eq_v": "keys shared with values",
    "global_head_dim": "heads of different width",
    "num_global_key_value_heads": "heads of different number",
    "per_layer_config": "layers with settings of their own",
    "add_swa_attention_sink_bias": "attention sinks",
    "cla_share_factor": "layers that share a cache",
    "use_cla": "layers that share a cache",
    "num_zero_experts": "experts that do nothing",
    "zero_expert_*": "experts that do nothing",
    "expert_layer_period": "layers of experts by period",
    "expert_layer_offset": "layers of experts by period",
    "ngram_*": "n-gram embeddings",
    "cross_attention_layers": "cross-attention",
    "add_cross_attention": "cross-attention",
    "cross_attention_hidden_size": "cross-attention",
    "is_encoder_decoder": "encoder",
    "tie_encoder_decoder": "encoder",
    "use_bidirectional_attention": "attention in both directions",
    "pruned_heads": "pruned heads",
    "attention_bias": "biases in attention",
    "qkv_bias": "biases in attention",
    "mlp_bias": "biases in the feed-forward",
    "use_bias": "biases",
    "lm_head_bias": "a bias in the head",
    "use_qk_norm": "norms on queries and keys",
    "qk_norm": "norms on queries and keys",
    "shared_expert_intermediate_size": "shared experts",
    "shared_intermediate_size": "shared experts",
    "use_sliding_window": "sliding-window attention",
    "sliding_window": "sliding-window attention",
    "attention_chunk_size": "chunked attention",
    "use_parallel_residual": "parallel residuals",
    "use_gemma_norm": "norms with an offset",
    "embedding_size": "a factorised embedding",
}

_LAYER_LISTS = ("layer_types", "attn_type_list", "layers_block_type")
_MODELLED_LAYERS = ("full_attention", "sliding_attention", "chunked_attention")
_OWN = (
    *("attention_bias", "mlp_bias", "qkv_bias", "use_qk_norm", "use_sliding_window"),
    *("sliding_window", "attention_chunk_size"),
    *("shared_expert_intermediate_size", "shared_intermediate_size"),
)
_OFF: tuple[Any, ...] = (None, False, 0, {}, [])


def feature(name: str) -> str | None:
    """The feature that a field announces, where it is one that is not modelled.

    Examples:
        >>> feature("index_topk")
        'sparse attention by an index'
    """
    return next(
        (words for pattern, words in _FEATURES.items() if fnmatch.fnmatchcase(name, pattern)),
        None,
    )


def is_off(value: Any) -> bool:
    """Whether a field that announces a feature says that it is not used."""
    return value in _OFF


def foreign_features(values: Mapping[str, Any]) -> dict[str, str]:
    """What the fields of a config announce that most families lack: field to words.

    Fields that some modelled family has too (biases, windows) are left out.
    """
    found = {
        name: words
        for name, value in values.items()
        if not is_off(value) and name not in _OWN and (words := feature(name))
    }
    for name in _LAYER_LISTS:
        entries = values.get(name)
        foreign = _foreign_layers(entries) if isinstance(entries, list) else []
        if foreign:
            found[name] = f"layers of kind {', '.join(foreign)}"
    return found


def _foreign_layers(entries: list[Any]) -> list[str]:
    words = dict.fromkeys(entry for entry in entries if isinstance(entry, str))
    return [repr(word) for word in words if word not in _MODELLED_LAYERS]
