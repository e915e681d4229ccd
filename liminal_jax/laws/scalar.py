"""Work outside the tensor cores: on the vector units, and on the unit of exponentials."""

from liminal_jax._arrays import Scalar

SCORE_OPERATIONS = 5
"""Operations on one attention score: compare for the maximum, subtract it, exponentiate, add to
the sum, divide by it (one FLOP each; softmax of Vaswani et al. 2017, arXiv:1706.03762)."""

SCORE_EXPONENTIALS = 1
"""Exponentials of one attention score: that of softmax, whose issue is one of the operations."""

ACTIVATION_OPERATIONS = 5
"""Operations on one activation: negate, exponentiate, add one, divide (the sigmoid of SiLU),
multiply (one FLOP each; Shazeer 2020, arXiv:2002.05202)."""

NORM_OPERATIONS = 4
"""Operations on one element that is normalised: square, add, scale, weigh (one FLOP each; Zhang
and Sennrich 2019, RMSNorm, arXiv:1910.07467)."""


def scalar_work(*, elements: Scalar, operations: Scalar) -> Scalar:
    r"""Work of a function applied element by element.

        work = operations elements

    Args:
        elements: Elements that it is applied to.
        operations: Operations on each.

    Returns:
        Work on the vector units [FLOP].

    Examples:
        >>> scalar_work(elements=3, operations=SCORE_OPERATIONS)
        15
    """
    return operations * elements


def exponential_time(*, exponentials: Scalar, chips: Scalar, rate: Scalar) -> Scalar:
    r"""Time of exponentials divided evenly over the special-function units of chips.

        time = exponentials / (n rate)

    T_compute is the larger of this and of the time of the tensor and vector units together, since
    kernels take the softmax of one tile while they multiply the next. Charged on top, it would be
    slower than kernels are: heads of 128 on a B200 take 512 FLOP a score, 0.228 ps at 2250 TFLOP/s
    of BF16, and 0.222 ps of exponentials, together 1138 TFLOP/s, but FlashAttention-4 reaches 1613;
    the larger of 0.294 (with five vector operations) and 0.222 allows 1740. At the FP8 rates 0.222
    compares with 0.165 on a GB300, 1.35 times, which is the gain that NVIDIA measures there.

    Args:
        exponentials: Exponentials to take.
        chips: Chips n that share them.
        rate: Rate of one chip [1/s]; infinite where it is not published.

    Returns:
        Time [s].

    References:
        Zadouri et al. (2026), FlashAttention-4, arXiv:2603.05451: 16 a clock and multiprocessor on
        Hopper and Blackwell. NVIDIA (2026), Making Softmax More Efficient with NVIDIA Blackwell
        Ultra. Exponentials that a kernel computes on the vector units by a polynomial, as
        FlashAttention-4 does with a part, are not modelled.

    Examples:
        >>> exponential_time(exponentials=12.0, chips=2.0, rate=3.0)
        2.0
    """
    return exponentials / rate / chips
