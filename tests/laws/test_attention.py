"""Work and cache of attention: published layers, and how both kinds compare."""

import pytest

from liminal_jax.laws.attention import (
    blocked_latent_cache,
    expanded_latent_work,
    grouped_query_cache,
    grouped_query_work,
    latent_cache,
    latent_work,
)
from tests.laws.differences import assert_slopes

DEEPSEEK = {"heads": 128, "kv_rank": 512, "rope_dim": 64}


def test_work_of_one_token_of_context() -> None:
    # Llama 3 8B: 4 x 32 x 128; DeepSeek-V3: 2 x 128 x (576 + 512)
    assert grouped_query_work(heads=32, head_dim=128, tokens=1) == 16_384
    assert latent_work(**DEEPSEEK, tokens=1) == 278_528


def test_cache_of_one_token() -> None:
    # Llama 3 8B: a key and a value of 8 x 128; DeepSeek-V3: 512 + 64
    assert grouped_query_cache(kv_heads=8, head_dim=128) == 2048
    assert latent_cache(kv_rank=512, rope_dim=64) == 576
    blocks = {"kv_rank": 512, "rope_dim": 64, "scale_bytes": 4, "rope_bytes": 2}
    assert blocked_latent_cache(block=128, **blocks) == 656
    # One scale for all is the least, a scale for each element the most.
    assert blocked_latent_cache(block=512, **blocks) == 512 + 4 + 128
    assert blocked_latent_cache(block=1, **blocks) == 512 + 4 * 512 + 128


def test_work_is_proportional_to_the_context() -> None:
    assert grouped_query_work(heads=32, head_dim=128, tokens=0) == 0
    assert latent_work(**DEEPSEEK, tokens=3000) == 3000 * latent_work(**DEEPSEEK, tokens=1)


def test_prefill_is_cheaper_by_keys_and_values_and_decode_by_latents() -> None:
    widths = {**DEEPSEEK, "nope_dim": 128, "value_dim": 128}
    prompt = 4096 * 4097 // 2
    # One pair: 2 x 128 x (128 + 64 + 128)
    assert expanded_latent_work(**widths, pairs=1, past=0) == 81_920
    assert expanded_latent_work(**widths, pairs=prompt, past=0) < latent_work(
        **DEEPSEEK, tokens=prompt
    )
    # For one token it does not pay to make the keys and values of the whole cache again.
    assert expanded_latent_work(**widths, pairs=4096, past=4095) > latent_work(
        **DEEPSEEK, tokens=4096
    )


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (grouped_query_work, {"heads": 4.0, "head_dim": 8.0, "tokens": 100.0}),
        (grouped_query_cache, {"kv_heads": 4.0, "head_dim": 8.0}),
        (latent_work, {"heads": 4.0, "kv_rank": 8.0, "rope_dim": 2.0, "tokens": 100.0}),
        (latent_cache, {"kv_rank": 8.0, "rope_dim": 2.0}),
        (
            expanded_latent_work,
            {
                "heads": 4.0,
                "kv_rank": 8.0,
                "nope_dim": 3.0,
                "rope_dim": 2.0,
                "value_dim": 5.0,
                "pairs": 100.0,
                "past": 7.0,
            },
        ),
    ],
)
def test_more_of_anything_costs_more(law, at) -> None:
    assert min(assert_slopes(law, **at).values()) > 0


def test_larger_blocks_of_a_cache_take_fewer_bytes() -> None:
    widths = {"kv_rank": 512.0, "rope_dim": 64.0}
    slopes = assert_slopes(
        blocked_latent_cache, **widths, block=128.0, scale_bytes=4.0, rope_bytes=2.0
    )
    assert slopes.pop("block") == pytest.approx(-4 * 512 / 128**2)
    assert min(slopes.values()) > 0
