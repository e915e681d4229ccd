"""Attention to a few tokens that an index chooses, and to tokens pooled into entries.

A lightning index has one short key for each token (or for each entry) and queries that score all
of them; attention then reads only the best. A compressor pools a window of
tokens into one entry, channel by channel, with weights from a softmax over the pooled tokens.
"""

from liminal_jax._arrays import Scalar


def index_query_weights(
    *, hidden: Scalar, q_rank: Scalar, heads: Scalar, head_dim: Scalar
) -> Scalar:
    r"""Weights of an index's queries, from the latent of the layer's own, and of their shares.

        weights = q_rank h d_h + d h

    Args:
        hidden: Width d of the residual stream.
        q_rank: Rank of the layer's query projection.
        heads: Heads h of the index.
        head_dim: Width d_h of one of them.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556, Eq. 1.

    Examples:
        >>> index_query_weights(hidden=10, q_rank=4, heads=2, head_dim=3)  # 24 + 20
        44
    """
    return q_rank * heads * head_dim + hidden * heads


def index_key_weights(*, hidden: Scalar, head_dim: Scalar) -> Scalar:
    r"""Weights of the projection to an index's key, one for all its heads.

        weights = d d_h

    Args:
        hidden: Width d of the residual stream.
        head_dim: Width d_h of the key.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556, Eq. 1.

    Examples:
        >>> index_key_weights(hidden=10, head_dim=3)
        30
    """
    return hidden * head_dim


def index_work(*, heads: Scalar, head_dim: Scalar, keys: Scalar) -> Scalar:
    r"""Work of scoring keys: a product for each head, then the sum over heads by their shares.

        work = 2 h d_h keys + 2 h keys

    Args:
        heads: Heads h of the index.
        head_dim: Width d_h of one of them.
        keys: Keys scored: all in the cache of the index.

    Returns:
        Work [FLOP]; the rectifier on each product and the choice of the best are left out.

    References:
        DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556, Eq. 1.

    Examples:
        >>> index_work(heads=2, head_dim=3, keys=5)  # 60 + 20
        80
    """
    return 2 * heads * head_dim * keys + 2 * heads * keys


def compression_weights(*, hidden: Scalar, width: Scalar, spans: Scalar) -> Scalar:
    r"""Weights of a compressor: what is pooled, and the scores that weigh it.

        weights = 2 d spans width

    Args:
        hidden: Width d of the residual stream.
        width: Width of an entry.
        spans: Windows of tokens that one entry pools, each with projections of its own.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, sections 2.3.1 (two windows) and 2.3.2
        (one).

    Examples:
        >>> compression_weights(hidden=10, width=3, spans=2)
        120
    """
    return 2 * hidden * spans * width


def compression_scores(*, width: Scalar, spans: Scalar) -> Scalar:
    r"""Scores that go through the softmax of a compressor, on average for each token.

    An entry pools the tokens of all its windows in each of its channels, once in a window:

        scores = spans width

    Args:
        width: Width of an entry.
        spans: Windows of tokens that one entry pools.

    Returns:
        Scores a token.

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, sections 2.3.1 and 2.3.2.

    Examples:
        >>> compression_scores(width=3, spans=2)
        6
    """
    return spans * width


def compression_work(*, width: Scalar, spans: Scalar) -> Scalar:
    r"""Work of the weighted sums of a compressor, on average for each token.

        work = 2 spans width

    Args:
        width: Width of an entry.
        spans: Windows of tokens that one entry pools.

    Returns:
        Work [FLOP].

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, sections 2.3.1 and 2.3.2.

    Examples:
        >>> compression_work(width=3, spans=2)
        12
    """
    return 2 * compression_scores(width=width, spans=spans)


def compression_traffic(*, width: Scalar, spans: Scalar) -> Scalar:
    r"""Elements that a compressor writes for a token and reads when the token is pooled.

    What is pooled and its scores wait, and are moved once each way:

        elements = 2 (spans width + spans width)

    Args:
        width: Width of an entry.
        spans: Windows of tokens that one entry pools.

    Returns:
        Elements a token, on average.

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, sections 2.3.1 and 2.3.2.

    Examples:
        >>> compression_traffic(width=3, spans=2)
        24
    """
    waiting = 2 * spans * width
    written = read = waiting
    return written + read


def shared_key_value_weights(
    *,
    hidden: Scalar,
    heads: Scalar,
    head_dim: Scalar,
    q_rank: Scalar,
    output_groups: Scalar,
    output_rank: Scalar,
) -> Scalar:
    r"""Weights of attention whose heads share one vector as key and value.

    Queries pass through a low rank; so does the output, each group of heads by itself:

        weights = d q_rank + q_rank h d_h + d d_h + h d_h output_rank + output_groups output_rank d

    Args:
        hidden: Width d of the residual stream.
        heads: Query heads h.
        head_dim: Width d_h of a head, and of the shared vector.
        q_rank: Rank of the query projection.
        output_groups: Groups of heads.
        output_rank: Rank of the output projection of one group.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2026), DeepSeek-V4 technical report, section 2.3.1.

    Examples:
        >>> shared_key_value_weights(
        ...     hidden=10, heads=4, head_dim=3, q_rank=5, output_groups=2, output_rank=6
        ... )  # 50 + 60 + 30 + 72 + 120
        332
    """
    queries = hidden * q_rank + q_rank * heads * head_dim
    shared = hidden * head_dim
    output = heads * head_dim * output_rank + output_groups * output_rank * hidden
    return queries + shared + output
