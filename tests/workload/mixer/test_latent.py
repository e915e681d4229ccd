"""Latent attention, as it is and with its projections multiplied out."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.workload.mixer.latent import LatentAttention
from liminal_jax.workload.mixer.merged_latent import MergedLatent

EXACT = Exact()
SHAPE = {"heads": 2, "kv_rank": 6, "nope_dim": 2, "rope_dim": 1, "value_dim": 4}


@pytest.mark.parametrize("rank", [{}, {"q_rank": 5}])
def test_arrays_and_counts_agree(rank):
    spec = LatentAttention(**SHAPE, **rank)
    arrays = spec.arrays()
    assert float(arrays.weights(10.0)) == spec.matrices(10)
    assert float(arrays.cache(1.0, EXACT)) == spec.cache_elements() == 7
    assert spec.growing_cache_elements() == 7
    assert arrays.cache_heads() == 1


def test_a_token_by_hand():
    arrays = LatentAttention(**SHAPE).arrays()
    assert float(arrays.work(3.0, EXACT)) == 2 * 2 * 7 * 3 + 2 * 2 * 6 * 3
    assert float(arrays.scores(3.0, EXACT)) == 2 * 3
    assert float(arrays.traffic(3.0, EXACT)) == 7 * 3


def test_merging_changes_the_matrices_and_no_cache():
    spec = LatentAttention(q_rank=5, **SHAPE)
    merged = MergedLatent(heads=2, q_rank=5, kv_rank=6, rope_dim=1, cache_ranks=8)
    assert float(merged.weights(10.0)) == 10 * 5 + 5 * 2 * 7 + 10 * 7 + 2 * 6 * 10
    assert merged.cache(9.0, EXACT) == spec.arrays().cache(9.0, EXACT)
    assert merged.work(9.0, EXACT) == spec.arrays().work(9.0, EXACT)
    assert float(merged.cache_heads()) == 8
