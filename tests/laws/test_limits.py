"""Limits and monotonicity of the laws, and points worked out by hand."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.attention import grouped_query_work, latent_work
from liminal_jax.laws.collective import (
    all_to_all_time,
    logarithmic_latency,
    one_shot_all_reduce_time,
    torus_diameter,
    two_shot_all_reduce_time,
)
from liminal_jax.laws.cost import (
    capital_recovery,
    chip_price,
    known_good_cost,
    one_time_share,
    package_yield,
)
from liminal_jax.laws.feedforward import busiest_rank_crowding, expected_distinct_experts
from liminal_jax.laws.parameters import (
    grouped_query_weights,
    latent_weights,
    latent_weights_direct,
    merged_latent_weights,
)
from liminal_jax.laws.power import activity_power, arithmetic_energy, idle_power
from liminal_jax.laws.roofline import stage_imbalance
from liminal_jax.laws.silicon import die_yield, dies_per_wafer

shortly = settings(max_examples=80, deadline=None)
distinct = jax.jit(lambda e, k, b: expected_distinct_experts(experts=e, top_k=k, tokens=b))
on_wafer = jax.jit(lambda area: dies_per_wafer(area=area, diameter=0.3, edge=0.003, scribe=0.0001))


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


@shortly
@given(st.floats(2, 512), st.floats(0, 1e9), st.floats(1, 1e12), st.floats(0, 1e-3))
def test_collectives_need_their_latency_and_grow_with_the_message(
    chips: float, message: float, bandwidth: float, latency: float
) -> None:
    for law, shots in (
        (one_shot_all_reduce_time, 1),
        (two_shot_all_reduce_time, 2),
        (all_to_all_time, 1),
    ):
        rest = {"chips": chips, "bandwidth": bandwidth, "latency": latency}
        assert law(message=0.0, **rest) == shots * latency
        assert law(message=2 * message + 1, **rest) > law(message=message, **rest)


def test_two_shots_win_once_the_message_outweighs_a_latency() -> None:
    # (n - 1) m/W - 2 (n - 1)/n m/W = a at m = a W n / ((n - 1)(n - 2)): 8/6 for n = 4
    rest = {"chips": 4.0, "bandwidth": 2.0, "latency": 1.0}
    at = 2.0 * 4 / 6
    assert one_shot_all_reduce_time(message=at, **rest) == pytest.approx(
        two_shot_all_reduce_time(message=at, **rest)
    )
    assert one_shot_all_reduce_time(message=0.9 * at, **rest) < two_shot_all_reduce_time(
        message=0.9 * at, **rest
    )


def test_two_shots_carry_two_all_to_alls() -> None:
    rest = {"message": 12.0, "chips": 3.0, "bandwidth": 4.0, "latency": 0.5}
    assert two_shot_all_reduce_time(**rest) == 2 * all_to_all_time(**rest) == 5


def test_torus_of_a_cube() -> None:
    assert float(torus_diameter(chips=64.0, dimensions=3.0)) == pytest.approx(6)
    assert float(torus_diameter(chips=10.0, dimensions=1.0)) == pytest.approx(5)


@pytest.mark.parametrize(("chips", "time"), [(8, 0.44), (16, 0.58), (128, 1.0), (4, 0.30)])
def test_the_line_of_latencies(chips: float, time: float) -> None:
    got = logarithmic_latency(chips=float(chips), latency_at_8=0.44, latency_at_128=1.0)
    assert float(got) == pytest.approx(time, rel=1e-13)


@shortly
@given(st.floats(1e-5, 2e-3), st.floats(1.0, 3.0), st.floats(0, 1e4), st.floats(0.5, 20))
def test_yield_is_a_share_that_falls_with_area(
    area: float, factor: float, defects: float, clustering: float
) -> None:
    rest = {"defect_density": defects, "critical_fraction": 0.7, "clustering": clustering}
    small, large = die_yield(area=area, **rest), die_yield(area=area * factor, **rest)
    assert 0 < large <= small <= 1


def test_yield_without_defects_is_one_and_tends_to_poisson() -> None:
    rest = {"critical_fraction": 1.0, "clustering": 1e9}
    assert die_yield(area=1.0, defect_density=0.0, **rest) == 1
    assert die_yield(area=2.0, defect_density=0.5, **rest) == pytest.approx(0.36787944, rel=1e-7)


@shortly
@given(st.floats(1e-5, 2e-3), st.floats(1.01, 4.0))
def test_fewer_large_dies_fit_on_a_wafer_and_cover_less_of_it(area: float, factor: float) -> None:
    small, large = float(on_wafer(area)), float(on_wafer(area * factor))
    assert large < small
    assert small * area < 3.14160 * 0.147**2


def test_dies_of_a_round_number() -> None:
    # without rims: pi 15^2 / 1 - pi 30 / sqrt(2)
    got = dies_per_wafer(area=1.0, diameter=30.0, edge=0.0, scribe=0.0)
    assert float(got) == pytest.approx(640.2153, rel=1e-6)


def test_a_rim_and_scribe_lines_cost_dies() -> None:
    bare = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.0, scribe=0.0))
    rim = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.003, scribe=0.0))
    lines = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.0, scribe=1e-4))
    assert max(rim, lines) < bare


def test_a_bond_that_fails_wastes_all_parts() -> None:
    passed = package_yield(bond_yield=0.5, parts=3.0, assembly_yield=0.8)
    assert passed == pytest.approx(0.1)
    assert known_good_cost(price=7.0, package_yield=passed) == pytest.approx(70)
    perfect = package_yield(bond_yield=1.0, parts=30.0, assembly_yield=1.0)
    assert known_good_cost(price=7.0, package_yield=perfect) == 7.0


def test_one_margin_on_all_parts_is_a_multiple_of_their_cost() -> None:
    parts = {"logic": 1.0, "memory": 2.0, "package": 4.0}
    alike = {"logic_margin": 3.0, "memory_margin": 3.0, "package_margin": 3.0}
    assert chip_price(**parts, **alike) == 21.0
    assert chip_price(**parts, **{**alike, "memory_margin": 1.0}) == 17.0
    assert one_time_share(design_cost=542e6, volume=1e6) == 542


@shortly
@given(st.floats(1e-4, 1), st.floats(0.5, 20))
def test_capital_is_recovered_with_interest(rate: float, years: float) -> None:
    share = capital_recovery(discount_rate=rate, lifetime=years)
    assert share > max(rate, 1 / years)
    # what is earned each year, discounted, is worth the capital
    if years == int(years):
        assert sum(share / (1 + rate) ** n for n in range(1, int(years) + 1)) == pytest.approx(1)


def test_capital_without_interest_is_recovered_in_equal_parts() -> None:
    def share(rate: float) -> jax.Array:
        return capital_recovery(discount_rate=rate, lifetime=5.0)

    assert float(share(0.0)) == 0.2
    assert float(share(1e-6)) == pytest.approx(0.2 + 1e-6 * 3 / 5, rel=1e-9)
    assert float(jax.grad(share)(0.0)) == pytest.approx(3 / 5, rel=1e-12)
    assert float(jax.grad(share)(1e-4)) == pytest.approx(3 / 5, rel=1e-3)


def test_four_payments_repay_a_capital() -> None:
    share = capital_recovery(discount_rate=0.1, lifetime=4.0)
    assert sum(share / 1.1**year for year in (1, 2, 3, 4)) == pytest.approx(1, rel=1e-12)


@shortly
@given(st.floats(100, 2000), st.floats(0.05, 0.3), st.floats(10, 50), st.floats(1e14, 1e16))
def test_a_known_chip_draws_its_design_power_on_products(
    tdp: float, idle: float, memory: float, rate: float
) -> None:
    energy = arithmetic_energy(tdp=tdp, idle=idle * tdp, memory_power=memory, throughput=rate)
    full = activity_power(idle=idle * tdp, energy=memory + energy * rate, time=1.0)
    assert full == pytest.approx(tdp, rel=1e-12)
    assert idle_power(dynamic=full - idle * tdp, idle_fraction=idle) == pytest.approx(
        idle * tdp, rel=1e-12
    )


@shortly
@given(st.integers(1, 200), st.integers(1, 200))
def test_uneven_stages_cost_time(layers: int, stages: int) -> None:
    largest = -(-layers // stages)
    factor = stage_imbalance(layers=layers, largest=largest, stages=stages)
    assert factor >= 1
    assert (factor == 1) == (layers % stages == 0)


def test_attention_of_one_published_layer() -> None:
    # Llama 3 8B: 4096 x 4096 twice, 4096 x 1024 twice; DeepSeek-V3: 187,105,280
    assert grouped_query_weights(hidden=4096, heads=32, kv_heads=8, head_dim=128) == 41_943_040
    widths = {"hidden": 7168, "heads": 128, "kv_rank": 512, "rope_dim": 64}
    split = {"nope_dim": 128, "value_dim": 128}
    assert latent_weights(q_rank=1536, **widths, **split) == 187_105_280
    assert latent_weights_direct(**widths, **split) == (
        187_105_280 - 7168 * 1536 - 1536 * 128 * 192 + 7168 * 128 * 192
    )
    assert merged_latent_weights(q_rank=1536, **widths) == (
        11_010_048 + 113_246_208 + 4_128_768 + 469_762_048
    )
    # FLOP a token of context: 4 x 32 x 128, and 2 x 128 x (576 + 512)
    assert grouped_query_work(heads=32, head_dim=128, tokens=1) == 16_384
    assert latent_work(heads=128, kv_rank=512, rope_dim=64, tokens=1) == 278_528


@pytest.mark.parametrize(("tokens", "ranks"), [(1, 8), (4, 8), (16, 8), (16, 32), (256, 4)])
def test_the_busiest_rank_is_as_drawn(tokens: int, ranks: int) -> None:
    draw, experts, top_k = np.random.default_rng(0), 256, 8
    scores = draw.random((400, tokens, experts))
    chosen = np.argpartition(scores, top_k, axis=-1)[..., :top_k]
    read = np.zeros((400, experts), bool)
    np.put_along_axis(read, chosen.reshape(400, -1), True, axis=-1)
    by_rank = read.reshape(400, ranks, -1).sum(-1)
    drawn = np.mean(by_rank.max(-1)) / np.mean(by_rank)
    law = busiest_rank_crowding(
        experts=float(experts), top_k=float(top_k), tokens=float(tokens), ranks=float(ranks)
    )
    assert float(law) == pytest.approx(drawn, rel=0.12)


def test_nobody_is_busier_where_all_experts_are_read() -> None:
    of = jax.value_and_grad(
        lambda tokens, top_k: busiest_rank_crowding(
            experts=8.0, top_k=top_k, tokens=tokens, ranks=4.0
        )
    )
    for tokens, top_k in ((1e5, 2.0), (3.0, 8.0)):
        crowding, slope = of(tokens, top_k)
        assert float(crowding) == pytest.approx(1)
        assert np.isfinite(slope)
