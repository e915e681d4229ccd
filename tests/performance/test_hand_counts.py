"""Every quantity of a two-layer model, worked out by hand.

Two layers of width 8 attend with 4 heads, 2 KV heads and heads of 2; the second keeps 4 tokens.
The first has a dense block of 16; the second 4 experts of 8, of which a token uses 2, and a shared
one of 4. Two users have 10 tokens each; weights and cache take 1 byte, exchanged elements 2.

    attention   query 8 x 8, key 8 x 4, value 8 x 4, output 8 x 8           192 elements
    dense       3 x 8 x 16                                                  384
    router      8 x 4                                                        32
    shared      3 x 8 x 4                                                    96
    one expert  3 x 8 x 8                                                   192, four 768
    norms       2 x 8                                                        16 a layer, 8 at last
    tables      embedding 800, head 800
    cache       2 x 2 x 2 = 8 elements a token: 80 a user, and 32 in the window of 4
"""

import equinox as eqx
import pytest

from liminal_jax._smooth import Exact
from liminal_jax.hardware.execution import Execution
from liminal_jax.laws.cost import YEAR
from liminal_jax.mapping.collectives import LayerCollectives, TalkCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.mapping.routing import BalancedRouting
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import (
    memory_footprint,
    parameters_active,
    parameters_total,
)
from liminal_jax.performance.operators import Operator, layer_operators, table_operators
from liminal_jax.performance.overlap import SerialTiers
from liminal_jax.performance.prediction import BOTTLENECKS, Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from liminal_jax.workload.talk import talk_model, with_parameters
from tests.performance.toys import LATENT_LAYER, TALK, TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
LATENT = model_of(LATENT_LAYER)
REQUEST = Request(context=10, attention_bits=8)
BALANCED = LayerCollectives(BalancedRouting())
SPREAD = Mapping(tp=4, ep=2)
IN_MAIN = Placement()
NAMES = ("matrix", "core", "scalar", "weights", "experts", "cache")


def _numbers(operator: Operator) -> tuple[float, ...]:
    return tuple(float(getattr(operator, name)) for name in NAMES)


def _design(mapping: Mapping, placement: Placement = IN_MAIN, batch: float = 2) -> Design:
    return Design(system=toy_system(), mapping=mapping, placement=placement, batch=batch)


def _prediction(mapping: Mapping) -> Prediction:
    return predict(_design(mapping), MODEL, REQUEST, Assumptions(collectives=BALANCED))


def _is(value: object, wanted: float) -> None:
    assert float(value) == pytest.approx(wanted, rel=1e-12, abs=0)  # pyright: ignore


def test_operators_of_the_layers() -> None:
    got = [_numbers(operator) for operator in layer_operators(MODEL, REQUEST, 2.0, Exact())]
    # matrix: 2 FLOP x 2 users x elements. core: 4 x 4 heads x 2 wide = 32 FLOP a kept token.
    # scalar: 4 x 16 normed, 5 x 4 heads x kept, 5 x activations; each for 2 users.
    # experts: with half of four chosen by each of two users, 4 (1 - 1/4) = 3 are read.
    assert got == [
        pytest.approx((768, 0, 128, 208, 0, 0)),
        pytest.approx((0, 640, 400, 0, 0, 160)),
        pytest.approx((1536, 0, 160, 384, 0, 0)),
        pytest.approx((768, 0, 128, 208, 0, 0)),
        pytest.approx((0, 256, 160, 0, 0, 64)),
        pytest.approx((2048, 0, 200, 128, 576, 0)),
    ]


def test_operators_of_the_tables() -> None:
    (head,) = table_operators(MODEL, REQUEST, 2.0)
    # 2 x 2 users x 800; 4 x 8 normed x 2; head 800, norm 8, and two rows of 8 looked up
    assert _numbers(head) == (3200, 0, 64, 824, 0, 0)
    assert table_operators(talk_model(MODEL), REQUEST, 2.0) == []


def test_learned_positions_are_looked_up_beside_the_embedding() -> None:
    spec = TWO_LAYERS.model_copy(update={"positions": 64})
    (head,) = table_operators(model_of(spec), REQUEST, 2.0)
    assert float(head.weights) == 800 + 8 + 2 * (8 + 8)


def test_precision_scales_bytes() -> None:
    request = Request(context=10, weight_bits=4, kv_bits=16)
    projections, attention, *_ = layer_operators(MODEL, request, 2.0, Exact())
    assert float(projections.weights) == 104
    assert float(attention.cache) == 320
    assert float(projections.matrix) == 768


