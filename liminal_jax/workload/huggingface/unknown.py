"""A rule for the fields that a family does not know: which of them can change a count.

Words of a field's name decide. A field that speaks of numbers of layers, heads or experts, of
widths, ranks, windows or kinds of layer is refused; one that speaks of tokens, training, images or
number formats is ignored. Where a name says neither, its value decides: a switch, a word or a
fraction is the size of nothing, a whole number or a list may be.
"""

import re
from typing import Any

_NEVER = {
    "training, initialisation": """
        dropout drop pdrop init initializer initialization std noise neftune loss losses coef
        training train trained trainer seed lr optimizer jitter checkpoint checkpointing grad
        gradient pretrain pretrained pretraining finetune finetuned lora peft distill freeze frozen
    """,
    "number format": """
        quant quantization quantized quantize dtype precision bits fp4 fp8 fp16 fp32 bf16 int4 int8
        awq gptq mxfp4 nvfp4 bnb exllama gguf mlx
    """,
    "beside the text model": """
        image images img vision visual video videos audio speech pixel pixels patch mm multimodal
        ocr projector modality modalities
    """,
    "origin of the file": """
        version versions license author authors date transformers unsloth huggingface hf repo url
        revision commit tag tags description comment notes internal
    """,
    "scaling, has no weights": "eps epsilon softcap softcapping clip clamp",
    "classification head": "label labels classifier",
    "running program": """
        debug log logging compile deepspeed megatron vllm sglang flash sdpa eager fuse fused fusion
    """,
}
"""Words that no field of the text model's shape has, by what they speak of."""

_SHAPE = """
    layer layers block blocks head heads expert experts size sizes dim dims dimension width rank
    hidden intermediate ffn mlp ff window windows kernel conv group groups state inner expand
    expansion multiple mult ratio interval period pattern type types kind kinds step stride kv bias
    biases norm norms layernorm gate gates gated tie tied share shared latent depth n num number
    count channel channels bottleneck embed embd embedding embeddings vocab vocabulary query key
    value qkv q k v attn attention moe router routed recurrent mamba ssm ssd linear memory ngram mtp
    sparse dense index indexer compress compression adapter adapters projection proj cross encoder
    decoder sink sinks parallel merge pool pooling skip residual stream streams highway per
"""
"""Words of numbers of parts, of widths and of kinds of layer."""

_ALWAYS = """
    gate gates gated norm norms layernorm tie tied share shared attention attn mlp ffn ff head heads
    qk causal embedding embeddings
"""
"""Words of parts that a family may have unless a field says false."""

_UNLESS_SHAPED = {
    "tokens": "token tokens tokenizer bos eos pad unk sep vocabularies template prompt chat",
    "positions, have no weights": """
        position positions positional rope rotary theta yarn mrope alibi ntk logn max length len
        context
    """,
    "scaling, has no weights": """
        scale scales scaling alpha beta gamma multiplier factor logit logits
    """,
    "text generation": "generation generate temperature sampling sample beam beams penalty stop",
    "running program": "cache use cuda torch triton kernels backend impl implementation",
}
"""Words that say nothing of a shape by themselves."""

_EMPTY: tuple[Any, ...] = (None, 0, {}, [], "")


def harmless_by_rule(name: str, value: Any) -> str | None:
    """Why an unknown field cannot change a count; none where it can.

    Examples:
        >>> harmless_by_rule("neftune_noise_alpha", 5)
        'by rule: training, initialisation'
        >>> harmless_by_rule("num_expert_shards", 8) is None
        True
        >>> harmless_by_rule("mystery", True)
        'by rule: no size and no part of a model'
    """
    words = re.findall(r"[a-z]+[0-9]*|[0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    for reason, own in _NEVER.items():
        if set(words) & set(own.split()):
            return f"by rule: {reason}"
    if any(re.sub(r"[0-9]+$", "", word) in _SHAPE.split() for word in words):
        off = not set(words) & set(_ALWAYS.split()) if value is False else value in _EMPTY
        return "by rule: none of these" if off else None
    for reason, own in _UNLESS_SHAPED.items():
        if set(words) & set(own.split()):
            return f"by rule: {reason}"
    sizeless = isinstance(value, bool | str) or (
        isinstance(value, float) and not value.is_integer()
    )
    return "by rule: no size and no part of a model" if sizeless or value in _EMPTY else None
