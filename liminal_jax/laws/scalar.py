"""Work that runs on the vector units, not on the tensor cores."""

from liminal_jax._arrays import Scalar

SCORE_OPERATIONS = 5
"""Operations on one attention score: compare for the maximum, subtract it, exponentiate, add to
the sum, divide by it (one FLOP each; softmax of Vaswani et al. 2017, arXiv:1706.03762)."""

ACTIVATION_OPERATIONS = 5
"""Operations on one activation: negate, exponentiate, add one, divide (the sigmoid of SiLU),
multiply (one FLOP each; Shazeer 2020, arXiv:2002.05202)."""

NORM_OPERATIONS = 4
"""Operations on one element that is normalised: square, add, scale, weigh (one FLOP each; Zhang
and Sennrich 2019, RMSNorm, arXiv:1910.07467)."""


def scalar_work(*, elements: Scalar, operations: Scalar) -> Scalar:
    r"""Work of a function applied element by element.

        F = o n

    Args:
        elements: Elements n.
        operations: Operations o on each.

    Returns:
        Work on the vector units [FLOP].

    Examples:
        >>> scalar_work(elements=3, operations=SCORE_OPERATIONS)
        15
    """
    return operations * elements
