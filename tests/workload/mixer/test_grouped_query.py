"""Grouped-query attention: gates on its output, and what it answers as arrays."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention

EXACT = Exact()
SHAPE = {"heads": 4, "kv_heads": 2, "head_dim": 3}


def test_a_gate_widens_the_query_projection_and_nothing_else():
    plain = GroupedQueryAttention(**SHAPE)
    gated = GroupedQueryAttention(output_gate=True, **SHAPE)
    assert gated.matrices(10) - plain.matrices(10) == 10 * 4 * 3
    assert gated.cache_elements() == plain.cache_elements() == 2 * 2 * 3
    assert float(gated.arrays().weights(10.0)) == gated.matrices(10)
    assert gated.arrays().work(7.0, EXACT) == plain.arrays().work(7.0, EXACT) == 4 * 4 * 3 * 7


def test_a_gate_has_biases_where_queries_have():
    gated = GroupedQueryAttention(output_gate=True, qkv_bias=True, **SHAPE)
    assert gated.small_parameters(10, 1) == 12 + 12 + 6 + 6


@pytest.mark.parametrize(
    ("extra", "context", "kept"),
    [
        ({}, 100, 100),
        ({"scope": "sliding", "window": 8}, 100, 8),
        ({"scope": "chunked", "window": 8}, 5, 5),
    ],
)
def test_what_a_token_reads_is_what_is_kept(extra, context, kept):
    spec = GroupedQueryAttention(**SHAPE, **extra)
    arrays = spec.arrays()
    assert float(arrays.cache(context, EXACT)) == 12 * kept
    assert float(arrays.traffic(context, EXACT)) == 12 * kept
    assert float(arrays.scores(context, EXACT)) == 4 * kept
    assert arrays.state() == arrays.index_cache(context, EXACT) == 0
    assert spec.growing_cache_elements() == (0 if extra else 12)
    assert len(arrays.basis()) == (1 if extra else 0)


def test_the_words():
    assert GroupedQueryAttention(output_gate=True, **SHAPE).words() == (
        "full, gated, 4/2 heads of 3"
    )
