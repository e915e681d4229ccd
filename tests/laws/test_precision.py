"""Bits with scales: counted by hand for published formats, and gradients."""

import math

import pytest

from liminal_jax.laws.precision import effective_bits, mixed_bits, packed_bits
from tests.laws.differences import assert_slopes


@pytest.mark.parametrize(
    ("element", "block", "scale", "zero", "bits"),
    [
        (8, 128 * 128, 32, 0, 8.002),  # FP8 in blocks, as DeepSeek-V3
        (8, 32, 8, 0, 8.25),  # MXFP8
        (4, 128, 16, 4, 4.16),  # INT4, 128 a group
        (2, 64, 16, 2, 2.28),  # INT2, 64 a group
        (2, 128, 16, 2, 2.14),
        (16, 1, 0, 0, 16),  # BF16
    ],
)
def test_published_formats(element: int, block: int, scale: int, zero: int, bits: float) -> None:
    found = effective_bits(element=element, block=block, scale=scale, zero=zero)
    assert found == pytest.approx(bits, abs=0.005)


def test_bytes_of_a_block_are_those_of_its_numbers_and_its_scale() -> None:
    # 32 numbers of half a byte and one byte more
    assert 32 * effective_bits(element=4, block=32, scale=8, zero=0) == 8 * (32 / 2 + 1)


def test_large_blocks_cost_nothing() -> None:
    bits = [effective_bits(element=4, block=it, scale=16, zero=4) for it in (16, 128, 1e9)]
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] == pytest.approx(4)


def test_packed_numbers_take_at_least_their_entropy() -> None:
    assert math.log2(3) < packed_bits(numbers=5, word=8) == 1.6


def test_a_mixture_is_between_its_parts() -> None:
    assert mixed_bits(first=4.25, second=16.0, share=1.0) == 4.25
    assert mixed_bits(first=4.25, second=16.0, share=0.0) == 16.0


def test_slopes() -> None:
    slopes = assert_slopes(effective_bits, element=4.0, block=32.0, scale=8.0, zero=4.0)
    assert slopes["block"] < 0 < slopes["element"] == pytest.approx(1.0)
    assert_slopes(packed_bits, numbers=5.0, word=8.0)
    slopes = assert_slopes(mixed_bits, first=4.25, second=16.0, share=0.9)
    assert slopes["share"] == pytest.approx(4.25 - 16)
