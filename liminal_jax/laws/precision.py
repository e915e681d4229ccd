"""Bits of a stored number, with the scales that go with it."""

from liminal_jax._arrays import Scalar


def effective_bits(*, element: Scalar, block: Scalar, scale: Scalar, zero: Scalar) -> Scalar:
    r"""Bits of a number of a block that shares a scale, and where it is not symmetric a zero.

        bits = element + (scale + zero) / block

    Args:
        element: Bits of one number.
        block: Numbers that share a scale; what a whole tensor shares does not count.
        scale: Bits of the scale, 0 where blocks have none.
        zero: Bits of the zero point, 0 where the format is symmetric.

    Returns:
        Bits.

    References:
        Counted. Rouhani et al. (2023), OCP Microscaling Formats (MX) 1.0: 8-bit scales of 32
        elements; NVIDIA, NVFP4: 8-bit scales of 16.

    Examples:
        >>> effective_bits(element=4, block=32, scale=8, zero=0)  # MXFP4
        4.25
        >>> effective_bits(element=4, block=16, scale=8, zero=0)  # NVFP4
        4.5
    """
    return element + (scale + zero) / block


def packed_bits(*, numbers: Scalar, word: Scalar) -> Scalar:
    r"""Bits of a number where several are packed into one word.

        bits = word / numbers

    Args:
        numbers: Numbers in a word.
        word: Bits of the word.

    Returns:
        Bits.

    References:
        Counted. Five numbers of three values take 243 of the 256 values of a byte; their entropy is
        log2(3) = 1.58 bits.

    Examples:
        >>> packed_bits(numbers=5, word=8)
        1.6
    """
    return word / numbers


def mixed_bits(*, first: Scalar, second: Scalar, share: Scalar) -> Scalar:
    r"""Mean bits of numbers of which a share has one precision and the others another.

        bits = share first + (1 - share) second

    Args:
        first: Bits of some.
        second: Bits of the others.
        share: Share of the first among all numbers, between 0 and 1.

    Returns:
        Bits.

    References:
        Counted.

    Examples:
        >>> mixed_bits(first=4.0, second=16.0, share=0.75)
        7.0
    """
    return share * first + (1 - share) * second
