"""State-space layers (Mamba-2) in one decode step, per token and layer.

A head keeps a matrix, its state, with a row for each channel of its input and a column for each
dimension of the state space, in the place of a cache. It forgets by a decay, adds its input along
one vector of the state space, the key, and answers along another, the query:

    state <- decay state + input key'
    answer = state query

with one decay for a head, and keys and queries (B and C in the paper) shared by the heads of a
group. Inputs, keys and queries first pass a short convolution over time, each channel for itself.
States are as wide as this whatever the context.
"""

from liminal_jax._arrays import Scalar
from liminal_jax.laws.linear import convolution_weights


def state_space_state(*, heads: Scalar, head_dim: Scalar, state_dim: Scalar) -> Scalar:
    r"""Elements of the matrices that the heads of one layer keep for a sequence.

        elements = h d_h state_dim

    Args:
        heads: Heads h.
        head_dim: Channels d_h of one head.
        state_dim: Width of the state space.

    Returns:
        Elements.

    References:
        Dao and Gu (2024), Transformers are SSMs, arXiv:2405.21060, section 7.

    Examples:
        >>> state_space_state(heads=2, head_dim=3, state_dim=5)
        30
    """
    return heads * head_dim * state_dim


def state_space_work(*, heads: Scalar, head_dim: Scalar, state_dim: Scalar) -> Scalar:
    r"""Work of updating the states of one layer with a token, and of reading them out.

    Decay, one multiplication an element; the input, an outer product; the answer, state times
    query:

        work = h d_h state_dim (1 + 2 + 2)

    Args:
        heads: Heads h.
        head_dim: Channels d_h of one head.
        state_dim: Width of the state space.

    Returns:
        Work [FLOP]; that on single vectors (time steps, skips, gates, norms) is left out.

    References:
        Dao and Gu (2024), Transformers are SSMs, arXiv:2405.21060, Eq. 1,
        whose matrix A is a scalar times the identity.

    Examples:
        >>> state_space_work(heads=2, head_dim=3, state_dim=5)  # 30 + 2 x 60
        150
    """
    state = state_space_state(heads=heads, head_dim=head_dim, state_dim=state_dim)
    decay = state
    written = answer = 2 * state
    return decay + written + answer


def state_space_channels(
    *, heads: Scalar, head_dim: Scalar, groups: Scalar, state_dim: Scalar
) -> Scalar:
    r"""Channels of inputs, keys and queries together, all of which are convolved.

        channels = h d_h + 2 groups state_dim

    Args:
        heads: Heads h.
        head_dim: Channels d_h of one head.
        groups: Groups of heads, each with one key and one query.
        state_dim: Width of the state space.

    Returns:
        Channels.

    Examples:
        >>> state_space_channels(heads=4, head_dim=3, groups=2, state_dim=5)
        32
    """
    return heads * head_dim + 2 * groups * state_dim


def state_space_weights(
    *,
    hidden: Scalar,
    heads: Scalar,
    head_dim: Scalar,
    groups: Scalar,
    state_dim: Scalar,
    kernel: Scalar,
) -> Scalar:
    r"""Weights of a Mamba-2 layer's projections and convolution.

    A gate as wide as the inputs; inputs, keys and queries; a time step a head; the output; the
    convolution:

        weights = d h d_h + d channels + d h + h d_h d + channels kernel
        channels = h d_h + 2 groups state_dim

    Args:
        hidden: Width d of the residual stream.
        heads: Heads h.
        head_dim: Channels d_h of one head.
        groups: Groups of heads.
        state_dim: Width of the state space.
        kernel: Tokens that the convolution spans.

    Returns:
        Number of weights.

    References:
        Dao and Gu (2024), Transformers are SSMs, arXiv:2405.21060, section 7, with all
        projections in parallel.

    Examples:
        >>> state_space_weights(
        ...     hidden=10, heads=4, head_dim=3, groups=2, state_dim=5, kernel=4
        ... )  # 120 + 320 + 40 + 120 + 128
        728
    """
    channels = state_space_channels(
        heads=heads, head_dim=head_dim, groups=groups, state_dim=state_dim
    )
    gate = output = hidden * heads * head_dim
    time_steps = hidden * heads
    convolution = convolution_weights(channels=channels, kernel=kernel)
    return gate + hidden * channels + time_steps + output + convolution


def selective_weights(
    *, hidden: Scalar, channels: Scalar, state_dim: Scalar, step_rank: Scalar, kernel: Scalar
) -> Scalar:
    r"""Weights of a Mamba-1 layer's projections and convolution.

    Inputs and a gate; keys, queries and, through a low rank, a time step for each channel; the
    output; the convolution:

        weights = 2 d n + n (step_rank + 2 state_dim) + step_rank n + n d + n kernel

    Args:
        hidden: Width d of the residual stream.
        channels: Channels n, each with a state.
        state_dim: Width of the state space.
        step_rank: Rank of the time steps.
        kernel: Tokens that the convolution spans.

    Returns:
        Number of weights.

    References:
        Gu and Dao (2023), Mamba, arXiv:2312.00752, section 3.4; shapes as in its code.

    Examples:
        >>> selective_weights(
        ...     hidden=10, channels=4, state_dim=3, step_rank=2, kernel=4
        ... )  # 80 + 32 + 8 + 40 + 16
        176
    """
    projected = 3 * hidden * channels
    selected = channels * (step_rank + 2 * state_dim) + step_rank * channels
    return projected + selected + convolution_weights(channels=channels, kernel=kernel)


def selective_work(*, channels: Scalar, state_dim: Scalar) -> Scalar:
    r"""Work of updating the states of a Mamba-1 layer with a token, and of reading them out.

    As `state_space_work`, and a rate times the time step for each element, since each has a decay
    of its own:

        work = n state_dim (1 + 1 + 2 + 2)

    Args:
        channels: Channels n.
        state_dim: Width of the state space.

    Returns:
        Work [FLOP]; that on single vectors and the exponentials of the decays are left out.

    References:
        Gu and Dao (2023), Mamba, arXiv:2312.00752, Eqs. 2 and 4.

    Examples:
        >>> selective_work(channels=4, state_dim=3)
        72
    """
    rate = channels * state_dim
    return rate + state_space_work(heads=channels, head_dim=1, state_dim=state_dim)
