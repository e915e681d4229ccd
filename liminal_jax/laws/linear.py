"""Linear attention by the delta rule in one decode step, per token and layer.

A head keeps a matrix, its state, with a row for each channel of its values and a column for each of
its keys, in the place of a cache. It forgets by a decay, replaces with some strength what it holds
under the new key, and answers the query:

    state <- state decay (identity - strength key key') + strength value key'
    answer = state query

with one decay for a head (Gated DeltaNet) or one for each channel of the key (Kimi Delta
Attention). Queries, keys and values first pass short convolutions over time, each channel for
itself. States are as wide as this whatever the context.
"""

from liminal_jax._arrays import Scalar


def delta_rule_state(*, heads: Scalar, key_dim: Scalar, value_dim: Scalar) -> Scalar:
    r"""Elements of the matrices that the heads of one layer keep for a sequence.

        elements = h key_dim value_dim

    Args:
        heads: Heads h, each with a state.
        key_dim: Width of a key.
        value_dim: Width of a value.

    Returns:
        Elements.

    References:
        Yang, Kautz, Hatamizadeh (2024), Gated Delta Networks, arXiv:2412.06464, section 3.1.

    Examples:
        >>> delta_rule_state(heads=2, key_dim=3, value_dim=5)
        30
    """
    return heads * key_dim * value_dim


def delta_rule_work(*, heads: Scalar, key_dim: Scalar, value_dim: Scalar) -> Scalar:
    r"""Work of updating the states of one layer with a token, and of reading them out.

    Decay, one multiplication an element; the old value of the key, state times key;
    the correction, an outer product; the answer, state times query:

        work = h key_dim value_dim (1 + 2 + 2 + 2)

    Args:
        heads: Heads h, each with a state.
        key_dim: Width of a key.
        value_dim: Width of a value.

    Returns:
        Work [FLOP]; that on single vectors (norms of keys, the difference to the value,
        gates) is left out.

    References:
        Yang, Kautz, Hatamizadeh (2024), Gated Delta Networks, arXiv:2412.06464, section 3.1, and
        Kimi Team (2025), Kimi Linear, arXiv:2510.26692, section 3, whose decay by channels costs
        the same.

    Examples:
        >>> delta_rule_work(heads=2, key_dim=3, value_dim=5)  # 30 + 3 x 60
        210
    """
    state = delta_rule_state(heads=heads, key_dim=key_dim, value_dim=value_dim)
    decay = state
    recall = correction = answer = 2 * state
    return decay + recall + correction + answer


def convolution_weights(*, channels: Scalar, kernel: Scalar) -> Scalar:
    r"""Weights of a convolution over time, each channel for itself.

        weights = channels kernel

    Every token multiplies with each of them once, as with a matrix.

    Args:
        channels: Channels that are convolved.
        kernel: Tokens that the convolution spans, the new one included.

    Returns:
        Number of weights.

    Examples:
        >>> convolution_weights(channels=10, kernel=4)
        40
    """
    return channels * kernel


def convolution_state(*, channels: Scalar, kernel: Scalar) -> Scalar:
    r"""Elements of the tokens before the new one that a convolution over time must remember.

        elements = channels (kernel - 1)

    Args:
        channels: Channels that are convolved.
        kernel: Tokens that the convolution spans, the new one included.

    Returns:
        Elements.

    Examples:
        >>> convolution_state(channels=10, kernel=4)
        30
    """
    return channels * (kernel - 1)


def gated_convolution_weights(*, hidden: Scalar, channels: Scalar) -> Scalar:
    r"""Weights of the projections of a convolution between two gates, its filters left out.

    To the channels and to their two gates, and back:

        weights = 3 d channels + channels d

    Args:
        hidden: Width d of the residual stream.
        channels: Channels that are convolved.

    Returns:
        Number of weights.

    References:
        Liquid AI (2025), LFM2 Technical Report, arXiv:2511.23404, section 2.

    Examples:
        >>> gated_convolution_weights(hidden=10, channels=5)
        200
    """
    return 4 * hidden * channels


def gated_delta_channels(
    *, key_heads: Scalar, key_dim: Scalar, value_heads: Scalar, value_dim: Scalar
) -> Scalar:
    r"""Channels of queries, keys and values together, all of which are convolved.

        channels = 2 key_heads key_dim + value_heads value_dim

    Args:
        key_heads: Heads of queries and keys.
        key_dim: Width of a key.
        value_heads: Heads of values.
        value_dim: Width of a value.

    Returns:
        Channels.

    Examples:
        >>> gated_delta_channels(key_heads=2, key_dim=3, value_heads=4, value_dim=5)
        32
    """
    return 2 * key_heads * key_dim + value_heads * value_dim


