"""A step counted layer by layer is the step that `predict` counts for all layers at once."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.data.build import execution_of
from liminal_jax.data.catalogue import execution_names
from liminal_jax.data.parts import load_execution_file
from liminal_jax.hardware.execution import Execution
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.layer_load import LayerChoice, layer_load, loads_prediction

PLACEMENTS = {
    "empty": Placement(),
    "shares": Placement(weights=0.3, experts=0.01, cache=0.2),
    "weights": Placement(weights=1.0),
}


def summed(design, choice, model, assumptions):
    request = choice.request
    loads = [
        jax.tree.map(
            lambda it, count=layers.count: count * it,
            layer_load(layers, choice, design, model, request, assumptions),
        )
        for layers in model.layers
    ]
    total = jax.tree.map(lambda *each: sum(each[1:], start=each[0]), *loads)
    return loads_prediction(total, design, model, request, assumptions)


def assert_same(prediction, expected):
    pairs = zip(*map(jax.tree_util.tree_leaves_with_path, (prediction, expected)), strict=True)
    for (path, found), (_, wanted) in pairs:
        np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=jax.tree_util.keystr(path))


OVERLAPS = {name: execution_of(load_execution_file(name)) for name in execution_names()} | {
    "in part": Execution(overlap_between_operators=0.4, overlap_within_operators=0.7)
}


CASES = [*((it, "shares") for it in OVERLAPS), ("in part", "empty"), ("in part", "weights")]


@pytest.mark.slow
@pytest.mark.parametrize(("overlap", "place"), CASES)
def test_layers_of_one_choice_add_up_to_the_prediction(overlap, place):
    model, placement = ll.load_model("deepseek-v3"), PLACEMENTS[place]
    system = dataclasses.replace(ll.load_system("b200"), execution=OVERLAPS[overlap])
    design = ll.Design(system, ll.Mapping(tp=8, pp=4, ep=8), placement, batch=12)
    request, laws = ll.Request(context=8192, weight_bits=4.25, kv_bits=8), ll.Assumptions()
    found = in_numpy(lambda: summed(design, LayerChoice(request, placement), model, laws))()
    assert_same(found, in_numpy(lambda: ll.predict(design, model, request, laws))())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "system"), [("llama-3-405b", "xpu-sram"), ("gemma-3-27b", "h200")]
)
def test_a_window_is_that_of_the_lever(name, system):
    model = ll.load_model(name)
    lever = Algorithm(attention=ReducedAttention(windowed=1, window=1024))
    design = ll.Design(ll.load_system(system), ll.Mapping(tp=8), Placement(), 4, lever)
    request, laws = ll.Request(context=65536), ll.Assumptions()
    choice = LayerChoice(request, Placement(), jnp.asarray(1024.0))
    found = in_numpy(lambda: summed(design, choice, model, laws))()
    assert_same(found, in_numpy(lambda: ll.predict(design, model, request, laws))())


def test_a_window_as_long_as_the_context_is_full_attention():
    model, laws = ll.load_model("llama-3-8b"), ll.Assumptions()
    design = ll.Design(ll.load_system("h200"), ll.Mapping(), Placement(), 4)
    request = ll.Request(context=65536)
    full = summed(design, LayerChoice(request, Placement()), model, laws)
    windowed = LayerChoice(request, Placement(), jnp.asarray(65536.0))
    assert_same(summed(design, windowed, model, laws), full)
