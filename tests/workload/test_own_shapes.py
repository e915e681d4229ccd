"""Families whose layers have shapes of their own: Gemma 4, Llama-Nemotron, LongCat-Flash."""

import copy

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.counts import counts
from liminal_jax.workload.feedforward.linear import LinearFeedForward
from liminal_jax.workload.feedforward.mixture import MixtureOfExperts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from tests.workload.configs import mistakes, written
from tests.workload.test_families import FAMILIES

EXACT = Exact()
NEMOTRON = FAMILIES["Llama-3_3-Nemotron-Super-49B-v1"]["config"]
GEMMA = FAMILIES["gemma-4-E2B-it"]["config"]
LONGCAT = FAMILIES["LongCat-Flash-Chat"]["config"]


def test_values_narrower_than_keys_by_hand():
    toy = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3, value_dim=2, qkv_bias=True)
    # queries 10 x 12, keys 10 x 6, values 10 x 4, output 8 x 10; biases 12 + 6 + 4
    assert toy.matrices(10) == 120 + 60 + 40 + 80
    assert toy.small_parameters(10, 1) == 22
    arrays = toy.arrays()
    # seven tokens: scores 2 x 4 x 3, sums 2 x 4 x 2 each; a key and a value for two heads
    assert float(arrays.work(7.0, EXACT)) == 7 * (24 + 16)
    assert float(arrays.cache(7.0, EXACT)) == 7 * 2 * 5 == 7 * toy.cache_elements()
    assert float(arrays.output_width()) == 2
    assert float(arrays.key_value_weights(10.0)) == 100


def test_values_that_are_keys_by_hand():
    toy = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3, keys_are_values=True)
    # queries and output 2 x 10 x 12, keys 10 x 6; both are kept, since keys are rotated
    assert toy.matrices(10) == 240 + 60
    assert toy.cache_elements() == 12
    assert float(toy.arrays().weights(10.0)) == 300


def test_a_layer_on_another_cache_by_hand():
    toy = GroupedQueryAttention(
        heads=4, kv_heads=2, head_dim=3, qk_norm="per-head", reuses_cache=True
    )
    assert toy.matrices(10) == 240
    assert toy.small_parameters(10, 1) == 3
    assert toy.cache_elements() == toy.growing_cache_elements() == 0
    arrays = toy.arrays()
    assert float(arrays.cache(7.0, EXACT)) == 0
    # it reads seven tokens of 12 elements, a chunk what lies before it
    assert float(arrays.traffic(7.0, EXACT)) == 84
    assert float(arrays.chunk_traffic(Chunk(tokens=3, past=4), EXACT)) == 48
    assert float(arrays.work(7.0, EXACT)) == 4 * 4 * 3 * 7


def test_a_gate_a_head_by_hand():
    toy = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3, head_gate=True)
    assert toy.matrices(10) == 360 + 40


def test_a_matrix_in_the_place_of_a_part():
    toy = LinearFeedForward(outputs=10)
    assert toy.matrices(10) == 100
    assert toy.small_parameters(10) == 0
    assert float(toy.arrays().activations()) == 0


def test_experts_that_do_nothing_are_scored_alone():
    toy = MixtureOfExperts(experts=4, top_k=2, intermediate=5, router_bias=True, idle=2)
    # a router of 10 x 6, four experts of 3 x 10 x 5; a correction for each of six
    assert toy.matrices(10) == 60 + 600
    assert toy.small_parameters(10) == 6
    assert toy.skipped_parameters(10) == 300


def test_gemma_4_keeps_the_cache_of_fifteen_layers(tmp_path):
    spec, _ = read_config(written(tmp_path, GEMMA))
    tally = counts(spec)
    assert tally.kv_elements_per_token_growing == 3 * 2 * 512
    assert tally.kv_elements_per_token_all_layers == 12 * 2 * 256 + 3 * 2 * 512
    assert tally.embedding == 262_144 * (1536 + 35 * 256)
    assert sum(it.count for it in spec.layers if it.attention.reuses_cache) == 20


def test_layers_lack_what_their_entry_leaves_out(tmp_path):
    spec, _ = read_config(written(tmp_path, NEMOTRON))
    assert sum(it.count for it in spec.layers if it.attention is not None) == 49
    config = copy.deepcopy(NEMOTRON)
    config["block_configs"][0]["attention"]["replace_with_linear"] = True
    config["block_configs"][1]["ffn"] = {"no_op": True}
    changed = counts(read_config(written(tmp_path, config))[0]).total
    # the first layer's attention is a matrix, the second has no block and no norm before it
    attention = 2 * 8192 * 128 * (64 + 8)
    assert counts(spec).total - changed == attention - 8192**2 + 3 * 8192 * 28672 + 8192


def test_experts_without_weights_take_their_share(tmp_path):
    spec, _ = read_config(written(tmp_path, LONGCAT))
    halves, experts = spec.layers
    assert (halves.count, experts.count, experts.norm_count()) == (56, 28, 0)
    assert experts.feedforward.top_k == 8


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (NEMOTRON, {"block_configs": [{}]}, "must have one entry for each of 80 layers, got 1"),
        (NEMOTRON, {"block_configs": 3}, "must be a list of objects, got 3"),
        (NEMOTRON, {"block_configs": None}, "block_configs: is required"),
        (NEMOTRON, {"num_attention_heads": 60}, "must divide num_attention_heads (60)"),
        (LONGCAT, {"moe_topk": 11}, "leaves 11 x 512 / 768 experts a token"),
        (LONGCAT, {"zero_expert_type": "copy"}, 'zero_expert_type: "copy" is not modelled'),
        (LONGCAT, {"attention_bias": True}, "attention_bias: true is not modelled here"),
    ],
)
def test_one_mistake(tmp_path, config, change, message):
    assert message in mistakes(tmp_path, {**config, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_kv_shared_layers": 34}, "leaves no cache of each kind of layer to use"),
        ({"use_bidirectional_attention": "all"}, '"all" is not modelled here'),
        (
            {"attention_k_eq_v": True, "num_global_key_value_heads": 3},
            "num_global_key_value_heads: must divide num_attention_heads",
        ),
    ],
)
def test_one_mistake_in_gemma_4(tmp_path, change, message):
    text = {**GEMMA["text_config"], **change}
    assert message in mistakes(tmp_path, {**GEMMA, "text_config": text})
