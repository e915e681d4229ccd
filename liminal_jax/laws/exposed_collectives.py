"""How much of a layer's collectives is exposed, by how its blocks wait for each other.

A layer has two modules, attention and feed-forward, and sums the output of each over the chips of a
group. Other orders of blocks drop one sum or start the next module before a sum is there. All but
the first need a model that was trained so, whose quality differs.
"""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation


def waited_collectives_time(*, collective: Scalar, dropped: Scalar) -> Scalar:
    r"""Exposed time of a layer that waits for each of its sums.

        exposed = (2 - dropped) collective

    Args:
        collective: Time of one collective [s].
        dropped: Sums left out a layer, on average, between 0 and 2: 0 where blocks follow each
            other, 1 where attention and feed-forward work on the same input (parallel blocks).

    Returns:
        Time [s].

    References:
        Two: Shoeybi et al. (2019), Megatron-LM, arXiv:1909.08053. One: Chowdhery et al. (2022),
        PaLM, arXiv:2204.02311. Between: sync-point drop, arXiv:2502.20727 (abstract).

    Examples:
        >>> waited_collectives_time(collective=3.0, dropped=1.0)
        3.0
    """
    return (2 - dropped) * collective


def delayed_collectives_time(
    *, collective: Scalar, module: Scalar, delay: Scalar, relaxation: AbstractRelaxation
) -> Scalar:
    r"""Exposed time of a layer whose sums are used some layers later.

        exposed = 2 (collective - min(collective, 2 delay module))

    Args:
        collective: Time of one collective [s].
        module: Time of one module, streaming and dependency [s].
        delay: Layers between a sum and its use: 0 where it is used at once, 1/2 (one module) in a
            ladder.
        relaxation: How the minimum is evaluated.

    Returns:
        Time [s].

    References:
        Zhang et al. (2025), Ladder-residual, arXiv:2501.06589: 1.29 to 1.57 times as fast with
        tensor parallelism over 8 chips. Kog (2026), blog: a delay of 2 layers in a model of 2B
        (second-hand). That hiding is perfect is an assumption: both share memory bandwidth.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> layer = {"collective": 5.0, "module": 2.0, "relaxation": Exact()}
        >>> [float(delayed_collectives_time(**layer, delay=it)) for it in (0.0, 0.5, 1.0, 2.0)]
        [10.0, 6.0, 2.0, 0.0]
    """
    return 2 * (collective - relaxation.minimum(collective, 2 * delay * module))


def hiding_delay(*, collective: Scalar, module: Scalar) -> Scalar:
    r"""Layers of delay that hide collectives altogether.

        delay = collective / (2 module)

    Args:
        collective: Time of one collective [s].
        module: Time of one module [s].

    Returns:
        Layers, relaxed to a real number. The faster the modules, the more of them.

    References:
        `delayed_collectives_time` at zero.

    Examples:
        >>> hiding_delay(collective=6.0, module=1.0)
        3.0
    """
    return collective / (2 * module)


def two_batches_time(*, own: Scalar, collectives: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    r"""Time of a step that computes one half of the users while the other half communicates.

        T = 2 max(own, collectives)

    Args:
        own: Time that the chip itself takes for one half, all weights read for it [s].
        collectives: Time of the collectives of one half, whose latency is not halved [s].
        relaxation: How the maximum is evaluated.

    Returns:
        Time T [s]. A single user cannot be halved.

    References:
        DeepSeek-AI, open-infra-index, day 6: decoding with two micro-batches of 128 requests a GPU
        together. That one half never waits for the other but here is an assumption; measured in
        prefill, 0.6 to all of the all-reduce is hidden for a dense model of 70B (TokenWeave,
        microsoft/tokenweave, figure 11a), and halves of few tokens lose.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> float(two_batches_time(own=3.0, collectives=2.0, relaxation=Exact()))
        6.0
    """
    return 2 * relaxation.maximum(own, collectives)


def reread_bytes(*, shared: Scalar, half: Scalar, whole: Scalar) -> Scalar:
    r"""Bytes that two halves of a batch read beyond those of the whole batch.

        bytes = shared + 2 half - whole

    Args:
        shared: Weights that every token passes, read once for each half [B].
        half: Weights of the experts of one half [B].
        whole: Weights of the experts of the whole batch [B].

    Returns:
        Bytes [B], at least those that are shared.

    References:
        Counted.

    Examples:
        >>> reread_bytes(shared=10.0, half=6.0, whole=8.0)
        14.0
    """
    return shared + 2 * half - whole


def fused_collective_time(
    *,
    latency: Scalar,
    transfer: Scalar,
    module: Scalar,
    ceiling: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Exposed time of a collective whose tiles leave while the next are computed.

        exposed = latency + transfer - min(ceiling transfer, module)

    Args:
        latency: Latency of the collective, which no tile hides [s].
        transfer: Time of its bytes on the links [s].
        module: Time of the product that makes the tiles [s].
        ceiling: Share of the transfer that can be hidden at most, between 0 and 1.
        relaxation: How the minimum is evaluated.

    Returns:
        Time [s].

    References:
        Chang et al. (2024), FLUX, arXiv:2406.06858: up to 0.96 hidden. The last tile always is
        exposed.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> tiles = {"latency": 1.0, "transfer": 4.0, "ceiling": 0.75, "relaxation": Exact()}
        >>> [float(fused_collective_time(**tiles, module=it)) for it in (0.0, 2.0, 9.0)]
        [5.0, 3.0, 2.0]
    """
    return latency + transfer - relaxation.minimum(ceiling * transfer, module)


def operations_with_fused_norms(
    *, operations: Scalar, sums: Scalar, fused: Scalar, relaxation: AbstractRelaxation
) -> Scalar:
    r"""Dependent operations of a layer where the norm after a sum is taken in the exchange itself.

        operations = max(operations - fused sums, 0)

    Args:
        operations: Operations that each depend on the one before, norms among them.
        sums: Sums over ranks of a layer, each followed by a norm.
        fused: Share of them whose norm is part of the exchange, between 0 and 1.
        relaxation: How the maximum is evaluated.

    Returns:
        Operations, relaxed to a real number.

    References:
        TokenWeave (microsoft/tokenweave, figure 4): one megabyte over eight H100 is summed and
        normed in 17.1 us by one kernel, in 25.8 us by two, and summed alone in 16.5 us.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> layer = {"operations": 6.0, "sums": 2.0, "relaxation": Exact()}
        >>> [float(operations_with_fused_norms(**layer, fused=it)) for it in (0.0, 0.5, 1.0)]
        [6.0, 5.0, 4.0]
    """
    return relaxation.maximum(operations - fused * sums, 0.0)
