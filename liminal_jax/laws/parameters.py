"""How many weights the matrices of a layer hold.

Norms, biases and other vectors are not here: they are read once a step but multiply nothing of
weight. All functions are plain arithmetic: whole numbers stay exact, arrays stay differentiable.
"""

from liminal_jax._arrays import Scalar


def grouped_query_weights(
    *,
    hidden: Scalar,
    heads: Scalar,
    kv_heads: Scalar,
    head_dim: Scalar,
    value_dim: Scalar | None = None,
) -> Scalar:
    r"""Weights of the query, key, value and output projections of grouped-query attention.

        weights = d h d_h + d g d_h + d g d_v + h d_v d

    Args:
        hidden: Width d of the residual stream.
        heads: Query heads h.
        kv_heads: KV heads g; g = h is multi-head, g = 1 multi-query attention.
        head_dim: Width d_h of a head's query and key.
        value_dim: Width d_v of a head's value; that of its key where none.

    Returns:
        Number of weights.

    References:
        Ainslie et al. (2023), "GQA", arXiv:2305.13245, section 2.2.

    Examples:
        >>> grouped_query_weights(hidden=10, heads=4, kv_heads=2, head_dim=3)
        360
        >>> grouped_query_weights(hidden=10, heads=4, kv_heads=2, head_dim=3, value_dim=2)
        300
    """
    if value_dim is None:
        return 2 * hidden * head_dim * (heads + kv_heads)
    return hidden * (head_dim + value_dim) * (heads + kv_heads)


def output_gate_weights(*, hidden: Scalar, heads: Scalar, gate_dim: Scalar) -> Scalar:
    r"""Weights of a projection that gates the output of each head, element by element.

        weights = d h gate_dim

    Args:
        hidden: Width d of the residual stream.
        heads: Query heads h.
        gate_dim: Gates of one head; 0 for none.

    Returns:
        Number of weights.

    References:
        Qiu et al. (2025), "Gated Attention for Large Language Models", arXiv:2505.06708.

    Examples:
        >>> output_gate_weights(hidden=10, heads=4, gate_dim=3)
        120
    """
    return hidden * heads * gate_dim


def latent_weights(
    *,
    hidden: Scalar,
    heads: Scalar,
    q_rank: Scalar,
    kv_rank: Scalar,
    nope_dim: Scalar,
    rope_dim: Scalar,
    value_dim: Scalar,
) -> Scalar:
    r"""Weights of latent attention (MLA) whose queries pass through a low rank.

        weights = d q_rank + q_rank h (nope_dim + rope_dim)
                  + d (kv_rank + rope_dim) + kv_rank h (nope_dim + value_dim) + h value_dim d

    Args:
        hidden: Width d of the residual stream.
        heads: Heads h.
        q_rank: Rank of the query projection.
        kv_rank: Width of the cached latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key that all heads share.
        value_dim: Width of a head's value.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2024), "DeepSeek-V2", arXiv:2405.04434, Eqs. 9-19 and appendix C.

    Examples:
        >>> latent_weights(
        ...     hidden=10, heads=2, q_rank=4, kv_rank=3, nope_dim=2, rope_dim=1, value_dim=2
        ... )
        168
    """
    return (
        hidden * q_rank
        + q_rank * heads * (nope_dim + rope_dim)
        + _latent_key_value_output_weights(
            hidden=hidden,
            heads=heads,
            kv_rank=kv_rank,
            nope_dim=nope_dim,
            rope_dim=rope_dim,
            value_dim=value_dim,
        )
    )


