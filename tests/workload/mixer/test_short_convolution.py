"""Short convolutions: hand counts, and the families of LFM2."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.short_convolution import ShortConvolutionLayer
from tests.workload.configs import mistakes, written
from tests.workload.fuzz import assert_read_or_refused

EXACT = Exact()
LFM2_1_2B = {
    "architectures": ["Lfm2ForCausalLM"],
    "model_type": "lfm2",
    "block_auto_adjust_ff_dim": True,
    "block_dim": 2048,
    "block_ff_dim": 12288,
    "block_ffn_dim_multiplier": 1.0,
    "block_multiple_of": 256,
    "block_use_swiglu": True,
    "conv_L_cache": 3,
    "conv_bias": False,
    "conv_dim": 2048,
    "full_attn_idxs": [2, 5, 8, 10, 12, 14],
    "hidden_size": 2048,
    "num_attention_heads": 32,
    "num_heads": 32,
    "num_hidden_layers": 16,
    "num_key_value_heads": 8,
    "theta": 1000000.0,
    "tie_embedding": True,
    "use_pos_enc": True,
    "vocab_size": 65536,
}
LFM2_8B_A1B = {
    "architectures": ["Lfm2MoeForCausalLM"],
    "model_type": "lfm2_moe",
    "conv_L_cache": 3,
    "conv_bias": False,
    "hidden_size": 2048,
    "intermediate_size": 7168,
    "layer_types": [
        "full_attention" if layer in (2, 6, 10, 14, 18, 21) else "conv" for layer in range(24)
    ],
    "moe_intermediate_size": 1792,
    "norm_topk_prob": True,
    "num_attention_heads": 32,
    "num_dense_layers": 2,
    "num_experts": 32,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 24,
    "num_key_value_heads": 8,
    "use_expert_bias": True,
    "vocab_size": 65536,
}


def test_a_layer_by_hand():
    toy = ShortConvolutionLayer(channels=5, kernel=3, bias=True)
    # to the channels and two gates 10 x 15, back 5 x 10, a filter of 3 a channel
    assert toy.matrices(10) == 150 + 50 + 15
    # biases of 15 and 10 outputs and of 5 filters
    assert toy.small_parameters(10, 1) == 15 + 10 + 5
    arrays = toy.arrays()
    assert float(arrays.weights(10.0)) == 215
    # two earlier tokens of five channels; a filter's work is that of its weights
    assert toy.state_elements() == float(arrays.state()) == 10
    assert arrays.work(1e6, EXACT) == arrays.chunk_work(Chunk(tokens=7, past=3), EXACT) == 0
    assert arrays.cache(1e6, EXACT) == toy.cache_elements() == 0


def test_lfm2_is_counted_exactly(tmp_path):
    # transformers 5.24 on a meta device; the table of the head is the embedding
    spec, _ = read_config(written(tmp_path, LFM2_1_2B))
    tally = counts(spec)
    assert tally.total == 1_170_340_608
    assert tally.state_elements_per_sequence == 10 * 2 * 2048
    assert tally.kv_elements_per_token_growing == 6 * 2 * 8 * 64
    assert spec.layers[0].feedforward.intermediate == 8192


def test_lfm2_mixtures_are_counted_exactly(tmp_path):
    # transformers 5.24 on a meta device, and its correction biases, which are buffers there
    spec, _ = read_config(written(tmp_path, LFM2_8B_A1B))
    assert counts(spec).total == 8_339_929_856 + 22 * 32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"full_attn_idxs": None}, "layer_types: is required, or full_attn_idxs"),
        ({"full_attn_idxs": [16]}, "must be a layer from 0 to 15, got 16"),
        ({"layer_types": ["conv"] * 16}, "full_attn_idxs: contradicts layer_types"),
        ({"conv_dim": 1024}, "conv_dim: 1024 is not modelled here"),
        ({"block_ffn_dim_multiplier": "x"}, "must be a number between 0 and 100"),
        ({"tie_word_embeddings": False}, "tie_embedding: contradicts tie_word_embeddings"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**LFM2_1_2B, **change})


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    assert_read_or_refused(data, [LFM2_1_2B, LFM2_8B_A1B], ["layer_types", "intermediate_size"])
