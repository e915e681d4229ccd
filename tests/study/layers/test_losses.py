"""What layers lose: tables and functions, and what is wrong with them, with the layer named."""

import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.study.layers.checked import checked_combination, checked_loss
from liminal_jax.study.layers.table import LossRow, table_loss
from liminal_jax.study.questions import BUILDERS, load_question
from tests.study.layers.cases import problem, space

GRIDS = {"weight_bits": (4.25, 8.0), "kv_bits": (8.0,), "window": (4096.0, 32768.0)}


def rows(*of):
    names = ("layer", "bits", "kv_bits", "window", "loss")
    return [
        LossRow(**{name: it for name, it in zip(names, each, strict=True) if it is not None})
        for each in of
    ]


FULL = rows(
    ("all", "mxfp4", None, None, 0.5),
    ("0", 8, None, None, 0.25),
    ("1-2", 8, None, None, 0.125),
    ("all", None, None, 4096, 2.0),
    ("all", None, None, "full", 0.0),
)


def told(call, *given):
    with pytest.raises(InputError) as refused:
        call(*given)
    return refused.value.lines()


@pytest.mark.slow
def test_parts_of_a_table_add_up():
    loss = table_loss(FULL, GRIDS, 3, 32768.0)
    found = [float(loss.of(jnp.asarray(it), 8.0, 8.0, 4096.0)) for it in range(3)]
    assert found == [2.25, 2.125, 2.125]
    assert float(loss.of(jnp.asarray(0), 4.25, 8.0, 32768.0)) == 0.5


def test_between_values_a_loss_lies_between_those_of_its_neighbours():
    loss = table_loss(FULL, GRIDS, 3, 32768.0)
    middle = float(loss.of(jnp.asarray(0), np.sqrt(4.25 * 8), 8.0, 32768.0))
    assert middle == pytest.approx(0.375, rel=1e-12)


def test_a_row_of_several_numbers_is_of_their_combination():
    both = rows(
        *(
            ("all", bits, None, window, loss)
            for bits, window, loss in [(4.25, 0, 1), (4.25, 4096, 4), (8, 0, 0), (8, 4096, 1)]
        )
    )
    loss = table_loss(both, GRIDS, 2, 32768.0)
    assert float(loss.of(jnp.asarray(1), 4.25, 8.0, 4096.0)) == 4


