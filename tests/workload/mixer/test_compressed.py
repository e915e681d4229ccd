"""Attention to a window and to pooled entries: hand counts, and DeepSeek-V4."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from liminal_jax._smooth import Exact
from liminal_jax.data.models import load_model_spec, spec_to_toml
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import Use, read_config
from liminal_jax.workload.mixer.compressed import CompressedAttention
from liminal_jax.workload.mixer.compressor import CompressorSpec
from liminal_jax.workload.mixer.lightning import IndexSpec
from liminal_jax.workload.model import model_of
from tests.workload.configs import (
    REFERENCE,
    assert_counted_exactly,
    mistakes,
    reference_counts,
    written,
)
from tests.workload.fuzz import assert_read_or_refused

EXACT = Exact()
SHAPE = {
    "heads": 4,
    "head_dim": 6,
    "q_rank": 5,
    "output_groups": 2,
    "output_rank": 3,
    "window": 8,
}
WINDOW = CompressedAttention(**SHAPE)
HEAVY = CompressedAttention(compressor=CompressorSpec(ratio=16), **SHAPE)
SPARSE = CompressedAttention(
    compressor=CompressorSpec(ratio=4, spans=2),
    index=IndexSpec(heads=3, head_dim=2),
    top_k=7,
    **SHAPE,
)

DEEPSEEK_V4 = {
    "model_type": "deepseek_v4",
    "architectures": ["DeepseekV4ForCausalLM"],
    "attention_bias": False,
    "compress_ratios": [128, 0, 4, 128, 0],
    "compress_rope_theta": 160000,
    "expert_dtype": "fp4",
    "hc_eps": 1e-6,
    "hc_mult": 2,
    "hc_sinkhorn_iters": 20,
    "head_dim": 32,
    "hidden_size": 64,
    "index_head_dim": 8,
    "index_n_heads": 4,
    "index_topk": 16,
    "moe_intermediate_size": 32,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hash_layers": 1,
    "num_hidden_layers": 4,
    "num_key_value_heads": 1,
    "num_nextn_predict_layers": 1,
    "o_groups": 2,
    "o_lora_rank": 16,
    "q_lora_rank": 24,
    "qk_rope_head_dim": 8,
    "scoring_func": "sqrtsoftplus",
    "sliding_window": 8,
    "swiglu_limit": 10.0,
    "topk_method": "noaux_tc",
    "vocab_size": 1000,
}
FLASH = {
    **DEEPSEEK_V4,
    "compress_ratios": [0, 0, 4, *[128, 4] * 20, 0],
    "hc_mult": 4,
    "head_dim": 512,
    "hidden_size": 4096,
    "index_head_dim": 128,
    "index_n_heads": 64,
    "index_topk": 512,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "num_attention_heads": 64,
    "num_experts_per_tok": 6,
    "num_hash_layers": 3,
    "num_hidden_layers": 43,
    "o_groups": 8,
    "o_lora_rank": 1024,
    "q_lora_rank": 1024,
    "qk_rope_head_dim": 64,
    "sliding_window": 128,
    "vocab_size": 129280,
}


def test_parameters_by_hand():
    # queries 10 x 5 + 5 x 24, shared vector 10 x 6, output 24 x 3 + 2 x 3 x 10
    own = 50 + 120 + 60 + 72 + 60
    assert WINDOW.matrices(10) == own
    assert HEAVY.matrices(10) == own + 2 * 10 * 6
    # entries and keys pool two windows; index: queries 5 x 6, shares 10 x 3
    assert SPARSE.matrices(10) == own + 2 * 10 * 12 + 2 * 10 * 4 + 30 + 30
    # norms of the query's latent and of the shared vector, a sink a head
    assert WINDOW.small_parameters(10, 1) == 5 + 6 + 4
    assert HEAVY.small_parameters(10, 1) == 15 + 16 * 6 + 6
    assert SPARSE.small_parameters(10, 1) == 15 + (4 * 12 + 6) + (4 * 4 + 2)
    for spec in (WINDOW, HEAVY, SPARSE):
        assert float(spec.arrays().weights(10.0)) == spec.matrices(10)


def test_what_a_token_adds():
    assert (WINDOW.cache_elements(), WINDOW.growing_cache_elements()) == (6, 0)
    assert (HEAVY.cache_elements(), HEAVY.growing_cache_elements()) == (6 + 6 / 16, 6 / 16)
    assert (SPARSE.cache_elements(), SPARSE.growing_cache_elements()) == (6 + 6 / 4, 6 / 4)
    assert (HEAVY.index_elements(), SPARSE.index_elements()) == (0, 2 / 4)
    for spec in (WINDOW, HEAVY, SPARSE):
        arrays = spec.arrays()
        assert float(arrays.cache(1.0, EXACT)) == spec.cache_elements()
        assert float(arrays.index_cache(1.0, EXACT)) == spec.index_elements()


@pytest.mark.parametrize(
    ("spec", "context", "tokens", "entries"),
    [
        (WINDOW, 4.0, 4, 0),
        (WINDOW, 64.0, 8, 0),
        (HEAVY, 64.0, 8, 4),
        (HEAVY, 640.0, 8, 40),
        (SPARSE, 4.0, 4, 1),
        (SPARSE, 64.0, 8, 7),
    ],
)
def test_attending_by_hand(spec, context, tokens, entries):
    arrays = spec.arrays()
    # gates of the entries' compressor, and of the index's, go through a softmax too
    spans = 0 if spec.compressor is None else spec.compressor.spans
    gates = spans * (6 + (0 if spec.index is None else 2))
    scored = 0 if spec.index is None else context / 4
    attending = 4 * 4 * 6 * (tokens + entries)
    indexing = 2 * 3 * 2 * scored + 2 * 3 * scored
    assert float(arrays.work(context, EXACT)) == pytest.approx(attending + indexing + 2 * gates)
    assert float(arrays.scores(context, EXACT)) == pytest.approx(4 * (tokens + entries) + gates)
    # what waits to be pooled, two elements a channel and span, is written and read
    moved = 6 * (tokens + entries) + 4 * spans * 6
    assert float(arrays.traffic(context, EXACT)) == pytest.approx(moved)
    kept = 0 if spec.compressor is None else context / spec.compressor.ratio
    assert float(arrays.cache(context, EXACT)) == pytest.approx(6 * (tokens + kept))
    keys = 2 * scored
    pooled = 0 if spec.index is None else 4 * spans * 2
    assert float(arrays.index_cache(context, EXACT)) == pytest.approx(keys)
    assert float(arrays.index_traffic(context, EXACT)) == pytest.approx(keys + pooled)
    assert (arrays.cache_heads(), float(arrays.output_width())) == (1, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"output_groups": 3}, r"output_groups \(3\) must divide heads \(4\)"),
        ({"index": IndexSpec(heads=1, head_dim=1), "top_k": 2}, "give compressor"),
        ({"top_k": 2}, "index and top_k go together"),
    ],
)
def test_a_contradictory_record_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        CompressedAttention(**{**SHAPE, **change})


def test_deepseek_v4_pro_is_counted_exactly():
    assert_counted_exactly("deepseek-ai__DeepSeek-V4-Pro")


def test_counts_print_the_published_numbers():
    row = reference_counts("deepseek-ai__DeepSeek-V4-Pro")
    tally = counts(read_config(REFERENCE / f"{row['name']}.json")[0])._asdict()
    assert json.loads(json.dumps(tally)) == {key: row[key] for key in tally}


def test_a_part_of_an_element_is_counted_as_such(tmp_path):
    tally = counts(read_config(written(tmp_path, DEEPSEEK_V4))[0])
    assert tally.kv_elements_per_token_growing == 2 * 32 / 128 + 32 / 4
    assert tally.kv_elements_per_token_all_layers == 8.5 + 4 * 32
    assert tally.index_key_elements_per_token == 8 / 4
    assert isinstance(tally.index_key_elements_per_token, int)


def test_deepseek_v4_flash(tmp_path):
    spec, report = read_config(written(tmp_path, FLASH))
    assert counts(spec).total == 284_332_240_471
    labels = [(group.count, group.attention.label()) for group in spec.layers]
    assert labels == [
        (2, "sliding 128"),
        (1, "1/4 top-512 + sliding 128"),
        (20, "1/128 + sliding 128"),
        (20, "1/4 top-512 + sliding 128"),
    ]
    ignored = {row.field: row.note for row in report.having(Use.IGNORED)}
    assert ignored["expert_dtype"] == "number format"


def test_work_of_a_token_at_a_million_tokens_against_the_report():
    """The V4 report gives the work of V4-Pro as 27 % of V3.2's at a million tokens."""
    pro = reference_counts("deepseek-ai__DeepSeek-V4-Pro")
    old = reference_counts("deepseek-ai__DeepSeek-V3.2")
    work = []
    for row in (pro, old):
        model = model_of(read_config(REFERENCE / f"{row['name']}.json")[0])
        mixing = sum(it.count * it.attention.work(2.0**20, EXACT) for it in model.layers)
        work.append(2 * row["active_without_input_embedding"] + float(mixing))
    assert work[0] / work[1] == pytest.approx(0.27, abs=0.01)


