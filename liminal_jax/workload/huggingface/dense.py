"""Families in which every layer has one feed-forward block: Llama, Mistral, Qwen, GLM-4, Gemma.

Each function reads one `model_type`. Defaults are those of its config class in Hugging Face
transformers; what a class leaves to chance, or what differs between its versions, is required.
"""

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
    own_kv_heads,
    projection_biases,
    scoped,
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


def llama(fields: Fields) -> Table:
    """Llama 1 to 3.3: biases on all four projections and in the blocks are options."""
    activation(fields)
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=derived_head_dim(fields),
        kv_heads=own_kv_heads(fields),
    )
    block = dense(fields, bias=fields.flag("mlp_bias", note="biases of blocks", default=False))
    layers = layer_count(fields)
    layer_scopes(fields, ["full"] * layers, modelled=())
    return model(fields, stack([attention] * layers, [block] * layers))


def mistral(fields: Fields) -> Table:
    """Mistral: one window for all layers unless `sliding_window` is null; 4096 if left out."""
    if "sliding_window" in fields.values:
        window = _nullable_window(fields)
    else:
        window = fields.count("sliding_window", note="window of every layer", default=4096)
    return _mistral_like(fields, derived_head_dim(fields), window)


def ministral3(fields: Fields) -> Table:
    """Ministral 3 and Devstral 2: as Mistral, heads of 128 and no window unless given."""
    return _mistral_like(fields, 128, _nullable_window(fields))


def _nullable_window(fields: Fields) -> int | None:
    if fields.values.get("sliding_window") is None:
        fields.ignore("sliding_window", "every layer attends to all tokens")
        return None
    return fields.count("sliding_window", note="window of every layer")


def _mistral_like(fields: Fields, head_dim: int | None, window: int | None) -> Table:
    activation(fields)
    attention = grouped_query(fields, head_dim=head_dim, kv_heads=null_means_own_heads(fields))
    if window is not None:
        attention = {**attention, "scope": "sliding", "window": window}
    block = dense(fields)
    layers = layer_count(fields)
    scope = "full" if window is None else "sliding"
    types = [f"{scope}_attention"] * layers
    fields.demand("layer_types", [types], "as sliding_window has it")
    return model(fields, stack([attention] * layers, [block] * layers))


def qwen2(fields: Fields) -> Table:
    """Qwen 2 and 2.5: queries, keys and values always have biases, the output never."""
    fields.demand("attention_bias", [True], "queries, keys and values always have biases")
    fields.demand("qkv_bias", [True], "queries, keys and values always have biases")
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
        qkv_bias=True,
    )
    return _qwen(fields, attention)


def qwen3(fields: Fields) -> Table:
    """Qwen 3: norms on queries and keys, and biases on all four projections as an option."""
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    attention = grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=128,
        kv_heads=null_means_own_heads(fields),
        qk_norm="per-head",
    )
    return _qwen(fields, attention)


def _qwen(fields: Fields, attention: Table) -> Table:
    activation(fields)
    block = dense(fields)
    layers = layer_count(fields)
    scopes = layer_scopes(fields, _qwen_scopes(fields, layers), modelled=("sliding",))
    attentions = scoped(fields, attention, scopes)
    return model(fields, stack(attentions, [block] * layers))


def _qwen_scopes(fields: Fields, layers: int) -> list[str]:
    """Layers from `max_window_layers` on slide, where `use_sliding_window` says so."""
    if not fields.flag("use_sliding_window", note="whether later layers slide", default=False):
        fields.ignore("max_window_layers", "use_sliding_window is false")
        return ["full"] * layers
    first = fields.count("max_window_layers", note="layers before the sliding ones", least=0)
    return ["sliding" if layer >= first else "full" for layer in range(layers)]


def glm(fields: Fields) -> Table:
    """GLM-4-9B: biases of queries, keys and values unless it says no, a norm before each part."""
    bias = fields.flag("attention_bias", note="biases of queries, keys and values", default=True)
    return _glm4(fields, bias=bias, head_dim=128, norms=2)


