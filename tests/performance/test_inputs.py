"""A design whose placement is left out is filled, by all that predicts, and one design is asked."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.performance.gains import predicted_with_gains
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.workload.model import model_of
from tests.performance.toys import TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
REQUEST = ll.Request(context=10, attention_bits=8)
MAPPING = ll.Mapping(tp=4, ep=2)
LENGTHS = ll.Lengths(isl=8, osl=4, chunk=4)
PROMPTS = ll.Prompts(count=1, chunk=ll.Chunk(tokens=3))
LEFT_OUT = ll.Design(toy_system(), MAPPING, batch=2)
FILLED = ll.filled_design(toy_system(), MAPPING, 2, MODEL, REQUEST)
EMPTY = ll.Design(toy_system(), MAPPING, ll.Placement(), 2)
ENTRIES = {
    "predict": lambda it: ll.predict(it, MODEL, REQUEST),
    "gains": lambda it: predicted_with_gains(it, MODEL, REQUEST),
    "mixed_step": lambda it: ll.mixed_step(it, MODEL, REQUEST, PROMPTS),
    "prefill": lambda it: ll.prefill(it, MODEL, REQUEST, LENGTHS),
    "serve": lambda it: ll.serve(it, MODEL, REQUEST, LENGTHS),
}


def same(first, second):
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


@pytest.mark.parametrize(
    "name",
    [
        "predict",
        "mixed_step",
        *(pytest.param(it, marks=pytest.mark.slow) for it in ("gains", "prefill", "serve")),
    ],
)
def test_what_is_left_out_is_filled_alike_wherever_one_begins(name):
    entry = ENTRIES[name]
    assert same(entry(LEFT_OUT), entry(FILLED))
    assert not same(entry(LEFT_OUT), entry(EMPTY))


def test_the_sram_of_the_toy_holds_most_weights():
    """Four chips of 200 B over 928 B of weights in layers, which two of three stages... hold."""
    placement = with_defaults(LEFT_OUT, MODEL, REQUEST, None)[0].placed()
    assert 0 < float(placement.weights) <= 800 / 928
    assert float(placement.cache) == float(placement.experts) == 0
    assert with_defaults(EMPTY, MODEL, REQUEST, None)[0].placed() is EMPTY.placement


def test_arguments_stand_in_their_order():
    half = ll.Placement(weights=0.5)
    assert ll.Design(toy_system(), MAPPING, half, 8).placement is half
    assert float(EMPTY.batch) == 2
    assert float(ll.Design(toy_system(), MAPPING).batch) == 1


def test_a_placement_that_is_left_out_has_no_shares_of_its_own():
    with pytest.raises(ValueError, match=r"placement is left out.*filled_design"):
        LEFT_OUT.tiers()


@pytest.mark.slow
def test_transformations_go_through_the_filling():
    def utps(batch):
        design = ll.Design(toy_system(), MAPPING, batch=batch)
        return ll.predict(design, MODEL, REQUEST).utps

    batches = jnp.array([1.0, 8.0])
    each = [float(utps(it)) for it in batches]
    np.testing.assert_allclose(jax.vmap(utps)(batches), each, rtol=1e-14)
    np.testing.assert_allclose(jax.jit(utps)(batches[1]), each[1], rtol=1e-14)
    step = 1e-4
    slope = (utps(8.0 + step) - utps(8.0 - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(utps)(8.0), slope, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "where"),
    [
        ("design", lambda it: it.batch),
        ("design", lambda it: it.system.chip.memory.bandwidth),
        ("model", lambda it: it.layers[0].count),
        ("request", lambda it: it.context),
    ],
)
def test_several_values_of_a_number_are_refused_with_what_to_do(argument, where):
    given = {"design": LEFT_OUT, "model": MODEL, "request": REQUEST}
    value = where(given[argument])
    several = eqx.tree_at(where, given[argument], jnp.stack([value, 2 * value]))
    given[argument] = several
    with pytest.raises(ValueError, match=r"has shape \(2,\).*jax.vmap") as refused:
        ll.predict(**given)
    found = eval(str(refused.value).rpartition("use jax.vmap: ")[2], globals() | given)
    assert found.utps.shape == (2,)
    doubled = {**given, argument: eqx.tree_at(where, several, 2 * value)}
    np.testing.assert_allclose(found.utps[1], ll.predict(**doubled).utps, rtol=1e-14)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_refuses_several_values(name):
    several = ll.Design(toy_system(), MAPPING, batch=jnp.array([1.0, 8.0]))
    with pytest.raises(ValueError, match=r"^design.batch has shape \(2,\).*jax.vmap"):
        ENTRIES[name](several)
