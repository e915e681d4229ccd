"""Number formats: their bits with scales, by name."""

import pytest

from liminal_jax._files import InputError
from liminal_jax.data.formats import format_named, number_formats


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("BF16", 16),
        ("fp8", 8),
        ("fp8-block", 8.002),
        ("MXFP8", 8.25),
        ("MXFP4", 4.25),
        ("NVFP4", 4.5),
        ("int4-g128", 4.156),
        ("int2-g64", 2.281),
        ("int2-g128", 2.141),
        ("ternary", 1.6),
    ],
)
def test_bits(name, bits):
    assert format_named(name).bits == pytest.approx(bits, abs=5e-4)


def test_a_scale_only_adds():
    for it in number_formats().values():
        assert it.element <= it.bits < it.element + 1


def test_a_latent_takes_as_many_bytes_as_flashmla_says():
    # 512 elements in blocked FP8, and a rotary key of 64 in BF16: 656 bytes
    latent, key = format_named("fp8-latent").bits, format_named("bf16").bits
    assert 512 * latent / 8 + 64 * key / 8 == 656


def test_an_unknown_format_is_told():
    with pytest.raises(InputError, match=r"formats\.csv: name: .* 'nvfp5'; did you mean 'nvfp4'"):
        format_named("nvfp5")
