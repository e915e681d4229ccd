"""What fields say of their numbers: units that exist, and those that docstrings tell."""

import inspect
import re
from typing import get_args

import equinox as eqx
import pytest

import liminal_jax.study.predicted  # noqa: F401  (all classes that state quantities)
from liminal_jax._files import InputError
from liminal_jax._quantity import part, quantities_of, quantity, quantity_at
from liminal_jax._units import parse_unit
from liminal_jax.data.hardware import NetworkFile
from liminal_jax.data.numbers import FRACTION, Number
from liminal_jax.data.numbers import Quantity as Dimension
from liminal_jax.data.rows import Rows, numbers_of, rows_of, table_of
from liminal_jax.data.validation import validated
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.hardware.planned import PlannedChip

_ATTRIBUTE = re.compile(r"^(\w+): (.*?)(?=^\w+: |\Z)", re.MULTILINE | re.DOTALL)
_UNIT = re.compile(r"\[([^]]+)\]")


def modules(kind=eqx.Module):
    for it in kind.__subclasses__():
        if it.__module__.startswith("liminal_jax"):
            yield it
        yield from modules(it)


STATED = {it for it in modules() if it.__dataclass_fields__ and quantities_of(it)}


def attributes(kind):
    """What the docstring of a class, or of those it follows from, says of its attributes."""
    found = {}
    for it in reversed(kind.__mro__):
        text = inspect.cleandoc(it.__dict__.get("__doc__") or "")
        section = text.partition("Attributes:\n")[2]
        found |= dict(_ATTRIBUTE.findall(inspect.cleandoc(section)))
    return found


@pytest.mark.parametrize("kind", sorted(STATED, key=lambda it: it.__qualname__))
def test_docstrings_tell_the_units_of_fields(kind):
    documented, summary = attributes(kind), inspect.cleandoc(kind.__doc__).partition("\n")[0]
    for name, stated in quantities_of(kind).items():
        assert stated.label
        told = _UNIT.findall(documented.get(name, "")) or _UNIT.findall(summary) or [""]
        unit = told[0].replace("^", "").replace("/(B/s)", "*s/B")
        assert parse_unit(stated.dimension) == parse_unit(unit), name


class Drum(eqx.Module):
    size: float = eqx.field(metadata=quantity("B", "size of {part} drum {index}"))
    sides: tuple[float, ...] = eqx.field(metadata=quantity("", "side {index}", most=2.0))
    mute: float = 0.0


class Store(eqx.Module):
    drum: Drum = eqx.field(metadata=part("the"))
    spare: Drum | None = None


class Shelf(eqx.Module):
    stores: tuple[Store, ...]


def test_a_path_leads_through_parts_and_tuples():
    store = Store(Drum(1.0, (1.0, 2.0)))
    for whole in (store, Store):
        assert quantity_at(whole, "drum.sides.1") == ("", "side 2", 2.0, None)
        assert quantity_at(whole, "drum.mute") is None
        assert quantity_at(whole, "drum.none.0") is None
        assert quantity_at(whole, "drum") is None
    assert quantity_at(store, "spare.sides.0") is None
    assert quantity_at(Shelf((store, store)), "stores.1.drum.sides.1") == ("", "side 2", 2.0, None)
    assert quantity_at(Store, "spare.sides.0") == ("", "side 1", 2.0, None)


def test_a_class_tries_what_its_parts_may_be():
    assert quantity_at(AbstractNetwork, "fabric.tier_latency").label == "latency of a further tier"
    assert quantity_at(Chip, "sram.bandwidth").label == "SRAM bandwidth of a chip"
    assert quantity_at(PlannedChip, "material.memory.bandwidth_per_area").unit == "B/s/m2"


def _stated_in_file(annotation, metadata=()):
    """The markers of a field of a file, those of its parts included."""
    yield from metadata
    inner = get_args(annotation)
    for it in inner:
        yield from _stated_in_file(it) if get_args(it) else [it]


def _asked(field):
    """The dimension that a row of a file asks for, and what checks it."""
    markers = list(_stated_in_file(field.annotation, field.metadata))
    return next(it.unit for it in markers if isinstance(it, Dimension)), markers


def test_systems_ask_for_the_units_and_ranges_of_fields():
    """They are listed where JAX is not loaded, so that they cannot take units from fields."""
    same = 0
    for name, field in NetworkFile.model_fields.items():
        stated = quantity_at(AbstractNetwork, name)
        if stated is not None and Number in _stated_in_file(field.annotation, field.metadata):
            unit, markers = _asked(field)
            assert parse_unit(unit) == parse_unit(stated.dimension), name
            assert (FRACTION in markers) == (stated.most == 1.0), name
            same += 1
    assert same


class Part(eqx.Module):
    price: float = eqx.field(metadata=quantity("USD", "price of a part", least=0.0))
    share: float = eqx.field(metadata=quantity("", "share of a part", most=1.0))
    spare: float | None = eqx.field(default=None, metadata=quantity("s", "time to a spare"))
    found: float = 0.0


class PartFile(table_of(Rows, rows_of(Part, unknown=("price",)))):
    name: str


def test_files_take_units_ranges_and_labels_from_fields():
    assert list(PartFile.model_fields) == ["price", "share", "spare", "name"]
    assert PartFile.model_fields["share"].description == "share of a part"
    with pytest.raises(InputError) as caught:
        validated(PartFile, {"price": "-1 USD", "share": 0, "spare": "2 m", "found": 1}, "a.toml")
    assert {it.path: it.message for it in caught.value.problems} == {
        "price": "must not be below zero, not -1 USD",
        "share": "must be above zero, not 0",
        "spare": "'m' where a quantity in s is wanted",
        "name": "is required",
        "found": "unknown field",
    }
    nobody = {"unknown": "no one said"}
    with pytest.raises(InputError, match=r"share: may not be unknown \(no one said\)"):
        validated(PartFile, {"name": "a", "price": nobody, "share": nobody}, "a.toml")
    part = validated(PartFile, {"name": "a", "price": 0, "share": 1}, "a.toml")
    assert {name: it.value for name, it in numbers_of(Part, part).items()} == {
        "price": 0.0,
        "share": 1.0,
    }


def test_rows_may_open_with_a_prefix_and_all_be_left_out():
    kind = table_of(Rows, rows_of(Part, prefix="part_", optional=True, without=("spare",)))
    assert list(kind.model_fields) == ["part_price", "part_share"]
    assert numbers_of(Part, kind(), "part_") == {}
    stated = numbers_of(Part, kind.model_validate({"part_share": 0.5}), "part_")
    assert stated["share"].value == 0.5
