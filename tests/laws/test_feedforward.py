"""How many experts a batch reads, and how unevenly they and their tokens lie on ranks."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.feedforward import (
    busiest_rank_imbalance,
    busiest_rank_load,
    distinct_experts_of_two_kinds,
    expected_distinct_experts,
)
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=80, deadline=None)
distinct = jax.jit(lambda e, k, b: expected_distinct_experts(experts=e, top_k=k, tokens=b))


@shortly
@given(st.integers(1, 512), st.integers(1, 512), st.floats(1, 1e4))
def test_distinct_experts_are_between_those_of_one_token_and_all(
    experts: int, top_k: int, tokens: float
) -> None:
    top_k = min(top_k, experts)
    value = float(distinct(float(experts), float(top_k), tokens))
    assert top_k * (1 - 1e-12) <= value <= experts * (1 + 1e-12)
    assert value <= min(experts, top_k * tokens) * (1 + 1e-12)
    assert value <= float(distinct(float(experts), float(top_k), tokens + 1)) * (1 + 1e-12)


def test_distinct_experts_of_one_token_and_of_all() -> None:
    assert float(distinct(256.0, 8.0, 1.0)) == pytest.approx(8, rel=1e-14)
    assert float(distinct(256.0, 8.0, 1e6)) == 256
    assert float(distinct(4.0, 4.0, 1.0)) == 4
    # two tokens: 8 + 8 less the 8 x 8/256 that both are sent to
    assert float(distinct(256.0, 8.0, 2.0)) == pytest.approx(15.75, rel=1e-14)


@pytest.mark.parametrize("top_k", [8.0, 255.0, 256.0])
def test_distinct_experts_have_finite_gradients(top_k: float) -> None:
    gradients = jax.grad(
        lambda e, k, b: expected_distinct_experts(experts=e, top_k=k, tokens=b), argnums=(0, 1, 2)
    )(256.0, top_k, 3.0)
    assert all(abs(float(gradient)) < 1e3 for gradient in gradients)


@pytest.mark.parametrize(("tokens", "ranks"), [(1, 8), (4, 8), (16, 8), (16, 32), (256, 4)])
def test_the_busiest_rank_is_as_drawn(tokens: int, ranks: int) -> None:
    draw, experts, top_k = np.random.default_rng(0), 256, 8
    scores = draw.random((400, tokens, experts))
    chosen = np.argpartition(scores, top_k, axis=-1)[..., :top_k]
    read = np.zeros((400, experts), bool)
    np.put_along_axis(read, chosen.reshape(400, -1), True, axis=-1)
    by_rank = read.reshape(400, ranks, -1).sum(-1)
    drawn = np.mean(by_rank.max(-1)) / np.mean(by_rank)
    law = busiest_rank_imbalance(
        experts=float(experts), top_k=float(top_k), tokens=float(tokens), ranks=float(ranks)
    )
    assert float(law) == pytest.approx(drawn, rel=0.12)


def test_nobody_is_busier_where_all_experts_are_read() -> None:
    of = jax.value_and_grad(
        lambda tokens, top_k: busiest_rank_imbalance(
            experts=8.0, top_k=top_k, tokens=tokens, ranks=4.0
        )
    )
    for tokens, top_k in ((1e5, 2.0), (3.0, 8.0)):
        imbalance, slope = of(tokens, top_k)
        assert float(imbalance) == pytest.approx(1)
        assert np.isfinite(slope)


@pytest.mark.parametrize("taken", [0.2, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("tokens", [1.0, 7.0, 300.0])
def test_popular_experts_make_a_batch_read_fewer(taken: float, tokens: float) -> None:
    routing = {"experts": 256.0, "top_k": 8.0, "tokens": tokens}
    even = float(expected_distinct_experts(**routing))
    uneven = float(distinct_experts_of_two_kinds(**routing, popular=0.2, taken=taken))
    if taken == 0.2 or tokens == 1:
        assert uneven == pytest.approx(even)
    else:
        assert uneven < even


@pytest.mark.parametrize(("tokens", "ranks"), [(64, 8), (64, 32), (512, 16)])
def test_the_heaviest_load_is_as_drawn(tokens: int, ranks: int) -> None:
    draw, experts, top_k = np.random.default_rng(0), 128, 4
    chosen = np.argpartition(draw.random((400, tokens, experts)), top_k, axis=-1)[..., :top_k]
    on_rank = chosen.reshape(400, -1) // (experts // ranks)
    loads = np.stack([np.bincount(it, minlength=ranks) for it in on_rank])
    law = busiest_rank_load(
        experts=float(experts), top_k=float(top_k), tokens=float(tokens), ranks=float(ranks)
    )
    assert float(law) == pytest.approx(np.mean(loads.max(-1)) / np.mean(loads), rel=0.06)


def test_loads_even_out_as_tokens_become_many() -> None:
    rest = {"experts": 128.0, "top_k": 4.0, "ranks": 8.0}
    loads = [float(busiest_rank_load(**rest, tokens=tokens)) for tokens in (1e2, 1e4, 1e8)]
    assert loads[2] == pytest.approx(1, abs=1e-3)
    # The excess over 1 falls with the root of the tokens.
    assert (loads[0] - 1) / (loads[1] - 1) == pytest.approx(10)


def test_slopes() -> None:
    routing = {"experts": 64.0, "top_k": 6.0, "tokens": 20.0}
    slopes = assert_slopes(expected_distinct_experts, **routing)
    assert min(slopes.values()) > 0
    slopes = assert_slopes(distinct_experts_of_two_kinds, **routing, popular=0.2, taken=0.4)
    assert slopes["taken"] < 0 < slopes["popular"]
    for law in (busiest_rank_imbalance, busiest_rank_load):
        slopes = assert_slopes(law, **routing, ranks=8.0)
        assert slopes["tokens"] < 0 < slopes["ranks"]
