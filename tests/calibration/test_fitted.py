import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.calibration.base import Ideal
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.data.calibrations import load_calibration
from liminal_jax.hardware.kernels import LIBRARY
from liminal_jax.performance.step_terms import step_terms

DESIGN = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8), ll.Placement(), batch=32)
REQUEST = ll.Request(context=8192)
LOSSLESS = {
    **dict.fromkeys(("weight_share", "cache_share", "narrow_share", "matrix_share"), 1.0),
    **dict.fromkeys(("core_share", "imbalance", "spread", "collective_factor", "occupancy"), 1.0),
    **dict.fromkeys(("layer_time", "mixture_time", "user_time"), 0.0),
    "step_time_fixed": 0.0,
    "overlap": 200.0,
}


def predicted(calibration, design=DESIGN, name="llama-3-70b"):
    laws = ll.Assumptions(calibration=calibration)
    return ll.predict(design, ll.load_model(name), REQUEST, laws)


def test_the_ideal_calibration_is_the_default_to_the_bit():
    ideal = predicted(Ideal())
    bare = ll.predict(DESIGN, ll.load_model("llama-3-70b"), REQUEST)
    for mine, its in zip(jax.tree.leaves(ideal), jax.tree.leaves(bare), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("name", ["llama-3-70b", "deepseek-v3", "gpt-oss-120b"])
def test_a_calibration_without_losses_is_the_bound_and_the_kernels_of_collectives(name):
    calibrated = predicted(Fitted(**LOSSLESS), name=name).step_time
    ideal = predicted(Ideal(), name=name)
    terms = step_terms(DESIGN, ll.load_model(name), REQUEST)
    expected = ideal.step_time - ideal.exposed_time + terms.exchanged
    np.testing.assert_allclose(calibrated, expected, rtol=0.02)
    assert float(terms.exchanged) > float(ideal.exposed_time)


def test_the_predictor_gives_what_the_terms_give():
    fitted = load_calibration("measured").fitted("vLLM", "hopper")
    terms = step_terms(DESIGN, ll.load_model("llama-3-70b"), REQUEST)
    np.testing.assert_allclose(predicted(fitted).step_time, fitted.time(terms), rtol=1e-12)


@pytest.mark.parametrize("name", ["llama-3-70b", "deepseek-v3"])
def test_a_mixed_step_without_prompts_is_the_calibrated_decode_step(name):
    laws = ll.Assumptions(calibration=load_calibration("measured").fitted("vLLM", "hopper"))
    none = ll.Prompts(count=0, chunk=ll.Chunk(tokens=1))
    step = ll.mixed_step(DESIGN, ll.load_model(name), REQUEST, none, laws).time
    np.testing.assert_allclose(step, predicted(laws.calibration, name=name).step_time, rtol=1e-6)


def test_prompts_lose_a_share_of_the_tensor_rate_too():
    prompts = ll.Prompts(count=1, chunk=ll.Chunk(tokens=8192))

    def time(**losses):
        laws = ll.Assumptions(calibration=Fitted(**{**LOSSLESS, "overlap": 8.0, **losses}))
        return ll.mixed_step(DESIGN, ll.load_model("llama-3-70b"), REQUEST, prompts, laws).time

    ideal = ll.mixed_step(DESIGN, ll.load_model("llama-3-70b"), REQUEST, prompts).time
    launches = 2 * 80 * LIBRARY.two_shot
    np.testing.assert_allclose(time(), ideal + launches, rtol=0.02)
    assert 1.2 < time(matrix_share=0.5) / time() < 2


def test_each_collective_is_launched():
    alone = eqx.tree_at(lambda it: it.batch, DESIGN, 1.0)
    terms = step_terms(alone, ll.load_model("llama-3-70b"), REQUEST)
    bound = predicted(Ideal(), alone).exposed_time
    np.testing.assert_allclose(terms.exchanged - bound, 2 * 80 * LIBRARY.one_shot, rtol=1e-9)
    assert float(terms.layers) == 80
    assert float(terms.mixtures) == 0


def test_copies_are_read_too():
    model = ll.load_model("deepseek-v3")

    def terms(attention):
        mapping = ll.Mapping(tp=8, ep=8, attention=attention)
        design = ll.Design(DESIGN.system, mapping, ll.Placement(), batch=32)
        return step_terms(design, model, REQUEST)

    parts, heads, users = map(terms, (ll.SplitSequence(), ll.CopiedHeads(), ll.DataParallel()))
    np.testing.assert_allclose(heads.cache, 8 * parts.cache, rtol=1e-6)
    np.testing.assert_allclose(users.cache, parts.cache, rtol=1e-6)
    np.testing.assert_allclose(heads.weights, parts.weights, rtol=1e-6)
    # Down-projections of 61 layers are in each rank's weights whichever way heads are shared; the
    # other weights are there eight times as often.
    down = 61 * 7168 * (1536 + 512 + 64) / 4.8e12
    np.testing.assert_allclose(users.weights - down, 8 * (parts.weights - down), rtol=1e-3)


@pytest.mark.slow
def test_it_has_a_slope_in_losses_and_hardware():
    fitted = load_calibration("measured").fitted("SGLang", "hopper")
    model = ll.load_model("deepseek-v3")

    def speed(fitted, design):
        return ll.predict(design, model, REQUEST, ll.Assumptions(calibration=fitted)).utps

    by_loss, by_hardware = jax.grad(speed, argnums=(0, 1))(fitted, DESIGN)
    slopes = np.array([float(getattr(by_loss, term)) for term in TERMS])
    assert np.all(np.isfinite(slopes))
    assert float(by_loss.weight_share) > 0 > float(by_loss.layer_time)
    assert float(by_hardware.system.chip.memory.bandwidth) > 0
    step = 1e-5 * fitted.layer_time
    more = eqx.tree_at(lambda it: it.layer_time, fitted, fitted.layer_time + step)
    less = eqx.tree_at(lambda it: it.layer_time, fitted, fitted.layer_time - step)
    difference = (speed(more, DESIGN) - speed(less, DESIGN)) / (2 * step)
    np.testing.assert_allclose(by_loss.layer_time, difference, rtol=1e-4)


@pytest.mark.slow
def test_calibrations_map_over_batches():
    fitted = load_calibration("measured").fitted()

    def step(batch):
        design = ll.Design(DESIGN.system, DESIGN.mapping, ll.Placement(), batch=batch)
        return predicted(fitted, design).step_time

    steps = jax.vmap(step)(jnp.array([1.0, 8.0, 64.0]))
    assert np.all(np.diff(np.asarray(steps)) > 0)
