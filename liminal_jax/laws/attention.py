"""Work and cache of attention in one decode step, per token and layer.

The context counts the new token: its keys and values are written while those of the c - 1 tokens
before it are read, so c entries cross the memory in all.
"""

from liminal_jax._arrays import Scalar


def grouped_query_work(
    *, heads: Scalar, head_dim: Scalar, tokens: Scalar, value_dim: Scalar | None = None
) -> Scalar:
    r"""Work of attending to a number of tokens: scores, then the weighted sum of values.

        work = 2 h d_h c + 2 h d_v c

    Args:
        heads: Query heads h.
        head_dim: Width d_h of a head's query and key.
        tokens: Tokens c attended to.
        value_dim: Width d_v of a head's value; that of its key where none.

    Returns:
        Work [FLOP].

    References:
        Ainslie et al. (2023), GQA, arXiv:2305.13245: sharing keys and values saves bytes, no work.

    Examples:
        >>> grouped_query_work(heads=2, head_dim=3, tokens=5)
        120
        >>> grouped_query_work(heads=2, head_dim=3, tokens=5, value_dim=2)
        100
    """
    values = head_dim if value_dim is None else value_dim
    return 2 * heads * head_dim * tokens + 2 * heads * values * tokens


def grouped_query_cache(
    *, kv_heads: Scalar, head_dim: Scalar, value_dim: Scalar | None = None
) -> Scalar:
    r"""Elements that one token leaves in the cache: a key and a value for each KV head.

        elements = g (d_h + d_v)

    Args:
        kv_heads: KV heads g.
        head_dim: Width d_h of a head's key.
        value_dim: Width d_v of a head's value; that of its key where none.

    Returns:
        Elements.

    Examples:
        >>> grouped_query_cache(kv_heads=8, head_dim=128)
        2048
        >>> grouped_query_cache(kv_heads=8, head_dim=128, value_dim=64)
        1536
    """
    if value_dim is None:
        return 2 * kv_heads * head_dim
    return kv_heads * (head_dim + value_dim)


def latent_work(*, heads: Scalar, kv_rank: Scalar, rope_dim: Scalar, tokens: Scalar) -> Scalar:
    r"""Work of attending to latents, the projections from and to them absorbed.

        work = 2 h (kv_rank + rope_dim) c + 2 h kv_rank c

    Args:
        heads: Heads h.
        kv_rank: Width of the latent.
        rope_dim: Width of the rotary key.
        tokens: Tokens c attended to.

    Returns:
        Work [FLOP].

    References:
        DeepSeek-AI (2024), DeepSeek-V2, arXiv:2405.04434, section 2.1.2 and appendix C.

    Examples:
        >>> latent_work(heads=2, kv_rank=4, rope_dim=1, tokens=3)
        108
    """
    return 2 * heads * (kv_rank + rope_dim) * tokens + 2 * heads * kv_rank * tokens


def latent_cache(*, kv_rank: Scalar, rope_dim: Scalar) -> Scalar:
    r"""Elements that one token leaves in the cache: one latent and one rotary key for all heads.

        elements = kv_rank + rope_dim

    Args:
        kv_rank: Width of the latent.
        rope_dim: Width of the rotary key.

    Returns:
        Elements.

    Examples:
        >>> latent_cache(kv_rank=512, rope_dim=64)
        576
    """
    return kv_rank + rope_dim


def blocked_latent_cache(
    *, kv_rank: Scalar, rope_dim: Scalar, block: Scalar, scale_bytes: Scalar, rope_bytes: Scalar
) -> Scalar:
    r"""Bytes that one token leaves in a cache of 8-bit latents with a scale for each block of them.

        bytes = kv_rank + scale_bytes kv_rank / block + rope_bytes rope_dim

    Args:
        kv_rank: Width of the latent, a byte for each element.
        rope_dim: Width of the rotary key.
        block: Elements of the latent that share a scale.
        scale_bytes: Bytes of a scale [B].
        rope_bytes: Bytes of an element of the rotary key [B].

    Returns:
        Bytes [B].

    References:
        DeepSeek-AI (2025), FlashMLA, README, FP8 KV cache; vLLM names it fp8_ds_mla.

    Examples:
        >>> blocked_latent_cache(kv_rank=512, rope_dim=64, block=128, scale_bytes=4, rope_bytes=2)
        656.0
    """
    return kv_rank + scale_bytes * kv_rank / block + rope_bytes * rope_dim


def expanded_latent_work(
    *,
    heads: Scalar,
    kv_rank: Scalar,
    nope_dim: Scalar,
    rope_dim: Scalar,
    value_dim: Scalar,
    pairs: Scalar,
    past: Scalar,
) -> Scalar:
    r"""Work of attending to latents after taking them to keys and values, as in prefill.

    Keys and values of new tokens are made by the matrices that they pass anyway; those of cached
    tokens are made again:

        work = 2 h (nope_dim + rope_dim + value_dim) pairs + 2 kv_rank h (nope_dim + value_dim) past

    Args:
        heads: Heads h.
        kv_rank: Width of the latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key.
        value_dim: Width of a head's value.
        pairs: Pairs of a new token and one that it attends to.
        past: Cached tokens that are attended to.

    Returns:
        Work [FLOP].

    References:
        DeepSeek-AI (2024), DeepSeek-V2, arXiv:2405.04434, section 2.1.2 and appendix C.

    Examples:
        >>> expanded_latent_work(  # 2 x 2 x 4 x 10 + 2 x 3 x 2 x 3 x 5
        ...     heads=2, kv_rank=3, nope_dim=1, rope_dim=1, value_dim=2, pairs=10, past=5
        ... )
        340
    """
    attending = 2 * heads * (nope_dim + rope_dim + value_dim) * pairs
    return attending + 2 * kv_rank * heads * (nope_dim + value_dim) * past
