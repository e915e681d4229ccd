"""Sparse attention: published indexes and compressors."""

import pytest

from liminal_jax.laws.sparse import (
    compression_scores,
    compression_traffic,
    compression_weights,
    compression_work,
    index_key_weights,
    index_query_weights,
    index_work,
    shared_key_value_weights,
)
from tests.laws.differences import assert_slopes


def test_the_index_of_deepseek_v3_2() -> None:
    # hidden 7168, a query rank of 1536, 64 heads of 128
    queries = index_query_weights(hidden=7168, q_rank=1536, heads=64, head_dim=128)
    assert queries == 12_582_912 + 458_752
    assert index_key_weights(hidden=7168, head_dim=128) == 917_504
    # For each key and head 128 multiply-adds, and one that weighs the score.
    assert index_work(heads=64, head_dim=128, keys=1) == 2 * 64 * 129


def test_an_index_costs_less_than_the_attention_that_it_spares() -> None:
    # All keys are scored, but only 2048 are attended to with 128 heads of 576 + 512.
    context = 131_072
    indexed = index_work(heads=64, head_dim=128, keys=context) + 2 * 128 * 1088 * 2048
    assert indexed < 2 * 128 * 1088 * context / 10


@pytest.mark.parametrize("spans", [1, 2])
def test_a_compressor_is_counted_for_each_channel(spans: int) -> None:
    # Values and scores, each projected from the stream for every window.
    assert compression_weights(hidden=4096, width=512, spans=spans) == 2 * spans * 4096 * 512
    # In a window of m tokens, spans x m scores a channel are pooled into one entry.
    window = 4
    assert compression_scores(width=512, spans=spans) * window == spans * window * 512
    assert compression_work(width=512, spans=spans) == 2 * 512 * spans
    # Values and scores are written once and read once.
    assert compression_traffic(width=512, spans=spans) == 2 * 2 * 512 * spans


def test_one_group_of_full_rank_is_two_matrices() -> None:
    rest = {"hidden": 10, "heads": 4, "head_dim": 3, "q_rank": 5}
    weights = shared_key_value_weights(**rest, output_groups=1, output_rank=6)
    assert weights == 10 * 5 + 5 * 12 + 10 * 3 + 12 * 6 + 6 * 10
    # More groups share the heads, so only what leads out of them grows.
    more = shared_key_value_weights(**rest, output_groups=4, output_rank=6)
    assert more - weights == 3 * 6 * 10


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (index_query_weights, {"hidden": 10.0, "q_rank": 4.0, "heads": 2.0, "head_dim": 3.0}),
        (index_key_weights, {"hidden": 10.0, "head_dim": 3.0}),
        (index_work, {"heads": 2.0, "head_dim": 3.0, "keys": 5.0}),
        (compression_weights, {"hidden": 10.0, "width": 3.0, "spans": 2.0}),
        (compression_scores, {"width": 3.0, "spans": 2.0}),
        (compression_work, {"width": 3.0, "spans": 2.0}),
        (compression_traffic, {"width": 3.0, "spans": 2.0}),
        (
            shared_key_value_weights,
            {
                "hidden": 10.0,
                "heads": 4.0,
                "head_dim": 3.0,
                "q_rank": 5.0,
                "output_groups": 2.0,
                "output_rank": 6.0,
            },
        ),
    ],
)
def test_more_of_anything_costs_more(law, at) -> None:
    assert min(assert_slopes(law, **at).values()) > 0