def gated_delta_weights(
    *,
    hidden: Scalar,
    key_heads: Scalar,
    key_dim: Scalar,
    value_heads: Scalar,
    value_dim: Scalar,
    kernel: Scalar,
) -> Scalar:
    r"""Weights of a Gated DeltaNet's projections and convolution.

    Queries, keys and values; a gate on the output; a decay and a strength a head; the output:

        weights = d channels + 2 d value_heads value_dim + 2 d value_heads + channels kernel
        channels = 2 key_heads key_dim + value_heads value_dim

    Args:
        hidden: Width d of the residual stream.
        key_heads: Heads of queries and keys.
        key_dim: Width of a key.
        value_heads: Heads of values, each with a state.
        value_dim: Width of a value.
        kernel: Tokens that the convolution spans.

    Returns:
        Number of weights.

    References:
        Yang, Kautz, Hatamizadeh (2024), Gated Delta Networks, arXiv:2412.06464, section 3.4;
        shapes as in Qwen3-Next.

    Examples:
        >>> gated_delta_weights(
        ...     hidden=10, key_heads=2, key_dim=3, value_heads=4, value_dim=5, kernel=4
        ... )  # 320 + 200 + 80 + 200 + 128
        928
    """
    channels = gated_delta_channels(
        key_heads=key_heads, key_dim=key_dim, value_heads=value_heads, value_dim=value_dim
    )
    gate = output = hidden * value_heads * value_dim
    decay_and_strength = 2 * hidden * value_heads
    return (
        hidden * channels
        + gate
        + decay_and_strength
        + output
        + convolution_weights(channels=channels, kernel=kernel)
    )


def kimi_delta_weights(
    *, hidden: Scalar, heads: Scalar, head_dim: Scalar, kernel: Scalar, full_gate: bool = False
) -> Scalar:
    r"""Weights of Kimi Delta Attention's projections and convolutions.

    Queries, keys, values and output; the decay and the gate on the output, each through a rank as
    wide as a head; a strength a head; three convolutions:

        weights = 4 d h d_h + 2 (d d_h + d_h h d_h) + d h + 3 h d_h kernel

    A gate of full rank, as in Kimi K3, has d h d_h in the place of d d_h + d_h h d_h.

    Args:
        hidden: Width d of the residual stream.
        heads: Heads h.
        head_dim: Width d_h of a head's query, key and value.
        kernel: Tokens that a convolution spans.
        full_gate: Whether the gate on the output has full rank.

    Returns:
        Number of weights.

    References:
        Kimi Team (2025), Kimi Linear, arXiv:2510.26692, section 4.

    Examples:
        >>> kimi_delta_weights(hidden=10, heads=2, head_dim=3, kernel=4)  # 240 + 96 + 20 + 72
        428
        >>> kimi_delta_weights(hidden=10, heads=2, head_dim=3, kernel=4, full_gate=True)
        440
    """
    width = heads * head_dim
    queries = keys = values = output = hidden * width
    decay = low_rank = hidden * head_dim + head_dim * width
    gate = hidden * width if full_gate else low_rank
    strength = hidden * heads
    convolved = width + width + width
    return (
        queries
        + keys
        + values
        + output
        + decay
        + gate
        + strength
        + convolution_weights(channels=convolved, kernel=kernel)
    )


def decayed_work(*, heads: Scalar, key_dim: Scalar, value_dim: Scalar) -> Scalar:
    r"""Work of linear attention with a fixed decay: updating its states, and reading them out.

    Decay, one multiplication an element; the new value, an outer product; the answer:

        work = h key_dim value_dim (1 + 2 + 2)

    Args:
        heads: Heads h, each with a state.
        key_dim: Width of a key.
        value_dim: Width of a value.

    Returns:
        Work [FLOP]; that on single vectors (norms, gates) is left out.

    References:
        MiniMax (2025), MiniMax-01, arXiv:2501.08313, section 2.2 (lightning attention); the
        recurrence of Qin et al. (2024), Lightning Attention-2, arXiv:2401.04658.

    Examples:
        >>> decayed_work(heads=2, key_dim=3, value_dim=5)  # 30 + 2 x 60
        150
    """
    state = delta_rule_state(heads=heads, key_dim=key_dim, value_dim=value_dim)
    decay = state
    written = answer = 2 * state
    return decay + written + answer
