"""How long a token takes where two machines hold a model's parts and take turns at each layer."""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation


def alternating_step_time(
    *,
    attention: Scalar,
    experts: Scalar,
    crossing: Scalar,
    micro_batches: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Time of a token of each user where micro-batches alternate between two machines.

        time = max(attention + experts + crossing, micro_batches slowest)
        slowest = max(attention, experts, crossing/2)

    A micro-batch passes both machines and crosses twice for each layer; meanwhile each machine, and
    the network in each direction, works on the others. With enough of them the slowest of the three
    never waits; with one, each waits for the others.

    Args:
        attention: Time of one micro-batch on the machine with the mixers, all layers [s].
        experts: The same on the machine with the feed-forward blocks [s].
        crossing: Time of its messages there and back, all layers [s].
        micro_batches: Micro-batches in flight, at least 1; relaxed to a real number.
        relaxation: How the maximum is evaluated.

    Returns:
        Time [s].

    References:
        Zhu et al. (2025), MegaScale-Infer, arXiv:2504.02263, section 4.1: the condition under which
        the crossing is hidden, m T_f >= 2 (T_f + T_c) with T_f the time of the slower machine,
        and the time of all micro-batches in one iteration.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> each = {"attention": 4.0, "experts": 3.0, "crossing": 2.0, "relaxation": Exact()}
        >>> [float(alternating_step_time(**each, micro_batches=it)) for it in (1, 2, 3)]
        [9.0, 9.0, 12.0]
    """
    slowest = relaxation.maximum(attention, experts, crossing / 2)
    return relaxation.maximum(attention + experts + crossing, micro_batches * slowest)
