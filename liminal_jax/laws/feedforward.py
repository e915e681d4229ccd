"""Feed-forward blocks in one decode step."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar


def expected_distinct_experts(*, experts: Scalar, top_k: Scalar, tokens: Scalar) -> Scalar:
    r"""Experts that at least one token of a batch is sent to, routing balanced and independent.

        D = E (1 - (1 - k/E)^B)

    Args:
        experts: Routed experts E.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.

    Returns:
        Expected number of experts whose weights are read.

    References:
        Davies et al. (2025), LIMINAL, arXiv:2507.14397. Correlated tokens touch fewer experts.

    Examples:
        >>> round(float(expected_distinct_experts(experts=4.0, top_k=2.0, tokens=2.0)), 6)
        3.0
    """
    share = top_k / experts
    some = share < 1
    missed = jnp.log1p(-jnp.where(some, share, 0.5)) * tokens
    return experts * jnp.where(some, -jnp.expm1(missed), 1.0)
