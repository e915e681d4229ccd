"""Which reader belongs to which `model_type`, and which configs hold one of them inside."""

from collections.abc import Callable
from typing import NamedTuple

from liminal_jax.workload.huggingface import dense, sparse
from liminal_jax.workload.huggingface.fields import Fields
from liminal_jax.workload.huggingface.parts import Table


class Family(NamedTuple):
    """How a text model is read.

    Attributes:
        read: From the fields to the table of the model.
        architecture: Name of the model class that the rules are for.
        tied: Whether the head is the embedding where the config does not say.
    """

    read: Callable[[Fields], Table]
    architecture: str
    tied: bool = False


class Wrapper(NamedTuple):
    """A multimodal config that holds a text config.

    Attributes:
        architecture: Name of the model class.
        texts: The text families it may hold; the first where it does not say.
    """

    architecture: str
    texts: tuple[str, ...]


FAMILIES: dict[str, Family] = {
    "llama": Family(dense.llama, "LlamaForCausalLM"),
    "mistral": Family(dense.mistral, "MistralForCausalLM"),
    "ministral3": Family(dense.ministral3, "Ministral3ForCausalLM"),
    "qwen2": Family(dense.qwen2, "Qwen2ForCausalLM"),
    "qwen3": Family(dense.qwen3, "Qwen3ForCausalLM"),
    "glm4": Family(dense.glm4, "Glm4ForCausalLM"),
    "gemma2": Family(dense.gemma2, "Gemma2ForCausalLM", tied=True),
    "gemma3_text": Family(dense.gemma3, "Gemma3ForCausalLM", tied=True),
    "mixtral": Family(sparse.mixtral, "MixtralForCausalLM"),
    "gpt_oss": Family(sparse.gpt_oss, "GptOssForCausalLM"),
    "minimax_m2": Family(sparse.minimax_m2, "MiniMaxM2ForCausalLM"),
    "qwen2_moe": Family(sparse.qwen2_moe, "Qwen2MoeForCausalLM"),
    "qwen3_moe": Family(sparse.qwen3_moe, "Qwen3MoeForCausalLM"),
    "llama4_text": Family(sparse.llama4, "Llama4ForCausalLM"),
    "deepseek_v2": Family(sparse.deepseek_v2, "DeepseekV2ForCausalLM"),
    "deepseek_v3": Family(sparse.deepseek_v3, "DeepseekV3ForCausalLM"),
    "kimi_k2": Family(sparse.deepseek_v3, "DeepseekV3ForCausalLM"),
    "glm4_moe": Family(sparse.glm4_moe, "Glm4MoeForCausalLM"),
    "glm4_moe_lite": Family(sparse.glm4_moe_lite, "Glm4MoeLiteForCausalLM"),
}

WRAPPERS: dict[str, Wrapper] = {
    "llama4": Wrapper("Llama4ForConditionalGeneration", ("llama4_text",)),
    "gemma3": Wrapper("Gemma3ForConditionalGeneration", ("gemma3_text",)),
    "mistral3": Wrapper("Mistral3ForConditionalGeneration", ("mistral", "ministral3")),
    "kimi_k25": Wrapper("KimiK25ForConditionalGeneration", ("kimi_k2", "deepseek_v3")),
}