def test_talk_counts_matrices_of_layers_only() -> None:
    got = [
        _numbers(operator) for operator in layer_operators(talk_model(MODEL), REQUEST, 2.0, Exact())
    ]
    # no norms, no router, no scalar work, no window
    assert got[0] == (768, 0, 0, 192, 0, 0)
    assert got[4] == (0, 640, 0, 0, 0, 160)
    assert got[5] == pytest.approx((1920, 0, 0, 96, 576, 0))


def test_parameters() -> None:
    # 192 + 384 + 16, 192 + 32 + 96 + 768 + 16, 8 + 800 + 800
    assert float(parameters_total(MODEL)) == 592 + 1104 + 1608
    # two experts instead of four, no embedding
    assert float(parameters_active(MODEL)) == 592 + 720 + 808
    assert float(parameters_total(talk_model(MODEL))) == 576 + 1056
    assert float(parameters_active(talk_model(MODEL))) == 576 + 672


def test_nominal_parameters_are_spread_over_the_layers() -> None:
    dense = model_of(TWO_LAYERS.model_copy(update={"layers": TWO_LAYERS.layers[:1]}))
    counted = talk_model(dense)
    nominal = with_parameters(counted, 1000.0, parameters_total(counted))
    assert float(parameters_total(nominal)) == 1000


@pytest.mark.parametrize(
    ("ep", "experts"),
    [
        (1, 768),
        (2, 768),
        (3, 1152),  # ranks hold two, one and one: room for six is needed
        (4, 768),
        (8, 1536),  # half of the ranks hold none
    ],
)
def test_residents(ep: int, experts: int) -> None:
    held = memory_footprint(MODEL, REQUEST, Mapping(tp=8, pp=3, ep=ep), 2.0, Assumptions())
    assert float(held.weights) == 592 + 336
    assert float(held.experts) == pytest.approx(experts, rel=1e-14)
    assert float(held.cache) == 3 * 2 * 112
    assert float(held.tables) == 1608


def test_times_of_four_chips() -> None:
    got = _prediction(SPREAD)
    # (8320 + 896) / 4000 tensor, 1240 / 400 scalar
    _is(got.compute_time, 2.304 + 3.1)
    # 416 + 384 + 128 + 576 + 824 + 224 bytes over 4 x 100
    _is(got.memory_time, 2552 / 400)
    # All-reduce of 2 x 8 x 2 = 32 B over four at 16 B/s: two shots, 0.5 + 2 x 3/4 x 2 = 3.5.
    # Four ranks, two KV heads: pairs gather the queries of two heads, 2 x 2 x 2 x 2 = 16 B, and
    # merge their sums and statistics, 2 x 2 x (2 + 2) x 2 = 32 B: 0.25 + 8/16 and 0.25 + 16/16.
    # Two expert ranks exchange 2 x 8 x 2 x 2 / 4 = 16 B there and back, 0.75 each; pairs that
    # share experts reduce 32 B in one shot, 0.25 + 2; all four reduce those of the shared one.
    _is(got.exposed_time, (3.5 + 2.0 + 3.5) + (3.5 + 2.0 + 1.5 + 2.25 + 3.5))
    _is(got.step_time, 28.13)
    _is(got.utps, 1 / 28.13)
    _is(got.stps, 2 / 28.13)
    _is(got.tensor_utilisation, 2.304 / 28.13)
    assert BOTTLENECKS[int(got.bottleneck)] == "synchronisation"


def test_capacity_of_four_chips() -> None:
    got = _prediction(SPREAD)
    _is(got.memory_required, 928 + 768 + 224 + 1608)
    _is(got.memory_capacity, 4 * 2200)
    _is(got.memory_fill, 3528 / 8000)
    assert bool(got.fits)
    assert (float(got.chips), float(got.users)) == (4, 2)


def test_power_of_four_chips() -> None:
    got = _prediction(SPREAD)
    # each chip: 2552/4 B at 0.5, 2304 operations at 0.001; sent 48 + 24 + 48 in the first layer,
    # 48 + 24 + 16 + 32 + 48 in the second, at 0.25
    energy = 319 + 2.304 + 288 * 0.25
    _is(got.chip_power, 10 + energy / 28.13)
    _is(got.power_density, (10 + energy / 28.13) / 2)
    _is(got.power.chips, 40 + 4 * energy / 28.13)
    _is(got.power.host, 24)
    _is(got.power.network, 4 * 0.125 * 32)
    _is(got.energy_per_token, (80 + 4 * energy / 28.13) * 1.5 * 28.13 / 2)


def test_cost_of_four_chips() -> None:
    got = _prediction(SPREAD)
    shares = got.capital
    parts = (shares.chips, shares.host, shares.board, shares.network, shares.rack)
    assert tuple(float(part) for part in parts) == (56, 12, 16, 64, 20)
    # one year at 100 %: 168 x 1/(1 - 1/2) = 336 a year
    energy = 319 + 2.304 + 72
    rate = 336 / 31_557_600 + 0.01 * 1.5 * (80 + 4 * energy / 28.13)
    _is(got.usd_per_million_tokens, rate / 2 * 28.13 * 1e6)
    assert YEAR == 31_557_600


