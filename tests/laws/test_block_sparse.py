"""The index of block-sparse attention."""

from liminal_jax.laws.block_sparse import block_index_weights, block_index_work
from tests.laws.differences import assert_slopes


def test_an_index_of_four_queries() -> None:
    # hidden 6144: four queries and one key of 128
    assert block_index_weights(hidden=6144, index_heads=4, index_dim=128) == 5 * 6144 * 128
    # A multiplication and an addition for each channel, query and token.
    assert block_index_work(index_heads=4, index_dim=128, tokens=1) == 1024


def test_no_queries_leave_the_key_and_no_work() -> None:
    assert block_index_weights(hidden=10, index_heads=0, index_dim=3) == 30
    assert block_index_work(index_heads=0, index_dim=3, tokens=1000) == 0


def test_slopes() -> None:
    weights = assert_slopes(block_index_weights, hidden=10.0, index_heads=2.0, index_dim=3.0)
    work = assert_slopes(block_index_work, index_heads=2.0, index_dim=3.0, tokens=5.0)
    assert min(*weights.values(), *work.values()) > 0
