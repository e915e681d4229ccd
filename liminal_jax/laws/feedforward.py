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

        distinct = E (1 - (1 - k/E)^B)

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

        distinct = distinct(popular E, taken k, B) + distinct((1 - popular) E, (1 - taken) k, B)

    with `expected_distinct_experts` on the right: a share of the experts takes a share of all
    choices, and within both kinds routing is even and independent.

    Args:
        experts: Routed experts E.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        popular: Share of the experts that are popular, between 0 and 1.
        taken: Share of all choices that fall on them, at least `popular`.

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


def busiest_rank_imbalance(
    *, experts: Scalar, top_k: Scalar, tokens: Scalar, ranks: Scalar
) -> Scalar:
    r"""Experts that the busiest rank reads over those of the mean rank, routing as above.

        imbalance = 1 + largest sqrt((1 - read) / (read E / ranks))
        read = 1 - (1 - k/E)^B
        largest = quantile((ranks - 3/8) / (ranks + 1/4))

    with the share of the experts that are read, the quantile of the standard normal distribution,
    and the expected largest of as many standard normal numbers as there are ranks. The number of
    experts that a rank reads is taken as normal, with the variance of independent experts.

    Args:
        experts: Routed experts E, spread whole over the ranks.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        ranks: Ranks that hold experts.

    Returns:
        The quotient, 1 for a single rank and where all experts are read.

    References:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables, for the expected largest.

    Examples:
        >>> float(busiest_rank_imbalance(experts=8.0, top_k=2.0, tokens=1.0, ranks=1.0))
        1.0
        >>> round(float(busiest_rank_imbalance(experts=64.0, top_k=8.0, tokens=1.0, ranks=8.0)), 2)
        2.34
    """
    share = top_k / experts
    spared = jnp.where(share < 1, jnp.exp(_log_missed(share, tokens) / 2), 0.0)
    mean = expected_distinct_experts(experts=experts, top_k=top_k, tokens=tokens) / ranks
    return 1 + _largest_normal(ranks) * spared / jnp.sqrt(mean)


def busiest_rank_load(*, experts: Scalar, top_k: Scalar, tokens: Scalar, ranks: Scalar) -> Scalar:
    r"""Tokens that the busiest rank works on over those of the mean rank, routing as above.

        imbalance = 1 + largest sqrt(B variance) / (B k / ranks)
        variance = k (1 / ranks) (1 - 1 / ranks) (E - k) / (E - 1)
        largest = quantile((ranks - 3/8) / (ranks + 1/4))

    with the variance of how many of a token's k different experts lie on one rank (hypergeometric),
    and the expected largest as in `busiest_rank_imbalance`. The load of a rank is taken as normal,
    so the quotient is a few per cent low where fewer than one token is expected on a rank.

    Args:
        experts: Routed experts E, spread whole over the ranks.
        top_k: Experts k that one token is sent to.
        tokens: Tokens B routed together.
        ranks: Ranks that hold experts.

    Returns:
        The quotient, 1 for a single rank and where each token is sent to all experts.

    References:
        Blom (1958), Statistical Estimates and Transformed Beta-Variables, for the expected largest.

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

    The quantile at p is sqrt(2) erfinv(2 p - 1); Blom's p = (count - 3/8)/(count + 1/4).
    """
    return math.sqrt(2.0) * erfinv((count - 1) / (count + 0.25))
