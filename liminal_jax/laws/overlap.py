"""How much of the time of arithmetic and of memory traffic passes at once."""

from liminal_jax._arrays import Scalar


def operator_time(*, longer: Scalar, shorter: Scalar, overlap: Scalar) -> Scalar:
    r"""Time of one operator whose arithmetic and traffic overlap in part.

        t = l + (1 - w) s

    Args:
        longer: Time l of the longer of both [s].
        shorter: Time s of the shorter [s].
        overlap: Share w of the shorter that is hidden behind the longer: 1 all, the roofline; 0
            none, one after the other.

    Returns:
        Time [s].

    References:
        w = 1: Williams et al. (2009), Roofline, doi:10.1145/1498765.1498785. The share between is
        an interpolation.

    Examples:
        >>> operator_time(longer=4.0, shorter=2.0, overlap=0.5)
        5.0
    """
    return longer + (1 - overlap) * shorter


def overlapped_time(*, whole: Scalar, separate: Scalar, overlap: Scalar) -> Scalar:
    r"""Time of a step whose operators overlap with each other in part.

        t = b t_w + (1 - b) t_s

    Args:
        whole: Time t_w where the traffic of any operator passes during the arithmetic of any other
            [s].
        separate: Time t_s where one operator begins when the one before it has ended [s].
        overlap: Share b of the step that passes as in the former: 1 is LIMINAL's bound.

    Returns:
        Time [s].

    References:
        b = 1: Davies et al. (2025), LIMINAL, arXiv:2507.14397, T = max(T_compute, T_mem). The share
        between is an interpolation.

    Examples:
        >>> overlapped_time(whole=4.0, separate=6.0, overlap=0.5)
        5.0
    """
    return overlap * whole + (1 - overlap) * separate
