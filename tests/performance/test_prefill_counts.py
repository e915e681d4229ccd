"""Chunks of prompts counted by hand, on the toys of `test_hand_counts`, and token by token."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact
from liminal_jax.data.build import load_model
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Design
from liminal_jax.performance.operators import (
    Operator,
    layer_operators,
    table_operators,
)
from liminal_jax.performance.predictor import mixed_step, predict
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from tests.performance.toys import LATENT_LAYER, TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
REQUEST = Request(context=10)
NAMES = ("matrix", "core", "scalar", "weights", "experts", "cache")
NONE = Prompts(count=0, chunk=Chunk(tokens=1))
TWO = Prompts(count=2, chunk=Chunk(tokens=3, past=4))
MIXERS = (
    "llama-3-8b",
    "gpt-oss-120b",
    "deepseek-v3",
    "deepseek-v3.2",
    "deepseek-v4-pro",
    "minimax-m3",
    "qwen3.5-35b-a3b",
)


def _all(batch: float, prompts: Prompts) -> Operator:
    """All layers' operators of a step together."""
    first, *others = layer_operators(MODEL, REQUEST, batch, Exact(), prompts)
    return sum(others, start=first)


def _numbers(operator: Operator) -> tuple[float, ...]:
    return tuple(float(getattr(operator, name)) for name in NAMES)


def test_two_prompts_of_three_tokens_after_four() -> None:
    got = [_numbers(it) for it in layer_operators(MODEL, REQUEST, 0.0, Exact(), TWO)]
    # Six tokens. They attend to 5 + 6 + 7 = 18 tokens, and in the window of 4 to 12; what is kept
    # of the past, 4 tokens, is read once, and 3 are written: 7 x 8 elements for each prompt.
    # Experts: with half of four chosen by each of six tokens, 4 (1 - 1/64) = 63/16 are read.
    assert got == [
        pytest.approx((2 * 6 * 192, 0, 6 * 64, 208, 0, 0)),
        pytest.approx((0, 2 * 32 * 18, 2 * 20 * 18, 0, 0, 2 * 56)),
        pytest.approx((2 * 6 * 384, 0, 6 * 80, 384, 0, 0)),
        pytest.approx((2 * 6 * 192, 0, 6 * 64, 208, 0, 0)),
        pytest.approx((0, 2 * 32 * 12, 2 * 20 * 12, 0, 0, 2 * 56)),
        pytest.approx((6 * 1024, 0, 6 * 100, 128, 192 * 63 / 16, 0)),
    ]


def test_every_token_is_looked_up_and_the_last_read_out() -> None:
    (head,) = table_operators(MODEL, REQUEST, 0.0, TWO)
    # head 800 x 2 FLOP x 2 prompts; head 800, norm 8, six rows of 8
    assert _numbers(head) == (3200, 0, 64, 856, 0, 0)


def test_a_mixed_step_reads_weights_once_for_both() -> None:
    alone, prompts, both = _all(2.0, NONE), _all(0.0, TWO), _all(2.0, TWO)
    for name in ("matrix", "core", "scalar", "cache"):
        wanted = float(getattr(alone, name) + getattr(prompts, name))
        assert float(getattr(both, name)) == pytest.approx(wanted)
    assert float(both.weights) == float(alone.weights)
    assert float(both.experts) == pytest.approx(192 * 4 * (1 - 0.5**8))


def test_latents_are_expanded_for_a_prompt_and_absorbed_for_a_token() -> None:
    (layers,) = model_of(LATENT_LAYER).layers
    assert layers.attention is not None
    # expanded: 2 x 2 heads x (2 + 2 + 4) x 6 pairs; absorbed it would be 4 x (8 + 6) x 6 = 336
    assert float(layers.attention.chunk_work(Chunk(tokens=3), Exact())) == 192
    # absorbed: 4 x (8 + 6) x 10; expanding nine latents alone would be 2 x 6 x 2 x 6 x 9 = 1296
    assert float(layers.attention.chunk_work(Chunk(tokens=1, past=9), Exact())) == 560


@pytest.mark.parametrize("name", MIXERS)
def test_a_chunk_is_the_sum_of_its_tokens(name: str) -> None:
    for layers in load_model(name).layers:
        mixer = layers.attention
        if mixer is None:
            continue
        for tokens, past in ((1, 0), (1, 4095), (300, 0), (300, 1000), (64, 2040)):
            chunk = Chunk(tokens=tokens, past=past)
            contexts = past + jnp.arange(1.0, tokens + 1)
            each = eqx.filter_vmap(lambda it, context: it.work(context, Exact()), in_axes=(None, 0))
            work = jnp.sum(jnp.broadcast_to(each(mixer, contexts), tokens))
            got = AbstractMixer.chunk_work(mixer, chunk, Exact())
            assert float(got) == pytest.approx(float(work), rel=1e-10)
            if tokens == 1:
                moved = mixer.traffic(past + jnp.ones(()), Exact())
                assert float(mixer.chunk_traffic(chunk, Exact())) == pytest.approx(float(moved))


@pytest.mark.parametrize("name", ["llama-3-8b", "gpt-oss-120b", "deepseek-v3"])
def test_without_prompts_a_step_is_decode(name: str) -> None:
    design = Design(toy_system(), Mapping(tp=4, pp=2, ep=2), Placement(), batch=8)
    model, request = load_model(name), Request(context=3000)
    step, decode = mixed_step(design, model, request, NONE), predict(design, model, request)
    assert float(step.time) == pytest.approx(float(decode.step_time), rel=1e-12)
    assert float(step.compute) == pytest.approx(float(decode.compute_time), rel=1e-12)


@pytest.mark.parametrize("name", ["llama-3-8b", "gpt-oss-120b", "deepseek-v3", "deepseek-v3.2"])
def test_a_chunk_of_one_token_is_a_decode_step(name: str) -> None:
    design = Design(toy_system(), Mapping(tp=4), Placement(), batch=8)
    idle = eqx.tree_at(lambda it: it.batch, design, jnp.zeros(()))
    model, request = load_model(name), Request(context=3000)
    prompts = Prompts(count=8, chunk=Chunk(tokens=1, past=2999))
    step, decode = mixed_step(idle, model, request, prompts), predict(design, model, request)
    for mine, its in (
        (step.time, decode.step_time),
        (step.compute, decode.compute_time),
        (step.memory, decode.memory_time),
        (step.exposed, decode.exposed_time),
    ):
        assert float(mine) == pytest.approx(float(its), rel=1e-10)


def test_gradients_see_the_chunk() -> None:
    def core(past: jax.Array) -> Scalar:
        return _all(0.0, Prompts(count=1, chunk=Chunk(tokens=3, past=past))).core

    # 32 FLOP for each of three tokens in the full layer, none in the full window
    assert float(jax.grad(core)(jnp.asarray(4.5))) == 96
