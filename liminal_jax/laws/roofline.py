"""How long arithmetic and memory take at their peaks; a step is made of both in `step_time`."""

from liminal_jax._arrays import Scalar


def compute_time(*, work: Scalar, chips: Scalar, throughput: Scalar) -> Scalar:
    r"""Time of arithmetic divided evenly over chips at their peak rate.

        T_compute = work / (n F)

    Args:
        work: Operations [FLOP].
        chips: Chips n that share them.
        throughput: Rate F of one chip [FLOP/s].

    Returns:
        Time [s].

    References:
        Davies et al. (2025), LIMINAL, arXiv:2507.14397, T_compute. No efficiency factor.

    Examples:
        >>> compute_time(work=8.0, chips=2.0, throughput=4.0)
        1.0
    """
    # One division after the other: n F squared underflows in the float32 derivative of a product.
    return work / throughput / chips


def memory_time(*, traffic: Scalar, chips: Scalar, bandwidth: Scalar) -> Scalar:
    r"""Time to move bytes that lie evenly over the memories of chips.

        T_mem = traffic / (n W)

    Args:
        traffic: Bytes moved [B].
        chips: Chips n that hold them.
        bandwidth: Memory bandwidth W of one chip [B/s].

    Returns:
        Time [s].

    References:
        Davies et al. (2025), LIMINAL, arXiv:2507.14397, T_mem. No efficiency factor.

    Examples:
        >>> memory_time(traffic=12.0, chips=2.0, bandwidth=3.0)
        2.0
    """
    return traffic / bandwidth / chips


def stage_imbalance(*, layers: Scalar, largest: Scalar, stages: Scalar) -> Scalar:
    r"""How much longer a pipeline takes because its largest stage sets the pace.

        imbalance = stages largest / L

    Args:
        layers: Layers L of the model.
        largest: Layers of the largest stage: L over the stages, rounded up.
        stages: Pipeline stages.

    Returns:
        Factor on the time of all layers, at least 1.

    Examples:
        >>> stage_imbalance(layers=6.0, largest=2.0, stages=4.0)
        1.3333333333333333
    """
    return stages * largest / layers
