"""Streaming the next weights into memory on the chip while a collective keeps it waiting.

Weights are known before the activations arrive, so their bytes may move early. Arithmetic may not:
it waits for what the collective brings.
"""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation


def foreseen_bytes(*, certain: Scalar, routed: Scalar, predicted: Scalar) -> Scalar:
    r"""Bytes of the weights after a collective that are known to be needed before it ends.

        bytes = certain + predicted routed

    Args:
        certain: Weights that every token passes [B].
        routed: Weights of the experts that tokens will be sent to [B].
        predicted: Share of them that is predicted right before routing, between 0 and 1: 0 where
            nothing predicts it.

    Returns:
        Bytes [B].

    References:
        Definition. A router cannot run before its input is there; predicting the next layer's
        experts from the present state is reported right at 0.97 (FATE, arXiv:2502.12224, read in a
        snippet only), and wrong guesses cost traffic that is not counted here.

    Examples:
        >>> foreseen_bytes(certain=4.0, routed=8.0, predicted=0.5)
        8.0
    """
    return certain + predicted * routed


def hidden_time(
    *,
    collective: Scalar,
    space: Scalar,
    upcoming: Scalar,
    bandwidth: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Time of a collective during which the memory streams the weights after it.

        hidden = min(collective, space / W, upcoming / W)

    Args:
        collective: Time of the collective [s].
        space: Memory on the chip that is free for it; 0 where nothing is fetched early [B].
        upcoming: Bytes that are known to be needed after it, see `foreseen_bytes` [B].
        bandwidth: Memory bandwidth W of a chip [B/s].
        relaxation: How the minimum is evaluated.

    Returns:
        Time [s], at most that of the collective.

    References:
        PRESERVE (2025), arXiv:2501.08192, abstract: up to 1.6 times as fast; with 104 MB on the
        chip best, which at 1.6 TB/s is filled in 65 us. TensorRT-LLM fetches weights into shared
        memory under its one-shot all-reduce (blog 1).

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> here = {"bandwidth": 2.0, "relaxation": Exact()}
        >>> float(hidden_time(collective=3.0, space=4.0, upcoming=10.0, **here))
        2.0
    """
    room = relaxation.minimum(space / bandwidth, upcoming / bandwidth)
    return relaxation.minimum(collective, room)


def buffer_bytes(*, collective: Scalar, bandwidth: Scalar) -> Scalar:
    r"""Memory on the chip that hides streaming under a whole collective.

        bytes = collective W

    Args:
        collective: Time of the collective [s].
        bandwidth: Memory bandwidth W of a chip [B/s].

    Returns:
        Bytes [B]. More space hides no more.

    References:
        Little's law: what arrives while one waits.

    Examples:
        >>> buffer_bytes(collective=8.0, bandwidth=3.0)
        24.0
    """
    return collective * bandwidth


def prefetched_step_time(
    *,
    compute: Scalar,
    memory: Scalar,
    exposed: Scalar,
    hidden: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Time of a step whose memory streams during a part of what leaves it waiting otherwise.

        T = max(T_compute, T_mem - hidden) + T_exposed
        hidden = min(hidden, T_mem, T_exposed)

    Never below max(T_mem, T_compute + T_exposed): what is streamed early still is streamed, and
    arithmetic waits for the collectives and for what it depends on. So prefetching by itself cannot
    beat the sum of both.

    Args:
        compute: Time T_compute that the arithmetic is busy [s].
        memory: Time T_mem that the memory is busy [s].
        exposed: Time T_exposed of collectives and dependency [s].
        hidden: Sum of `hidden_time` over the collectives of a step [s].
        relaxation: How the maximum and the minima are evaluated.

    Returns:
        Time T of the step [s]; that of `step_time.step_time` where nothing is hidden.

    References:
        Counted, from the step of LIMINAL, arXiv:2507.14397, with all overlap.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> times = {"compute": 1.0, "memory": 4.0, "exposed": 3.0, "relaxation": Exact()}
        >>> [float(prefetched_step_time(**times, hidden=it)) for it in (0.0, 2.0, 9.0)]
        [7.0, 5.0, 4.0]
    """
    early = relaxation.minimum(hidden, relaxation.minimum(memory, exposed))
    return relaxation.maximum(compute, memory - early) + exposed
