"""Caches: sums of Zipf's law, Che's root and its slopes, limits, and a cache that is simulated."""

from collections import OrderedDict

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.caching import (
    characteristic_time,
    hit_rate_of_many,
    pinned_share,
    popular_hit_rate,
    recent_hit_rate,
)
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=60, deadline=None)
popular = jax.jit(lambda e, s, c, n: popular_hit_rate(items=e, exponent=s, cached=c, choices=n))
recent = jax.jit(lambda e, s, c: recent_hit_rate(items=e, exponent=s, cached=c))
items_of = st.floats(1.5, 1000)
exponents = st.floats(0, 2)
shares = st.floats(0, 1)


def popularity(items: int, exponent: float) -> np.ndarray:
    weights = np.arange(1, items + 1) ** -float(exponent)
    return weights / weights.sum()


@pytest.mark.parametrize(("space", "share"), [(0.0, 0.0), (2.0, 0.25), (8.0, 1.0), (99.0, 1.0)])
def test_pinned_weights_are_those_that_fit(space: float, share: float) -> None:
    assert float(pinned_share(space=space, weights=8.0, relaxation=Exact())) == share


@pytest.mark.parametrize("exponent", [0.0, 0.74, 1.0, 1.32, 2.0])
@pytest.mark.parametrize(("items", "cached"), [(8, 3), (64, 13), (256, 100), (768, 77)])
@pytest.mark.parametrize("choices", [1.0, 8.0, 512.0])
def test_popular_items_are_summed_rank_by_rank(
    items: int, cached: int, exponent: float, choices: float
) -> None:
    read = 1 - (1 - popularity(items, exponent)) ** choices
    hit = float(popular(float(items), exponent, float(cached), choices))
    assert hit == pytest.approx(read[:cached].sum() / read.sum(), rel=2e-5)


@pytest.mark.parametrize("exponent", [0.0, 0.9, 1.32])
def test_of_very_many_choices_each_item_is_read_and_hits_are_those_that_fit(
    exponent: float,
) -> None:
    assert float(popular(128.0, exponent, 32.0, 1e7)) == pytest.approx(0.25, rel=1e-6)


@pytest.mark.parametrize("exponent", [0.0, 0.9, 1.32])
@pytest.mark.parametrize("items", [1.0, 5.5, 256.0])
def test_all_items_always_hit_and_none_never(items: float, exponent: float) -> None:
    for cached in (items, 3 * items):
        assert float(popular(items, exponent, cached, 8.0)) == 1.0
        assert float(recent(items, exponent, cached)) == 1.0
    assert float(popular(items, exponent, 0.0, 8.0)) == 0.0
    assert float(recent(items, exponent, 0.0)) == 0.0
    nearly = float(recent(items, exponent, items * (1 - 1e-9)))
    assert nearly == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("cached", [1.0, 2.5, 100.0, 511.5])
def test_of_items_that_are_alike_a_cache_hits_its_share(cached: float) -> None:
    assert float(popular(512.0, 0.0, cached, 1.0)) == pytest.approx(cached / 512, rel=1e-12)
    assert float(recent(512.0, 0.0, cached)) == pytest.approx(cached / 512, rel=1e-12)
    time = characteristic_time(items=512.0, exponent=0.0, cached=cached)
    assert float(time) == pytest.approx(-512 * np.log1p(-cached / 512), rel=1e-12)


@shortly
@given(st.integers(33, 600), exponents, st.floats(1e-3, 0.999))
def test_the_root_holds_as_many_items_as_there_is_space_for(
    items: int, exponent: float, share: float
) -> None:
    cached = share * items
    time = float(characteristic_time(items=float(items), exponent=exponent, cached=cached))
    held = -np.expm1(-popularity(items, exponent) * time)
    assert held.sum() == pytest.approx(cached, rel=1e-3)


@pytest.mark.parametrize("items", [2.0, 182.0, 1000.0])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_a_cache_that_lacks_only_rounding_holds_all(items: float, exponent: float) -> None:
    for lacking in (2.0**-53, 2.0**-52, 2.0**-51, 1e-15, 1e-12):
        rate = float(recent(items, exponent, items * (1 - lacking)))
        assert rate == pytest.approx(1.0, abs=1e-11)


@shortly
@given(items_of, exponents, shares, shares)
def test_more_space_and_more_skew_hit_more_and_more_items_less(
    items: float, exponent: float, share: float, more: float
) -> None:
    cached = share * items
    for rate in (recent, lambda *at: popular(*at, 8.0)):
        here = float(rate(items, exponent, cached))
        assert -1e-12 <= here <= 1 + 1e-12
        assert here <= float(rate(items, exponent, cached + more * items)) + 1e-12
        assert here <= float(rate(items, exponent + more, cached)) + 1e-12
        assert here >= float(rate(items * (1 + more), exponent, cached)) - 1e-12