def latent_weights_direct(
    *,
    hidden: Scalar,
    heads: Scalar,
    kv_rank: Scalar,
    nope_dim: Scalar,
    rope_dim: Scalar,
    value_dim: Scalar,
) -> Scalar:
    r"""Weights of latent attention (MLA) whose queries are projected in one step.

        weights = d h (nope_dim + rope_dim)
                  + d (kv_rank + rope_dim) + kv_rank h (nope_dim + value_dim) + h value_dim d

    Args:
        hidden: Width d of the residual stream.
        heads: Heads h.
        kv_rank: Width of the cached latent.
        nope_dim: Width of a head's query and key without rotary embedding.
        rope_dim: Width of the rotary key that all heads share.
        value_dim: Width of a head's value.

    Returns:
        Number of weights.

    References:
        DeepSeek-AI (2024), "DeepSeek-V2", arXiv:2405.04434, appendix B (V2-Lite).

    Examples:
        >>> latent_weights_direct(
        ...     hidden=10, heads=2, kv_rank=3, nope_dim=2, rope_dim=1, value_dim=2
        ... )
        164
    """
    return hidden * heads * (nope_dim + rope_dim) + _latent_key_value_output_weights(
        hidden=hidden,
        heads=heads,
        kv_rank=kv_rank,
        nope_dim=nope_dim,
        rope_dim=rope_dim,
        value_dim=value_dim,
    )


def _latent_key_value_output_weights(
    *,
    hidden: Scalar,
    heads: Scalar,
    kv_rank: Scalar,
    nope_dim: Scalar,
    rope_dim: Scalar,
    value_dim: Scalar,
) -> Scalar:
    return (
        hidden * (kv_rank + rope_dim)
        + kv_rank * heads * (nope_dim + value_dim)
        + heads * value_dim * hidden
    )


def merged_latent_weights(
    *, hidden: Scalar, heads: Scalar, q_rank: Scalar, kv_rank: Scalar, rope_dim: Scalar
) -> Scalar:
    r"""Weights of latent attention (MLA) with both up-projections multiplied out.

    The key's up-projection is merged into the query's, the value's into the output's, so that
    attention runs on the latents themselves:

        weights = d q_rank + q_rank h (kv_rank + rope_dim) + d (kv_rank + rope_dim) + h kv_rank d

    Args:
        hidden: Width d of the residual stream.
        heads: Heads h.
        q_rank: Rank of the query projection.
        kv_rank: Width of the cached latent.
        rope_dim: Width of the rotary key that all heads share.

    Returns:
        Number of weights; more than `latent_weights` where the latent is wider than a head.

    References:
        DeepSeek-AI (2024), "DeepSeek-V2", arXiv:2405.04434, section 2.1.2 (absorption).

    Examples:
        >>> merged_latent_weights(hidden=10, heads=2, q_rank=4, kv_rank=3, rope_dim=1)
        172
    """
    return (
        hidden * q_rank
        + q_rank * heads * (kv_rank + rope_dim)
        + hidden * (kv_rank + rope_dim)
        + heads * kv_rank * hidden
    )


def feed_forward_weights(*, hidden: Scalar, intermediate: Scalar, matrices: Scalar) -> Scalar:
    r"""Weights of one feed-forward block, or of one expert.

        weights = matrices d intermediate

    Args:
        hidden: Width d of the residual stream.
        intermediate: Width inside the block.
        matrices: Matrices: 3 with a gate (SwiGLU, GeGLU), 2 without.

    Returns:
        Number of weights.

    References:
        Shazeer (2020), "GLU Variants Improve Transformer", arXiv:2002.05202, Eqs. 2 and 6.

    Examples:
        >>> feed_forward_weights(hidden=10, intermediate=4, matrices=3)
        120
    """
    return matrices * hidden * intermediate


def router_weights(*, hidden: Scalar, experts: Scalar) -> Scalar:
    r"""Weights of the matrix that scores the experts of one layer.

        weights = d E

    Args:
        hidden: Width d of the residual stream.
        experts: Routed experts E.

    Returns:
        Number of weights.

    References:
        Shazeer et al. (2017), "Outrageously Large Neural Networks", arXiv:1701.06538, Eq. 4.

    Examples:
        >>> router_weights(hidden=10, experts=8)
        80
    """
    return hidden * experts
