"""Feed-forward blocks in one decode step."""

import math

import jax.numpy as jnp
from jax.scipy.special import erfinv

from liminal_jax._arrays import Scalar


def _log_missed(share: Scalar, tokens: Scalar) -> Scalar:
    """Logarithm of the chance that no token is sent to an expert; finite where each is sent to all.

    What it is there does not count: callers put their limit in its place.
    """
    return jnp.log1p(-jnp.where(share < 1, share, 0.5)) * tokens


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
    return experts * jnp.where(share < 1, -jnp.expm1(_log_missed(share, tokens)), 1.0)


def distinct_experts_of_two_kinds(
    *, experts: Scalar, top_k: Scalar, tokens: Scalar, popular: Scalar, taken: Scalar
) -> Scalar:
    r"""Experts that at least one token of a batch is sent to, where some are popular.

        D = D(a E, b k, B) + D((1 - a) E, (1 - b) k, B)

    with D of `expected_distinct_experts`: a share of the experts takes a share of all choices, and
    within both kinds routing is even and independent.

    Args:
        experts: Routed experts E.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        popular: Share a of the experts that are popular, between 0 and 1.
        taken: Share b of all choices that fall on them, at least a.

    Returns:
        Expected number of experts whose weights are read; at most that of even routing.

    References:
        Counted; even routing by itself is that of LIMINAL, arXiv:2507.14397.

    Examples:
        >>> round(float(distinct_experts_of_two_kinds(
        ...     experts=8.0, top_k=2.0, tokens=2.0, popular=0.25, taken=0.5)), 6)  # 1.5 + 11/6
        3.333333
    """
    few = expected_distinct_experts(experts=popular * experts, top_k=taken * top_k, tokens=tokens)
    others = expected_distinct_experts(
        experts=(1 - popular) * experts, top_k=(1 - taken) * top_k, tokens=tokens
    )
    return few + others


def busiest_rank_crowding(
    *, experts: Scalar, top_k: Scalar, tokens: Scalar, ranks: Scalar
) -> Scalar:
    r"""Experts that the busiest rank reads over those of the mean rank, routing as above.

        u = 1 + q sqrt((1 - f) / (f E / R)),  f = 1 - (1 - k/E)^B,  q = Phi^-1((R - 3/8)/(R + 1/4))

    with q the expected largest of R standard normal numbers. The number of experts that a rank
    reads is taken as normal, with the spread of so many independent experts.

    Args:
        experts: Routed experts E, spread whole over the ranks.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        ranks: Ranks R.

    Returns:
        The quotient, 1 for a single rank and where all experts are read.

    References:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables, for q.

    Examples:
        >>> float(busiest_rank_crowding(experts=8.0, top_k=2.0, tokens=1.0, ranks=1.0))
        1.0
        >>> round(float(busiest_rank_crowding(experts=64.0, top_k=8.0, tokens=1.0, ranks=8.0)), 2)
        2.34
    """
    share = top_k / experts
    spared = jnp.where(share < 1, jnp.exp(_log_missed(share, tokens) / 2), 0.0)
    mean = expected_distinct_experts(experts=experts, top_k=top_k, tokens=tokens) / ranks
    return 1 + _largest_normal(ranks) * spared / jnp.sqrt(mean)


def busiest_rank_load(*, experts: Scalar, top_k: Scalar, tokens: Scalar, ranks: Scalar) -> Scalar:
    r"""Tokens that the busiest rank works on over those of the mean rank, routing as above.

        u = 1 + q sqrt(B v) / (B k/R),  v = k (1/R) (1 - 1/R) (E - k)/(E - 1)

    with v the variance of how many of a token's k different experts lie on one rank
    (hypergeometric), and q as in `busiest_rank_crowding`. The load of a rank is taken as normal, so
    the quotient is a few per cent low where fewer than one token is expected on a rank.

    Args:
        experts: Routed experts E, spread whole over the ranks.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        ranks: Ranks R.

    Returns:
        The quotient, 1 for a single rank and where each token is sent to all experts.

    References:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables, for q.

    Examples:
        >>> float(busiest_rank_load(experts=8.0, top_k=2.0, tokens=4.0, ranks=1.0))
        1.0
        >>> round(float(busiest_rank_load(experts=256.0, top_k=8.0, tokens=64.0, ranks=32.0)), 2)
        1.5
    """
    others = jnp.maximum(experts - 1, 1.0)
    spread = (ranks - 1) * (experts - top_k) / others
    # The root has no slope where nothing is spread.
    some = spread > 0
    deviation = jnp.sqrt(jnp.where(some, spread, 1.0) / (tokens * top_k))
    return 1 + jnp.where(some, _largest_normal(ranks) * deviation, 0.0)


def _largest_normal(count: Scalar) -> Scalar:
    """Expected largest of some standard normal numbers, after Blom; 0 of one.

    The quantile Phi^-1(p) is sqrt(2) erfinv(2 p - 1), and 2 p - 1 = (n - 1)/(n + 1/4).
    """
    return math.sqrt(2.0) * erfinv((count - 1) / (count + 0.25))
