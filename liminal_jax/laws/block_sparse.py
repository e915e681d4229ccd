"""The index of block-sparse attention in one decode step, per token and layer.

One index query for each group of query heads is scored against one index key for each token of
the context. Tokens lie in blocks; a block's score is the largest of its tokens', and the group
attends to the blocks of highest score only.
"""

from liminal_jax._arrays import Scalar


def block_index_weights(*, hidden: Scalar, index_heads: Scalar, index_dim: Scalar) -> Scalar:
    r"""Weights of the projections to index queries and to the one index key.

        weights = d index_heads index_dim + d index_dim

    Args:
        hidden: Width d of the residual stream.
        index_heads: Index queries.
        index_dim: Width of one of them, and of the key.

    Returns:
        Number of weights.

    References:
        Lai et al. (2026), MiniMax Sparse Attention, arXiv:2606.13392.

    Examples:
        >>> block_index_weights(hidden=10, index_heads=2, index_dim=3)
        90
    """
    return hidden * index_heads * index_dim + hidden * index_dim


def block_index_work(*, index_heads: Scalar, index_dim: Scalar, tokens: Scalar) -> Scalar:
    r"""Work of scoring every token of the context.

        work = 2 index_heads index_dim c

    Args:
        index_heads: Index queries.
        index_dim: Width of one of them.
        tokens: Tokens c of the context.

    Returns:
        Work [FLOP]; maxima of blocks and the choice among them are left out.

    References:
        Lai et al. (2026), MiniMax Sparse Attention, arXiv:2606.13392.

    Examples:
        >>> block_index_work(index_heads=2, index_dim=3, tokens=5)
        60
    """
    return 2 * index_heads * index_dim * tokens
