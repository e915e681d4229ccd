"""Files that lie beside a `config.json` or look like one, by their name, and what to give."""

from collections.abc import Mapping
from typing import Any

_KINDS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), words)
    for keys, words in (
        ("weight_map", "the index of a checkpoint's weights"),
        ("peft_type", "the config of an adapter (PEFT): give that of the model it adapts"),
        ("tokenizer_class added_tokens_decoder", "the config of a tokenizer"),
        ("tokenizer_class model_max_length", "the config of a tokenizer"),
        ("model added_tokens", "a tokenizer"),
        ("image_processor_type", "the config of a processor of images"),
        ("processor_class", "the config of a processor"),
        ("dim norm_eps", "params.json of the model's own code"),
        ("producer quantization", "hf_quant_config.json of modelopt"),
        ("request_throughput", "a result of a benchmark: give it to `liminal validate`"),
        ("avg_ts n_gen", "a result of a benchmark: give it to `liminal validate`"),
        ("transformers_version eos_token_id", "generation_config.json"),
        ("temperature transformers_version", "generation_config.json"),
    )
)
"""Keys that tell of another kind of file, and its name; the first of which all keys are there."""

_BESIDE = ": give config.json, which lies beside it"


def other_kind(values: Mapping[str, Any]) -> str:
    """What JSON is that is no config of a model; empty where nothing is known of it.

    Examples:
        >>> other_kind({"weight_map": {}})
        "the index of a checkpoint's weights: give config.json, which lies beside it"
        >>> other_kind({"hidden_size": 64})
        ''
    """
    for keys, words in _KINDS:
        if keys <= values.keys():
            return words if ":" in words else words + _BESIDE
    return ""