def test_ratios_without_those_of_prediction_layers(tmp_path):
    with_them, _ = read_config(written(tmp_path, DEEPSEEK_V4))
    short = {**DEEPSEEK_V4, "compress_ratios": [128, 0, 4, 128]}
    assert read_config(written(tmp_path, short))[0].layers == with_them.layers
    none = {**short, "num_nextn_predict_layers": 0}
    assert read_config(written(tmp_path, none))[0].layers == with_them.layers


def test_first_layers_look_experts_up(tmp_path):
    spec, _ = read_config(written(tmp_path, DEEPSEEK_V4))
    biases = [(group.count, group.feedforward.router_bias) for group in spec.layers]
    assert biases == [(1, False), (1, True), (1, True), (1, True)]


def test_newer_names_of_the_layers_must_agree(tmp_path):
    newer = {
        **DEEPSEEK_V4,
        "layer_types": [
            "heavily_compressed_attention",
            "sliding_attention",
            "compressed_sparse_attention",
            "heavily_compressed_attention",
        ],
        "compress_rates": {
            "compressed_sparse_attention": 4,
            "heavily_compressed_attention": 128,
        },
        "mlp_layer_types": ["hash_moe", "moe", "moe", "moe"],
    }
    assert read_config(written(tmp_path, newer))[0].layers
    assert "layer_types: " in mistakes(tmp_path, {**newer, "compress_ratios": [0, 0, 4, 4]})
    assert "mlp_layer_types: " in mistakes(tmp_path, {**newer, "num_hash_layers": 2})


