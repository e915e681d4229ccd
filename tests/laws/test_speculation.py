"""Accepted tokens: counted by hand, at their limits, drawn, and over real numbers of drafts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.speculation import (
    MOST_DRAFTS,
    accepted_tokens,
    best_drafts,
    chain_acceptance,
    checked_experts,
    draft_gain,
)
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=60, deadline=None)
chances = st.floats(0.01, 1.0)
tokens_of = jax.jit(lambda g, a, r: accepted_tokens(drafts=g, acceptance=a, decay=r))


def test_three_drafts_by_hand() -> None:
    # 1 + 0.8 + 0.8 x 0.4 + 0.8 x 0.4 x 0.2
    tokens = accepted_tokens(drafts=3.0, acceptance=0.8, decay=0.5)
    assert float(tokens) == pytest.approx(1 + 0.8 + 0.32 + 0.064, rel=1e-14)
    assert chain_acceptance(drafts=3, acceptance=0.8, decay=0.5) == pytest.approx(0.064, rel=1e-14)


@pytest.mark.parametrize("drafts", [0, 0.0, jnp.array(0), jnp.array(0.0)])
def test_without_drafts_a_step_yields_exactly_one_token(drafts) -> None:
    assert float(accepted_tokens(drafts=drafts, acceptance=0.83, decay=0.9)) == 1.0


@pytest.mark.parametrize("drafts", [1, 3, 8, MOST_DRAFTS])
@pytest.mark.parametrize("acceptance", [0.3, 0.8, 0.999])
def test_without_decay_it_is_the_geometric_sum(drafts: int, acceptance: float) -> None:
    tokens = float(accepted_tokens(drafts=drafts, acceptance=acceptance, decay=1.0))
    assert tokens == pytest.approx((1 - acceptance ** (drafts + 1)) / (1 - acceptance), rel=1e-12)


@pytest.mark.parametrize("drafts", [0.0, 0.4, 5.0, 7.7, 16.0])
def test_limits_of_the_acceptance(drafts: float) -> None:
    perfect = accepted_tokens(drafts=drafts, acceptance=1.0, decay=1.0)
    assert float(perfect) == pytest.approx(1 + drafts, rel=1e-14)
    assert float(accepted_tokens(drafts=drafts, acceptance=0.0, decay=1.0)) == 1.0
    only_the_first = accepted_tokens(drafts=drafts, acceptance=0.7, decay=0.0)
    assert float(only_the_first) == pytest.approx(1 + 0.7 * min(drafts, 1), rel=1e-14)


@pytest.mark.parametrize(("acceptance", "decay"), [(0.9, 0.8), (0.6, 0.97)])
def test_it_is_the_mean_of_drawn_chains(acceptance: float, decay: float) -> None:
    drafts, draws = 6, 200_000
    right = np.random.default_rng(0).random((draws, drafts)) < acceptance * decay ** np.arange(
        drafts
    )
    kept = 1 + np.cumprod(right, axis=1).sum(axis=1)
    law = float(accepted_tokens(drafts=drafts, acceptance=acceptance, decay=decay))
    assert law == pytest.approx(kept.mean(), abs=4 * kept.std() / draws**0.5)


@shortly
@given(st.floats(0, 15), st.floats(0.01, 1), chances, chances)
def test_more_drafts_give_more_tokens_and_less_and_less(
    drafts: float, more: float, acceptance: float, decay: float
) -> None:
    values = [float(tokens_of(drafts + it * more, acceptance, decay)) for it in (0, 0.5, 1)]
    assert 1 <= values[0] <= values[1] <= values[2] <= 1 + drafts + more + 1e-12
    assert values[1] >= (values[0] + values[2]) / 2 - 1e-12


@shortly
@given(st.floats(0, 16), chances, chances)
def test_better_drafts_give_more_tokens(drafts: float, acceptance: float, decay: float) -> None:
    tokens = float(tokens_of(drafts, acceptance, decay))
    assert tokens <= float(tokens_of(drafts, (1 + acceptance) / 2, decay))
    assert tokens <= float(tokens_of(drafts, acceptance, (1 + decay) / 2))


def test_it_is_linear_between_whole_numbers() -> None:
    two, three = (float(tokens_of(float(it), 0.8, 0.9)) for it in (2, 3))
    assert float(tokens_of(2.25, 0.8, 0.9)) == pytest.approx(0.75 * two + 0.25 * three, rel=1e-14)


def test_drafts_beyond_the_most_add_nothing() -> None:
    at_most = float(tokens_of(float(MOST_DRAFTS), 0.9, 0.99))
    assert float(tokens_of(MOST_DRAFTS + 5.0, 0.9, 0.99)) == at_most


def test_it_is_the_same_for_numbers_arrays_and_batches() -> None:
    number = accepted_tokens(drafts=3, acceptance=0.8, decay=0.96)
    array = accepted_tokens(drafts=jnp.array(3), acceptance=jnp.array(0.8), decay=jnp.array(0.96))
    batch = jax.vmap(lambda g: accepted_tokens(drafts=g, acceptance=0.8, decay=0.96))(
        jnp.array([1.0, 3.0])
    )
    assert float(array) == pytest.approx(float(number), rel=1e-15)
    assert float(batch[1]) == pytest.approx(float(number), rel=1e-15)
    assert float(tokens_of(3.0, 0.8, 0.96)) == pytest.approx(float(number), rel=1e-15)


def test_slopes() -> None:
    slopes = assert_slopes(accepted_tokens, drafts=4.4, acceptance=0.8, decay=0.9)
    assert min(slopes.values()) > 0
    assert slopes["drafts"] == pytest.approx(0.8**5 * 0.9**10, rel=1e-6)
    assert_slopes(chain_acceptance, drafts=4.4, acceptance=0.8, decay=0.9)
    gains = assert_slopes(draft_gain, drafts=3.3, acceptance=0.8, decay=0.9, time=2.0, added=0.1)
    assert gains["acceptance"] > 0 > gains["added"]
    assert_slopes(checked_experts, first=10.0, independent=38.8, fresh=0.59)


def test_the_worth_of_a_first_draft_shows_where_there_is_none() -> None:
    slope = jax.grad(lambda g: accepted_tokens(drafts=g, acceptance=0.8, decay=0.9))(0.0)
    assert float(slope) == pytest.approx(0.8)


@pytest.mark.parametrize(
    "at", [{"acceptance": 0.0, "decay": 0.5}, {"acceptance": 0.5, "decay": 0.0}]
)
def test_slopes_are_finite_at_the_ends(at: dict) -> None:
    slopes = jax.grad(lambda it: accepted_tokens(drafts=5.5, **it))(at)
    assert all(np.isfinite(it) for it in slopes.values())
    # 1 + a + a^2 r + ...: by a at 0 it is 1, by r at 0 it is a^2.
    assert float(slopes["acceptance"]) == 1.0
    assert float(slopes["decay"]) == at["acceptance"] ** 2


@pytest.mark.parametrize("step", [0.02, 0.1, 0.4])
def test_the_next_draft_pays_up_to_the_best_number(step: float) -> None:
    chain = {"acceptance": 0.85, "decay": 0.9}
    times = 1 + step * jnp.arange(9.0)
    best = int(best_drafts(times=times, **chain))
    gains = [
        float(draft_gain(drafts=float(it), **chain, time=float(times[it]), added=step))
        for it in range(8)
    ]
    assert all(gain > 0 for gain in gains[:best])
    assert all(gain < 0 for gain in gains[best:])


def test_fewer_drafts_are_best_where_each_costs_more() -> None:
    found = jax.vmap(
        lambda step: best_drafts(times=1 + step * jnp.arange(9.0), acceptance=0.85, decay=0.9)
    )(jnp.array([0.0, 0.02, 0.1, 0.4, 1.0]))
    assert found[0] == 8
    assert found[-1] == 0
    assert all(jnp.diff(found) <= 0)


def test_drafts_read_experts_between_those_of_one_token_and_of_independent_ones() -> None:
    first, independent = (
        float(expected_distinct_experts(experts=512.0, top_k=10.0, tokens=it)) for it in (1.0, 4.0)
    )
    assert independent == pytest.approx(38.8, abs=0.1)
    assert checked_experts(first=first, independent=independent, fresh=0.0) == first
    assert checked_experts(first=first, independent=independent, fresh=1.0) == independent
