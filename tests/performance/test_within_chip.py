"""What a step waits for inside a chip, and the memory that is kept free: by hand, and at limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from liminal_jax._smooth import Exact, Soft
from liminal_jax.data.build import die_links_of, execution_of, load_model
from liminal_jax.data.parts import load_execution_file
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.package import DieLinks
from liminal_jax.laws.feedforward import busiest_rank_load
from liminal_jax.mapping.attention import DataParallel
from liminal_jax.mapping.collectives import LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.mapping.routing import BalancedRouting, RandomRouting
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.within_chip import within_chip
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from tests.performance.toys import TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
REQUEST = Request(context=8, weight_bits=8, kv_bits=8, activation_bits=16)
LINKS = DieLinks(bandwidth=64.0, latency=0.125, energy=0.5, area=0.001, shoreline=0.002)
IDLE = 10.0


def design_with(dies=4.0, links=LINKS, mapping=None, **execution):
    system = eqx.tree_at(
        lambda it: (it.chip.dies, it.execution, it.die_links),
        toy_system(),
        (jnp.asarray(dies), Execution(**execution), links),
        is_leaf=lambda it: it is None,
    )
    mapping = Mapping() if mapping is None else mapping
    return Design(system=system, mapping=mapping, placement=Placement(), batch=2.0)


def test_starts_of_operators_by_hand():
    bare = predict(design_with(links=None), MODEL, REQUEST)
    got = predict(design_with(links=None, operation_time=0.25), MODEL, REQUEST)
    # a dense layer of 4 + 2, a mixture of 4 + 5, the head
    assert float(got.exposed_time - bare.exposed_time) == pytest.approx(0.25 * 16, rel=1e-12)
    # three stages of two layers: the largest sets the pace of the layers, not of the head
    staged = Mapping(pp=3)
    bare = predict(design_with(links=None, mapping=staged), MODEL, REQUEST)
    got = predict(design_with(links=None, mapping=staged, operation_time=0.25), MODEL, REQUEST)
    assert float(got.exposed_time - bare.exposed_time) == pytest.approx(0.25 * (15 * 1.5 + 1))


def test_operators_of_a_wafer_sum_along_its_mesh():
    bare = predict(design_with(links=None), MODEL, REQUEST)
    got = predict(design_with(links=None, mesh_side=10, mesh_hop=0.0125), MODEL, REQUEST)
    # 10 cores there and back, for each of 16 operators
    assert float(got.exposed_time - bare.exposed_time) == pytest.approx(0.25 * 16, rel=1e-12)


def test_a_megakernel_of_llama_waits_as_long_as_its_authors_say():
    # 97 dependent instructions at 2 us each: about 200 us
    design = design_with(links=None, operation_time=2e-6)
    inside = within_chip(design, load_model("llama-3.2-1b"), REQUEST, None, Assumptions())
    assert float(inside.layers + inside.head) == pytest.approx(97 * 2e-6, rel=1e-12)


def test_sums_over_dies_by_hand():
    bare, got = (predict(design_with(links=it), MODEL, REQUEST) for it in (None, LINKS))
    # 2 users of 8 elements of 2 bytes; 4 dies in one shot: 0.125 + 3 * 32 / 64, in two: 0.25 + 0.75
    assert float(got.exposed_time - bare.exposed_time) == pytest.approx(4 * 1.0, rel=1e-12)
    assert float(got.step_time - bare.step_time) == pytest.approx(4 * 1.0, rel=1e-12)
    # each of 4 sums moves 2 * 3 * 32 bytes at 0.5 J
    energy = (float(bare.chip_power) - IDLE) * float(bare.step_time) + 4 * 192 * 0.5
    assert float(got.chip_power) == pytest.approx(IDLE + energy / float(got.step_time), rel=1e-12)


def apart(routing):
    design = design_with(mapping=Mapping(tp=4, ep=4, attention=DataParallel()))
    return within_chip(
        design, MODEL, REQUEST, None, Assumptions(collectives=LayerCollectives(routing))
    )


def test_sums_over_dies_take_the_time_of_the_fullest_rank_and_the_energy_of_the_mean():
    inside = apart(BalancedRouting())
    # Three parts and the shared expert: 2 users over 4 ranks, 16 B of one on the fullest, 8 B of
    # half a one on the mean. Experts: half of the tokens come to each rank, 16 B of one.
    assert float(inside.layers) == pytest.approx(5 * (0.25 + 2 * 3 / 4 * 16 / 64), rel=1e-12)
    assert float(inside.energy) == pytest.approx(2 * 3 * (4 * 8 + 16) * 0.5, rel=1e-12)


def test_the_rank_to_which_most_tokens_come_sums_most():
    even, random = apart(BalancedRouting()), apart(RandomRouting())
    busiest = busiest_rank_load(experts=4.0, top_k=2.0, tokens=2.0, ranks=4.0)
    more = 2 * 3 / 4 * 16 / 64 * (busiest - 1)
    assert float(random.layers - even.layers) == pytest.approx(float(more), rel=1e-12)
    assert float(random.energy) == float(even.energy)


def test_one_die_and_endless_links_wait_for_nothing():
    bare = predict(design_with(links=None), MODEL, REQUEST)
    endless = DieLinks(bandwidth=jnp.inf, latency=0.0, energy=0.0, area=0.0, shoreline=0.0)
    for got in (
        predict(design_with(dies=1.0), MODEL, REQUEST),
        predict(design_with(links=endless), MODEL, REQUEST),
    ):
        assert jax.tree.map(float, got) == jax.tree.map(float, bare)


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_slower_links_and_more_dies_are_never_quicker(relaxation):
    laws = Assumptions(relaxation=relaxation)

    def step(dies, links, **execution):
        return float(predict(design_with(dies, links, **execution), MODEL, REQUEST, laws).step_time)

    slower = eqx.tree_at(lambda it: it.bandwidth, LINKS, LINKS.bandwidth / 2)
    later = eqx.tree_at(lambda it: it.latency, LINKS, LINKS.latency * 2)
    assert step(4.0, LINKS) < min(step(4.0, slower), step(4.0, later))
    assert step(1.0, LINKS) < step(2.0, LINKS) < step(4.0, LINKS)
    assert step(4.0, LINKS) < step(4.0, LINKS, operation_time=0.1)


def test_a_reserve_fills_memory_and_asks_for_none():
    bare, got = (
        predict(design_with(links=None, memory_reserve=it), MODEL, REQUEST) for it in (0.0, 0.2)
    )
    assert float(got.memory_fill) == pytest.approx(float(bare.memory_fill) / 0.8, rel=1e-12)
    assert float(got.memory_required) == float(bare.memory_required)
    assert float(got.memory_capacity) == float(bare.memory_capacity)
    most = 1 - float(bare.memory_fill)
    for reserve, fits in ((most - 0.01, True), (most + 0.01, False)):
        design = design_with(links=None, memory_reserve=reserve)
        assert bool(predict(design, MODEL, REQUEST).fits) == fits


@pytest.mark.slow
def test_slopes_are_those_of_differences():
    file = load_execution_file("planned-chip")
    links = die_links_of(file)
    execution = execution_of(file)
    execution = eqx.tree_at(lambda it: it.operation_time, execution, execution.operation_time * 1e5)
    leaves, shape = jax.tree.flatten((execution, LINKS))
    assert links is not None

    @jax.jit
    def speed(scales):
        used, joined = jax.tree.unflatten(
            shape, [a * b for a, b in zip(leaves, scales, strict=True)]
        )
        system = eqx.tree_at(
            lambda it: (it.execution, it.die_links), design_with().system, (used, joined)
        )
        design = eqx.tree_at(lambda it: it.system, design_with(), system)
        got = predict(design, MODEL, REQUEST)
        return jnp.stack([got.step_time, got.chip_power, got.memory_fill])

    ones = jnp.ones(len(leaves))
    slopes = jax.jacobian(speed)(ones)
    for row in range(len(leaves)):
        low, high = (speed(ones.at[row].set(end)) for end in (1 - 1e-5, 1 + 1e-5))
        differences = (high - low) / 2e-5
        assert jnp.allclose(slopes[:, row], differences, rtol=1e-5, atol=1e-9)
