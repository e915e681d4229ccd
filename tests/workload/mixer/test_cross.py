"""Cross-attention: hand counts, and the text model of Llama 3.2 Vision."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.cross import CrossAttention
from tests.workload.configs import mistakes, written

EXACT = Exact()
LLAMA_3_2_11B_VISION = {
    "architectures": ["MllamaForConditionalGeneration"],
    "model_type": "mllama",
    "image_token_index": 128256,
    "text_config": {
        "model_type": "mllama_text_model",
        "cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38],
        "hidden_act": "silu",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
        "tie_word_embeddings": False,
        "vocab_size": 128256,
    },
    "vision_config": {"model_type": "mllama_vision_model", "hidden_size": 1280},
}


def test_a_layer_by_hand():
    toy = CrossAttention(heads=4, kv_heads=2, head_dim=3)
    # queries and output 2 x 10 x 12, keys and values 2 x 10 x 6
    assert toy.matrices(10) == 240 + 120
    # two norms of a head, two gates
    assert toy.small_parameters(10, 1) == 6 + 2
    arrays = toy.arrays()
    assert float(arrays.weights(10.0)) == 360
    assert arrays.work(1e6, EXACT) == arrays.cache(1e6, EXACT) == toy.state_elements() == 0
    assert "keys and values of images" in arrays.basis()[0]


def test_the_text_model_is_counted_exactly(tmp_path):
    # transformers 5.24, MllamaForCausalLM on a meta device
    spec, _ = read_config(written(tmp_path, LLAMA_3_2_11B_VISION))
    tally = counts(spec)
    assert tally.total == 9_775_192_080
    assert tally.embedding - tally.lm_head == 8 * 4096
    assert tally.kv_elements_per_token_growing == 32 * 2 * 8 * 128
    assert [(it.count, it.attention.kind) for it in spec.layers] == [
        (32, "grouped-query"),
        (8, "cross-attention"),
    ]


@pytest.mark.parametrize("layers", [None, [40], "all"])
def test_its_layers_must_be_named(tmp_path, layers):
    text = {**LLAMA_3_2_11B_VISION["text_config"], "cross_attention_layers": layers}
    assert "cross_attention_layers" in mistakes(
        tmp_path, {**LLAMA_3_2_11B_VISION, "text_config": text}
    )
