"""What memory on the chip keeps from one step to the next: weights, all or the popular ones.

Popularity follows Zipf's law: the item of some rank is asked for in proportion to rank^-exponent.
Items and space may be real numbers: sums over ranks are exact up to rank 32, and linear between
whole numbers; beyond, they are integrals from half a rank below to half a rank above, which are off
by less than 1e-5.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._arrays import Scalar
from liminal_jax._monotone import monotone
from liminal_jax._smooth import AbstractRelaxation

_Ranks = tuple[Float[Array, " ranks"], Float[Array, " ranks"]]
"""Ranks, and how many items each stands for."""

_FIRST = np.arange(1.0, 33.0)
"""Ranks that stand for themselves."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
"""Places between the ends of an integral, -1 and 1, and their weights."""

_STEPS = 12
"""Steps of Newton's method; ten are as good as more for exponents up to 3."""


def pinned_share(*, space: Scalar, weights: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    r"""Share of the weights that stay on the chip where the same ones always do.

        share = min(space / weights, 1)

    Every step reads all of them in one order, so that a cache that drops what was used longest ago
    keeps nothing unless all fit.

    Args:
        space: Memory on the chip that is free for them [B].
        weights: Bytes of the weights [B].
        relaxation: How the minimum is evaluated.

    Returns:
        Share of their traffic that the main memory is spared, between 0 and 1.

    References:
        Counted.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> float(pinned_share(space=2.0, weights=8.0, relaxation=Exact()))
        0.25
    """
    return relaxation.share(space / weights)


@monotone(items=False, exponent=True, cached=True, choices=False)
def popular_hit_rate(*, items: Scalar, exponent: Scalar, cached: Scalar, choices: Scalar) -> Scalar:
    r"""Share of the items a step reads that are cached, where the most popular ones always are.

    Each item that a step asks for is read once, however often it is chosen:

        hit = sum(read, rank = 1 .. cached) / sum(read, rank = 1 .. items)
        read = 1 - (1 - popularity)^choices
        popularity = rank^-exponent / sum(rank^-exponent, rank = 1 .. items)

    Of a single choice it is the share of all choices that the cached ones attract; of very many it
    is cached / items.

    Args:
        items: Items, such as the routed experts of a layer, 1 or more.
        exponent: Exponent of their popularity, 0 where all are alike.
        cached: Items that are kept, the most popular ones.
        choices: Independent choices of a step, such as its tokens times the experts of each.

    Returns:
        Hit rate between 0 and 1.

    References:
        Zipf's law; independent choices are an assumption. Exponents of 0.64 to 1.05 are seen in
        how often experts of OLMoE and gpt-oss-20b are chosen (public notes, read in a snippet).

    Examples:
        >>> two_of_three = {"items": 3.0, "exponent": 1.0, "cached": 2.0}
        >>> round(float(popular_hit_rate(**two_of_three, choices=1.0)), 6)  # (6 + 3) / 11
        0.818182
        >>> round(float(popular_hit_rate(**two_of_three, choices=1e3)), 6)
        0.666667
    """
    total = _total(items, exponent)

    def read(upto: Scalar) -> Scalar:
        ranks, counts = _ranks(upto)
        popularity = _weight(ranks, exponent) / total
        asked = jnp.where(popularity < 1, popularity, 0.5)
        missed = jnp.where(popularity < 1, jnp.log1p(-asked) * choices, -jnp.inf)
        return jnp.sum(counts * -jnp.expm1(missed))

    return read(jnp.minimum(cached, items)) / read(items)


def characteristic_time(*, items: Scalar, exponent: Scalar, cached: Scalar) -> Scalar:
    r"""Accesses after which a cache drops an item that nobody asked for again: Che's time.

        time = root of sum(1 - exp(-popularity time), rank = 1 .. items) - cached
        popularity = rank^-exponent / sum(rank^-exponent, rank = 1 .. items)

    Args:
        items: Items, more than are cached.
        exponent: Exponent of their popularity.
        cached: Items that the cache holds, 0 or more.

    Returns:
        Accesses, a real number; its derivatives are those of the root.

    References:
        Che, Tung and Wang (2002), Hierarchical Web Caching Systems, IEEE JSAC 20(7).

    Examples:
        >>> # alike: exp(-time / 4) = 1/2
        >>> round(float(characteristic_time(items=4.0, exponent=0.0, cached=2.0)), 6)  # 4 log 2
        2.772589
    """
    return _root(*(jnp.asarray(it, float) for it in (items, exponent, cached)))


@monotone(items=False, exponent=True, cached=True)
def recent_hit_rate(*, items: Scalar, exponent: Scalar, cached: Scalar) -> Scalar:
    r"""Share of accesses that find their item in a cache that drops the least recently used one.

        hit = sum(popularity (1 - exp(-popularity time)), rank = 1 .. items)
        popularity = rank^-exponent / sum(rank^-exponent, rank = 1 .. items)
        time = time(items, exponent, cached)

    with `characteristic_time`.

    Args:
        items: Items, such as the routed experts of a layer, 1 or more.
        exponent: Exponent of their popularity. Items that were asked for lately are asked for again
            more often than their popularity says; an exponent fitted to this law holds that too.
        cached: Items that the cache holds, 0 or more; with all of them each access hits.

    Returns:
        Hit rate between 0 and 1.

    References:
        Che, Tung and Wang (2002), as above. An exponent of 1.32 gives the rates that a cache of
        64, 96, 128 and 384 of 512 experts had for one user (81, 86.9, 90.2 and 98.5 %: llama.cpp,
        pull request 27861, second-hand) within 0.012.

    Examples:
        >>> round(float(recent_hit_rate(items=4.0, exponent=0.0, cached=2.0)), 6)
        0.5
    """
    # What lacks no more than rounding holds all: Che's time would be the logarithm of nothing.
    some = cached < items * (1 - 4 * jnp.finfo(jnp.result_type(float)).eps)
    held = jnp.where(some, cached, 0.5 * items)
    time = characteristic_time(items=items, exponent=exponent, cached=held)
    popularity, counts = _popularity(items, exponent)
    hit = jnp.sum(counts * popularity * -jnp.expm1(-popularity * time))
    return jnp.where(some, hit, 1.0)


def hit_rate_of_many(*, recent: Scalar, popular: Scalar, users: Scalar) -> Scalar:
    r"""Hit rate of a cache that the mixed choices of some users pass.

        hit = popular + (recent - popular) / B

    One user's tokens ask again for the experts of the token before. The more users come between,
    the less of that is left.

    Args:
        recent: Hit rate of one user, see `recent_hit_rate`.
        popular: That of very many, of what a step reads, see `popular_hit_rate`.
        users: Users B whose tokens pass together.

    Returns:
        Hit rate between both.

    References:
        Both ends are measured (see `recent_hit_rate` and `popular_hit_rate`); the way between them
        is this project's inference, and no data on batches is known.

    Examples:
        >>> hit_rate_of_many(recent=0.75, popular=0.5, users=4.0)
        0.5625
    """
    return popular + (recent - popular) / users


def _ranks(upto: Scalar) -> _Ranks:
    """Ranks up to a real number, and how many items each stands for."""
    last = len(_FIRST)
    stretch = jnp.log((jnp.maximum(upto, last) + 0.5) / (last + 0.5))
    beyond = (last + 0.5) * jnp.exp(stretch * 0.5 * (1 + _NODES))
    counts = jnp.clip(upto - (_FIRST - 1), 0.0, 1.0)
    return (
        jnp.concatenate([jnp.asarray(_FIRST, float), beyond]),
        jnp.concatenate([counts, beyond * (stretch * 0.5 * _WEIGHTS)]),
    )


def _weight(ranks: Float[Array, " ranks"], exponent: Scalar) -> Float[Array, " ranks"]:
    return jnp.exp(-exponent * jnp.log(ranks))


def _total(items: Scalar, exponent: Scalar) -> Scalar:
    ranks, counts = _ranks(items)
    return jnp.sum(counts * _weight(ranks, exponent))


def _popularity(items: Scalar, exponent: Scalar) -> _Ranks:
    """Chance that one access is to an item of each rank, and how many items have it."""
    ranks, counts = _ranks(items)
    return _weight(ranks, exponent) / _total(items, exponent), counts


def _held(items: Scalar, exponent: Scalar, time: Scalar) -> Scalar:
    """Items that were asked for within a time."""
    popularity, counts = _popularity(items, exponent)
    return jnp.sum(counts * -jnp.expm1(-popularity * time))


@jax.custom_jvp
def _root(items: Scalar, exponent: Scalar, cached: Scalar) -> Scalar:
    """Newton's method on -log(mean of exp(-popularity time)) = -log(1 - cached / items).

    The left side is concave and rises, so that from below, where all items are alike, each step
    comes nearer and none goes too far; far out it is a line.
    """
    popularity, counts = _popularity(items, exponent)
    number = jnp.sum(counts)
    goal = -jnp.log1p(-cached / number)

    time = goal * number
    for _ in range(_STEPS):
        left = counts * jnp.exp(-popularity * time)
        reached = -jnp.log(jnp.sum(left) / number)
        time += (goal - reached) * jnp.sum(left) / jnp.sum(left * popularity)
    return time


@_root.defjvp
def _root_slope(
    given: tuple[Scalar, Scalar, Scalar], moved: tuple[Scalar, Scalar, Scalar]
) -> tuple[Scalar, Scalar]:
    """What the root moves by so that the items held stay as many as there is space for."""
    items, exponent, cached = given
    time = _root(items, exponent, cached)
    _, more = jax.jvp(lambda e, s: _held(e, s, time), (items, exponent), moved[:2])
    rate = jax.grad(lambda it: _held(items, exponent, it))(time)
    return time, (moved[2] - more) / rate
