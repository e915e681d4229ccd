"""Which experts tokens choose: hand counts, and what uneven routing spares."""

import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liminal_jax as ll
from liminal_jax.laws.feedforward import distinct_experts_of_two_kinds, expected_distinct_experts
from liminal_jax.mapping.collectives import LayerCollectives
from liminal_jax.mapping.routing import (
    AbstractRouting,
    BalancedRouting,
    RandomRouting,
    UnevenRouting,
)
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.feedforward.base import AbstractMixture
from tests.performance.toys import toy_system

UNEVEN = UnevenRouting(popular=0.25, taken=0.75)
REQUEST = ll.Request(context=8)


def mixture(name: str) -> tuple[AbstractMixture, float]:
    """The mixture of a model, and the width of its stream."""
    model = ll.load_model(name)
    blocks = (it.feedforward for it in model.layers)
    block = next(it for it in blocks if isinstance(it, AbstractMixture))
    return block, float(model.hidden)


def test_what_a_batch_reads_by_hand() -> None:
    block, hidden = mixture("gpt-oss-20b")
    one = float(block.expert_weights(hidden)) / 32
    # of 32 experts 8 take 3 of a token's 4 choices; two tokens
    wanted = 8 * (1 - (5 / 8) ** 2) + 24 * (1 - (23 / 24) ** 2)
    assert float(UNEVEN.weights_read(block, hidden, 2.0)) == pytest.approx(wanted * one)
    even = 32 * (1 - (28 / 32) ** 2) * one
    for routing in (RandomRouting(), BalancedRouting()):
        assert float(routing.weights_read(block, hidden, 2.0)) == pytest.approx(even)


@pytest.mark.parametrize("name", ["gpt-oss-20b", "mixtral-8x7b", "nemotron-3-nano-30b-a3b"])
def test_a_single_token_reads_its_own_experts(name: str) -> None:
    block, hidden = mixture(name)
    own = float(block.expert_weights_used(hidden))
    for routing in (UNEVEN, RandomRouting(), BalancedRouting()):
        assert float(routing.weights_read(block, hidden, 1.0)) == pytest.approx(own)


shares = st.floats(0.01, 0.99)


@settings(deadline=None)
@given(shares, shares, st.integers(2, 512), st.floats(0.01, 0.5), st.integers(1, 400))
def test_uneven_routing_reads_no_more(
    one: float, other: float, experts: int, chosen: float, tokens: int
) -> None:
    popular, taken = sorted((one, other))
    top_k = max(1.0, chosen * experts)
    rows = {"experts": float(experts), "top_k": top_k, "tokens": float(tokens)}
    uneven = float(distinct_experts_of_two_kinds(**rows, popular=popular, taken=taken))
    even = float(expected_distinct_experts(**rows))
    assert 0 < uneven <= even * (1 + 1e-6)
    alike = float(distinct_experts_of_two_kinds(**rows, popular=popular, taken=popular))
    assert alike == pytest.approx(even, rel=1e-5)


def test_more_popular_experts_take_more_reading() -> None:
    block, hidden = mixture("gpt-oss-20b")
    slopes = jax.grad(lambda it: it.weights_read(block, hidden, 16.0))(UNEVEN)
    assert float(slopes.popular) > 0 > float(slopes.taken)


def step(routing: AbstractRouting) -> ll.Prediction:
    design = Design(toy_system(), ll.Mapping(tp=4, ep=4), ll.Placement(), batch=16)
    laws = Assumptions(collectives=LayerCollectives(routing))
    return predict(design, ll.load_model("gpt-oss-20b"), REQUEST, laws)


def test_a_step_is_the_quicker_the_fewer_experts_it_reads() -> None:
    uneven, even, random = (step(it) for it in (UNEVEN, BalancedRouting(), RandomRouting()))
    assert float(uneven.step_time) < float(even.step_time) < float(random.step_time)
    # and spends less on memory: even ranks of random routing are balanced ones
    assert float(uneven.energy_per_token) < float(even.energy_per_token)
