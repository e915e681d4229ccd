"""The cost of a request: what serving and predictions say of the same design, and gradients."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._traced import listed
from liminal_jax.data.build import load_model, load_system
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.request_cost import RequestCost, request_cost
from liminal_jax.performance.serving import cache_crossing, disaggregated
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.request import Request

MODEL, H200 = load_model("gpt-oss-120b"), load_system("h200")
REQUEST = Request(context=1500)

_cost = listed(request_cost)


def _design(tp: float = 4, pp: float = 2, batch: float = 24) -> Design:
    return Design(H200, Mapping(tp=tp, pp=pp, ep=tp), batch=batch)


def _of(isl: float, osl: float, design: Design | None = None) -> RequestCost:
    return _cost(_design() if design is None else design, MODEL, REQUEST, Lengths(isl, osl))


@pytest.mark.slow
def test_times_are_those_of_serving_with_instances_apart() -> None:
    lengths, found = Lengths(1200, 300), _of(1200, 300)
    served = listed(disaggregated)(_design(), MODEL, REQUEST, lengths)
    crossing = float(cache_crossing(_design(), MODEL, REQUEST, lengths, Assumptions()))
    assert 0 < crossing < 0.2 * float(found.ttft)
    for name, more in (("ttft", crossing), ("tpot", 0.0), ("e2e", crossing)):
        here = float(getattr(found, name)) + more
        assert here == pytest.approx(float(getattr(served, name)), rel=1e-12)
    each = 300 / float(found.chip_time)
    assert each == pytest.approx(float(served.tokens_per_second_per_chip), rel=1e-12)
    paid = float(found.price) / 300 * 1e6
    assert paid == pytest.approx(float(served.usd_per_million_tokens), rel=1e-12)
    spent = float(found.energy * H200.facility.pue) / 300
    assert spent == pytest.approx(float(served.energy_per_token), rel=1e-12)


@pytest.mark.slow
def test_long_answers_to_short_prompts_cost_what_decode_costs() -> None:
    found = _of(1, 1e9)
    alone = predict(_design(), MODEL, REQUEST)
    facility = H200.facility
    assert float(found.tpot) == float(alone.step_time)
    assert float(found.energy) * float(facility.pue) / 1e9 == pytest.approx(
        float(alone.energy_per_token), rel=1e-6
    )
    assert float(found.price) / 1e3 == pytest.approx(float(alone.usd_per_million_tokens), rel=1e-6)
    assert float(found.chip_time) / 1e9 == pytest.approx(float(alone.chips / alone.stps), rel=1e-6)


def test_an_answer_of_one_token_is_the_prompt_alone() -> None:
    found = _of(4096, 1)
    assert float(found.e2e) == float(found.ttft)
    assert float(found.instance_time) == pytest.approx(float(found.ttft) / 2, rel=1e-12)


def test_more_of_prompt_or_answer_costs_more() -> None:
    few, prompt, answer = _of(1000, 100), _of(2000, 100), _of(1000, 200)
    for name in ("e2e", "instance_time", "chip_time", "energy", "capital_time", "price"):
        assert float(getattr(prompt, name)) > float(getattr(few, name)), name
        assert float(getattr(answer, name)) > float(getattr(few, name)), name


def test_long_prompts_draw_more_power_than_decode_of_a_few() -> None:
    found = _of(8192, 100, _design(batch=1))
    assert float(found.prompt_chip_power) > float(found.decoding.chip_power)


@pytest.mark.slow
def test_gradients_are_those_of_differences() -> None:
    @in_numpy
    def values(numbers: jax.Array) -> jax.Array:
        isl, osl, batch = jnp.exp(numbers)
        design = eqx.tree_at(lambda it: it.batch, _design(), batch)
        found = request_cost(design, MODEL, REQUEST, Lengths(isl, osl))
        return jnp.log(jnp.stack([found.price, found.energy, found.ttft, found.chip_time]))

    here, step = jnp.log(jnp.array([1200.0, 300.0, 24.0])), 1e-5
    moved = step * jnp.eye(3)
    wanted = [values(here + it) - values(here - it) for it in moved]
    found = in_numpy(jax.jacfwd(values))(here)
    np.testing.assert_allclose(found, np.stack(wanted, axis=1) / (2 * step), rtol=2e-4, atol=1e-7)