def glm4(fields: Fields) -> Table:
    """GLM-4-0414: norms before and after each block; the bias is required (defaults differ)."""
    bias = fields.flag("attention_bias", note="biases of queries, keys and values")
    return _glm4(fields, bias=bias, head_dim=128)


def glm4v(fields: Fields) -> Table:
    """The text model of GLM-4.1V: as GLM-4-0414, always with the biases."""
    fields.demand("attention_bias", [True], "queries, keys and values always have biases")
    return _glm4(fields, bias=True, head_dim=derived_head_dim(fields))


def _glm4(fields: Fields, *, bias: bool, head_dim: int | None, norms: int = 4) -> Table:
    activation(fields)
    attention = grouped_query(
        fields, head_dim=head_dim, kv_heads=null_means_own_heads(fields), qkv_bias=bias
    )
    block = dense(fields)
    layers = layer_count(fields)
    layer_scopes(fields, ["full"] * layers, modelled=())
    return model(fields, stack([attention] * layers, [block] * layers, norms=norms))


def gemma2(fields: Fields) -> Table:
    """Gemma 2: every other layer slides, beginning with the first."""
    _gemma_activation(fields)
    attention = _gemma_attention(fields, heads=None, kv_heads=None, qk_norm="none")
    layers = layer_count(fields)
    scopes = ["full" if layer % 2 else "sliding" for layer in range(layers)]
    return _gemma(fields, attention, scopes, vocabulary=None)


def gemma3(fields: Fields) -> Table:
    """Gemma 3: five layers slide, the sixth does not; norms on queries and keys.

    Published files leave out the vocabulary, the heads and their width where they are the
    class's own: 262208, 8, 4 and 256.
    """
    _gemma_activation(fields)
    attention = _gemma_attention(fields, heads=8, kv_heads=4, qk_norm="per-head")
    layers = layer_count(fields)
    period = fields.count(
        "sliding_window_pattern",
        "_sliding_window_pattern",
        note="every n-th layer attends to all tokens",
        default=6,
    )
    scopes = ["sliding" if (layer + 1) % period else "full" for layer in range(layers)]
    return _gemma(fields, attention, scopes, vocabulary=262_208)


def _gemma_activation(fields: Fields) -> None:
    if fields.values.get("hidden_act") is not None:
        activation(fields)
    activation(fields, "hidden_activation", "gelu_pytorch_tanh")


def _gemma_attention(
    fields: Fields, *, heads: int | None, kv_heads: int | None, qk_norm: str
) -> Table:
    return grouped_query(
        fields,
        **projection_biases(fields),
        head_dim=256,
        heads=heads,
        kv_heads=kv_heads,
        qk_norm=qk_norm,
    )


def _gemma(fields: Fields, attention: Table, scopes: list[str], vocabulary: int | None) -> Table:
    attentions = scoped(fields, attention, layer_scopes(fields, scopes, modelled=("sliding",)))
    blocks = [dense(fields)] * len(scopes)
    return model(fields, stack(attentions, blocks, norms=4), vocabulary)


FAMILIES = {
    "llama": Family(llama, "LlamaForCausalLM"),
    "mistral": Family(mistral, "MistralForCausalLM"),
    "ministral3": Family(ministral3, "Ministral3ForCausalLM"),
    "qwen2": Family(qwen2, "Qwen2ForCausalLM"),
    "qwen2_vl_text": Family(qwen2, "Qwen2VLTextModel"),
    "qwen2_5_vl_text": Family(qwen2, "Qwen2_5_VLTextModel"),
    "qwen2_5_omni_text": Family(qwen2, "Qwen2_5OmniThinkerTextModel"),
    "qwen3": Family(qwen3, "Qwen3ForCausalLM"),
    "qwen3_vl_text": Family(qwen3, "Qwen3VLTextModel"),
    "glm": Family(glm, "GlmForCausalLM"),
    "helium": Family(llama, "HeliumForCausalLM"),
    "glm4": Family(glm4, "Glm4ForCausalLM"),
    "glm4v_text": Family(glm4v, "Glm4vTextModel"),
    "gemma2": Family(gemma2, "Gemma2ForCausalLM", tied=True),
    "gemma3_text": Family(gemma3, "Gemma3ForCausalLM", tied=True),
}
