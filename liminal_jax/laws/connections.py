"""Hyper-connections: several residual streams, joined before each part of a layer.

The streams are summed with weights into the one vector that a mixer or a feed-forward block
takes; its output goes back to all of them, and they are mixed among themselves. All these weights
are computed from the streams.
"""

from liminal_jax._arrays import Scalar


def hyper_connection_weights(*, hidden: Scalar, streams: Scalar) -> Scalar:
    r"""Weights of the matrix that computes one part's coefficients.

        weights = (2 streams + streams^2) streams d

    Args:
        hidden: Width d of one stream.
        streams: Residual streams.

    Returns:
        Number of weights.

    References:
        Xie et al. (2025), mHC: Manifold-Constrained Hyper-Connections, arXiv:2512.24880.

    Examples:
        >>> hyper_connection_weights(hidden=10, streams=2)
        160
    """
    return hyper_connection_coefficients(streams=streams) * streams * hidden


def hyper_connection_coefficients(*, streams: Scalar) -> Scalar:
    r"""Coefficients of one part: to join the streams, to split into them, and to mix them.

        coefficients = streams + streams + streams^2

    Args:
        streams: Residual streams.

    Returns:
        Coefficients.

    References:
        Xie et al. (2025), mHC: Manifold-Constrained Hyper-Connections, arXiv:2512.24880.

    Examples:
        >>> hyper_connection_coefficients(streams=4)
        24
    """
    return 2 * streams + streams * streams


def hyper_connection_work(*, hidden: Scalar, streams: Scalar) -> Scalar:
    r"""Work of joining, splitting and mixing the streams around one part, for one token.

        work = 2 (2 streams + streams^2) d

    Args:
        hidden: Width d of one stream.
        streams: Residual streams.

    Returns:
        Work on the vector units [FLOP]; the norm over the streams and the iterations that make
        the mixing matrix doubly stochastic are left out.

    References:
        Xie et al. (2025), mHC: Manifold-Constrained Hyper-Connections, arXiv:2512.24880.

    Examples:
        >>> hyper_connection_work(hidden=10, streams=2)
        160
    """
    return 2 * hyper_connection_coefficients(streams=streams) * hidden


def stream_join_weights(*, hidden: Scalar, streams: Scalar) -> Scalar:
    r"""Weights of the matrix that joins the streams before the head.

        weights = streams^2 d

    Args:
        hidden: Width d of one stream.
        streams: Residual streams.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, section 2.2.

    Examples:
        >>> stream_join_weights(hidden=10, streams=2)
        40
    """
    return streams * streams * hidden
