"""How long chips wait for each other.

A latency is always said with what it is per: per collective (switched networks: one small
message among all ranks), or per hop (networks of neighbours).
"""

from collections.abc import Sequence

import jax.numpy as jnp

from liminal_jax._arrays import Scalar


def one_shot_all_reduce_time(
    *, message: Scalar, chips: Scalar, bandwidth: Scalar, latency: Scalar
) -> Scalar:
    r"""Time of an all-reduce in which every chip sends everything to every other.

        time = alpha + (n - 1) message / beta

    Args:
        message: Bytes to reduce on each chip [B].
        chips: Chips n.
        bandwidth: Bandwidth beta of a chip's links, one direction, as reached [B/s].
        latency: Latency alpha of one collective [s].

    Returns:
        Time until every chip holds the sum [s].

    References:
        Form of the custom all-reduce kernels of vLLM and TensorRT-LLM (one-shot).

    Examples:
        >>> one_shot_all_reduce_time(message=4.0, chips=3.0, bandwidth=8.0, latency=1.0)
        2.0
    """
    return latency + (chips - 1) * message / bandwidth


def two_shot_all_reduce_time(
    *, message: Scalar, chips: Scalar, bandwidth: Scalar, latency: Scalar
) -> Scalar:
    r"""Time of an all-reduce as a reduce-scatter followed by an all-gather.

        time = 2 alpha + 2 (n - 1)/n message / beta

    Args:
        message: Bytes to reduce on each chip [B].
        chips: Chips n.
        bandwidth: Bandwidth beta of a chip's links, one direction, as reached [B/s].
        latency: Latency alpha of one collective [s].

    Returns:
        Time until every chip holds the sum [s].

    References:
        Thakur et al. (2005), Optimization of Collective Communication Operations in MPICH.

    Examples:
        >>> two_shot_all_reduce_time(message=8.0, chips=2.0, bandwidth=8.0, latency=1.0)
        3.0
    """
    return 2 * latency + 2 * (chips - 1) / chips * message / bandwidth


def all_to_all_time(
    *, message: Scalar, chips: Scalar, bandwidth: Scalar, latency: Scalar
) -> Scalar:
    r"""Time in which every chip sends an equal part of its bytes to every other.

        time = alpha + (n - 1)/n message / beta

    Args:
        message: Bytes that each chip distributes, its own part included [B].
        chips: Chips n.
        bandwidth: Bandwidth beta of a chip's links, one direction, as reached [B/s].
        latency: Latency alpha of one collective [s].

    Returns:
        Time [s].

    References:
        Thakur et al. (2005), Optimization of Collective Communication Operations in MPICH.

    Examples:
        >>> all_to_all_time(message=8.0, chips=2.0, bandwidth=4.0, latency=1.0)
        2.0
    """
    return latency + (chips - 1) / chips * message / bandwidth


def in_network_all_reduce_time(*, message: Scalar, bandwidth: Scalar, latency: Scalar) -> Scalar:
    r"""Time of an all-reduce whose sum is taken by the switches.

        time = alpha + message / beta

    Every chip sends its part once and receives the sum once, at the same time, however many chips
    there are; the others need 2 (n - 1)/n or n - 1 times as many bytes.

    Args:
        message: Bytes to reduce on each chip [B].
        bandwidth: Bandwidth beta of a chip's links, one direction, as reached [B/s].
        latency: Latency alpha of one collective, that of adding in the switches included [s].

    Returns:
        Time until every chip holds the sum [s].

    References:
        Klenk et al. (2020), An In-Network Architecture for Accelerating Shared-Memory
        Multiprocessor Collectives, ISCA. Eight H100 reduce 1 MiB in 16.5 us by multimem, of which
        12.7 us do not depend on the size, and in 35.6 us without (TokenWeave,
        microsoft/tokenweave, figure 4).

    Examples:
        >>> in_network_all_reduce_time(message=8.0, bandwidth=8.0, latency=1.0)
        2.0
    """
    return latency + message / bandwidth


def levels_time(*, latencies: Sequence[Scalar], transfers: Sequence[Scalar]) -> Scalar:
    r"""Time of a collective that passes level after level: dies, packages, racks, rows.

        time = sum(latencies) + sum(transfers)

    Args:
        latencies: Latency of each level, 0 for a level of one member [s].
        transfers: Time of the bytes on the links of each level [s].

    Returns:
        Time [s], where no level overlaps with another.

    References:
        Hierarchical collectives, as in Cho et al. (2019), BlueConnect, MLSys. Pipelining of levels
        would hide all transfers but the longest, and no latency.

    Examples:
        >>> levels_time(latencies=[0.25, 1.0], transfers=[0.5, 0.25])
        2.0
    """
    return sum(latencies, 0.0) + sum(transfers, 0.0)


def torus_diameter(*, chips: Scalar, dimensions: Scalar) -> Scalar:
    r"""Hops between the farthest chips of a torus of equal sides.

        hops = dimensions n^(1/dimensions) / 2

    Args:
        chips: Chips n.
        dimensions: Dimensions of the torus.

    Returns:
        Hops, relaxed to a real number.

    References:
        Dally and Towles (2004), Principles and Practices of Interconnection Networks, section 5.

    Examples:
        >>> float(torus_diameter(chips=16.0, dimensions=2.0))
        4.0
    """
    return dimensions * chips ** (1 / dimensions) * 0.5


def logarithmic_latency(*, chips: Scalar, latency_at_8: Scalar, latency_at_128: Scalar) -> Scalar:
    r"""Latency that grows by the same step with each doubling of the chips.

        alpha = latency_at_8 + (latency_at_128 - latency_at_8) log2(n/8) / log2(128/8)

    Args:
        chips: Chips n.
        latency_at_8: Latency of one collective among 8 chips [s].
        latency_at_128: Latency of one collective among 128 chips [s].

    Returns:
        Latency alpha of one collective [s]; may be negative far below 8 chips.

    References:
        Two points fitted to the system table of Sankaralingam (2025), IET REACH. The line between
        them is an assumption.

    Examples:
        >>> round(float(logarithmic_latency(chips=32.0, latency_at_8=1.0, latency_at_128=3.0)), 6)
        2.0
    """
    doublings = (jnp.log2(chips) - jnp.log2(8)) / (jnp.log2(128) - jnp.log2(8))
    return latency_at_8 + (latency_at_128 - latency_at_8) * doublings


def reach_latency(*, steps: Sequence[Scalar], passed: Sequence[Scalar]) -> Scalar:
    r"""Latency that a table of reaches adds to that of the nearest one.

        latency = sum(steps passed)

    Each reach joins more chips than the one before and takes longer; a group of chips waits for the
    nearest reach that holds it.

    Args:
        steps: What each reach but the nearest takes beyond the one before [s].
        passed: Whether a group exceeds each reach but the last: 0 or 1, or between.

    Returns:
        Latency beyond that of the nearest reach [s].

    References:
        Tabulated for the Groq 3 (Hot Chips 2026, slide notes): 0.40 us a step up to 128 GB of SRAM,
        then 0.45 us for each 256 GB, which no logarithm fits.

    Examples:
        >>> reach_latency(steps=[0.5, 0.25], passed=[1, 0])
        0.5
    """
    return sum((step * beyond for step, beyond in zip(steps, passed, strict=True)), 0.0)
