"""Block-sparse attention: hand counts of kept and read, and the family that has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from liminal_jax._smooth import Exact, Soft
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.block_sparse import BlockSparseAttention
from tests.workload.configs import assert_counted_exactly, mistakes, written
from tests.workload.fuzz import assert_read_or_refused

EXACT = Exact()
SHAPE = {
    "heads": 4,
    "kv_heads": 2,
    "head_dim": 3,
    "index_dim": 5,
    "block": 8,
    "top_blocks": 4,
}
TOY = BlockSparseAttention(qk_norm="per-head", **SHAPE)

SPARSE = {
    "use_sparse_attention": True,
    "sparse_attention_freq": [0, 1, 1],
    "sparse_block_size": 8,
    "sparse_disable_index_value": [0, 1, 1],
    "sparse_index_dim": 16,
    "sparse_init_block": 0,
    "sparse_local_block": 1,
    "sparse_num_index_heads": 2,
    "sparse_score_type": "max",
    "sparse_topk_blocks": 4,
}
TEXT = {
    "architectures": ["MiniMaxM3SparseForCausalLM"],
    "attention_output_gate": False,
    "dense_intermediate_size": 96,
    "head_dim": 16,
    "hidden_act": "swigluoai",
    "hidden_size": 64,
    "intermediate_size": 32,
    "moe_layer_freq": [0, 1, 1],
    "n_shared_experts": 1,
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "num_local_experts": 8,
    "qk_norm_type": "per_head",
    "shared_intermediate_size": 24,
    "sparse_attention_config": SPARSE,
    "swiglu_alpha": 1.702,
    "use_gemma_norm": True,
    "use_qk_norm": True,
    "use_routing_bias": True,
    "vocab_size": 1000,
}
MINIMAX_M3 = {
    "architectures": ["MiniMaxM3SparseForConditionalGeneration"],
    "model_type": "minimax_m3_vl",
    "text_config": TEXT,
    "vision_config": {"hidden_size": 32},
}


def with_text(**change):
    return {**MINIMAX_M3, "text_config": {**TEXT, **change}}


def with_sparse(**change):
    return with_text(sparse_attention_config={**SPARSE, **change})


def test_parameters_by_hand():
    # queries and output 2 x 10 x 12; keys and values 2 x 10 x 6; two index queries and a key of 5
    assert TOY.matrices(10) == 240 + 120 + 10 * (2 * 5 + 5)
    # norms on queries, keys, index queries and index keys
    assert TOY.small_parameters(10, 1) == 3 + 3 + 5 + 5
    assert BlockSparseAttention(**SHAPE).small_parameters(10, 1) == 0
    assert float(TOY.arrays().weights(10.0)) == TOY.matrices(10)


def test_a_long_context_is_kept_whole_and_read_in_part():
    arrays, context = TOY.arrays(), 1000.0
    # four blocks of 8 tokens are attended to; a token has 2 x 2 x 3 elements of cache, 5 of index
    assert float(arrays.cache(context, EXACT)) == 12 * 1000
    assert float(arrays.traffic(context, EXACT)) == 12 * 32
    assert float(arrays.index_cache(context, EXACT)) == 5 * 1000
    assert float(arrays.index_traffic(context, EXACT)) == 5 * 1000
    assert float(arrays.scores(context, EXACT)) == 4 * 32
    # two index queries against 1000 keys; scores and sums of four heads over 32 tokens
    assert float(arrays.work(context, EXACT)) == 2 * 2 * 5 * 1000 + 2 * 2 * 4 * 3 * 32
    assert TOY.cache_elements() == TOY.growing_cache_elements() == 12
    assert TOY.index_elements() == 5
    assert float(arrays.cache_heads()) == 2
    assert float(arrays.output_width()) == 3
    assert len(arrays.basis()) == 1


def test_a_short_context_is_read_whole():
    arrays = TOY.arrays()
    assert float(arrays.traffic(20.0, EXACT)) == float(arrays.cache(20.0, EXACT)) == 12 * 20
    assert float(arrays.scores(20.0, EXACT)) == 4 * 20
    soft = float(arrays.traffic(20.0, Soft(0.01)))
    assert soft == pytest.approx(12 * 20, rel=1e-6)


def test_query_heads_share_key_heads_evenly():
    with pytest.raises(ValidationError, match=r"kv_heads \(3\) must divide heads \(4\)"):
        BlockSparseAttention(**{**SHAPE, "kv_heads": 3})


def test_the_words():
    assert TOY.words() == "sparse 4x8, 4/2 heads of 3"


def test_minimax_m3_is_counted_exactly():
    assert_counted_exactly("MiniMaxAI__MiniMax-M3")


def test_first_layers_are_full_and_dense(tmp_path):
    spec, report = read_config(written(tmp_path, MINIMAX_M3))
    kinds = [(g.count, g.attention.kind, g.feedforward.kind) for g in spec.layers]
    assert kinds == [(1, "grouped-query", "dense"), (2, "block-sparse", "mixture")]
    assert report.family == "minimax_m3_text"
    attention = 2 * 64 * 16 * (4 + 2) + 2 * 16
    index = 64 * (2 * 16 + 16) + 2 * 16
    mixture = 64 * 8 + 8 * 3 * 64 * 32 + 3 * 64 * 24 + 8
    tally = counts(spec)
    assert tally.total_without_embeddings == (
        3 * attention + 2 * index + 3 * 64 * 96 + 2 * mixture + 3 * 2 * 64 + 64
    )
    assert tally.index_key_elements_per_token == 2 * 16
    assert tally.kv_elements_per_token_growing == 3 * 2 * 2 * 16


def test_the_text_model_alone_and_without_an_index(tmp_path):
    rest = {key: TEXT[key] for key in TEXT if key != "sparse_attention_config"}
    spec, _ = read_config(written(tmp_path, {"model_type": "minimax_m3_text", **rest}))
    assert {group.attention.kind for group in spec.layers} == {"grouped-query"}


def test_no_shared_expert(tmp_path):
    spec, _ = read_config(written(tmp_path, with_text(n_shared_experts=0)))
    assert spec.layers[1].feedforward.shared_intermediate == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sparse_attention_freq": [0, 1]}, "must have one entry for each of 3 layers, got 2"),
        ({"sparse_attention_freq": [0, 2, 1]}, "sparse_attention_freq: holds 2"),
        ({"sparse_attention_freq": None}, "sparse_attention_freq: is required"),
        ({"sparse_disable_index_value": None}, "sparse_disable_index_value: is required"),
        ({"sparse_disable_index_value": [0, 0, 1]}, "values of the index are not modelled"),
        ({"sparse_num_index_heads": 4}, "4 is not num_key_value_heads (2)"),
        ({"sparse_score_type": "mean"}, 'sparse_score_type: "mean" is not modelled here'),
        ({"use_sparse_attention": False}, "use_sparse_attention: false is not modelled here"),
        ({"sparse_init_block": 4}, "4 is fewer than the 5 of sparse_init_block"),
        ({"sparse_block_size": 0}, "sparse_block_size: must be greater than 0"),
        ({"sparse_index_dim": None}, "sparse_index_dim: is required, got null"),
        ({"sparse_window": 8}, "sparse_attention_config.sparse_window: unknown field"),
    ],
)
def test_one_mistake_of_the_index(tmp_path, change, message):
    assert message in mistakes(tmp_path, with_sparse(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sparse_attention_config": 1}, "sparse_attention_config: must be an object, got 1"),
        ({"attention_output_gate": True}, "attention_output_gate: true is not modelled here"),
        ({"qk_norm_type": "per_layer"}, 'qk_norm_type: "per_layer" is not modelled here'),
        ({"use_qk_norm": False}, "use_qk_norm: false is not modelled here"),
        ({"hidden_act": "relu2"}, "hidden_act: 'relu2' is not modelled here"),
        ({"moe_layer_freq": [0, 1]}, "must have one entry for each of 3 layers, got 2"),
        ({"moe_layer_freq": 2}, "moe_layer_freq: must be a list, got 2"),
        ({"num_experts_per_tok": 9}, "9 must not exceed num_local_experts (8)"),
        ({"dense_intermediate_size": None}, "dense_intermediate_size: is required, got null"),
        ({"shared_intermediate_size": None}, "shared_intermediate_size: is required, got null"),
        ({"num_key_value_heads": 3}, "3 must divide num_attention_heads (4)"),
        ({"model_type": "llama"}, "(model_type 'llama') is not modelled"),
        ({"index_topk": 8}, "index_topk: not modelled for model_type"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, with_text(**change))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "attention_bias", "num_experts", "index_topk"]
    assert_read_or_refused(data, [MINIMAX_M3], extra, "sparse_attention_config")
