import pytest
from pydantic import ValidationError

from liminal_jax.workload.counts import (
    attention_matrices,
    counts,
    expert_small_parameters,
    feed_forward_matrices,
    final_small_parameters,
    layer_parameters,
    layer_small_parameters,
)
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.feedforward.mixture import MixtureOfExperts
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.mixer.latent import LatentAttention
from liminal_jax.workload.spec import LayerGroup, ModelSpec


def model(group, **changes):
    table = {"name": "toy", "source": "hand", "hidden": 10, "vocabulary": 7, **changes}
    return ModelSpec(layers=(group,), **table)


ATTENTION = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3)
BLOCK = DenseFeedForward(intermediate=5)


def test_a_dense_layer_by_hand():
    group = LayerGroup(count=2, attention=ATTENTION, feedforward=BLOCK)
    spec = model(group)
    assert attention_matrices(spec, group) == 10 * 12 + 2 * 10 * 6 + 12 * 10
    assert feed_forward_matrices(spec, group) == 3 * 10 * 5
    assert layer_small_parameters(spec, group) == 20
    assert final_small_parameters(spec) == 10
    tally = counts(spec)
    assert tally.total_without_embeddings == 2 * (360 + 150 + 20) + 10
    assert tally.total == tally.active == tally.total_without_embeddings + 2 * 70
    assert tally.active_without_input_embedding == tally.total - 70
    assert tally.kv_elements_per_token_growing == 2 * 2 * 2 * 3
    assert tally.index_key_elements_per_token == tally.state_elements_per_sequence == 0


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({"qkv_bias": True}, 12 + 6 + 6),
        ({"output_bias": True}, 10),
        ({"qk_norm": "per-head"}, 3 + 3),
        ({"qk_norm": "per-layer"}, 12 + 6),
        ({"sinks": True}, 4),
    ],
)
def test_small_parameters_of_attention(changes, extra):
    attention = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3, **changes)
    group = LayerGroup(count=1, attention=attention, feedforward=BLOCK)
    assert layer_small_parameters(model(group), group) == 20 + extra


def test_layer_norms_have_a_bias_each():
    group = LayerGroup(count=1, attention=ATTENTION, feedforward=BLOCK, norms=4)
    spec = model(group, norm_bias=True)
    assert layer_small_parameters(spec, group) == 4 * 20
    assert final_small_parameters(spec) == 20


def test_an_ungated_block_with_biases():
    block = DenseFeedForward(intermediate=5, gated=False, bias=True)
    group = LayerGroup(count=1, attention=ATTENTION, feedforward=block)
    assert feed_forward_matrices(model(group), group) == 2 * 10 * 5
    assert layer_small_parameters(model(group), group) == 20 + 5 + 10


def test_latent_attention_with_and_without_a_query_rank():
    dims = {"heads": 2, "kv_rank": 3, "nope_dim": 2, "rope_dim": 1, "value_dim": 2}
    ranked = LayerGroup(
        count=3, attention=LatentAttention(q_rank=4, bias=True, **dims), feedforward=BLOCK
    )
    direct = LayerGroup(count=3, attention=LatentAttention(**dims), feedforward=BLOCK)
    assert attention_matrices(model(ranked), ranked) == 40 + 24 + 40 + 24 + 40
    assert attention_matrices(model(direct), direct) == 60 + 40 + 24 + 40
    assert layer_small_parameters(model(ranked), ranked) == 20 + (4 + 3) + (4 + 3 + 1 + 10)
    assert layer_small_parameters(model(direct), direct) == 20 + 3
    assert counts(model(direct)).kv_elements_per_token_growing == 3 * (3 + 1)


def test_a_mixture_counts_what_a_token_skips():
    mixture = MixtureOfExperts(
        experts=8,
        top_k=3,
        intermediate=5,
        shared_intermediate=6,
        shared_gate=True,
        router_bias=True,
        bias=True,
    )
    group = LayerGroup(count=2, attention=ATTENTION, feedforward=mixture)
    spec = model(group)
    assert feed_forward_matrices(spec, group) == 80 + 8 * 150 + 180
    assert layer_small_parameters(spec, group) == 20 + (6 + 6 + 10) + 8 + 10
    assert expert_small_parameters(spec, group) == 8 * (5 + 5 + 10)
    assert layer_parameters(spec, group) == 360 + 80 + 8 * 150 + 180 + 60 + 8 * 20
    tally = counts(spec)
    assert tally.total == 2 * layer_parameters(spec, group) + 10 + 140
    assert tally.total - tally.active == 2 * 5 * (150 + 20)


def test_a_window_bounds_the_cache():
    window = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3, scope="sliding", window=9)
    tally = counts(model(LayerGroup(count=5, attention=window, feedforward=BLOCK)))
    assert tally.kv_elements_per_token_growing == 0
    assert tally.kv_elements_per_token_all_layers == 5 * 12


def test_a_tied_embedding_is_still_read_as_the_head():
    group = LayerGroup(count=1, attention=ATTENTION, feedforward=BLOCK)
    tally = counts(model(group, tied=True, positions=3))
    assert (tally.embedding, tally.lm_head) == (70 + 30, 0)
    assert tally.active - tally.active_without_input_embedding == 30
    assert tally.active - tally.active_without_embeddings == 100


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (GroupedQueryAttention, {"heads": 4, "kv_heads": 3, "head_dim": 2}),
        (GroupedQueryAttention, {"heads": 4, "kv_heads": 2, "head_dim": 2, "scope": "sliding"}),
        (GroupedQueryAttention, {"heads": 4, "kv_heads": 2, "head_dim": 2, "window": 5}),
        (MixtureOfExperts, {"experts": 2, "top_k": 3, "intermediate": 2}),
        (MixtureOfExperts, {"experts": 2, "top_k": 1, "intermediate": 2, "shared_gate": True}),
    ],
)
def test_a_contradictory_record_is_refused(record, fields):
    with pytest.raises(ValidationError):
        record(**fields)