def test_a_model_file_holds_it(tmp_path):
    spec, _ = read_config(written(tmp_path, DEEPSEEK_V4))
    path = tmp_path / "own.toml"
    path.write_text(spec_to_toml(spec))
    assert load_model_spec(str(path)) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"compress_ratios": None}, "compress_ratios: is required"),
        ({"compress_ratios": [128, 4]}, "one entry for each of 4 layers, got 2"),
        ({"compress_ratios": [128, 0, 4, 128, 0, 0]}, "one entry for each of 4 layers, got 6"),
        ({"compress_ratios": [128, 0, 4, 8]}, "compress_ratios: holds 8, which is not modelled"),
        ({"compress_ratios": [128, 0, 4, 128, 2]}, "compress_ratios: holds 2"),
        ({"compress_rate_csa": 8}, "compress_rate_csa: not modelled for model_type"),
        ({"num_key_value_heads": 2}, "num_key_value_heads: 2 is not modelled here; modelled: 1"),
        ({"o_groups": 3}, "o_groups: 3 must divide num_attention_heads (4)"),
        ({"o_lora_rank": None}, "o_lora_rank: is required, got null"),
        ({"q_lora_rank": None}, "q_lora_rank: is required, got null"),
        ({"index_topk": None}, "index_topk: is required, got null"),
        ({"qk_rope_head_dim": 33}, "qk_rope_head_dim: 33 must not exceed head_dim (32)"),
        ({"qk_nope_head_dim": 30}, "qk_nope_head_dim: 30 is not modelled here; modelled: 24"),
        ({"num_hash_layers": 5}, "num_hash_layers: 5 exceeds num_hidden_layers (4)"),
        ({"hc_mult": 0}, "hc_mult: must be greater than 0, got 0"),
        ({"attention_bias": True}, "attention_bias: true is not modelled here"),
        ({"first_k_dense_replace": 1}, "first_k_dense_replace: unknown field"),
        ({"kv_lora_rank": 512}, "kv_lora_rank: unknown field"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    assert message in mistakes(tmp_path, {**DEEPSEEK_V4, **change})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "mlp_layer_types", "compress_rates", "qk_nope_head_dim", "mlp_bias"]
    assert_read_or_refused(data, [DEEPSEEK_V4], extra)
