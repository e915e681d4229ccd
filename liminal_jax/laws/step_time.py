"""The equation of the whole model: how long a step takes."""

from collections.abc import Sequence

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.overlap import operator_time, overlapped_time


def step_time(
    *,
    compute: Sequence[Scalar],
    memory: Sequence[Scalar],
    exposed: Scalar,
    relaxation: AbstractRelaxation,
    overlap_between: Scalar = 1.0,
    overlap_within: Scalar = 1.0,
) -> Scalar:
    r"""Time of a step: arithmetic overlaps with memory traffic, communication is exposed.

        T = max(T_compute, T_mem) + T_exposed

    T_compute and T_mem are the sums of the times of all operators. That is the bound of perfect
    overlap. With less of it T lies between the bound and T_compute + T_mem + T_exposed: the maximum
    gives way to `overlapped_time` of itself and of the sum of each `operator_time`.

    Args:
        compute: Time that each operator keeps the arithmetic busy, the parts of T_compute [s].
        memory: Time that each operator keeps the memory busy, the parts of T_mem [s].
        exposed: Time T_exposed in which neither is busy, such as that of collectives [s].
        relaxation: How the maxima are evaluated.
        overlap_between: Share of the step in which the arithmetic of any operator overlaps with the
            traffic of any other.
        overlap_within: Share of the shorter of an operator's arithmetic and traffic that overlaps
            with the longer, where operators do not overlap with each other.

    Returns:
        Time [s].

    References:
        Davies et al. (2025), LIMINAL, arXiv:2507.14397.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> times = {"compute": [1.0, 4.0], "memory": [3.0, 1.0], "exposed": 0.5}
        >>> float(step_time(**times, relaxation=Exact()))  # max(1 + 4, 3 + 1) + 0.5
        5.5
        >>> float(step_time(**times, relaxation=Exact(), overlap_between=0.0))  # 3 + 4 + 0.5
        7.5
    """
    separate = [
        separate_time(
            compute=arithmetic, memory=traffic, relaxation=relaxation, overlap_within=overlap_within
        )
        for arithmetic, traffic in zip(compute, memory, strict=True)
    ]
    return summed_time(
        compute=sum(compute),
        memory=sum(memory),
        separate=sum(separate),
        exposed=exposed,
        relaxation=relaxation,
        overlap_between=overlap_between,
    )


def separate_time(
    *, compute: Scalar, memory: Scalar, relaxation: AbstractRelaxation, overlap_within: Scalar = 1.0
) -> Scalar:
    r"""Time of an operator that begins when the one before it has ended.

        time = max(compute, memory) + (1 - overlap_within) min(compute, memory)

    Args:
        compute: Time that it keeps the arithmetic busy [s].
        memory: Time that it keeps the memory busy [s].
        relaxation: How maximum and minimum are evaluated.
        overlap_within: Share of the shorter that overlaps with the longer.

    Returns:
        Time [s].

    References:
        Williams et al. (2009), Roofline, doi:10.1145/1498765.1498785, with all of it overlapped.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> float(separate_time(compute=1.0, memory=3.0, relaxation=Exact(), overlap_within=0.0))
        4.0
    """
    return operator_time(
        longer=relaxation.maximum(compute, memory),
        shorter=relaxation.minimum(compute, memory),
        overlap=overlap_within,
    )


def summed_time(
    *,
    compute: Scalar,
    memory: Scalar,
    separate: Scalar,
    exposed: Scalar,
    relaxation: AbstractRelaxation,
    overlap_between: Scalar = 1.0,
) -> Scalar:
    r"""Time of a step, given the sums over its operators: convex in them, and never falling.

        T = overlap_between max(T_compute, T_mem) + (1 - overlap_between) T_separate + T_exposed

    Args:
        compute: Time T_compute that all operators keep the arithmetic busy [s].
        memory: Time T_mem that all operators keep the memory busy [s].
        separate: Sum T_separate of the `separate_time` of each [s].
        exposed: Time T_exposed in which neither is busy [s].
        relaxation: How the maximum is evaluated.
        overlap_between: Share of the step in which the arithmetic of any operator overlaps with the
            traffic of any other.

    Returns:
        Time [s].

    References:
        Davies et al. (2025), LIMINAL, arXiv:2507.14397, with all of it overlapped.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> sums = {"compute": 5.0, "memory": 4.0, "separate": 7.0, "exposed": 0.5}
        >>> float(summed_time(**sums, relaxation=Exact(), overlap_between=0.5))  # (5 + 7)/2 + 0.5
        6.5
    """
    whole = relaxation.maximum(compute, memory)
    busy = overlapped_time(whole=whole, separate=separate, overlap=overlap_between)
    return busy + exposed