def test_two_stages() -> None:
    got = _prediction(Mapping(pp=2))
    _is(got.compute_time, 4 * 5.404)
    _is(got.memory_time, 25.52)
    # no collectives on one chip; each of two passes takes 0.25 + 32/16
    _is(got.exposed_time, 4.5)
    _is(got.stps, 2 * 2 / 30.02)
    _is(got.memory_required, 928 + 768 + 448 + 1608)
    # each stage reads the traffic of one layer twice a step, and sends 32 B twice
    _is(got.chip_power, 10 + (1276 + 9.216 + 16) / 30.02)
    assert BOTTLENECKS[int(got.bottleneck)] == "memory_bandwidth"


def test_uneven_stages_wait_for_the_largest() -> None:
    got = _prediction(Mapping(pp=3))
    # three stages share two layers: the pace is that of one layer, thrice; the head counts once
    layers_compute = (8320 - 3200 + 896) / 1000 + (1240 - 64) / 100
    _is(got.compute_time, 1.5 * layers_compute + 3.2 + 0.64)
    _is(got.memory_time, (1.5 * (2552 - 824) + 824) / 100)
    _is(got.exposed_time, 3 * 2.25)
    # a stage of one layer holds 1.5 of 3 parts of all layers; the ends hold a table of 804 each
    _is(got.memory_fill, (1.5 * (928 + 768 + 672) / 3 + 804) / 2000)


def test_collectives_wait_for_the_largest_stage_too() -> None:
    got = _prediction(Mapping(tp=2, pp=3))
    # pairs reduce 32 B in one shot, 0.25 + 2, twice in each layer; three passes of 16 B
    _is(got.exposed_time, 1.5 * 4 * 2.25 + 3 * 1.25)


def test_nothing_is_exchanged_on_one_chip() -> None:
    got = _prediction(Mapping())
    assert float(got.exposed_time) == 0
    _is(got.step_time, 25.52)
    _is(got.chip_power, 10 + (1276 + 9.216) / 25.52)
    assert not bool(got.fits)  # 3528 bytes in 2000
    assert BOTTLENECKS[int(got.bottleneck)] == "capacity"


def test_data_in_sram() -> None:
    placement = Placement(weights=0.5, cache=0.25, experts=0.125)
    # of layers and head 1752 B, cache 224 B, experts 576 B a step
    sram = 876 + 56 + 72
    laws = Assumptions(collectives=BALANCED)
    got = predict(_design(SPREAD, placement), MODEL, REQUEST, laws)
    _is(got.memory_time, (2552 - sram) / 400)
    laws = Assumptions(collectives=BALANCED, tiers=SerialTiers())
    serial = predict(_design(SPREAD, placement), MODEL, REQUEST, laws)
    _is(serial.memory_time, (2552 - sram) / 400 + sram / 1600)
    energy = ((2552 - sram) * 0.5 + sram * 0.125) / 4 + 2.304 + 72
    _is(serial.chip_power, 10 + energy / float(serial.step_time))


def test_sram_that_overflows_does_not_fit() -> None:
    # 928 bytes of weights in 4 x 200 bytes
    assert not bool(predict(_design(SPREAD, Placement(weights=1)), MODEL, REQUEST).fits)
    assert bool(predict(_design(SPREAD, Placement(weights=0.86)), MODEL, REQUEST).fits)


@pytest.mark.slow
def test_operators_that_do_not_overlap() -> None:
    # compute / memory of each operator, in order
    pairs = [
        (0.768 + 1.28, 2.08),
        (0.640 + 4.00, 1.60),
        (1.536 + 1.60, 3.84),
        (0.768 + 1.28, 2.08),
        (0.256 + 1.60, 0.64),
        (2.048 + 2.00, 7.04),
        (3.200 + 0.64, 8.24),
    ]
    separate = sum(max(pair) for pair in pairs)
    shorter = sum(min(pair) for pair in pairs)
    whole = max(sum(times) for times in zip(*pairs, strict=True))
    for between, within, expected in (
        (0.0, 1.0, separate),
        (0.0, 0.0, separate + shorter),
        (0.0, 0.75, separate + shorter / 4),
        (0.25, 0.75, whole / 4 + 0.75 * (separate + shorter / 4)),
        (1.0, 0.0, whole),
    ):
        execution = Execution(overlap_between_operators=between, overlap_within_operators=within)
        _is(predict(_used(_design(Mapping()), execution), MODEL, REQUEST).step_time, expected)


