"""How far arithmetic and memory traffic overlap."""

from liminal_jax._arrays import Scalar


def operator_time(*, longer: Scalar, shorter: Scalar, overlap: Scalar) -> Scalar:
    r"""Time of one operator whose arithmetic and traffic overlap in part.

        time = longer + (1 - overlap) shorter

    Args:
        longer: Time of the longer of both [s].
        shorter: Time of the shorter [s].
        overlap: Share of the shorter that is hidden behind the longer: 1 all, the roofline; 0
            none, one after the other.

    Returns:
        Time [s].

    References:
        All of it: Williams et al. (2009), Roofline, doi:10.1145/1498765.1498785. The share
        between is an interpolation.

    Examples:
        >>> operator_time(longer=4.0, shorter=2.0, overlap=0.5)
        5.0
    """
    return longer + (1 - overlap) * shorter


def overlapped_time(*, whole: Scalar, separate: Scalar, overlap: Scalar) -> Scalar:
    r"""Time of a step whose operators overlap with each other in part.

        time = overlap whole + (1 - overlap) separate

    Args:
        whole: Time where the traffic of any operator overlaps with the arithmetic of any other
            [s].
        separate: Time where one operator begins when the one before it has ended [s].
        overlap: Share of the step in which it does so: 1 is LIMINAL's bound.

    Returns:
        Time [s].

    References:
        All of it: Davies et al. (2025), LIMINAL, arXiv:2507.14397, max(T_compute, T_mem). The share
        between is an interpolation.

    Examples:
        >>> overlapped_time(whole=4.0, separate=6.0, overlap=0.5)
        5.0
    """
    return overlap * whole + (1 - overlap) * separate
