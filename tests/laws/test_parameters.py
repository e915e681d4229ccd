"""Weights of layers: published counts, and the forms of latent attention."""

import pytest

from liminal_jax.laws.parameters import (
    feed_forward_weights,
    grouped_query_weights,
    latent_weights,
    latent_weights_direct,
    merged_latent_weights,
    output_gate_weights,
    router_weights,
)
from tests.laws.differences import assert_slopes

DEEPSEEK = {"hidden": 7168, "heads": 128, "kv_rank": 512, "rope_dim": 64}
SPLIT = {"nope_dim": 128, "value_dim": 128}


def test_attention_of_published_layers() -> None:
    # Llama 3 8B: 4096 x 4096 twice, 4096 x 1024 twice; DeepSeek-V3: 187,105,280
    assert grouped_query_weights(hidden=4096, heads=32, kv_heads=8, head_dim=128) == 41_943_040
    assert latent_weights(q_rank=1536, **DEEPSEEK, **SPLIT) == 187_105_280
    assert latent_weights_direct(**DEEPSEEK, **SPLIT) == (
        187_105_280 - 7168 * 1536 - 1536 * 128 * 192 + 7168 * 128 * 192
    )
    assert merged_latent_weights(q_rank=1536, **DEEPSEEK) == (
        11_010_048 + 113_246_208 + 4_128_768 + 469_762_048
    )


def test_feed_forward_of_published_layers() -> None:
    # Llama 3 8B: three of 4096 x 14336; one expert of DeepSeek-V3: three of 7168 x 2048
    assert feed_forward_weights(hidden=4096, intermediate=14_336, matrices=3) == 176_160_768
    assert feed_forward_weights(hidden=7168, intermediate=2048, matrices=3) == 44_040_192
    assert router_weights(hidden=7168, experts=256) == 1_835_008


def test_as_many_kv_heads_as_query_heads_are_four_square_matrices() -> None:
    weights = grouped_query_weights(hidden=512, heads=8, kv_heads=8, head_dim=64)
    assert weights == 4 * 512 * 512


def test_a_gate_is_as_large_as_the_queries() -> None:
    # What the heads add is queries and outputs, which are equal.
    rest = {"hidden": 512, "kv_heads": 2, "head_dim": 64}
    both = grouped_query_weights(heads=8, **rest) - grouped_query_weights(heads=0, **rest)
    assert output_gate_weights(hidden=512, heads=8, gate_dim=64) == both / 2
    assert output_gate_weights(hidden=512, heads=8, gate_dim=0) == 0


def test_merging_pays_where_the_latent_is_narrower_than_a_head() -> None:
    widths = {"hidden": 64, "heads": 4, "q_rank": 16, "rope_dim": 2}
    split = {"nope_dim": 8, "value_dim": 8}
    narrow, wide = ({**widths, "kv_rank": rank} for rank in (2, 32))
    assert merged_latent_weights(**narrow) < latent_weights(**narrow, **split)
    assert merged_latent_weights(**wide) > latent_weights(**wide, **split)


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (grouped_query_weights, {"hidden": 10.0, "heads": 4.0, "kv_heads": 2.0, "head_dim": 3.0}),
        (output_gate_weights, {"hidden": 10.0, "heads": 4.0, "gate_dim": 3.0}),
        (feed_forward_weights, {"hidden": 10.0, "intermediate": 4.0, "matrices": 3.0}),
        (router_weights, {"hidden": 10.0, "experts": 8.0}),
        (latent_weights, {**DEEPSEEK, **SPLIT, "q_rank": 1536.0}),
        (latent_weights_direct, {**DEEPSEEK, **SPLIT}),
        (merged_latent_weights, {**DEEPSEEK, "q_rank": 1536.0}),
    ],
)
def test_more_of_anything_is_more_weights(law, at) -> None:
    assert min(assert_slopes(law, **at).values()) > 0
