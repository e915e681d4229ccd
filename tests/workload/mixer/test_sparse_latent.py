"""Latent attention to what an index selects: hand counts, and the families that have it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from liminal_jax._smooth import Exact
from liminal_jax.data.models import load_model_spec, spec_to_toml
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.latent import LatentAttention
from liminal_jax.workload.mixer.lightning import IndexSpec
from liminal_jax.workload.mixer.sparse_latent import SparseLatentAttention
from tests.workload.configs import assert_counted_exactly, mistakes, written
from tests.workload.fuzz import assert_read_or_refused

EXACT = Exact()
LATENT = LatentAttention(heads=2, q_rank=5, kv_rank=6, nope_dim=2, rope_dim=1, value_dim=4)
INDEX = IndexSpec(heads=3, head_dim=4)
TOY = SparseLatentAttention(latent=LATENT, top_k=7, index=INDEX)
SHARING = SparseLatentAttention(latent=LATENT, top_k=7)

DEEPSEEK_V32 = {
    "model_type": "deepseek_v32",
    "architectures": ["DeepseekV32ForCausalLM"],
    "attention_bias": False,
    "first_k_dense_replace": 1,
    "hidden_size": 64,
    "index_head_dim": 8,
    "index_n_heads": 4,
    "index_topk": 16,
    "intermediate_size": 128,
    "kv_lora_rank": 32,
    "moe_intermediate_size": 32,
    "moe_layer_freq": 1,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 6,
    "num_key_value_heads": 4,
    "num_nextn_predict_layers": 1,
    "q_lora_rank": 24,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "topk_method": "noaux_tc",
    "v_head_dim": 16,
    "vocab_size": 1000,
}
GLM_DSA = {
    **DEEPSEEK_V32,
    "model_type": "glm_moe_dsa",
    "architectures": ["GlmMoeDsaForCausalLM"],
    "index_share_for_mtp_iteration": True,
    "index_skip_topk_offset": 2,
    "index_topk_freq": 3,
    "index_topk_pattern": None,
    "indexer_rope_interleave": True,
    "indexer_types": ["full", "full", "shared", "shared", "full", "shared"],
    "mlp_layer_types": ["dense"] + ["sparse"] * 5,
}
GLM_5 = {
    **{
        key: value
        for key, value in GLM_DSA.items()
        if not key.startswith(("index_", "indexer_", "mlp_"))
    },
    "first_k_dense_replace": 3,
    "hidden_size": 6144,
    "index_head_dim": 128,
    "index_n_heads": 32,
    "index_topk": 2048,
    "intermediate_size": 12288,
    "kv_lora_rank": 512,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "num_attention_heads": 64,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 78,
    "num_key_value_heads": 64,
    "q_lora_rank": 2048,
    "qk_nope_head_dim": 192,
    "qk_rope_head_dim": 64,
    "v_head_dim": 256,
    "vocab_size": 154880,
}
GLM_5_PUBLISHED, GLM_5_PREDICTION_HEAD = 753_864_139_008, 9_952_920_576


def test_parameters_by_hand():
    own = LATENT.matrices(10)
    # index: queries 5 x 3 x 4, one key 10 x 4, shares of heads 10 x 3
    assert TOY.matrices(10) == own + 60 + 40 + 30
    assert SHARING.matrices(10) == own
    # norms of the two latents; the key's norm has a weight and a bias
    assert TOY.small_parameters(10, 1) == (5 + 6) + 2 * 4
    assert SHARING.small_parameters(10, 1) == 5 + 6
    for spec in (TOY, SHARING):
        assert float(spec.arrays().weights(10.0)) == spec.matrices(10)


@pytest.mark.parametrize(("context", "attended"), [(3.0, 3), (7.0, 7), (100.0, 7)])
def test_a_token_by_hand(context, attended):
    arrays = TOY.arrays()
    attending = 2 * 2 * 7 * attended + 2 * 2 * 6 * attended
    scoring = 2 * 3 * 4 * context + 2 * 3 * context
    assert float(arrays.work(context, EXACT)) == pytest.approx(attending + scoring)
    assert float(arrays.scores(context, EXACT)) == pytest.approx(2 * attended)
    assert float(arrays.traffic(context, EXACT)) == pytest.approx(7 * attended)
    assert float(arrays.cache(context, EXACT)) == 7 * context
    assert float(arrays.index_cache(context, EXACT)) == 4 * context
    assert float(arrays.index_traffic(context, EXACT)) == 4 * context
    assert (float(arrays.heads), arrays.cache_heads(), float(arrays.output_width())) == (2, 1, 6)


def test_a_layer_that_shares_an_index_keeps_and_scores_none():
    arrays = SHARING.arrays()
    assert float(arrays.work(100.0, EXACT)) == pytest.approx(2 * 2 * 7 * 7 + 2 * 2 * 6 * 7)
    assert arrays.index_cache(100.0, EXACT) == SHARING.index_elements() == 0
    assert float(arrays.cache(100.0, EXACT)) == 7 * 100
    assert "earlier layer" in SHARING.words()


def test_an_index_needs_queries_of_a_low_rank():
    direct = LATENT.model_copy(update={"q_rank": None})
    with pytest.raises(ValidationError, match=r"give latent\.q_rank"):
        SparseLatentAttention(latent=direct, top_k=7, index=INDEX)


@pytest.mark.parametrize("name", ["deepseek-ai__DeepSeek-V3.2", "zai-org__GLM-5.2"])
def test_reference_configs_are_counted_exactly(name):
    assert_counted_exactly(name)


def test_glm_5_has_an_index_in_every_layer(tmp_path):
    spec, _ = read_config(written(tmp_path, GLM_5))
    tally = counts(spec)
    assert tally.total == GLM_5_PUBLISHED - GLM_5_PREDICTION_HEAD
    assert tally.index_key_elements_per_token == 78 * 128


def test_layers_that_share_an_index(tmp_path):
    spec, _ = read_config(written(tmp_path, GLM_DSA))
    groups = [(g.count, g.attention.index is not None, g.feedforward.kind) for g in spec.layers]
    assert groups == [(1, True, "dense"), (2, True, "mixture"), (3, False, "mixture")]
    assert counts(spec).index_key_elements_per_token == 3 * 8
    assert counts(spec).kv_elements_per_token_growing == 6 * 40


@pytest.mark.parametrize(
    "change",
    [
        {"indexer_types": None},
        {"indexer_types": None, "index_topk_freq": None, "index_topk_pattern": "FFSSFS"},
    ],
)
def test_the_ways_to_say_which_layers_share(tmp_path, change):
    listed, _ = read_config(written(tmp_path, GLM_DSA))
    other, _ = read_config(written(tmp_path, {**GLM_DSA, **change}))
    assert other.layers == listed.layers


def test_a_model_file_holds_it(tmp_path):
    spec, _ = read_config(written(tmp_path, GLM_DSA))
    path = tmp_path / "own.toml"
    path.write_text(spec_to_toml(spec))
    assert load_model_spec(str(path)) == spec


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (DEEPSEEK_V32, {"index_topk": None}, "index_topk: is required, got null"),
        (DEEPSEEK_V32, {"index_n_heads": 0}, "index_n_heads: must be greater than 0, got 0"),
        (DEEPSEEK_V32, {"q_lora_rank": None}, "q_lora_rank: is required: the index takes its"),
        (DEEPSEEK_V32, {"index_topk_freq": 4}, "index_topk_freq: not modelled for model_type"),
        (DEEPSEEK_V32, {"topk_method": "greedy"}, "topk_method: 'greedy' is not modelled here"),
        (DEEPSEEK_V32, {"index_heads": 4}, "index_heads: not modelled for model_type"),
        (GLM_DSA, {"indexer_types": ["full"]}, "one entry for each of 6 layers, got 1"),
        (GLM_DSA, {"indexer_types": ["full"] * 5 + ["none"]}, 'indexer_types: holds "none"'),
        (GLM_DSA, {"index_topk_freq": 2}, "index_topk_freq: contradicts indexer_types"),
        (GLM_DSA, {"index_topk_pattern": "FSSSSS"}, "index_topk_pattern: contradicts indexer"),
        (GLM_DSA, {"index_topk_pattern": "FSX"}, "index_topk_pattern: must have one letter, F or"),
        (GLM_DSA, {"index_skip_topk_offset": None}, "index_skip_topk_offset: is required"),
        (
            GLM_DSA,
            {"indexer_types": ["shared"] * 6, "index_topk_freq": None},
            "indexer_types: the first layer must have an index",
        ),
        (GLM_DSA, {"first_k_dense_replace": 2}, "first_k_dense_replace: 2 is not modelled here"),
    ],
)
def test_one_mistake(tmp_path, config, change, message):
    assert message in mistakes(tmp_path, {**config, **change})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "mlp_layer_types", "indexer_types", "index_topk_pattern", "mlp_bias"]
    assert_read_or_refused(data, [DEEPSEEK_V32, GLM_DSA], extra)
