"""What objects print of themselves: numbers with units, whatever the leaves are."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._quantity import named, part, quantity
from liminal_jax._show import Shown, absent, number
from liminal_jax.workload.model import model_of
from tests.performance.toys import TWO_LAYERS, toy_system


class AbstractStick(Shown):
    """Sticks."""


class Stick(AbstractStick):
    """A stick."""

    hits: Leaf = eqx.field(converter=as_leaf, metadata=quantity("1/s", "hits of {part}"))


class Multipliers(eqx.Module):
    """What it costs."""

    skin: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "the skin"))
    body: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "the body"))

    def total(self):
        """All of it [USD]."""
        return self.skin + self.body


class Drum(Shown):
    """A drum."""

    area: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m2", "area <of the skin>"))
    tone: Leaf = eqx.field(converter=as_leaf, metadata=named(("low", "high")))
    right: AbstractStick = eqx.field(metadata=part("the right"))
    others: tuple[Stick, ...]
    price: Multipliers
    weights: tuple[Leaf, ...] = eqx.field(metadata=quantity("", "weight {index}"))
    stand: Stick | None = eqx.field(default=None, metadata=absent("lies on the floor"))
    muted: bool = eqx.field(default=False)


DRUM = Drum(
    area=0.07,
    tone=1,
    right=Stick(hits=4),
    others=(Stick(hits=2e6), Stick(hits=float("nan"))),
    price=Multipliers(skin=30, body=2.5e6),
    weights=(as_leaf(1.5), as_leaf(2)),
)
TEXT = """\
Drum
  area      70,000 mm2  area <of the skin>
  tone      high
  right     Stick: hits 4 /s
  others.0  Stick: hits 2 M/s
  others.1  Stick: hits unknown
  price     2.5 M USD: skin 30 USD, body 2.5 M USD
  weights   1.5 and 2   weight
  stand     lies on the floor
  muted     no"""
RECORD = {
    "area": 0.07,
    "tone": "high",
    "right": {"kind": "Stick", "hits": 4.0},
    "others": [{"kind": "Stick", "hits": 2e6}, {"kind": "Stick", "hits": None}],
    "price": {"skin": 30.0, "body": 2.5e6},
    "weights": [1.5, 2.0],
    "stand": None,
    "muted": False,
}
DESIGN = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8), ll.Placement(), batch=32)


def test_numbers_show_with_their_units_and_parts_in_a_line():
    assert str(DRUM) == repr(DRUM) == TEXT


def test_the_table_of_a_notebook_is_escaped():
    table = DRUM._repr_html_()
    assert "<caption>Drum</caption>" in table
    assert ">70,000 mm2</td>" in table
    assert "area &lt;of the skin&gt;" in table
    assert table.count("<tr>") == len(TEXT.splitlines()) - 1


def test_records_hold_si_numbers():
    assert DRUM.to_dict() == RECORD
    assert json.loads(json.dumps(DRUM.to_dict(), allow_nan=False)) == RECORD


def test_several_values_show_their_shape_and_are_lists():
    several = eqx.tree_at(lambda it: (it.area, it.tone), DRUM, (jnp.ones(3), jnp.array([0.0, 1])))
    shape = "f64[3]" if jnp.ones(3).dtype == jnp.float64 else "f32[3]"
    assert f"  area      {shape}     area" in str(several)
    assert several.to_dict()["area"] == [1.0, 1.0, 1.0]
    assert several.to_dict()["tone"] == ["low", "high"]
    assert number(np.array([[1.0, np.inf]])) == [[1.0, None]]


def test_traced_numbers_print_their_shape_and_have_no_record():
    told = []

    @jax.jit
    def traced(drum: Drum) -> Leaf:
        told.append(str(drum))
        with pytest.raises(jax.errors.TracerArrayConversionError):
            drum.to_dict()
        return drum.area

    assert float(traced(eqx.tree_at(lambda it: it.muted, DRUM, 1.0))) == 0.07
    assert "price     skin f64[], body f64[]" in told[0]
    assert "tone      f64[]" in told[0]


@pytest.mark.parametrize("leaf", [None, object(), "<b>", 7.5, float("nan"), jax.ShapeDtypeStruct])
def test_anything_may_stand_in_place_of_a_number(leaf):
    """As in trees of axes, filters and shapes, and in messages about them."""
    for it in (DRUM, DESIGN):
        odd = jax.tree.map(lambda _: leaf, it)
        assert str(odd).startswith(type(it).__name__)
        assert "<b>" not in odd._repr_html_()


def test_arrays_that_are_gone_show_their_shape():
    gone = jax.tree.map(jnp.copy, DRUM)
    gone.area.delete()
    assert "area      f64[]" in str(gone)


def test_errors_of_traces_say_what_they_did():
    """Their messages print pytrees, which must not fail in turn."""
    with pytest.raises(TypeError, match="carry"):
        jax.lax.scan(lambda it, _: (it.tp, None), DESIGN.mapping, length=2)
    with pytest.raises(TypeError, match="pytree structure"):
        jax.lax.cond(True, lambda: DESIGN.mapping, lambda: DESIGN.placement)
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(lambda it: 1 if it.batch > 3 else 0)(DESIGN)


OBJECTS = {
    **{name: ll.load_system(name) for name in ll.system_names()},
    **{name: ll.load_model(name) for name in ll.model_names()},
    "request": ll.Request(context=8192),
    "assumptions": ll.Assumptions(),
    "design": DESIGN,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_what_users_hold_prints_on_a_screen(name):
    it = OBJECTS[name]
    lines = str(it).splitlines()
    assert lines[0] == type(it).__name__
    assert 1 < len(lines) <= 80
    assert max(map(len, lines)) <= 120
    assert "object at" not in str(it)
    json.dumps(it.to_dict(), allow_nan=False)


def test_a_request_in_words():
    assert "context          8,192 tokens       context" in str(OBJECTS["request"])
    assert "kv_bits          8 bits             bits of a cache element" in str(OBJECTS["request"])


def test_a_system_shows_what_its_data_sheet_says():
    shown = str(DESIGN)
    assert "system.chip.memory        capacity 141 GiB, bandwidth 4.8 TB/s" in shown
    assert "system.network            Switched: domain 8, bandwidth 450 GB/s" in shown
    assert "mapping                   tp 8, cp 1, pp 1, ep 1" in shown


def test_a_prediction_shows_its_bottleneck_in_a_word():
    """The index stays inside, a number that can be traced."""
    design = ll.Design(toy_system(), ll.Mapping(tp=2), batch=2)
    got = ll.predict(design, model_of(TWO_LAYERS), ll.Request(context=10, attention_bits=8))
    rows = dict(line.split(None, 1) for line in str(got).splitlines()[1:])
    word = ll.BOTTLENECKS[int(got.bottleneck)]
    assert rows["bottleneck"] == word == got.to_dict()["bottleneck"]
    assert f">{word}</td>" in got._repr_html_()
    assert rows["fits"] == ("yes" if got.fits else "no")
    assert rows["chips"].split() == ["2", "chips", "of", "the", "instance"]
    assert " ".join(rows["utps"].split()) == f"{float(got.utps):.4g} /s tokens a second of one user"
    total = float(got.power.total())
    assert got.to_dict()["power"] == total
    assert rows["power"].startswith(f"{total:.3g} W: chips ")
    assert "SRAM filled with what is read most often" in str(design)