def test_sustained_shares_lengthen_times_and_cost_no_energy() -> None:
    design = _design(Mapping())
    peak = predict(design, MODEL, REQUEST)
    got = predict(_used(design, Execution(compute_share=0.5, bandwidth_share=0.8)), MODEL, REQUEST)
    _is(got.compute_time, 2 * float(peak.compute_time))
    _is(got.memory_time, float(peak.memory_time) / 0.8)
    _is(got.step_time, max(float(got.compute_time), float(got.memory_time)))
    # the same work and traffic in a longer time
    energy = (float(peak.chip_power) - 10) * float(peak.step_time)
    _is(got.chip_power, 10 + energy / float(got.step_time))
    utilised = float(peak.tensor_utilisation) * float(peak.step_time)
    _is(got.tensor_utilisation, utilised / float(got.step_time))


def _used(design: Design, execution: Execution) -> Design:
    return eqx.tree_at(lambda it: it.system.execution, design, execution)


def test_talk_collectives() -> None:
    design = Design(system=toy_system(TALK), mapping=Mapping(tp=16), placement=IN_MAIN, batch=2)
    got = predict(design, talk_model(MODEL), REQUEST, Assumptions(collectives=TalkCollectives()))
    # 0.5 + 0.8/4 a doubling; two a layer, one for the mixture, two for 16 ranks on 2 heads
    _is(got.exposed_time, 0.7 * (4 + 5))
    staged = Design(
        system=toy_system(TALK), mapping=Mapping(tp=2, pp=2), placement=IN_MAIN, batch=2
    )
    got = predict(staged, talk_model(MODEL), REQUEST, Assumptions(collectives=TalkCollectives()))
    # two ranks: 0.5 - 0.4 is below the floor of 0.2; two passes among four chips, 0.3 each
    _is(got.exposed_time, 0.2 * (2 + 3) + 2 * 0.3)


def test_latent_attention() -> None:
    request = Request(context=10)
    projections, attention, block = layer_operators(LATENT, request, 3.0, Exact())
    # 8 x 4, 4 x 2 x 4, 8 x 8, 6 x 2 x 6, 2 x 4 x 8 = 264; norms 16 + 4 + 6
    assert _numbers(projections) == (6 * 264, 0, 3 * 64, 290, 0, 0)
    # scores 2 x 2 x 8, sums 2 x 2 x 6 = 56 FLOP a token; cache 6 + 2
    assert _numbers(attention) == (0, 3 * 560, 3 * 5 * 2 * 10, 0, 0, 3 * 80)
    assert _numbers(block) == (6 * 64, 0, 3 * 20, 64, 0, 0)
    # 8 x 4, 4 x 2 x 8, 8 x 8, 2 x 6 x 8 = 256
    merged, *_ = layer_operators(talk_model(LATENT), request, 3.0, Exact())
    assert _numbers(merged) == (6 * 256, 0, 0, 256, 0, 0)


def test_latent_attention_splits_the_sequence_over_two_ranks() -> None:
    got = predict(_design(Mapping(tp=2), batch=3), LATENT, Request(context=10))
    # residual 3 x 8 x 2 = 48 B over two: one shot, 0.25 + 3. Absorbed queries 3 x 2 x 8 x 2 = 96 B,
    # sums and statistics 3 x 2 x (6 + 2) x 2 = 96 B: 0.25 + 48/16 each.
    _is(got.exposed_time, 2 * 3.25 + 3.25 + 3.25)
    # tied: the head is held once; both ranks hold the down-projections, 8 x (4 + 6 + 2)
    _is(got.memory_required, 264 + 96 + 26 + 64 + 3 * 80 + 80 + 8)


def test_context_parallel_ranks_split_the_sequence() -> None:
    got = predict(_design(Mapping(tp=2, cp=2)), MODEL, REQUEST)
    # as four tensor ranks, but that no experts are spread: 3.5 for the sum in both layers
    _is(got.exposed_time, 2 * (3.5 + 2.0 + 3.5))


def test_an_uneven_pipeline_moves_no_more_bytes() -> None:
    got = _prediction(Mapping(pp=3))
    energy = float((got.chip_power - 10) * got.step_time)
    # three chips, three micro-batches: as much as one micro-batch through all layers, each
    assert energy == pytest.approx(1276 + 9.216 + 3 * 32 * 0.25, rel=1e-12)


def test_biases_of_skipped_experts_are_not_active() -> None:
    mixture = TWO_LAYERS.layers[1]
    block = mixture.feedforward.model_copy(update={"bias": True})
    layers = (TWO_LAYERS.layers[0], mixture.model_copy(update={"feedforward": block}))
    model = model_of(TWO_LAYERS.model_copy(update={"layers": layers}))
    # biases 8 + 8 + 8 of two routed experts, 4 + 4 + 8 of the shared one
    assert float(parameters_active(model)) == 2120 + 2 * 24 + 16
