"""Kimi Delta Attention: hand counts, and the family that has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact
from liminal_jax.workload.counts import counts
from liminal_jax.workload.feedforward.latent_experts import LatentMixtureOfExperts
from liminal_jax.workload.huggingface import Use, read_config
from liminal_jax.workload.mixer.kimi_delta import KimiDeltaAttention
from liminal_jax.workload.mixer.latent import LatentAttention
from tests.workload.configs import assert_counted_exactly, mistakes, written
from tests.workload.fuzz import assert_read_or_refused
from tests.workload.test_families import FAMILIES

EXACT = Exact()
TOY = KimiDeltaAttention(heads=2, head_dim=3, kernel=4)

LINEAR = {
    "kda_layers": [1, 2, 3],
    "full_attn_layers": [4],
    "num_heads": 4,
    "head_dim": 16,
    "short_conv_kernel_size": 4,
}
KIMI_LINEAR = {
    "model_type": "kimi_linear",
    "architectures": ["KimiLinearForCausalLM"],
    "first_k_dense_replace": 1,
    "hidden_size": 64,
    "intermediate_size": 128,
    "kv_lora_rank": 32,
    "linear_attn_config": LINEAR,
    "mla_use_nope": True,
    "moe_intermediate_size": 32,
    "moe_layer_freq": 1,
    "num_attention_heads": 4,
    "num_experts": 8,
    "num_experts_per_token": 2,
    "num_hidden_layers": 4,
    "num_shared_experts": 1,
    "q_lora_rank": None,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 16,
    "vocab_size": 1000,
}


def test_parameters_by_hand():
    # queries, keys, values, output 4 x 10 x 6; decay and gate 2 x (10 x 3 + 3 x 6); strength
    # 10 x 2; three convolutions of 6 channels x 4
    assert TOY.matrices(10) == 240 + 96 + 20 + 72
    # two rates, six offsets, one norm of width 3
    assert TOY.small_parameters(10, 1) == 2 + 6 + 3
    assert float(TOY.arrays().weights(10.0)) == TOY.matrices(10)


def test_a_token_by_hand():
    arrays = TOY.arrays()
    # two states of 3 x 3: decay 1, recall 2, correction 2, answer 2 operations an element
    assert float(arrays.work(1e6, EXACT)) == 2 * 9 * (1 + 2 + 2 + 2)
    # the states, and three earlier tokens of 3 x 6 channels
    assert TOY.state_elements() == float(arrays.state()) == 2 * 9 + 18 * 3
    assert arrays.cache(1e6, EXACT) == arrays.scores(1e6, EXACT) == 0
    assert arrays.cache_heads() is None


def test_kimi_linear_is_counted_exactly():
    assert_counted_exactly("moonshotai__Kimi-Linear-48B-A3B-Instruct")


def test_layers_by_their_two_lists(tmp_path):
    spec, report = read_config(written(tmp_path, KIMI_LINEAR))
    kinds = [(g.count, g.attention.kind, g.feedforward.kind) for g in spec.layers]
    assert kinds == [
        (1, "kimi-delta", "dense"),
        (2, "kimi-delta", "mixture"),
        (1, "latent", "mixture"),
    ]
    read = [row.field for row in report.having(Use.READ)]
    assert "linear_attn_config.kda_layers" in read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kda_layers": [0, 1, 2]}, "linear_attn_config.kda_layers.0: must be a layer from 1 to 4"),
        ({"kda_layers": [1, 2]}, "full_attn_layers: leaves out layer 3, as kda_layers does"),
        ({"full_attn_layers": [3, 4]}, "full_attn_layers: names layer 3, as kda_layers does"),
        ({"full_attn_layers": None}, "linear_attn_config.full_attn_layers: is required"),
        ({"num_heads": 0}, "linear_attn_config.num_heads: must be greater than 0"),
        ({"gate_low_rank_dim": 4}, "linear_attn_config.gate_low_rank_dim: unknown field"),
    ],
)
def test_one_mistake_of_the_linear_layers(tmp_path, change, message):
    config = {**KIMI_LINEAR, "linear_attn_config": {**LINEAR, **change}}
    assert message in mistakes(tmp_path, config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"linear_attn_config": None}, "linear_attn_config: is required, got null"),
        ({"linear_attn_config": [1]}, "linear_attn_config: must be an object, got [1]"),
        ({"attention_bias": True}, "attention_bias: true is not modelled here"),
        ({"num_experts": None}, "num_experts: is required, got null"),
        ({"num_experts_per_token": 9}, "9 must not exceed num_experts (8)"),
        ({"mla_output_gate_rank": 8}, "mla_output_gate_rank: unknown field"),
        ({"num_hidden_layers": 5}, "leaves out layer 5"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**KIMI_LINEAR, **change})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "attention_bias", "moe_layer_freq", "head_dim"]
    assert_read_or_refused(data, [KIMI_LINEAR], extra, "linear_attn_config")


def test_gates_of_full_rank_by_hand():
    toy = KimiDeltaAttention(heads=2, head_dim=3, kernel=4, full_gate=True)
    # queries, keys, values, output and gate 5 x 10 x 6; decay 30 + 18; strength 20; filters 72
    assert toy.matrices(10) == 300 + 48 + 20 + 72
    assert float(toy.arrays().weights(10.0)) == 440
    sizes = {"heads": 2, "q_rank": 4, "kv_rank": 3, "nope_dim": 2, "rope_dim": 1, "value_dim": 2}
    gated = LatentAttention(**sizes, output_gate=True)
    # a gate for each of 2 x 2 values
    assert gated.matrices(10) - LatentAttention(**sizes).matrices(10) == 10 * 4
    assert float(gated.arrays().weights(10.0)) == gated.matrices(10)


def test_experts_return_through_a_norm():
    sizes = {"experts": 4, "top_k": 2, "latent": 5, "intermediate": 6}
    normed = LatentMixtureOfExperts(**sizes, normed=True)
    assert normed.small_parameters(10) == 5
    assert normed.matrices(10) == LatentMixtureOfExperts(**sizes).matrices(10)


def test_kimi_k3_has_the_published_sizes(tmp_path):
    # shared/reference/models/README.md: text 2,779.5 B, 104.2 B active without input embedding
    spec, _ = read_config(written(tmp_path, FAMILIES["Kimi-K3"]["config"]))
    tally = counts(spec)
    assert round(tally.total / 1e8) == 27795
    assert round(tally.active_without_input_embedding / 1e8) == 1042
    # two parts, two norms and two vectors of weights; before the head one of each
    assert {group.norm_count() for group in spec.layers} == {6}
    assert spec.small == 2 * 7168
    assert tally.kv_elements_per_token_growing == 24 * (512 + 64)
