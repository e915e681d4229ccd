"""A memory beyond the main memory: what lies in it, how long it takes, what it draws and costs.

The toy model and machine are those of the hand counts: on four chips a step moves 1752 bytes of
weights, 224 of cache and 576 of experts; the instance holds 928 bytes of weights in its layers,
224 of cache, 768 of experts, and 1608 of embedding, head and last norm.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact, Soft
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.chip import CapacityTier
from liminal_jax.hardware.system import System
from liminal_jax.mapping.collectives import LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement, Shares, overflowing
from liminal_jax.mapping.routing import BalancedRouting
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.gains import predicted_with_gains
from liminal_jax.performance.memory_footprint import memory_footprint
from liminal_jax.performance.operators import layer_operators, spread_of, table_operators
from liminal_jax.performance.overlap import SerialTiers
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import Model, model_of
from liminal_jax.workload.request import Request
from tests.performance.toys import TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
REQUEST = Request(context=10, attention_bits=8)
BALANCED = LayerCollectives(BalancedRouting())
LAWS = Assumptions(collectives=BALANCED)
SPREAD = Mapping(tp=4, ep=2)
TIER = CapacityTier(capacity=600, bandwidth=20, energy=1, price=11)
PLACEMENT = Placement(
    weights=0.5,
    cache=0.25,
    experts=0.125,
    capacity_tier=Shares(weights=0.25, cache=0.5, experts=0.75),
)
# of weights 1752, cache 224, experts 576 in SRAM: 876 + 56 + 72; of the 876, 168 and 504 beyond it
# in the tier: 219 + 84 + 378; the rest in main memory
IN_SRAM, IN_TIER, IN_MAIN = 1004, 681, 867
GRACE = CapacityTier(capacity=240e9, bandwidth=225e9, energy=6.5e-11, price=1400)
"""Half of the 480 GB of a Grace processor, read at a quarter of 900 GB/s: two chips share it, and
half of what is printed is one direction."""


def _with_tier(system: System, tier: CapacityTier = TIER, **memory: Scalar) -> System:
    """The system with a tier, and with some numbers of its main memory changed."""
    main = dataclasses.replace(system.chip.memory, **memory)
    return eqx.tree_at(
        lambda it: (it.chip.memory, it.chip.capacity_tier),
        system,
        (main, tier),
        is_leaf=lambda it: it is None,
    )


def _toy(placement: Placement = PLACEMENT) -> Design:
    return Design(system=_with_tier(toy_system()), mapping=SPREAD, placement=placement, batch=2)


def _dense(model: Model, request: Request, mapping: Mapping) -> float:
    """Bytes of a step of 64 users that no expert takes part in."""
    spread = spread_of(64, mapping, BALANCED, Exact())
    layers = layer_operators(model, request, 64, Exact(), spread=spread)
    operators = layers + table_operators(model, request, 64, spread=spread)
    return sum(float(it.weights + it.kept()) for it in operators if float(it.experts) == 0)


def _is(value: object, wanted: float) -> None:
    assert float(value) == pytest.approx(wanted, rel=1e-12, abs=0)  # pyright: ignore


def test_a_step_that_reads_three_memories() -> None:
    got = predict(_toy(), MODEL, REQUEST, LAWS)
    # every operator waits for the tier: four chips read it at 80 B/s
    _is(got.memory_time, IN_TIER / 80)
    laws = Assumptions(collectives=BALANCED, tiers=SerialTiers())
    serial = predict(_toy(), MODEL, REQUEST, laws)
    _is(serial.memory_time, IN_SRAM / 1600 + IN_MAIN / 400 + IN_TIER / 80)


def test_what_the_tier_draws_and_costs() -> None:
    got = predict(_toy(), MODEL, REQUEST, LAWS)
    energy = (IN_SRAM * 0.125 + IN_MAIN * 0.5 + IN_TIER * 1) / 4 + 2.304 + 72
    _is(got.chip_power, 10 + energy / float(got.step_time))
    # four chips of 7 USD at twice their cost, and four times the price of the tier
    _is(got.capital.chips, 4 * (7 * 2 + 11))


def test_how_full_the_memories_are() -> None:
    got = predict(_toy(), MODEL, REQUEST)
    _is(got.memory_capacity, 4 * (2000 + 200 + 600))
    # beyond SRAM 464 B of weights, 168 of cache, 672 of experts; of them in the tier 116, 84, 504
    _is(got.memory_fill, (1608 + 464 + 168 + 672) / (4 * 2600))
    _is(got.capacity_tier_fill, (116 + 84 + 504) / (4 * 600))
    assert bool(got.fits)


@pytest.mark.parametrize(
    ("tier", "main", "fits"),
    # the placement puts 176 bytes in the tier of each chip and 2208 / 4 = 552 in its main memory
    [(176, 552, True), (175, 10_000, False), (10_000, 551, False)],
)
def test_each_memory_has_to_hold_what_the_placement_puts_there(
    tier: float, main: float, fits: bool
) -> None:
    system = _with_tier(
        toy_system(), dataclasses.replace(TIER, capacity=jnp.asarray(float(tier))), capacity=main
    )
    design = dataclasses.replace(_toy(), system=system)
    assert bool(predict(design, MODEL, REQUEST).fits) == fits


def test_embedding_and_head_do_not_leave_main_memory() -> None:
    """1608 bytes of them in 4 x 400, however large the tier is."""
    system = _with_tier(toy_system(), dataclasses.replace(TIER, capacity=1e6), capacity=400)
    got = predict(filled_design(system, SPREAD, 2, MODEL, REQUEST), MODEL, REQUEST)
    _is(got.memory_fill, 1608 / 1600)
    assert not bool(got.fits)


@pytest.mark.parametrize(
    ("capacity", "wanted"),
    [
        (99, (0, 0, 0)),
        (28, (0, 0, 0)),
        (20, (0, 0, 0.5)),
        (12, (0, 0, 1)),
        (9, (0, 0.75, 1)),
        (8, (0, 1, 1)),
        (2, (0.75, 1, 1)),
        (0, (1, 1, 1)),
    ],
)
@pytest.mark.parametrize("relaxation", [Exact(), Soft(1e-3)])
def test_experts_overflow_first_and_weights_last(
    capacity: float, wanted: tuple[float, ...], relaxation: Exact | Soft
) -> None:
    got = overflowing(
        capacity=jnp.asarray(float(capacity)),
        weights=jnp.asarray(8.0),
        cache=jnp.asarray(4.0),
        experts=jnp.asarray(16.0),
        relaxation=relaxation,
    )
    shares = (float(got.weights), float(got.cache), float(got.experts))
    assert shares == pytest.approx(wanted, abs=2e-3 if isinstance(relaxation, Soft) else 0)


@pytest.mark.parametrize(
    ("kinds", "capacity", "wanted"),
    [
        # 8 of weights and 4 of cache stay; 4 of 16 of the experts find room
        (("experts",), 16, (0, 0, 0.75)),
        (("experts",), 8, (0, 0, 1)),
        # experts and weights stay: nothing is left for 4 of cache
        (("cache",), 24, (0, 1, 0)),
        (("cache",), 26, (0, 0.5, 0)),
        # the cache stays, then weights go before experts
        (("weights", "experts"), 12, (0, 0, 1)),
        (("weights", "experts"), 8, (0.5, 0, 1)),
    ],
)
def test_what_may_not_lie_in_the_tier_comes_first_in_main_memory(
    kinds: tuple[str, ...], capacity: float, wanted: tuple[float, ...]
) -> None:
    got = overflowing(
        capacity=jnp.asarray(float(capacity)),
        weights=jnp.asarray(8.0),
        cache=jnp.asarray(4.0),
        experts=jnp.asarray(16.0),
        relaxation=Exact(),
        kinds=kinds,
    )
    assert (float(got.weights), float(got.cache), float(got.experts)) == wanted


def test_main_memory_has_to_hold_what_may_not_lie_in_the_tier() -> None:
    """Four chips hold 800 bytes of 928 of weights in SRAM; 128, 224 of cache and tables stay."""
    tier = dataclasses.replace(TIER, capacity=jnp.asarray(600.0), kinds=("experts",))
    for main, fits in ((490, True), (489, False)):
        system = _with_tier(toy_system(), tier, capacity=main)
        got = predict(filled_design(system, SPREAD, 2, MODEL, REQUEST), MODEL, REQUEST)
        wanted = (1608 + 128 + 224) / (4 * main)
        _is(got.memory_fill, max(wanted, (1608 + 128 + 224 + 768) / (4 * (main + 600))))
        assert bool(got.fits) == fits


def test_a_tier_draws_power_whether_it_is_read_or_not() -> None:
    still = dataclasses.replace(TIER, standby_power=jnp.asarray(5.0))
    system = _with_tier(toy_system(), still)
    design = filled_design(system, SPREAD, 2, MODEL, REQUEST)
    got, bare = (
        predict(it, MODEL, REQUEST)
        for it in (design, filled_design(_with_tier(toy_system()), SPREAD, 2, MODEL, REQUEST))
    )
    assert float(got.capacity_tier_fill) == 0
    _is(got.chip_power - bare.chip_power, 5)
    _is(got.chip_tdp - bare.chip_tdp, 5)


def test_what_there_is_none_of_does_not_overflow() -> None:
    got = overflowing(
        capacity=jnp.asarray(0.0),
        weights=jnp.asarray(8.0),
        cache=jnp.asarray(0.0),
        experts=jnp.asarray(0.0),
        relaxation=Exact(),
    )
    assert (float(got.weights), float(got.cache), float(got.experts)) == (1, 0, 0)


def test_a_filled_design_puts_in_each_memory_what_the_faster_ones_cannot_hold() -> None:
    system = _with_tier(toy_system(), capacity=500)
    design = filled_design(system, SPREAD, 2, MODEL, REQUEST)
    # SRAM of 800 bytes takes weights; 128 of them, the cache and 40 of the experts fill what
    # embedding and head leave of 2000 bytes
    _is(design.placement.weights, 800 / 928)
    tier = design.placement.capacity_tier
    assert tier is not None
    assert float(tier.weights) == 0
    assert float(tier.cache) == 0
    _is(tier.experts, (768 - 40) / 768)
    got = predict(design, MODEL, REQUEST)
    _is(got.capacity_tier_fill, 728 / 2400)
    assert bool(got.fits)


def test_an_unused_tier_changes_no_time_to_the_last_bit() -> None:
    """Main memory holds everything: times are those of the same machine without a tier."""
    with_tier = filled_design(_with_tier(toy_system()), SPREAD, 2, MODEL, REQUEST)
    without = filled_design(toy_system(), SPREAD, 2, MODEL, REQUEST)
    one, other = (predict(it, MODEL, REQUEST) for it in (with_tier, without))
    for name in ("step_time", "memory_time", "chip_power", "energy_per_token"):
        assert float(getattr(one, name)) == float(getattr(other, name))
    assert float(one.capacity_tier_fill) == 0


def test_a_placement_in_a_tier_that_the_chip_lacks_is_refused() -> None:
    design = Design(system=toy_system(), mapping=SPREAD, placement=PLACEMENT, batch=2)
    with pytest.raises(ValueError, match=r"placement\.capacity_tier puts data in a capacity tier"):
        predict(design, MODEL, REQUEST)


H100_X4 = (load_model("deepseek-v3"), Mapping(tp=4, ep=4), Request(context=8192))


def test_lpddr_makes_deepseek_v3_fit_on_four_chips_and_slows_it() -> None:
    """671 GB in four times 80 GiB: 58 layers of 256 experts overflow, and LPDDR sets the pace."""
    model, mapping, request = H100_X4
    system = load_system("h100")
    short = predict(filled_design(system, mapping, 64, model, request), model, request)
    assert not bool(short.fits)

    design = filled_design(_with_tier(system, GRACE), mapping, 64, model, request)
    got = predict(design, model, request, LAWS)
    assert bool(got.fits)
    held = memory_footprint(model, request, mapping, 64, Assumptions())
    experts = 58 * 256 * 3 * 7168 * 2048
    _is(held.experts, experts)
    missing = float(held.total()) - 4 * 80 * 2**30
    tier = design.placement.capacity_tier
    assert tier is not None
    _is(tier.experts, missing / experts)

    # 64 tokens of 8 experts each miss an expert of 256 with (1 - 8/256)^64
    read = experts * (1 - (1 - 8 / 256) ** 64)
    slow = missing / experts * read / (4 * 225e9)
    dense = _dense(model, request, mapping)
    _is(got.memory_time, slow + dense / (4 * 3.35e12))
    assert 5 < float(got.step_time / short.step_time) < 15


@pytest.mark.slow
def test_faster_tiers_and_smaller_batches_never_slow_a_step() -> None:
    model, mapping, request = H100_X4
    system = _with_tier(load_system("h100"), GRACE)

    def step(bandwidth: jax.Array, batch: jax.Array) -> jax.Array:
        faster = eqx.tree_at(lambda it: it.chip.capacity_tier.bandwidth, system, bandwidth)
        design = filled_design(faster, mapping, batch, model, request)
        return predict(design, model, request).step_time

    bandwidths = jnp.geomspace(1e10, 1e13, 30)
    times = np.asarray(jax.vmap(step, (0, None))(bandwidths, jnp.asarray(64.0)))
    assert np.all(np.diff(times) <= 0)
    assert times[0] > 2 * times[-1]
    batches = jnp.geomspace(1, 512, 30)
    times = np.asarray(jax.vmap(step, (None, 0))(jnp.asarray(225e9), batches))
    assert np.all(np.diff(times) >= 0)


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_gradients_match_finite_differences(relaxation: Exact | Soft) -> None:
    model, mapping, request = H100_X4
    system, assumptions = load_system("h100"), Assumptions(relaxation=relaxation)

    @in_numpy
    def logs(change: jax.Array) -> jax.Array:
        factors = jnp.exp(change)
        tier = CapacityTier(
            capacity=GRACE.capacity * factors[0],
            bandwidth=GRACE.bandwidth * factors[1],
            energy=GRACE.energy * factors[2],
            price=GRACE.price * factors[3],
        )
        changed = _with_tier(system, tier, capacity=system.chip.memory.capacity * factors[4])
        design = filled_design(changed, mapping, 40.0, model, request, assumptions)
        got = predict(design, model, request, assumptions)
        outputs = (got.step_time, got.chip_power, got.capital.total(), got.memory_fill)
        return jnp.log(jnp.stack(outputs))

    slopes = np.asarray(in_numpy(jax.jacfwd(logs))(jnp.zeros(5)))
    step = 1e-5
    for column in range(5):
        change = jnp.zeros(5).at[column].set(step)
        rise = np.asarray((logs(change) - logs(-change)) / (2 * step))
        assert slopes[:, column] == pytest.approx(rise, rel=1e-5, abs=1e-8)
    assert slopes[0, 1] < -0.5  # the tier sets the pace
    assert slopes[0, 4] < 0  # more main memory takes experts from it
    assert slopes[1, 2] > 0
    assert slopes[2, 3] > 0


@pytest.mark.slow
def test_what_more_bandwidth_of_the_tier_buys() -> None:
    model, mapping, request = H100_X4
    design = filled_design(_with_tier(load_system("h100"), GRACE), mapping, 64, model, request)
    got, gains = predicted_with_gains(design, model, request, LAWS)
    dense = _dense(model, request, mapping)
    waits = float(got.memory_time) - dense / (4 * 3.35e12)
    assert float(gains.capacity_tier_bandwidth) == pytest.approx(waits / float(got.step_time))