@shortly
@given(items_of, exponents, shares, st.floats(1, 1e4))
def test_more_choices_hit_less(items: float, exponent: float, share: float, choices: float) -> None:
    cached = share * items
    few, many = (float(popular(items, exponent, cached, it)) for it in (choices, 2 * choices))
    assert many <= few + 1e-12
    assert many >= min(share, 1) - 1e-4


@shortly
@given(items_of, exponents, st.floats(0.01, 0.99))
def test_pinning_the_popular_is_no_worse_than_keeping_the_recent(
    items: float, exponent: float, share: float
) -> None:
    """Independent choices have no memory, so that nothing beats popularity (Belady aside)."""
    cached = share * items
    assert float(recent(items, exponent, cached)) <= float(
        popular(items, exponent, cached, 1.0)
    ) * (1 + 1e-4)


@pytest.mark.parametrize(("items", "exponent", "cached"), [(64, 0.8, 16), (256, 1.3, 40)])
def test_che_is_as_a_simulated_cache(items: int, exponent: float, cached: int) -> None:
    asked = np.random.default_rng(1).choice(items, 60_000, p=popularity(items, exponent))
    held: OrderedDict[int, None] = OrderedDict()
    hits = []
    for item in asked.tolist():
        hits.append(item in held)
        held[item] = None
        held.move_to_end(item)
        if len(held) > cached:
            held.popitem(last=False)
    law = float(recent(float(items), exponent, float(cached)))
    assert law == pytest.approx(np.mean(hits[5_000:]), abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("cached", [7.3, 100.4, 400.2])
def test_slopes(cached: float) -> None:
    at = {"items": 512.0, "exponent": 1.32, "cached": cached}
    slopes = assert_slopes(characteristic_time, **at)
    assert slopes["cached"] > 0
    slopes = assert_slopes(recent_hit_rate, **at)
    assert slopes["items"] < 0 < min(slopes["exponent"], slopes["cached"])
    slopes = assert_slopes(popular_hit_rate, **at, choices=8.0)
    assert slopes["items"] < 0 < min(slopes["exponent"], slopes["cached"])
    assert slopes["choices"] < 0


def test_slopes_of_the_rest() -> None:
    slopes = assert_slopes(hit_rate_of_many, recent=0.8, popular=0.5, users=4.0)
    assert slopes["users"] < 0
    assert_slopes(lambda **at: pinned_share(**at, relaxation=Soft(0.1)), space=7.0, weights=8.0)


@pytest.mark.parametrize(("items", "cached"), [(1.0, 0.5), (8.0, 0.0), (8.0, 8.0), (32.0, 32.0)])
def test_slopes_are_finite_at_the_ends(items: float, cached: float) -> None:
    for law in (recent_hit_rate, lambda **at: popular_hit_rate(**at, choices=8.0)):
        slopes = jax.grad(lambda it, law=law: law(**it))(
            {"items": items, "exponent": 1.0, "cached": cached}
        )
        assert all(np.isfinite(it) for it in slopes.values())


@pytest.mark.slow
def test_second_derivatives_and_batches_of_the_root() -> None:
    def time(cached):
        return characteristic_time(items=512.0, exponent=1.32, cached=cached)

    spaces = jnp.array([10.0, 100.0, 400.0])
    bent = jax.vmap(jax.grad(jax.grad(time)))(spaces)
    step = 1e-3
    slope = jax.vmap(jax.grad(time))
    rise = (slope(spaces + step) - slope(spaces - step)) / (2 * step)
    assert bent.tolist() == pytest.approx(rise.tolist(), rel=1e-5)
    together = jax.jit(jax.vmap(time))(spaces).tolist()
    assert together == pytest.approx([float(time(it)) for it in spaces])


@pytest.mark.slow
def test_reverse_and_forward_slopes_agree() -> None:
    def rate(exponent):
        return recent_hit_rate(items=256.0, exponent=exponent, cached=64.0)

    assert float(jax.jacfwd(rate)(0.9)) == pytest.approx(float(jax.grad(rate)(0.9)), rel=1e-12)


def test_many_users_leave_what_is_popular_for_long() -> None:
    ends = {"recent": 0.81, "popular": 0.5}
    assert hit_rate_of_many(**ends, users=1.0) == pytest.approx(0.81)
    assert hit_rate_of_many(**ends, users=1e9) == pytest.approx(0.5)
