"""Configs of public models, by name: what decides their shape, and the published total."""

import json
from pathlib import Path
from typing import Any

import pytest

from liminal_jax._files import InputError
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "models"

LLAMA_2_7B = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
    "rms_norm_eps": 1e-5,
}
MISTRAL_7B = {
    "model_type": "mistral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "sliding_window": 4096,
    "vocab_size": 32000,
}
QWEN2_7B = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_window_layers": 28,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "sliding_window": 131072,
    "use_sliding_window": False,
    "tie_word_embeddings": False,
    "vocab_size": 152064,
}
QWEN3_0_6B = {
    "model_type": "qwen3",
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_hidden_layers": 28,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "tie_word_embeddings": True,
    "vocab_size": 151936,
}
GEMMA_2_9B = {
    "model_type": "gemma2",
    "hidden_size": 3584,
    "intermediate_size": 14336,
    "num_attention_heads": 16,
    "num_hidden_layers": 42,
    "num_key_value_heads": 8,
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "sliding_window": 4096,
    "sliding_window_size": 4096,
    "vocab_size": 256000,
}
GEMMA_3_1B = {
    "model_type": "gemma3_text",
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "num_attention_heads": 4,
    "num_hidden_layers": 26,
    "num_key_value_heads": 1,
    "head_dim": 256,
    "sliding_window": 512,
    "sliding_window_pattern": 6,
    "vocab_size": 262144,
}
MISTRAL_SMALL = {
    "model_type": "mistral3",
    "architectures": ["Mistral3ForConditionalGeneration"],
    "image_token_index": 10,
    "multimodal_projector_bias": False,
    "spatial_merge_size": 2,
    "vision_config": {"hidden_size": 1024},
    "text_config": {
        "model_type": "mistral",
        "hidden_size": 5120,
        "intermediate_size": 32768,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "sliding_window": None,
        "vocab_size": 131072,
    },
}
DEEPSEEK_V2 = {
    "model_type": "deepseek_v2",
    "architectures": ["DeepseekV2ForCausalLM"],
    "first_k_dense_replace": 1,
    "hidden_size": 5120,
    "intermediate_size": 12288,
    "kv_lora_rank": 512,
    "moe_intermediate_size": 1536,
    "moe_layer_freq": 1,
    "n_routed_experts": 160,
    "n_shared_experts": 2,
    "num_attention_heads": 128,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 60,
    "num_key_value_heads": 128,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "scoring_func": "softmax",
    "topk_method": "group_limited_greedy",
    "v_head_dim": 128,
    "vocab_size": 102400,
}
QWEN2_57B_A14B = {
    "model_type": "qwen2_moe",
    "decoder_sparse_step": 1,
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_window_layers": 28,
    "moe_intermediate_size": 2560,
    "num_attention_heads": 28,
    "num_experts": 64,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "shared_expert_intermediate_size": 20480,
    "sliding_window": 65536,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
GLM_4_5_AIR = {
    "model_type": "glm4_moe",
    "attention_bias": True,
    "first_k_dense_replace": 1,
    "head_dim": 128,
    "hidden_size": 4096,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 128,
    "n_shared_experts": 1,
    "num_attention_heads": 96,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 46,
    "num_key_value_heads": 8,
    "num_nextn_predict_layers": 1,
    "use_qk_norm": False,
    "vocab_size": 151552,
}
GLM_4_9B = {
    "model_type": "glm4",
    "attention_bias": True,
    "head_dim": 128,
    "hidden_size": 4096,
    "intermediate_size": 13696,
    "num_attention_heads": 32,
    "num_hidden_layers": 40,
    "num_key_value_heads": 2,
    "vocab_size": 151552,
}

PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "Llama-2-7B": (LLAMA_2_7B, 6_738_415_616),
    "CodeLlama-7B": ({**LLAMA_2_7B, "vocab_size": 32016}, 6_738_546_688),
    "Llama-3.2-1B": (
        {
            **LLAMA_2_7B,
            "head_dim": 64,
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 16,
            "num_key_value_heads": 8,
            "tie_word_embeddings": True,
            "vocab_size": 128256,
        },
        1_235_814_400,
    ),
    "Mistral-7B-v0.1": (MISTRAL_7B, 7_241_732_096),
    "Mistral-7B-v0.3": (
        {**MISTRAL_7B, "sliding_window": None, "vocab_size": 32768},
        7_248_023_552,
    ),
    "Mistral-Nemo": (
        {
            **MISTRAL_7B,
            "head_dim": 128,
            "hidden_size": 5120,
            "num_hidden_layers": 40,
            "sliding_window": None,
            "vocab_size": 131072,
        },
        12_247_782_400,
    ),
    "Mixtral-8x22B": (
        {
            "model_type": "mixtral",
            "hidden_size": 6144,
            "intermediate_size": 16384,
            "num_attention_heads": 48,
            "num_experts_per_tok": 2,
            "num_hidden_layers": 56,
            "num_key_value_heads": 8,
            "num_local_experts": 8,
            "sliding_window": None,
            "vocab_size": 32000,
        },
        140_620_634_112,
    ),
    "Mistral-Small-3.1-24B text": (MISTRAL_SMALL, 23_572_403_200),
    "Qwen2.5-7B": (QWEN2_7B, 7_615_616_512),
    "Qwen2.5-0.5B": (
        {
            **QWEN2_7B,
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_attention_heads": 14,
            "num_hidden_layers": 24,
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
            "vocab_size": 151936,
        },
        494_032_768,
    ),
    "Qwen1.5-MoE-A2.7B": (
        {
            **QWEN2_57B_A14B,
            "hidden_size": 2048,
            "moe_intermediate_size": 1408,
            "num_attention_heads": 16,
            "num_experts": 60,
            "num_experts_per_tok": 4,
            "num_hidden_layers": 24,
            "num_key_value_heads": 16,
            "shared_expert_intermediate_size": 5632,
        },
        14_315_784_192,
    ),
    "Qwen3-0.6B": (QWEN3_0_6B, 596_049_920),
    "Qwen3-32B": (
        {
            **QWEN3_0_6B,
            "hidden_size": 5120,
            "intermediate_size": 25600,
            "num_attention_heads": 64,
            "num_hidden_layers": 64,
            "tie_word_embeddings": False,
        },
        32_762_123_264,
    ),
    "Gemma-2-9B": (GEMMA_2_9B, 9_241_705_984),
    "Gemma-3-1B": (GEMMA_3_1B, 999_885_952),
    "Gemma-3-4B text": (
        {
            "model_type": "gemma3",
            "text_config": {
                "model_type": "gemma3_text",
                "hidden_size": 2560,
                "intermediate_size": 10240,
                "num_hidden_layers": 34,
                "sliding_window": 1024,
            },
        },
        3_880_263_168,
    ),
    "DeepSeek-V2": (DEEPSEEK_V2, 235_741_434_880),
    "DeepSeek-V2-Lite": (
        {
            **DEEPSEEK_V2,
            "hidden_size": 2048,
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "n_routed_experts": 64,
            "num_attention_heads": 16,
            "num_hidden_layers": 27,
            "q_lora_rank": None,
            "topk_method": "greedy",
        },
        15_706_484_224,
    ),
    "GLM-4-9B-0414": (GLM_4_9B, 9_400_279_040),
    "GLM-4.5-Air text": (GLM_4_5_AIR, 106_852_251_264),
}
"""Totals are the element counts that the checkpoints' indices state, without vision towers and
multi-token-prediction heads."""


def written(folder: Path, config: object, name: str = "config.json") -> str:
    """Path of a config written to a file."""
    path = folder / name
    path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return str(path)


def mistakes(folder: Path, config: object) -> str:
    """What reading a config complains about, a line for each field."""
    with pytest.raises(InputError) as caught:
        read_config(written(folder, config))
    return "\n".join(f"{path}: {message}" for path, message in caught.value.problems)


def reference_counts(name: str) -> dict[str, Any]:
    """The published counts of a reference config, which may not be here."""
    file = REFERENCE / "_counts.json"
    if not file.is_file():
        pytest.skip("the reference configs are not here")
    return next(row for row in json.loads(file.read_text()) if row["name"] == name)


def assert_counted_exactly(name: str) -> None:
    """Every count of a reference config is the published one."""
    row = reference_counts(name)
    tally = counts(read_config(REFERENCE / f"{name}.json")[0])._asdict()
    assert len(tally) == 11
    assert tally == {key: row[key] for key in tally}
