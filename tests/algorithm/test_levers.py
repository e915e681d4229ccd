"""The levers of software: off they change nothing, on they do what can be counted by hand."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from experiments.listed import in_numpy
from liminal_jax._smooth import Exact, Soft
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.algorithm.caching import ExpertCache
from liminal_jax.algorithm.decoding import ParallelDecoding, Speculation
from liminal_jax.algorithm.drafter import BlockDrafter, RecurrentHead, SmallModel
from liminal_jax.algorithm.hiding import Overlap, Prefetch, Reductions
from liminal_jax.algorithm.shape import ModelShape
from liminal_jax.data.build import load_model, load_system
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.request import Request

MODEL = load_model("deepseek-v3")
LLAMA = load_model("llama-3-8b")
H200 = load_system("h200")
REQUEST = Request(context=8192)
MAPPING = Mapping(tp=8, ep=8)
OFF = Algorithm(
    speculation=Speculation(),
    prefetch=Prefetch(),
    overlap=Overlap(),
    reductions=Reductions(),
    attention=ReducedAttention(),
    shape=ModelShape(),
)


def of(algorithm, model=MODEL, *, batch=8.0, system=H200, mapping=MAPPING, placement=None):
    design = Design(system, mapping, placement, batch, algorithm)
    return predict(design, model, REQUEST)


def with_sram(capacity=64e6):
    """The H200 with memory on the chip that software manages, ten times as fast."""
    return eqx.tree_at(
        lambda it: (it.chip.sram.capacity, it.chip.sram.bandwidth, it.chip.sram.energy),
        H200,
        (jnp.asarray(capacity), H200.chip.memory.bandwidth * 10, jnp.asarray(1e-12)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", ["deepseek-v3", "llama-3-8b", "qwen3.5-35b-a3b"])
def test_levers_that_are_off_change_no_bit(model):
    plain = of(None, load_model(model))
    for algorithm in (Algorithm(), OFF, Algorithm(parallel=ParallelDecoding())):
        levers = of(algorithm, load_model(model))
        for name, value in plain.to_dict().items():
            assert levers.to_dict()[name] == value, name


def test_drafts_divide_a_latency_and_multiply_arithmetic():
    drafts = 3.0
    speculation = Speculation(drafts=drafts, acceptance=0.5, decay=1.0)
    plain, checked = of(None, LLAMA), of(Algorithm(speculation=speculation), LLAMA)
    assert float(checked.tokens_per_step) == pytest.approx(1.875)
    # The drafter: one layer and the head, three times, for one token of each user.
    drafter = dataclasses.replace(
        LLAMA, layers=(dataclasses.replace(LLAMA.layers[-1], count=jnp.asarray(1.0)),)
    )
    once = of(None, drafter)
    arithmetic = (1 + drafts) * plain.compute_time + drafts * once.compute_time
    assert float(checked.compute_time) == pytest.approx(float(arithmetic), rel=1e-9)
    # Weights and caches are read once, and by the drafter three times.
    rows = drafts * 8 * 4096 / 8 / H200.chip.memory.bandwidth  # of the embedding, looked up
    memory = plain.memory_time + drafts * once.memory_time + rows
    assert float(checked.memory_time) == pytest.approx(float(memory), rel=1e-9)
    assert float(checked.utps) == pytest.approx(float(1.875 / checked.step_time), rel=1e-12)
    assert float(checked.stps) == pytest.approx(8 * float(checked.utps), rel=1e-12)


def test_drafts_read_the_new_experts_that_they_touch():
    def experts(fresh):
        levers = Algorithm(
            speculation=Speculation(drafts=3, fresh=fresh, drafter=SmallModel(LLAMA))
        )
        return of(levers, batch=1.0).memory_time

    none, half, whole = (float(experts(fresh)) for fresh in (0.0, 0.5, 1.0))
    assert half - none == pytest.approx(whole - half, rel=1e-9)
    # 8 of 256 experts for one token, 256 (1 - (1 - 8/256)^4) = 30.53 for four
    added = (256 * (1 - (1 - 8 / 256) ** 4) - 8) / 256
    stored = 58 * float(MODEL.layers[-1].expert_weights(MODEL.hidden))
    bytes_added = (whole - none) * 8 * float(H200.chip.memory.bandwidth)
    # The busiest rank reads more than the mean.
    assert 1.0 < bytes_added / (added * stored) < 2.5


def test_certain_drafts_without_cost_give_all_tokens():
    ideal = Speculation(drafts=4, acceptance=1, decay=1)
    assert float(of(Algorithm(speculation=ideal)).tokens_per_step) == 5


@pytest.mark.slow
def test_a_block_drafter_passes_once():
    def levers(drafter, drafts):
        return Algorithm(speculation=Speculation(drafts=drafts, drafter=drafter))

    one = of(levers(RecurrentHead(), 1)), of(levers(BlockDrafter(), 1))
    assert float(one[0].step_time) == pytest.approx(float(one[1].step_time), rel=1e-12)
    many = of(levers(RecurrentHead(), 6), batch=1.0), of(levers(BlockDrafter(), 6), batch=1.0)
    assert float(many[1].step_time) < float(many[0].step_time)
    assert float(many[1].memory_required) == float(many[0].memory_required)


def test_a_small_model_drafts_with_weights_and_cache_of_its_own():
    small = Algorithm(speculation=Speculation(drafts=2, drafter=SmallModel(LLAMA)))
    alone, plain, both = of(None, LLAMA), of(None), of(small)
    held = alone.memory_required + plain.memory_required
    assert float(both.memory_required) == pytest.approx(float(held), rel=1e-12)


def test_a_canvas_takes_as_many_passes_as_it_settles_tokens():
    canvas = of(Algorithm(parallel=ParallelDecoding(canvas=256, tokens_per_pass=32)))
    assert float(canvas.tokens_per_step) == pytest.approx(256 / (256 / 32 + 1))
    assert float(canvas.compute_time) > 200 * float(of(None).compute_time)


def test_two_ways_of_decoding_exclude_each_other():
    with pytest.raises(ValueError, match="leave out either it or"):
        Algorithm(speculation=Speculation(), parallel=ParallelDecoding())


@pytest.mark.slow
def test_prefetch_hides_memory_and_never_beats_its_floor():
    system = with_sram()
    placed = {"system": system, "placement": Placement(), "batch": 1.0}
    plain = of(None, **placed)
    times = [
        float(of(Algorithm(prefetch=Prefetch(buffer)), **placed).step_time)
        for buffer in (0.0, 4e6, 8e6, 32e6, 64e6)
    ]
    assert times[0] == float(plain.step_time)
    assert times == sorted(times, reverse=True)
    assert times[1] < times[0]
    floor = max(float(plain.memory_time), float(plain.compute_time + plain.exposed_time))
    assert times[-1] >= floor * (1 - 1e-12)


def test_routed_experts_are_prefetched_as_far_as_they_are_predicted():
    system = with_sram(4e9)

    def time(predicted):
        levers = Algorithm(prefetch=Prefetch(4e9, predicted))
        it = of(levers, system=system, placement=Placement(), batch=64.0)
        return float(it.step_time), float(it.memory_time), float(it.compute_time + it.exposed_time)

    none, some, most = time(0.0), time(0.3), time(1.0)
    assert none[0] > some[0] > most[0]
    assert most[0] >= max(most[1], most[2]) * (1 - 1e-12)


def test_sram_is_not_promised_twice():
    system = with_sram()
    full = of(None, system=system)
    fits = of(Algorithm(prefetch=Prefetch(32e6)), system=system)
    double = Placement(weights=8 * 64e6 / 21e9)
    twice = of(Algorithm(prefetch=Prefetch(32e6)), system=system, placement=double)
    assert bool(full.fits)
    assert bool(fits.fits)
    assert not bool(twice.fits)


@pytest.mark.slow
def test_popular_experts_hit_more_than_their_share():
    system = with_sram(40e9)
    alike = Algorithm(expert_cache=ExpertCache(one_user=0, lasting=0))
    plain = of(None, system=system, batch=1.0)
    same, popular = (
        of(levers, system=system, batch=1.0)
        for levers in (alike, Algorithm(expert_cache=ExpertCache()))
    )
    assert float(same.memory_time) == pytest.approx(float(plain.memory_time), rel=1e-6)
    assert float(popular.memory_time) < 0.9 * float(plain.memory_time)
    assert float(popular.memory_required) == float(plain.memory_required)


@pytest.mark.slow
def test_fused_messages_leave_latency_exposed():
    half, whole = (
        of(Algorithm(overlap=Overlap(fused=share)), batch=64.0).exposed_time for share in (0.4, 0.8)
    )
    plain = of(None, batch=64.0).exposed_time
    assert float(plain - half) == pytest.approx(float(half - whole), rel=1e-6)
    none_sent = of(Algorithm(overlap=Overlap(fused=0.97)), batch=64.0).exposed_time
    latency = 61 * 2 * float(H200.network.latency)
    assert float(none_sent) > latency


@pytest.mark.slow
def test_norms_in_the_exchange_save_an_operation_of_each_sum():
    system = eqx.tree_at(lambda it: it.execution.operation_time, H200, jnp.asarray(1e-6))

    def exposed(share, mapping=MAPPING):
        levers = Algorithm(overlap=Overlap(norms=share))
        return float(of(levers, LLAMA, system=system, mapping=mapping).exposed_time)

    # 32 layers of two sums each
    assert exposed(0.0) - exposed(1.0) == pytest.approx(64e-6, rel=1e-9)
    assert exposed(0.0) - exposed(0.5) == pytest.approx(32e-6, rel=1e-9)
    assert exposed(1.0, Mapping()) == exposed(0.0, Mapping())


@pytest.mark.slow
def test_two_halves_read_the_weights_twice_and_cannot_be_of_one_user():
    two = Algorithm(overlap=Overlap(micro_batches=2))
    assert float(of(two, batch=1.0).step_time) == float(of(None, batch=1.0).step_time)
    # Where memory takes longest, halves take as long as reading all for each of them.
    slow = eqx.tree_at(lambda it: it.chip.memory.bandwidth, H200, jnp.asarray(1e11))
    halves = float(of(two, LLAMA, system=slow, batch=2.0).step_time)
    assert halves == pytest.approx(2 * float(of(None, LLAMA, system=slow, batch=1.0).memory_time))


@pytest.mark.slow
def test_reductions_are_dropped_or_late():
    def exposed(**levers):
        return float(of(Algorithm(reductions=Reductions(**levers)), LLAMA).exposed_time)

    plain = float(of(None, LLAMA).exposed_time)
    # Of the two sums of a dense layer one is left.
    assert exposed(parallel=1) == pytest.approx(plain / 2, rel=1e-9)
    assert exposed(dropped=0.5) == pytest.approx(plain * 0.75, rel=1e-9)
    assert exposed(parallel=1, dropped=1) == pytest.approx(plain / 2, rel=1e-9)
    late = [exposed(delay=delay) for delay in (0, 0.1, 0.5, 4)]
    assert late == sorted(late, reverse=True)
    assert late[-1] == pytest.approx(0.0, abs=1e-12)


def test_windows_and_shared_caches_by_hand():
    def held(**levers):
        it = of(Algorithm(attention=ReducedAttention(**levers)), LLAMA)
        return float(it.memory_required), float(it.memory_time)

    cache = 8 * 32 * 2 * 8 * 128 * 8192  # 8 users, 32 layers, keys and values of 8 heads
    needed, read = held()
    less, quicker = held(windowed=0.75, window=1024)
    assert needed - less == pytest.approx(0.75 * cache * (1 - 1024 / 8192), rel=1e-9)
    saved = 0.75 * cache * (1 - 1024 / 8192) / 8 / float(H200.chip.memory.bandwidth)
    assert read - quicker == pytest.approx(saved, rel=1e-9)
    shared, same = held(sharing=2)
    assert needed - shared == pytest.approx(cache / 2, rel=1e-9)
    assert same == pytest.approx(read, rel=1e-12)
    indexed, chosen = held(sparse=1, chosen=2048, index=128)
    assert indexed - needed == pytest.approx(8 * 32 * 128 * 8192, rel=1e-9)
    saved = (cache * (1 - 2048 / 8192) - 8 * 32 * 128 * 8192) / 8
    assert read - chosen == pytest.approx(saved / float(H200.chip.memory.bandwidth), rel=1e-9)


def test_shapes_by_hand():
    plain = of(None, LLAMA)
    half = of(Algorithm(shape=ModelShape(depth=0.5)), LLAMA)
    assert float(half.memory_time) == float(plain.memory_time)
    latency = 2 * 32 * float(H200.network.latency)
    # Half the sums, each of a stream that is wider by the root of two.
    sent = float(plain.exposed_time) - latency
    assert float(half.exposed_time) == pytest.approx(latency / 2 + sent / 2**0.5, rel=1e-6)
    skipping = of(Algorithm(shape=ModelShape(skipped=0.25)), LLAMA)
    assert float(skipping.exposed_time) == pytest.approx(0.75 * float(plain.exposed_time))
    assert float(skipping.memory_required) == float(plain.memory_required)


def test_switches_sum_in_one_passage():
    def exposed(share):
        system = eqx.tree_at(
            lambda it: it.network.in_network,
            H200,
            None if share is None else jnp.asarray(share),
            is_leaf=lambda it: it is None,
        )
        return float(of(None, LLAMA, system=system, batch=512.0).exposed_time)

    assert exposed(0.0) == exposed(None)
    assert exposed(1.0) < exposed(None)
    latency, message = float(H200.network.latency), 512 * 4096 * 2
    bandwidth = float(H200.network.bandwidth * H200.network.efficiency)
    assert exposed(1.0) == pytest.approx(64 * (latency + message / bandwidth), rel=1e-9)


EVERY = Algorithm(
    speculation=Speculation(drafts=2.3, acceptance=0.8, decay=0.9),
    prefetch=Prefetch(3e6, 0.4),
    expert_cache=ExpertCache(),
    overlap=Overlap(micro_batches=1.4, fused=0.5, norms=0.3),
    reductions=Reductions(parallel=0.2, dropped=0.1, delay=0.03),
    attention=ReducedAttention(windowed=0.3, window=900, sparse=0.2, chosen=1500, sharing=1.5),
    shape=ModelShape(depth=0.8, skipped=0.1),
)


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.2)], ids=["exact", "soft"])
def test_gradients_of_every_lever_are_those_of_differences(relaxation):
    numbers, whole = ravel_pytree(EVERY)
    system, assumptions = with_sram(2e9), Assumptions(relaxation=relaxation)

    @in_numpy
    def speed(numbers):
        design = Design(system, Mapping(tp=7.7, ep=7.7), None, 9.3, whole(numbers))
        return jnp.log(predict(design, MODEL, REQUEST, assumptions).stps)

    slopes = in_numpy(jax.grad(speed))(numbers)
    assert np.all(np.isfinite(slopes))
    for place, value in enumerate(numbers):
        step = 1e-5 * max(float(value), 1e-2)
        unit = jnp.zeros_like(numbers).at[place].set(step)
        difference = (speed(numbers + unit) - speed(numbers - unit)) / (2 * step)
        assert float(slopes[place]) == pytest.approx(float(difference), rel=2e-4, abs=1e-9), place


@pytest.mark.slow
def test_soft_levers_tend_to_the_exact_ones():
    design = Design(with_sram(2e9), MAPPING, None, 8.0, EVERY)
    exact = float(predict(design, MODEL, REQUEST).utps)
    errors = []
    for temperature in (0.3, 0.1, 0.03, 0.01):
        laws = Assumptions(relaxation=Soft(temperature))
        errors.append(abs(float(predict(design, MODEL, REQUEST, laws).utps) / exact - 1))
    assert errors[-1] < 0.01
    assert errors[-1] < errors[0]


@pytest.mark.slow
def test_precision_of_each_kind_of_data():
    def predicted(**bits):
        design = Design(H200, MAPPING, None, 8.0)
        return predict(design, MODEL, dataclasses.replace(REQUEST, **bits))

    plain = predicted()
    assert predicted(expert_bits=8.0).memory_time == plain.memory_time
    assert predicted(table_bits=8.0, index_bits=8.0).memory_required == plain.memory_required
    narrow = predicted(expert_bits=4.25)
    experts = 58 * float(MODEL.layers[-1].expert_weights(MODEL.hidden))
    saved = float(plain.memory_required - narrow.memory_required)
    assert saved == pytest.approx(experts * (1 - 4.25 / 8), rel=1e-9)
    wide = predicted(table_bits=16.0)
    tables = float(MODEL.tables.stored(MODEL.hidden))
    assert float(wide.memory_required - plain.memory_required) == pytest.approx(tables, rel=1e-9)


def test_gpt_oss_as_it_is_published():
    """Experts in MXFP4, all else in 16 bits: 60.77 GiB with 16-bit biases, 1.49 ms of reading."""
    h100 = load_system("h100")
    request = Request(context=1, weight_bits=16, expert_bits=4.25)
    it = predict(Design(h100, batch=1), load_model("gpt-oss-120b"), request)
    biases = 36 * 128 * (2 * 2880 + 2880) * (16 - 4.25) / 8
    held = float(it.memory_required) + biases
    assert held / 2**30 == pytest.approx(60.77, abs=0.005)
    assert float(it.memory_time) == pytest.approx(1.49e-3, rel=0.01)
