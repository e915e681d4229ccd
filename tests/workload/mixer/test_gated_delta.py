"""Gated DeltaNet: hand counts, and the families that have it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from liminal_jax._smooth import Exact
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import Use, read_config
from liminal_jax.workload.mixer.gated_delta import GatedDeltaNet
from tests.workload.configs import assert_counted_exactly, mistakes, written
from tests.workload.fuzz import assert_read_or_refused

EXACT = Exact()
TOY = GatedDeltaNet(key_heads=1, key_dim=2, value_heads=2, value_dim=3, kernel=4)

QWEN3_NEXT_80B_A3B = {
    "architectures": ["Qwen3NextForCausalLM"],
    "model_type": "qwen3_next",
    "attention_bias": False,
    "decoder_sparse_step": 1,
    "full_attention_interval": 4,
    "head_dim": 256,
    "hidden_size": 2048,
    "intermediate_size": 5120,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_value_head_dim": 128,
    "mlp_only_layers": [],
    "moe_intermediate_size": 512,
    "norm_topk_prob": True,
    "num_attention_heads": 16,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "num_hidden_layers": 48,
    "num_key_value_heads": 2,
    "partial_rotary_factor": 0.25,
    "shared_expert_intermediate_size": 512,
    "tie_word_embeddings": False,
    "vocab_size": 151936,
}
QWEN3_5 = {
    "model_type": "qwen3_5",
    "text_config": {
        "model_type": "qwen3_5_text",
        "attn_output_gate": True,
        "hidden_size": 64,
        "intermediate_size": 128,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "mamba_ssm_dtype": "float32",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "vocab_size": 1000,
    },
}
QWEN3_5_MOE = {
    "model_type": "qwen3_5_moe_text",
    "hidden_size": 64,
    "mlp_only_layers": [],
    "moe_intermediate_size": 32,
    "num_attention_heads": 4,
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "shared_expert_intermediate_size": 32,
    "vocab_size": 1000,
}
TOYS = [QWEN3_NEXT_80B_A3B, QWEN3_5, QWEN3_5_MOE]


def test_parameters_by_hand():
    # queries, keys, values 8 x (2 + 2 + 6); gate 8 x 6; decay and strength 2 x 8 x 2; output
    # 6 x 8; convolution 10 x 4
    assert TOY.matrices(8) == 80 + 48 + 32 + 48 + 40
    # two rates, two offsets, one norm of width 3
    assert TOY.small_parameters(8, 1) == 2 + 2 + 3
    assert float(TOY.arrays().weights(8.0)) == TOY.matrices(8)


def test_a_token_by_hand():
    arrays = TOY.arrays()
    # two states of 2 x 3: decay 1, recall 2, correction 2, answer 2 operations an element
    assert float(arrays.work(1e6, EXACT)) == 2 * 6 * (1 + 2 + 2 + 2)
    # the states, and three earlier tokens of ten channels
    assert TOY.state_elements() == float(arrays.state()) == 2 * 6 + 10 * 3
    assert arrays.cache(1e6, EXACT) == arrays.traffic(1e6, EXACT) == 0
    assert arrays.scores(1e6, EXACT) == arrays.index_cache(1e6, EXACT) == 0
    assert arrays.cache_heads() is None
    assert TOY.cache_elements() == TOY.growing_cache_elements() == TOY.index_elements() == 0


def test_value_heads_share_key_heads_evenly():
    with pytest.raises(ValidationError, match=r"key_heads \(3\) must divide value_heads \(4\)"):
        GatedDeltaNet(key_heads=3, key_dim=2, value_heads=4, value_dim=3, kernel=4)


@pytest.mark.parametrize("size", ["27B", "35B-A3B", "397B-A17B"])
def test_qwen3_5_is_counted_exactly(size):
    assert_counted_exactly(f"Qwen__Qwen3.5-{size}")


def test_qwen3_next_has_the_published_total(tmp_path):
    spec, _ = read_config(written(tmp_path, QWEN3_NEXT_80B_A3B))
    tally = counts(spec)
    assert tally.total == 79_674_391_296
    assert tally.state_elements_per_sequence == 36 * (32 * 128 * 128 + 3 * 8192)
    assert tally.kv_elements_per_token_growing == 12 * 2 * 2 * 256
    kinds = [(group.count, group.attention.kind) for group in spec.layers]
    assert kinds == [(36, "gated-delta"), (12, "grouped-query")]


def test_widths_left_out_are_those_of_the_config_class(tmp_path):
    spec, report = read_config(written(tmp_path, QWEN3_5_MOE))
    linear = GatedDeltaNet(key_heads=16, key_dim=128, value_heads=32, value_dim=128, kernel=4)
    assert (spec.layers[0].count, spec.layers[0].attention) == (3, linear)
    defaults = {row.field: row.value for row in report.having(Use.DEFAULT)}
    assert defaults["full_attention_interval"] == 4
    assert defaults["head_dim"] == 256


def test_listed_layers_need_no_interval(tmp_path):
    spec, report = read_config(written(tmp_path, QWEN3_5))
    assert [group.count for group in spec.layers] == [1, 1]
    assert not [row for row in report.rows if row.field.endswith("full_attention_interval")]


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (QWEN3_5_MOE, {"full_attention_interval": 0}, "must be greater than 0, got 0"),
        (QWEN3_5_MOE, {"linear_num_key_heads": 5}, "5 must divide linear_num_value_heads (32)"),
        (QWEN3_5_MOE, {"attn_output_gate": False}, "attn_output_gate: false is not modelled here"),
        (QWEN3_5_MOE, {"mlp_only_layers": [1]}, "mlp_only_layers: [1] is not modelled here"),
        (QWEN3_5_MOE, {"layer_types": ["full_attention"]}, "each of 4 layers, got 1"),
        (QWEN3_5_MOE, {"layer_types": ["mamba"] * 4}, 'layer_types: holds "mamba"'),
        (QWEN3_5_MOE, {"linear_key_head_dim": "128"}, "linear_key_head_dim: must be a whole"),
        (QWEN3_5_MOE, {"sliding_window": 8}, "sliding_window: not modelled for model_type"),
        (QWEN3_5_MOE, {"num_experts": 1}, "2 must not exceed num_experts (1)"),
        (QWEN3_5_MOE, {"linear_heads": 3}, "linear_heads: not modelled for model_type"),
        (
            QWEN3_NEXT_80B_A3B,
            {"layer_types": ["linear_attention"] * 48},
            "layer_types: contradicts full_attention_interval, which is 4",
        ),
        (QWEN3_NEXT_80B_A3B, {"num_key_value_heads": 3}, "3 must divide num_attention_heads (16)"),
    ],
)
def test_one_mistake(tmp_path, config, change, message):
    assert message in mistakes(tmp_path, {**config, **change})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "full_attention_interval", "mlp_only_layers", "attention_bias"]
    assert_read_or_refused(data, TOYS, extra)
