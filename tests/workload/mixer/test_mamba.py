"""Mamba: hand counts, and what a config may say."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.mamba import MambaLayer
from tests.workload.configs import mistakes, written

EXACT = Exact()
TOY = MambaLayer(heads=4, state_dim=3, step_rank=2, kernel=4, normed=True)
JAMBA = {
    "model_type": "jamba",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 16,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "mamba_dt_rank": "auto",
    "vocab_size": 100,
}


def test_parameters_by_hand():
    # inputs and gate 2 x 10 x 4, output 4 x 10; of each channel 2 + 3 + 3, and back from 2;
    # filters 4 x 4
    assert TOY.matrices(10) == 80 + 40 + 32 + 8 + 16
    # rates 4 x 3, offsets and skips 2 x 4, biases of filters 4, norms of 2, 3 and 3
    assert TOY.small_parameters(10, 1) == 12 + 8 + 4 + 8
    assert float(TOY.arrays().weights(10.0)) == TOY.matrices(10)


def test_a_token_and_a_chunk_by_hand():
    arrays = TOY.arrays()
    # 12 elements: rate 1, decay 1, input 2, answer 2
    assert float(arrays.work(1e6, EXACT)) == 12 * (1 + 1 + 2 + 2)
    assert float(arrays.chunk_work(Chunk(tokens=5, past=7), EXACT)) == 5 * 72
    # the states, and three earlier tokens of four channels
    assert TOY.state_elements() == float(arrays.state()) == 12 + 12
    assert arrays.cache(1e6, EXACT) == TOY.growing_cache_elements() == 0


def test_jamba_has_one_layer_of_attention_and_four_mixtures_in_eight(tmp_path):
    spec, _ = read_config(written(tmp_path, JAMBA))
    kinds = [(it.count, it.attention.kind, it.feedforward.kind) for it in spec.layers]
    assert kinds == [
        (6, "mamba", "dense"),
        (8, "mamba", "mixture"),
        (2, "grouped-query", "dense"),
    ]
    assert spec.layers[0].attention.step_rank == 4
    dense, _ = read_config(written(tmp_path, {**JAMBA, "num_experts": 1}))
    assert {it.feedforward.kind for it in dense.layers} == {"dense"}
    assert counts(dense).state_elements_per_sequence == 14 * 128 * (16 + 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attn_layer_offset": 8}, "attn_layer_offset: 8 must be less than attn_layer_period (8)"),
        ({"mamba_dt_rank": "some"}, 'mamba_dt_rank: must be a whole number, got "some"'),
        ({"mamba_inner_layernorms": False}, "mamba_inner_layernorms: false is not modelled"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**JAMBA, **change})
