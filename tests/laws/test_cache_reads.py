"""Parts of the cache that are read: limits at short and long contexts, and gradients."""

import pytest

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.cache_reads import indexed_bytes, paged_bytes, shared_bytes, window_tokens
from tests.laws.differences import assert_slopes

CONTEXTS = (100.0, 2048.0, 131072.0)


def test_a_short_context_is_read_whole() -> None:
    whole = {"context": 100.0, "relaxation": Exact()}
    assert float(window_tokens(**whole, window=128.0)) == 100
    assert float(indexed_bytes(**whole, chosen=2048.0, entry=656.0, index=0.0)) == 65600
    pages = paged_bytes(**whole, chosen=2048.0, page=1e30, key=256.0, entry=512.0)
    assert float(pages) == pytest.approx(51200)


def test_an_index_is_read_over_the_whole_context() -> None:
    read = [
        float(
            indexed_bytes(context=it, chosen=2048.0, entry=656.0, index=132.0, relaxation=Exact())
        )
        for it in CONTEXTS
    ]
    assert read[2] - read[1] == (131072 - 2048) * 132
    assert read[1] - read[0] == (2048 - 100) * (656 + 132)


def test_native_sparse_attention_reads_a_twelfth_of_64k() -> None:
    """Compressed 16 to one, 16 blocks of 64 chosen, and a window of 512: 5,632 tokens' worth."""
    here = {"context": 65536.0, "relaxation": Exact()}
    read = indexed_bytes(**here, chosen=16.0 * 64, entry=1.0, index=1 / 16)
    assert float(read + window_tokens(**here, window=512.0)) == 5632


def test_large_pages_cost_little_to_choose_and_small_ones_as_much_as_all_keys() -> None:
    at = {"context": 4096.0, "chosen": 512.0, "key": 1.0, "entry": 2.0, "relaxation": Exact()}
    small, usual = (float(paged_bytes(**at, page=it)) for it in (2.0, 16.0))
    assert small == 4096 + 1024
    assert usual == 512 + 1024


def test_layers_that_share() -> None:
    assert shared_bytes(whole=8.0, layers=1.0, others=0.0) == 8.0
    assert shared_bytes(whole=8.0, layers=2.0, others=0.0) == 4.0
    assert shared_bytes(whole=8.0, layers=1.0, others=3.0) == pytest.approx(8 * (1 - 0.75))


def test_slopes() -> None:
    soft = Soft(0.2)
    slopes = assert_slopes(
        lambda **at: window_tokens(**at, relaxation=soft), context=9.0, window=8.0
    )
    assert min(slopes.values()) > 0
    at = {"context": 9.0, "chosen": 8.0, "entry": 3.0}
    slopes = assert_slopes(lambda **it: indexed_bytes(**it, relaxation=soft), **at, index=0.5)
    assert min(slopes.values()) > 0
    slopes = assert_slopes(lambda **it: paged_bytes(**it, relaxation=soft), **at, key=1.5, page=4.0)
    assert slopes["page"] < 0 < slopes["key"]
    slopes = assert_slopes(shared_bytes, whole=8.0, layers=2.0, others=3.0)
    assert max(slopes["layers"], slopes["others"]) < 0
