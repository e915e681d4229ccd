"""Lightning attention: hand counts, and MiniMax-Text-01 under its two names."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.decayed import LightningAttention
from tests.workload.configs import mistakes, written

EXACT = Exact()
MINIMAX = {
    "model_type": "minimax_text_01",
    "architectures": ["MiniMaxText01ForCausalLM"],
    "attn_type_list": [0, 0, 0, 1],
    "head_dim": 16,
    "hidden_size": 64,
    "intermediate_size": 128,
    "layernorm_full_attention_alpha": 3.5,
    "num_attention_heads": 8,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "postnorm": True,
    "shared_intermediate_size": 0,
    "vocab_size": 100,
}


def test_a_layer_by_hand():
    toy = LightningAttention(heads=2, head_dim=3)
    # queries, keys, values, output and gate, each 10 x 6; a norm over 6
    assert toy.matrices(10) == 5 * 60
    assert toy.small_parameters(10, 1) == 6
    arrays = toy.arrays()
    assert float(arrays.weights(10.0)) == 300
    # two states of 3 x 3: decay 1, value 2, answer 2
    assert float(arrays.work(1e6, EXACT)) == 18 * 5
    assert float(arrays.chunk_work(Chunk(tokens=4, past=9), EXACT)) == 4 * 90
    assert toy.state_elements() == float(arrays.state()) == 18
    assert arrays.cache(1e6, EXACT) == toy.cache_elements() == 0


def test_layers_by_number_and_by_word(tmp_path):
    spec, _ = read_config(written(tmp_path, MINIMAX))
    kinds = [(it.count, it.attention.kind) for it in spec.layers]
    assert kinds == [(3, "lightning"), (1, "grouped-query")]
    words = ["linear_attention"] * 3 + ["full_attention"]
    other = {**MINIMAX, "model_type": "minimax", "architectures": ["MiniMaxForCausalLM"]}
    other = {**other, "layer_types": words, "attn_type_list": None}
    assert counts(read_config(written(tmp_path, other))[0]) == counts(spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attn_type_list": None}, "attn_type_list: is required, or layer_types"),
        ({"attn_type_list": [0, 1]}, "each of 4 layers, got 2"),
        ({"layer_types": ["full_attention"] * 4}, "attn_type_list: contradicts layer_types"),
        ({"shared_intermediate_size": 8}, "shared_intermediate_size: 8 is not modelled"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**MINIMAX, **change})
