"""What must hold of every prediction, whatever the design."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax._traced import listed
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.power import ActivityPower
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.memory_footprint import memory_footprint
from liminal_jax.performance.overlap import ParallelTiers, SerialTiers
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request
from tests.performance.toys import toy_system

CLOSE = 1 + 1e-12
MODEL = load_model("gpt-oss-20b")
LATENT = load_model("deepseek-v3")
B200 = load_system("b200")
predicted = predict
filled = listed(filled_design)
shortly = settings(max_examples=25, deadline=None)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    # One scale for all widths: narrower operands are never slower, as on every chip there is.
    memory, vector, tensor = (draw(st.floats(0.1, 10)) for _ in range(3))
    chip = eqx.tree_at(
        lambda it: (it.memory.bandwidth, it.vector, it.tensor),
        B200.chip,
        (
            B200.chip.memory.bandwidth * memory,
            B200.chip.vector * vector,
            jax.tree.map(lambda rate: rate * tensor, B200.chip.tensor),
        ),
    )
    chip = eqx.tree_at(
        lambda it: (it.sram.capacity, it.sram.bandwidth, it.sram.energy),
        chip,
        (
            jnp.asarray(draw(st.floats(0, 2e9))),
            jnp.asarray(draw(st.floats(1e13, 1e14))),
            jnp.asarray(1e-11),
        ),
    )
    shares = st.floats(0, 1)
    return Design(
        system=eqx.tree_at(lambda it: it.chip, B200, chip),
        mapping=Mapping(
            tp=draw(st.sampled_from([1, 2, 8, 16])),
            cp=draw(st.sampled_from([1, 2])),
            pp=draw(st.integers(1, 5)),
            ep=draw(st.sampled_from([1, 2])),
        ),
        placement=Placement(weights=draw(shares), cache=draw(shares), experts=draw(shares)),
        batch=draw(st.integers(1, 512)),
    )


requests = st.builds(
    Request,
    context=st.integers(1, 200_000),
    weight_bits=st.sampled_from([4, 8, 16]),
    kv_bits=st.sampled_from([4, 8, 16]),
)
factors = st.floats(1.0, 100.0)
BETTER_PARTS = {
    "memory bandwidth": lambda it: it.system.chip.memory.bandwidth,
    "sram bandwidth": lambda it: it.system.chip.sram.bandwidth,
    "16-bit rate": lambda it: it.system.chip.tensor.bits_16,
    "8-bit rate": lambda it: it.system.chip.tensor.bits_8,
    "4-bit rate": lambda it: it.system.chip.tensor.bits_4,
    "vector rate": lambda it: it.system.chip.vector,
    "link bandwidth": lambda it: it.system.network.bandwidth,
    "link efficiency": lambda it: it.system.network.efficiency,
    "scale-out bandwidth": lambda it: it.system.network.scale_out.bandwidth,
}
WORSE_PARTS = {
    "context": lambda it: it[1].context,
    "batch": lambda it: it[0].batch,
    "weight bits": lambda it: it[1].weight_bits,
    "cache bits": lambda it: it[1].kv_bits,
    "activation bits": lambda it: it[1].activation_bits,
    "link latency": lambda it: it[0].system.network.latency,
    "scale-out latency": lambda it: it[0].system.network.scale_out.latency,
}


@pytest.mark.slow
@shortly
@given(st.sampled_from(sorted(BETTER_PARTS)), designs(), requests, factors)
def test_faster_parts_are_never_slower(
    part: str, design: Design, request: Request, factor: float
) -> None:
    better = eqx.tree_at(BETTER_PARTS[part], design, replace_fn=lambda value: value * factor)
    before, after = (predicted(it, MODEL, request) for it in (design, better))
    assert after.step_time <= before.step_time * CLOSE


@pytest.mark.slow
@shortly
@given(st.sampled_from(sorted(WORSE_PARTS)), designs(), requests, factors)
def test_more_to_do_never_takes_less_time(
    part: str, design: Design, request: Request, factor: float
) -> None:
    more = eqx.tree_at(
        WORSE_PARTS[part], (design, request), replace_fn=lambda value: value * factor
    )
    before, after = predicted(design, MODEL, request), predicted(more[0], MODEL, more[1])
    assert after.step_time >= before.step_time / CLOSE


@shortly
@given(designs(), requests, factors)
def test_a_larger_batch_serves_no_fewer_tokens(
    design: Design, request: Request, factor: float
) -> None:
    # Every time is a constant and a part that grows at most in proportion to the batch, sums of
    # messages included: a step of c times the users takes at most c steps.
    more = eqx.tree_at(lambda it: it.batch, design, design.batch * factor)
    before, after = (predicted(it, MODEL, request) for it in (design, more))
    assert after.stps >= before.stps / CLOSE


@shortly
@given(designs(), requests)
def test_rates_and_shares_are_consistent(design: Design, request: Request) -> None:
    got = predicted(design, MODEL, request)
    users = design.mapping.pp * design.batch
    assert float(got.stps) == pytest.approx(float(users * got.utps), rel=1e-14)
    assert float(got.users) == float(users)
    wall = got.power.total() * design.system.facility.pue
    assert float(got.energy_per_token * got.stps) == pytest.approx(float(wall), rel=1e-14)
    assert float(got.power.chips) == pytest.approx(float(got.chips * got.chip_power), rel=1e-14)
    assert 0 < float(got.tensor_utilisation) <= CLOSE
    assert float(got.step_time) >= max(float(got.compute_time), float(got.memory_time)) / CLOSE


@pytest.mark.slow
@shortly
@given(designs(), requests, st.floats(0, 1), st.floats(0, 1))
def test_the_kinder_assumptions_are_never_slower(
    design: Design, request: Request, between: float, within: float
) -> None:
    whole = predicted(design, MODEL, request)
    execution = Execution(overlap_between_operators=between, overlap_within_operators=within)
    used = eqx.tree_at(lambda it: it.system.execution, design, execution)
    each = predicted(used, MODEL, request)
    serial = predicted(design, MODEL, request, Assumptions(tiers=SerialTiers()))
    parallel = predicted(design, MODEL, request, Assumptions(tiers=ParallelTiers()))
    assert each.step_time >= whole.step_time / CLOSE
    slowest = whole.compute_time + whole.memory_time + whole.exposed_time
    assert each.step_time <= slowest * CLOSE
    assert serial.memory_time >= parallel.memory_time / CLOSE
    assert serial.memory_time <= 2 * parallel.memory_time * CLOSE


@pytest.mark.slow
@shortly
@given(designs(), requests, st.integers(1, 500))
def test_memory_is_affine_in_the_batch(design: Design, request: Request, more: int) -> None:
    def required(batch: float) -> float:
        there = eqx.tree_at(lambda it: it.batch, design, jnp.asarray(float(batch)))
        return float(predicted(there, MODEL, request).memory_required)

    one, two, many = required(1), required(2), required(1 + more)
    assert many - one == pytest.approx(more * (two - one), rel=1e-6)
    assert two > one


@pytest.mark.parametrize("model", [MODEL, LATENT])
def test_one_chip_waits_for_nobody(model: Model) -> None:
    design = Design(system=B200, mapping=Mapping(), placement=Placement(), batch=16)
    assert float(predicted(design, model, Request(context=8192)).exposed_time) == 0


@pytest.mark.slow
def test_a_b200_with_all_units_busy_draws_more_than_its_design_power() -> None:
    # A step of the talk's matrices whose batch balances memory and tensor cores. The chip draws
    # its design power on products alone, so it would be clocked down.
    def power(batch: float) -> tuple[float, Prediction]:
        design = Design(
            system=eqx.tree_at(lambda it: it.chip.vector, B200, jnp.asarray(jnp.inf)),
            mapping=Mapping(),
            placement=Placement(),
            batch=batch,
        )
        got = predicted(design, load_model("llama-3-70b"), Request(context=1))
        return float(got.chip_power), got

    low, high = 1.0, 1e4
    for _ in range(60):
        middle = (low * high) ** 0.5
        got = power(middle)[1]
        if got.compute_time < got.memory_time:
            low = middle
        else:
            high = middle
    watts, got = power(low)
    assert float(got.compute_time) == pytest.approx(float(got.memory_time), rel=1e-9)
    chip, law = B200.chip, B200.chip.power
    assert isinstance(law, ActivityPower)
    reading = chip.memory.energy * chip.memory.bandwidth
    both = law.idle + reading + law.flop_energy * chip.tensor.bits_8
    assert watts == pytest.approx(float(both), rel=1e-9)
    assert float(got.chip_tdp) == pytest.approx(1000, rel=1e-12)
    assert watts > 1000


@pytest.mark.slow
@shortly
@given(
    st.floats(1e5, 5e9),
    st.integers(1, 256),
    st.sampled_from([1, 2, 4, 5]),
    st.one_of(st.just(None), st.floats(1e-3, 0.3)),
)
def test_filled_sram_is_never_beyond_its_capacity(
    capacity: float, batch: int, pp: int, t: float | None
) -> None:
    relaxation: AbstractRelaxation = Exact() if t is None else Soft(t)
    system = eqx.tree_at(lambda it: it.chip.sram.capacity, B200, jnp.asarray(capacity))
    mapping, request = Mapping(tp=8, pp=pp), Request(context=10_000)
    assumptions = Assumptions(relaxation=relaxation)
    design = filled(system, mapping, jnp.asarray(float(batch)), MODEL, request, assumptions)
    held = memory_footprint(MODEL, request, mapping, batch, assumptions)
    share = design.placement
    inside = share.weights * held.weights + share.cache * held.cache + share.experts * held.experts
    assert float(inside) <= 8 * pp * capacity * (1 + 1e-9)
    assert float(inside) > 0
    # Judged as the exact model: the largest stage, too, has room, and main memory holds the rest.
    if t is None:
        assert bool(predicted(design, MODEL, request).fits)


@pytest.mark.slow
def test_filled_sram_speeds_a_step_up() -> None:
    system = eqx.tree_at(
        lambda it: (it.chip.sram.capacity, it.chip.sram.bandwidth),
        toy_system(),
        (jnp.asarray(100.0), jnp.asarray(800.0)),
    )
    model, request = load_model("llama-3-8b"), Request(context=100)
    plain = Design(system=system, mapping=Mapping(tp=4), placement=Placement(), batch=1)
    better = filled(system, Mapping(tp=4), jnp.asarray(1.0), model, request)
    assert (
        predicted(better, model, request).memory_time < predicted(plain, model, request).memory_time
    )


TEMPERATURES = (0.1, 0.01, 0.001, 0.0001)
ROUNDED = 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(("tp", "cp", "pp", "ep"), [(2, 1, 1, 1), (8, 1, 3, 4), (16, 2, 5, 32)])
@pytest.mark.parametrize("name", ["gpt-oss-20b", "deepseek-v3"])
def test_the_soft_prediction_tends_to_the_exact_one(
    name: str, tp: int, cp: int, pp: int, ep: int
) -> None:
    design = Design(
        system=B200, mapping=Mapping(tp=tp, cp=cp, pp=pp, ep=ep), placement=Placement(), batch=40
    )
    model, request = load_model(name), Request(context=3000)
    exact = _continuous(predicted(design, model, request))

    def worst(t: float) -> float:
        soft = _continuous(predicted(design, model, request, Assumptions(relaxation=Soft(t))))
        scale = jnp.where(exact == 0, 1.0, jnp.abs(exact))
        return float(jnp.max(jnp.abs(soft - exact) / scale))

    errors = [max(worst(t), ROUNDED) for t in TEMPERATURES]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 1e-6
    # Nothing is a tighter tie than 2^t: where two times are equal, that much is left.
    assert errors[-1] < 1e-3


def _continuous(prediction: Prediction) -> jax.Array:
    leaves = [leaf for leaf in jax.tree.leaves(prediction) if leaf.dtype != bool]
    return jnp.stack(leaves)
