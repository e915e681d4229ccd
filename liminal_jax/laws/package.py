"""Latency between the dies of one package, and between dependent operators."""

from liminal_jax._arrays import Scalar


def dependent_time(*, operations: Scalar, time: Scalar) -> Scalar:
    r"""Time in which operators that depend on each other start one after the other.

        exposed = operations time

    Args:
        operations: Operators that each wait for the one before.
        time: Time from the end of one to the start of the next, the same for all [s].

    Returns:
        Time in which neither arithmetic nor memory is busy [s].

    References:
        Hazy Research (2025), Look Ma, No Bubbles: 97 dependent instructions of Llama-1B at 2 us
        each make about 200 us on a B200. Prefetching into the wait is left out.

    Examples:
        >>> dependent_time(operations=97.0, time=2.0)
        194.0
    """
    return operations * time


def mesh_sum_time(*, side: Scalar, hop: Scalar) -> Scalar:
    r"""Time in which the cores of a row of a mesh sum a number and all learn the sum.

        time = 2 side hop

    Once along the row to add, once back to tell; columns do so at the same time, or in turn.

    Args:
        side: Cores of a row.
        hop: Time from a core to its neighbour [s].

    Returns:
        Time [s]. It is that of one dependent operation of a wafer, see `dependent_time`.

    References:
        Counted. 920 cores at one hop a cycle of 1.1 GHz take 1.7 us, six times a layer 10 us; of an
        8B model WaferLLM (2025), arXiv:2502.04563, measures 11.6 us a layer.

    Examples:
        >>> mesh_sum_time(side=100.0, hop=0.5)
        100.0
    """
    return 2 * side * hop


def die_exchange_bytes(*, message: Scalar, dies: Scalar) -> Scalar:
    r"""Bytes that the dies of a package send each other to sum a message.

        bytes = 2 (dies - 1) message

    Args:
        message: Bytes to reduce on each die [B].
        dies: Dies of the package.

    Returns:
        Bytes of all dies together [B].

    References:
        From each die the 2 (dies - 1)/dies message of a reduce-scatter and an all-gather: Thakur et
        al. (2005), Optimization of Collective Communication Operations in MPICH.

    Examples:
        >>> die_exchange_bytes(message=8.0, dies=4.0)
        48.0
    """
    return 2 * (dies - 1) * message
