"""TTFT, TPOT and throughput: limits that hold for any machine, gradients, transforms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.network import AbstractPhysical
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import parameters_active
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.serving import SERVING_WAYS, Serving, cache_crossing, prefill, serve
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

DENSE, MIXED = load_model("llama-3-8b"), load_model("gpt-oss-120b")
H100 = load_system("h100")
LENGTHS = Lengths(2048, 512)
OUTPUTS = ("ttft", "tpot", "e2e", "tokens_per_second_per_chip")


def _design(tp: float = 2, batch: float = 16, pp: float = 1) -> Design:
    return Design(H100, Mapping(tp=tp, pp=pp), Placement(), batch=batch)


def _served(
    design: Design, model: Model = DENSE, lengths: Lengths = LENGTHS, context: float = 2304
) -> Serving:
    return serve(design, model, Request(context=context), lengths)


def _crossing(design: Design, model: Model, lengths: Lengths) -> float:
    given = (design, model, Request(context=1), lengths, Assumptions())
    return float(in_numpy(cache_crossing)(*given))


def test_the_cache_of_a_prompt_crosses_once() -> None:
    # 2,048 tokens of 32 layers of 8 heads of 128, keys and values of 8 bits, on 2 x 2 chips.
    part = 2048 * 32 * 2 * 8 * 128 / 4
    assert isinstance(H100.network, AbstractPhysical)
    far = H100.network.scale_out
    wanted = float(far.latency) + part / float(far.bandwidth)
    assert _crossing(_design(pp=2), DENSE, LENGTHS) == pytest.approx(wanted, rel=1e-9)
    twice = Lengths(4096, 512, prefix_hit_rate=0.9)  # What was cached crosses, too.
    more = _crossing(_design(pp=2), DENSE, twice) - wanted
    assert more == pytest.approx(part / float(far.bandwidth), rel=1e-9)


@pytest.mark.slow
def test_energy_and_cost_add_up() -> None:
    design = _design()
    alone = in_numpy(predict)(design, DENSE, Request(context=2304))
    serving = _served(design)
    for name in SERVING_WAYS:
        way = getattr(serving, name)
        rate = float(way.tokens_per_second_per_chip) * 2
        pue = float(H100.facility.pue)
        assert float(way.power) * pue / rate == pytest.approx(float(way.energy_per_token))
        assert float(way.capital) == pytest.approx(float(alone.capital.total()))
        # Answers cost what decode costs but for the first token, which comes of the prompt.
        for key, share in (
            ("energy_per_token", "prompt_energy_share"),
            ("usd_per_million_tokens", "prompt_cost_share"),
        ):
            answers = float(getattr(way, key)) * (1 - float(getattr(way, share)))
            wanted = float(getattr(alone, key)) * 511 / 512
            assert answers == pytest.approx(wanted, rel=1e-9), (name, key)


@pytest.mark.slow
def test_what_is_cached_is_read_and_not_computed() -> None:
    design = _design(batch=1)
    none, half, most = (
        float(prefill(design, DENSE, Request(context=1), Lengths(8192, 1, None, None, hit)).time)
        for hit in (0.0, 0.5, 1.0)
    )
    # Later tokens attend to more of the prompt, so that half of them take more than half.
    assert none / 2 < half < none
    last = float(in_numpy(predict)(design, DENSE, Request(context=8192)).step_time)
    assert most == pytest.approx(last, rel=1e-3)


def test_a_short_prompt_computes_two_flop_a_weight_and_token() -> None:
    design, lengths = _design(batch=1), Lengths(256, 1)
    step = prefill(design, DENSE, Request(context=1), lengths)
    head = DENSE.tables.head(DENSE.hidden) if DENSE.tables is not None else 0.0
    layers = parameters_active(DENSE) - head
    wanted = 2 * layers * 256 / design.system.chip.tensor.bits_8 / 2
    assert float(step.compute) == pytest.approx(float(wanted), rel=0.05)
    assert float(step.compute) > float(wanted)


@pytest.mark.parametrize("model", [DENSE, MIXED])
def test_larger_chunks_never_delay_the_first_token(model: Model) -> None:
    times = [
        float(prefill(_design(batch=1), model, Request(context=1), Lengths(2048, 1, chunk)).time)
        for chunk in (64, 128, 256, 512, 1024, 2048)
    ]
    assert times == sorted(times, reverse=True)
    whole = prefill(_design(batch=1), model, Request(context=1), Lengths(2048, 1)).time
    assert times[-1] == float(whole)


def test_chunks_are_the_sum_of_their_steps() -> None:
    def after(isl: float, chunk: float) -> float:
        lengths = Lengths(isl, 1, chunk)
        return float(prefill(_design(batch=1), DENSE, Request(context=1), lengths).compute)

    # the work of a prompt does not depend on how it is cut, but for reading out each chunk
    assert after(2048, 256) == pytest.approx(after(2048, 2048), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("model", [DENSE, MIXED])
def test_the_parts_add_up(model: Model) -> None:
    design = _design(pp=2)
    serving = _served(design, model)
    step = float(predict(design, model, Request(context=2304)).step_time)
    for name in SERVING_WAYS:
        way = getattr(serving, name)
        assert float(way.e2e) == pytest.approx(float(way.ttft + 511 * way.tpot))
        assert 0 < float(way.prefill_share) < 1
        assert float(way.tpot) >= step * (1 - 1e-9)
    assert float(serving.static.tpot) == pytest.approx(step)
    assert float(serving.disaggregated.tpot) == pytest.approx(step)
    crossing = _crossing(design, model, LENGTHS)
    assert float(serving.continuous.ttft) > float(serving.disaggregated.ttft) - crossing > 0
    static = serving.static
    assert float(static.tokens_per_second_per_chip) == pytest.approx(
        float(32 * 512 / static.e2e / 4)
    )


@pytest.mark.slow
def test_pools_are_balanced() -> None:
    it = _served(_design()).disaggregated
    share = float(it.prefill_share)
    passing = float(it.ttft) - _crossing(_design(), DENSE, LENGTHS)
    prompts = share / passing  # a second, on that share of one instance
    answers = (1 - share) * 16 / (511 * float(it.tpot))
    assert prompts == pytest.approx(answers)
    assert 512 * prompts / 2 == pytest.approx(float(it.tokens_per_second_per_chip))


def test_prompts_that_vanish_leave_decode() -> None:
    serving = _served(_design(), lengths=Lengths(1, 100_000))
    decode = predict(_design(), DENSE, Request(context=2304))
    for name in SERVING_WAYS:
        rate = float(getattr(serving, name).tokens_per_second_per_chip)
        assert rate == pytest.approx(float(decode.stps) / 2, rel=1e-3)


@pytest.mark.slow
def test_a_budget_limits_who_decodes() -> None:
    free = _served(_design(batch=64), lengths=Lengths(4096, 65, chunk=256)).continuous
    bound = _served(_design(batch=64), lengths=Lengths(4096, 65, chunk=256, budget=256)).continuous
    assert float(free.users) == 64
    assert float(bound.users) == pytest.approx(256 * 64 / 4096)
    assert float(bound.tpot) < float(free.tpot)


def test_an_answer_of_one_token_is_finite() -> None:
    serving = _served(_design(), lengths=Lengths(512, 1))
    assert all(bool(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(serving))
    assert float(serving.static.e2e) == float(serving.static.ttft)
    assert float(serving.disaggregated.prefill_share) == 1


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_gradients_are_differences(relaxation: AbstractRelaxation) -> None:
    def values(at: jax.Array) -> jax.Array:
        bandwidth, isl = at[0] * 3.35e12, at[1] * 2048.3
        design = eqx.tree_at(lambda it: it.system.chip.memory.bandwidth, _design(), bandwidth)
        lengths = Lengths(isl, 512, chunk=300, budget=2000)
        request = Request(context=2304)
        serving = serve(design, MIXED, request, lengths, Assumptions(relaxation=relaxation))
        ways = [getattr(serving, name) for name in SERVING_WAYS]
        return jnp.stack([getattr(way, field) for way in ways for field in OUTPUTS])

    at, step = jnp.ones(2), 1e-6
    found = in_numpy(values)
    slopes = in_numpy(jax.jacrev(values))(at)
    for which in (0, 1):
        aside = jnp.zeros(2).at[which].set(step)
        differences = (found(at + aside) - found(at - aside)) / (2 * step)
        assert jnp.all(jnp.isfinite(slopes))
        assert jnp.allclose(slopes[:, which], differences, rtol=1e-4, atol=1e-9)


@pytest.mark.slow
def test_compiled_and_mapped_it_is_the_same() -> None:
    def rate(batch: jax.Array) -> jax.Array:
        design = eqx.tree_at(lambda it: it.batch, _design(), batch)
        serving = serve(design, MIXED, Request(context=2304), LENGTHS)
        return serving.continuous.tokens_per_second_per_chip

    batches = jnp.asarray([8.0, 64.0])
    plain = jnp.stack([rate(batch) for batch in batches])
    assert jnp.allclose(jax.jit(rate)(batches[1]), plain[1], rtol=1e-12)
    assert jnp.allclose(jax.jit(jax.vmap(rate))(batches), plain, rtol=1e-12)
