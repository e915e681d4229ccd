"""How much of the cache attention reads for one token and layer, where it does not read all of it.

Each says what is read of a context of c tokens; what that does to quality is not in it.
"""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation


def window_tokens(*, context: Scalar, window: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    r"""Tokens that a window reads: the last ones.

        tokens = min(c, window)

    Args:
        context: Tokens c of the context.
        window: Tokens of the window.
        relaxation: How the minimum is evaluated.

    Returns:
        Tokens.

    References:
        Beltagy et al. (2020), Longformer, arXiv:2004.05150.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> float(window_tokens(context=1000.0, window=128.0, relaxation=Exact()))
        128.0
    """
    return relaxation.minimum(context, window)


def indexed_bytes(
    *,
    context: Scalar,
    chosen: Scalar,
    entry: Scalar,
    index: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Bytes read where an index scores all tokens and attention reads the best of them.

        bytes = c index + min(c, chosen) entry

    Args:
        context: Tokens c of the context.
        chosen: Tokens that attention reads at most.
        entry: Bytes of the key and value of a token [B].
        index: Bytes of the index key of a token [B].
        relaxation: How the minimum is evaluated.

    Returns:
        Bytes [B].

    References:
        DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556: 2048 tokens are chosen.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> tokens = {"context": 1000.0, "chosen": 100.0}
        >>> float(indexed_bytes(**tokens, entry=8.0, index=1.0, relaxation=Exact()))
        1800.0
    """
    return context * index + relaxation.minimum(context, chosen) * entry


def paged_bytes(
    *,
    context: Scalar,
    chosen: Scalar,
    page: Scalar,
    key: Scalar,
    entry: Scalar,
    relaxation: AbstractRelaxation,
) -> Scalar:
    r"""Bytes read where pages are chosen by the least and the largest of their keys.

        bytes = 2 key c / page + min(c, chosen) entry

    Args:
        context: Tokens c of the context.
        chosen: Tokens that attention reads at most, in whole pages.
        page: Tokens of a page.
        key: Bytes of a key, of which a page has two bounds, channel by channel [B].
        entry: Bytes of the key and value of a token [B].
        relaxation: How the minimum is evaluated.

    Returns:
        Bytes [B].

    References:
        Tang et al. (2024), Quest, arXiv:2406.10774: 2.23 times as fast end to end. It needs no
        training.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> pages = {"context": 1000.0, "chosen": 100.0, "page": 20.0, "relaxation": Exact()}
        >>> float(paged_bytes(**pages, key=4.0, entry=8.0))  # 400 + 800
        1200.0
    """
    return 2 * key * context / page + relaxation.minimum(context, chosen) * entry


def shared_bytes(*, whole: Scalar, layers: Scalar, others: Scalar) -> Scalar:
    r"""Bytes of the cache where only some layers have one of their own, a layer on average.

        bytes = whole / (1 + others) / layers

    Args:
        whole: Bytes of the cache of one layer with all of the context [B].
        layers: Layers that use one cache together: 1 where each has its own, 2 in pairs.
        others: Layers without a growing cache (linear attention) for each one with, 0 for none.

    Returns:
        Bytes [B]. Of what several layers share each layer still reads all: only what linear layers
        leave out is traffic saved; what is shared is capacity saved.

    References:
        Brandon et al. (2024), Cross-Layer Attention, arXiv:2405.12981, for pairs. Kimi Linear,
        MoonshotAI, README: three linear layers for each full one, 75 % of the cache saved.

    Examples:
        >>> shared_bytes(whole=8.0, layers=1.0, others=3.0)
        2.0
    """
    return whole / (1 + others) / layers
