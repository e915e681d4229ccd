"""Nemotron-H and its successors: counts of published models, and what a config may say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.workload.counts import counts
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.huggingface import Use, read_config
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.mixer.mamba2 import Mamba2Layer
from tests.workload.configs import assert_counted_exactly, mistakes, written
from tests.workload.fuzz import assert_read_or_refused

NEMOTRON_H_8B = {
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "attention_bias": False,
    "attention_head_dim": 128,
    "chunk_size": 128,
    "conv_kernel": 4,
    "expand": 2,
    "hidden_size": 4096,
    "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
    "intermediate_size": 21504,
    "mamba_head_dim": 64,
    "mamba_hidden_act": "silu",
    "mamba_num_heads": 128,
    "mamba_proj_bias": False,
    "mlp_bias": False,
    "mlp_hidden_act": "relu2",
    "n_groups": 8,
    "num_attention_heads": 32,
    "num_hidden_layers": 52,
    "num_key_value_heads": 8,
    "rescale_prenorm_residual": True,
    "residual_in_fp32": False,
    "sliding_window": None,
    "ssm_state_size": 128,
    "tie_word_embeddings": False,
    "time_step_floor": 0.0001,
    "time_step_limit": [0.0, float("inf")],
    "time_step_max": 0.1,
    "time_step_min": 0.001,
    "time_step_rank": 256,
    "use_bias": False,
    "use_conv_bias": True,
    "use_mamba_kernels": True,
    "vocab_size": 131072,
}
LARGE = {
    "hidden_size": 8192,
    "mamba_num_heads": 256,
    "num_attention_heads": 64,
    "ssm_state_size": 256,
}
RELATIVES = {
    "Nemotron-H-8B": ({}, 8_100_852_736),
    "Nemotron-H-47B": (
        {
            **LARGE,
            "hybrid_override_pattern": (
                "M-M-M-M-M-M-M-M-M*-M-M-M-M-M-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*"
                "-M-M-M-M-M-M-M---MM---M-M*-M-M-M-M-M-"
            ),
            "intermediate_size": 30720,
            "num_hidden_layers": 98,
        },
        46_791_554_816,
    ),
    "Nemotron-H-56B": (
        {
            **LARGE,
            "hybrid_override_pattern": "M-M-M-M*" + 9 * "-M-M-M-M-M*" + "-M-M-M-M-M-",
            "intermediate_size": 32768,
            "num_hidden_layers": 118,
        },
        56_324_350_464,
    ),
    "Nemotron-Nano-9B-v2": (
        {
            "hidden_size": 4480,
            "hybrid_override_pattern": ("M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"),
            "intermediate_size": 15680,
            "mamba_head_dim": 80,
            "num_attention_heads": 40,
            "num_hidden_layers": 56,
        },
        8_888_227_328,
    ),
    "Nemotron-Nano-12B-v2": (
        {
            "hidden_size": 5120,
            "hybrid_override_pattern": "M-M-M-M*" + 5 * "-M-M-M-M*" + "-M-M-M-M-",
            "intermediate_size": 20480,
            "mamba_head_dim": 80,
            "num_attention_heads": 40,
            "num_hidden_layers": 62,
        },
        12_310_001_152,
    ),
    "Nemotron-3-Super-120B-A12B": (
        {
            "hybrid_override_pattern": (
                "MEMEMEM*EMEMEMEM*EMEMEMEM*" + 4 * "EMEMEMEMEM*" + "EMEMEMEM*EMEMEMEME"
            ),
            "intermediate_size": 2688,
            "moe_intermediate_size": 2688,
            "moe_latent_size": 1024,
            "moe_shared_expert_intermediate_size": 5376,
            "mtp_hybrid_override_pattern": "*E",
            "n_routed_experts": 512,
            "n_shared_experts": 1,
            "num_experts_per_tok": 22,
            "num_hidden_layers": 88,
            "num_key_value_heads": 2,
            "num_nextn_predict_layers": 1,
        },
        120_668_707_840,
    ),
}
"""Shapes of published models; the total of Nano-9B-v2 is that of its checkpoint, the others agree
with the size in their name and follow from the same tensors."""

TOY = {
    "model_type": "nemotron_h",
    "head_dim": 16,
    "hidden_size": 64,
    "hybrid_override_pattern": "ME*E-M",
    "intermediate_size": 48,
    "mamba_head_dim": 8,
    "mamba_num_heads": 8,
    "moe_intermediate_size": 24,
    "moe_latent_size": 32,
    "moe_shared_expert_intermediate_size": 40,
    "n_groups": 2,
    "n_routed_experts": 8,
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 6,
    "num_key_value_heads": 2,
    "ssm_state_size": 16,
    "vocab_size": 1000,
}
WORDS = ["mamba", "moe", "attention", "moe", "mlp", "mamba"]


@pytest.mark.parametrize("size", ["Nano-30B-A3B", "Ultra-550B-A55B"])
def test_nemotron_3_is_counted_exactly(size):
    assert_counted_exactly(f"nvidia__NVIDIA-Nemotron-3-{size}-BF16")


@pytest.mark.parametrize("name", RELATIVES)
def test_totals_of_relatives(tmp_path, name):
    change, total = RELATIVES[name]
    spec, _ = read_config(written(tmp_path, {**NEMOTRON_H_8B, **change}))
    assert counts(spec).total == total


def test_the_first_release_in_parts(tmp_path):
    spec, report = read_config(written(tmp_path, NEMOTRON_H_8B))
    mamba = Mamba2Layer(heads=128, head_dim=64, state_dim=128, groups=8, kernel=4)
    attention = GroupedQueryAttention(heads=32, kv_heads=8, head_dim=128)
    block = DenseFeedForward(intermediate=21504, gated=False)
    assert [(it.count, it.attention, it.feedforward) for it in spec.layers] == [
        (24, mamba, None),
        (24, None, block),
        (4, attention, None),
    ]
    fields = [row.field for row in report.rows]
    assert sorted(fields) == sorted(set(fields))
    assert set(NEMOTRON_H_8B) <= set(fields)
    tally = counts(spec)
    assert tally.state_elements_per_sequence == 24 * (128 * 64 * 128 + 3 * (8192 + 2 * 8 * 128))
    assert tally.kv_elements_per_token_growing == 4 * 2 * 8 * 128


def test_a_toy_by_hand(tmp_path):
    tally = counts(read_config(written(tmp_path, TOY))[0])
    channels = 64 + 2 * 2 * 16
    mamba = 64 * (64 + channels + 8) + 64 * 64 + channels * 4 + 3 * 8 + 64 + channels
    attention = 2 * 64 * 16 * (4 + 2)
    expert = 2 * 32 * 24
    mixture = 64 * 8 + 2 * 64 * 32 + 8 * expert + 2 * 64 * 40 + 8
    block = 2 * 64 * 48
    assert tally.total_without_embeddings == (
        2 * mamba + attention + 2 * mixture + block + 6 * 64 + 64
    )
    assert tally.total - tally.active == 2 * 6 * expert


def test_words_say_what_letters_say(tmp_path):
    by_letters = read_config(written(tmp_path, TOY))[0]
    rest = {key: TOY[key] for key in TOY if key not in ("hybrid_override_pattern",)}
    later = [{"mamba": "linear_attention", "attention": "full_attention"}.get(w, w) for w in WORDS]
    for words in (WORDS, later):
        by_words, report = read_config(written(tmp_path, {**rest, "layers_block_type": words}))
        assert by_words.layers == by_letters.layers
        assert "layers_block_type" in [row.field for row in report.having(Use.READ)]
    both = {**TOY, "layers_block_type": WORDS}
    assert read_config(written(tmp_path, both))[0].layers == by_letters.layers


def test_fields_of_absent_blocks_are_ignored(tmp_path):
    config = {**TOY, "hybrid_override_pattern": "M*", "num_hidden_layers": 2}
    spec, report = read_config(written(tmp_path, config))
    assert [group.count for group in spec.layers] == [1, 1]
    reasons = {row.field: row.note for row in report.having(Use.IGNORED)}
    assert reasons["moe_latent_size"] == "no block is of kind moe"
    assert reasons["intermediate_size"] == "no block is of kind mlp"


def test_experts_without_a_latent_space(tmp_path):
    spec, _ = read_config(written(tmp_path, {**TOY, "moe_latent_size": None}))
    kinds = [group.feedforward.kind for group in spec.layers if group.feedforward is not None]
    assert kinds == ["mixture", "dense"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hybrid_override_pattern": "MEX"}, 'hybrid_override_pattern: holds "X"'),
        ({"hybrid_override_pattern": 3}, "hybrid_override_pattern: must be text, got 3"),
        ({"hybrid_override_pattern": None}, "layers_block_type: is required"),
        ({"hybrid_override_pattern": ""}, "layers_block_type: is required"),
        ({"hybrid_override_pattern": "M"}, "num_hidden_layers: is 6, but 1 blocks are named"),
        ({"layers_block_type": ["mamba"]}, "contradicts layers_block_type"),
        ({"layers_block_type": ["conv"]}, 'layers_block_type: holds "conv"'),
        ({"layers_block_type": "M"}, "layers_block_type: must be a list"),
        ({"n_groups": 3}, "n_groups: 3 must divide mamba_num_heads (8)"),
        ({"mamba_n_groups": 4}, "mamba_n_groups: contradicts n_groups, which is 2"),
        ({"mamba_conv_bias": False}, "mamba_conv_bias: false is not modelled here"),
        ({"mamba_proj_bias": True}, "mamba_proj_bias: true is not modelled here"),
        ({"mamba_hidden_act": "relu"}, "mamba_hidden_act: 'relu' is not modelled here"),
        ({"mlp_hidden_act": "silu"}, "mlp_hidden_act: 'silu' is not modelled here"),
        ({"mlp_bias": True}, "mlp_bias: true is not modelled here; modelled: false"),
        ({"attention_head_dim": 8}, "attention_head_dim: contradicts head_dim, which is 16"),
        ({"head_dim": None}, "head_dim: is required, got null"),
        ({"num_key_value_heads": 3}, "3 must divide num_attention_heads (4)"),
        ({"n_shared_experts": 2}, "n_shared_experts: must be at most 1, got 2"),
        ({"n_shared_experts": None}, "n_shared_experts: is required, got null"),
        ({"num_experts_per_tok": 9}, "9 must not exceed n_routed_experts (8)"),
        ({"moe_latent_size": -1}, "moe_latent_size: must be greater than 0, got -1"),
        ({"intermediate_size": [48, 48]}, "intermediate_size: must be a whole number"),
        ({"sliding_window": 128}, "sliding_window: not modelled for model_type"),
        ({"mamba_d_ssm": 8}, "mamba_d_ssm: not modelled for model_type"),
        ({"initializer_range": float("inf")}, "initializer_range: must be a finite number"),
        ({"odd": 1}, "odd: unknown field of model_type 'nemotron_h'"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**TOY, **change})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layers_block_type", "attention_head_dim", "mlp_bias", "use_bias", "mamba_n_groups"]
    assert_read_or_refused(data, [TOY, NEMOTRON_H_8B], extra)