MISTAKES = {
    "a layer": (FULL[:2] + FULL[3:], ["loss: is missing for layers 1-2 at bits 8"]),
    "a width": (
        [FULL[0], *FULL[3:]],
        ["loss: is missing for any layer at bits 8"],
    ),
    "a number that is chosen": (
        FULL[:3],
        ["window: no row states it, and window is chosen; give the loss of each"],
    ),
    "a layer twice": (
        [*FULL, *rows(("2", 8, None, None, 0.3))],
        ["layer: row 6 states layer 2 at bits 8 again"],
    ),
    "a layer that there is not": (
        [*FULL, *rows(("2-5", 8, None, None, 0.3))],
        ["layer: row 6 names layer 2-5, and the model has layers 0 to 2"],
    ),
    "no layer at all": (
        [*FULL, *rows(("first", 8, None, None, 0.3))],
        ["layer: row 6 must name a layer, a range such as '3-60' or 'all', got 'first'"],
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_of_a_table_are_told(kind):
    table, lines = MISTAKES[kind]
    assert told(table_loss, table, GRIDS, 3, 32768.0) == lines


def at_layer_3(value):
    def loss(bits, kv_bits, window):
        del kv_bits, window
        return jnp.where(jnp.arange(5) == 3, value(bits), 1 / bits)

    return loss


FUNCTIONS = {
    "nan": (
        at_layer_3(lambda bits: jnp.log(7 - bits)),
        "loss: is nan at layer 3 with weight_bits 8, kv_bits 8, window 4096",
    ),
    "no slope": (
        at_layer_3(lambda bits: jnp.sqrt(8 - bits)),
        "loss: has a slope of -inf at layer 3 with weight_bits 8, kv_bits 8, window 4096",
    ),
    "steps": (
        at_layer_3(lambda bits: jnp.where(bits > 6, 0.0, 1.0)),
        "loss: is not differentiable: at layer 3 it moves in steps with weight_bits, its slope is 0"
        " at every value",
    ),
    "not of JAX": (
        lambda bits, *_: np.asarray([float(it) for it in bits]),
        "loss: is not differentiable: write it with jax.numpy (ConcretizationTypeError: ",
    ),
    "one number": (
        lambda bits, *_: jnp.sum(1 / bits),
        "loss: must have a loss for each of 5 layers, got shape (); say how they combine with"
        " over_layers if not by their sum",
    ),
    "coupled": (
        lambda bits, *_: 1 / bits + 1 / jnp.roll(bits, 1),
        "loss: of layer 0 depends on weight_bits of layer 4; the loss of a layer may depend on its"
        " own numbers alone",
    ),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_mistakes_of_a_function_are_told(kind):
    function, line = FUNCTIONS[kind]
    (found,) = told(checked_loss, function, GRIDS, 5)
    assert found.startswith(line)


def test_a_combination_must_be_convex_and_must_not_fall():
    assert checked_combination(jnp.max, 4) is jnp.max
    (line,) = told(checked_combination, lambda it: jnp.sum(jnp.sqrt(it)), 4)
    assert line.endswith("is not convex in the losses of layers, so that no bound would hold")
    (line,) = told(checked_combination, lambda it: it[0] - it[2], 4)
    assert line.endswith("falls with the loss of layer 2; it must not fall with any")


def test_no_loss_is_assumed():
    (line,) = told(lambda: problem(loss=None, asked=[ll.at_most("quality_loss", 1)]))
    assert line == (
        "PerLayer: constraints.0.quantity: quality_loss: is limited, and nothing says what layers"
        " lose: give a table of losses or a function; none is assumed"
    )


def test_a_window_beyond_the_context_is_full_attention_and_said_so():
    asked = problem(space(context=8192.0), free={"window": [4096, 16384, 65536]}, loss=None)
    (windows,) = asked.groups[0].variables
    assert windows.grid.values == (4096.0, 8192.0)
    told = "Windows of 16384, 65536 tokens are full attention in a context of 8192."
    assert told in asked.basis()


REFUSED = {
    "power at work": (
        {"asked": [ll.at_most("power", 1e5)]},
        "constraints.0.quantity: power at work falls as layers take longer, so that no bound would"
        " hold; limit power_provisioned or chip_tdp, power at full use",
    ),
    "the wrong side": (
        {"asked": [ll.at_most("utps", 10)]},
        "constraints.0.quantity: utps cannot be limited by at_most layer by layer",
    ),
    "an objective": (
        {"maximise": "tensor_utilisation"},
        "objective.maximise: cannot be tensor_utilisation layer by layer; there are stps,"
        " stps_per_usd, stps_per_watt, utps",
    ),
    "nothing free": (
        {"free": {"sram": 0.5}},
        "per_layer: nothing is free; give several values of weight_bits, kv_bits, window, sram,"
        " sram_experts, sram_cache",
    ),
    "a format": (
        {"free": {"weight_bits": ["mxfp44", 8]}},
        "weight_bits: there is no number format 'mxfp44'; did you mean 'mxfp4'?",
    ),
    "a name": (
        {"free": {"bits": [4, 8]}},
        "bits: is nothing that a layer chooses; did you mean 'kv_bits'?",
    ),
    "a share": (
        {"free": {"sram": [0, 2]}},
        "sram: must be at most 1, got 2",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_asked_layer_by_layer_is_refused(kind):
    given, line = REFUSED[kind]
    assert told(lambda: problem(**{"loss": None, **given})) == [f"PerLayer: {line}"]


def test_a_number_is_free_for_each_layer_or_for_all_not_both():
    both = space(free={"kv_bits": [4, 8]})
    (line,) = told(lambda: problem(both))
    assert line == "PerLayer: kv_bits: is chosen for each layer; state one value for the rest here"


def test_the_shipped_study_leaves_four_numbers_of_126_layers_free():
    file = load_question("which-layers-at-four-bits")
    asked = BUILDERS[type(file)](file)
    assert asked.count == 4 * 126 + 2
    loss = asked.groups[0].loss
    total = sum(float(loss.of(jnp.asarray(it), 4.15625, 16.0, 131072.0)) for it in range(126))
    assert total == pytest.approx(86.63 - 86.01, rel=1e-4)
