"""States, and layers that lack a part, in the predictor: by hand.

A hybrid of width 10: three linear layers, one of attention, two feed-forward blocks. A linear
layer: 2 states of 2 x 3 and 3 tokens of 10 channels, 42 elements; 7 operations on each of the 12
elements of its states.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from liminal_jax._smooth import Exact, Soft
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.memory_footprint import memory_footprint
from liminal_jax.performance.operators import layer_operators
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.counts import counts
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from tests.performance.toys import toy_system
from tests.workload.test_layers import HYBRID

EXACT = Exact()
MODEL = model_of(HYBRID)
REQUEST = Request(context=6, kv_bits=16)
BATCH = 5.0


def _design(**degrees: int) -> Design:
    return Design(
        system=toy_system(), mapping=Mapping(**degrees), placement=Placement(), batch=BATCH
    )


def test_a_linear_layer_moves_its_state_twice() -> None:
    linear = layer_operators(MODEL, REQUEST, BATCH, EXACT)[:2]
    total = linear[0] + linear[1]
    assert float(total.matrix) == 3 * 2 * BATCH * 300
    assert float(total.core) == 3 * BATCH * 7 * 12
    assert float(total.weights) == 3 * (300 + 7 + 10)
    assert float(total.state) == 3 * BATCH * 2 * 42 * 4
    assert float(total.cache) == float(total.index) == 0
    assert float(total.scalar) == 3 * BATCH * 4 * 10  # one norm of the stream


def test_a_block_alone_has_its_norm_and_no_cache() -> None:
    operators = layer_operators(MODEL, REQUEST, BATCH, EXACT)
    assert len(operators) == 2 + 2 + 2
    total = operators[4] + operators[5]
    assert float(total.weights) == 2 * (150 + 10)
    assert float(total.matrix) == 2 * 2 * BATCH * 150
    assert float(total.scalar) == 2 * BATCH * (4 * 10 + 5 * 5)
    assert float(total.kept()) == 0


def test_a_context_changes_the_cache_alone() -> None:
    for context in (6, 600):
        work = layer_operators(MODEL, Request(context=context, kv_bits=16), BATCH, EXACT)
        total = sum(work[1:], start=work[0])
        assert float(total.cache) == BATCH * 12 * context * 2
        assert float(total.state) == 3 * BATCH * 2 * 42 * 4


def test_what_an_instance_holds() -> None:
    held = memory_footprint(MODEL, REQUEST, Mapping(pp=2), BATCH, Assumptions())
    assert float(held.state) == 2 * BATCH * 3 * 42 * 4
    assert float(held.cache) == 2 * BATCH * 12 * 6 * 2
    assert float(held.index) == 0
    assert float(held.weights + held.tables) == counts(HYBRID).total
    assert float(held.total()) == float(held.weights + held.tables + held.state + held.cache)


def test_states_at_half_the_bits_are_half_the_bytes() -> None:
    halved = Request(context=6, state_bits=16)
    held = memory_footprint(MODEL, halved, Mapping(), BATCH, Assumptions())
    assert float(held.state) == BATCH * 3 * 42 * 2


def test_states_lie_in_sram_with_the_cache() -> None:
    placed = eqx.tree_at(lambda it: it.placement.cache, _design(), jnp.asarray(1.0))
    moved = predict(_design(), MODEL, REQUEST)
    kept = predict(placed, MODEL, REQUEST)
    operators = layer_operators(MODEL, REQUEST, BATCH, EXACT)
    traffic = sum(float(it.kept()) for it in operators)
    saved = traffic / 100 - traffic / 400  # at the bandwidths of main memory and of SRAM
    assert float(moved.memory_time - kept.memory_time) == pytest.approx(saved, rel=1e-12)


def test_a_model_without_a_cache_fills_the_sram() -> None:
    blocks = model_of(HYBRID.model_copy(update={"layers": HYBRID.layers[2:]}))
    design = filled_design(toy_system(), Mapping(tp=4), BATCH, blocks, REQUEST)
    assert float(design.placement.weights) == 1
    assert float(design.placement.cache) == 0


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_compiled_and_differentiated(relaxation: Exact | Soft) -> None:
    assumptions = Assumptions(relaxation=relaxation)
    design = _design(tp=2, cp=2)
    eager = predict(design, MODEL, REQUEST, assumptions)
    compiled = eqx.filter_jit(predict)(design, MODEL, REQUEST, assumptions)
    assert float(compiled.step_time) == pytest.approx(float(eager.step_time), rel=1e-12)

    def step(request: Request) -> jax.Array:
        return predict(design, MODEL, request, assumptions).step_time

    slope = jax.grad(step)(REQUEST)
    assert all(bool(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slope))
    assert float(slope.state_bits) > 0
