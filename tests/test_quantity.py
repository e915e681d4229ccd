"""What fields say of their numbers: units that exist, and those that docstrings tell."""

import inspect
import re
from typing import get_args

import equinox as eqx
import pytest

import liminal_jax.study.predicted  # noqa: F401  (all classes that state quantities)
from liminal_jax._files import InputError
from liminal_jax._quantity import Quantity, quantities_of, quantity, quantity_at
from liminal_jax._quantity import part as a_part
from liminal_jax._units import parse_unit
from liminal_jax.data.chip import CapacityTierFile, ChipFile, MemoryFile, SramFile
from liminal_jax.data.network import ROW_NAMES, TOPOLOGIES, NetworkFile
from liminal_jax.data.numbers import Number
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
    drum: Drum = eqx.field(metadata=a_part("the"))
    spare: Drum | None = None


class Shelf(eqx.Module):
    stores: tuple[Store, ...]


def test_a_path_leads_through_parts_and_tuples():
    store = Store(Drum(1.0, (1.0, 2.0)))
    for whole in (store, Store):
        assert quantity_at(whole, "drum.sides.1") == Quantity("", "side 2", 2.0)
        assert quantity_at(whole, "drum.mute") is None
        assert quantity_at(whole, "drum.none.0") is None
        assert quantity_at(whole, "drum") is None
    assert quantity_at(store, "spare.sides.0") is None
    assert quantity_at(Shelf((store, store)), "stores.1.drum.sides.1") == Quantity(
        "", "side 2", 2.0
    )
    assert quantity_at(Store, "spare.sides.0") == Quantity("", "side 1", 2.0)


def test_a_class_tries_what_its_parts_may_be():
    assert quantity_at(AbstractNetwork, "fabric.tier_latency").label == "latency of a further tier"
    assert quantity_at(Chip, "sram.bandwidth").label == "SRAM bandwidth of a chip"
    assert quantity_at(PlannedChip, "material.memory.bandwidth_per_area").unit == "B/s/m2"


def test_the_numbers_of_a_part_are_labelled_as_its_own():
    assert quantities_of(Store, "drum") == {
        "size": Quantity("B", "size of the drum "),
        "sides": Quantity("", "side ", 2.0),
    }
    assert quantities_of(Chip, "sram")["energy"].label == "energy of SRAM access"
    assert quantities_of(Chip, "tensor")["bits_8"].unit == "FLOP/s"


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_files_of_networks_state_every_number_of_their_class(topology):
    rows = NetworkFile.model_fields
    for name, stated in quantities_of(TOPOLOGIES[topology]).items():
        row = rows[ROW_NAMES.get(name, name)]
        if name not in ("domain", "dimensions"):
            assert row.description == stated.label


@pytest.mark.parametrize("table", [ChipFile, MemoryFile, SramFile, CapacityTierFile, NetworkFile])
def test_rows_of_systems_say_what_they_are(table):
    """So that one that is written by hand beside its class is seen."""
    for name, field in table.model_fields.items():
        if Number in get_args(field.annotation) or field.annotation is Number:
            assert field.description or name in BY_HAND.get(table, ()), name


BY_HAND = {CapacityTierFile: ("capacity", "bandwidth")}
"""Rows of which a file demands more than the class does."""


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
        "found": "unknown field; there are price, share, spare, name",
    }
    nobody = {"unknown": "no one said"}
    with pytest.raises(InputError, match=r"share: may not be unknown \(no one said\)"):
        validated(PartFile, {"name": "a", "price": nobody, "share": nobody}, "a.toml")
    part = validated(PartFile, {"name": "a", "price": 0, "share": 1}, "a.toml")
    assert {name: it.value for name, it in numbers_of(Part, part).items()} == {
        "price": 0.0,
        "share": 1.0,
    }


def test_rows_may_open_with_a_prefix_and_be_left_out():
    kind = table_of(
        Rows, rows_of(Part, prefix="part_", optional=("price", "share"), without=("spare",))
    )
    assert list(kind.model_fields) == ["part_price", "part_share"]
    assert numbers_of(Part, kind(), prefix="part_") == {}
    stated = numbers_of(Part, kind.model_validate({"part_share": 0.5}), prefix="part_")
    assert stated["share"].value == 0.5


class Box(eqx.Module):
    part: Part = eqx.field(metadata=a_part("the"))
    size: float = eqx.field(default=1.0, metadata=quantity("m", "size of a box"))


def test_rows_may_have_other_names_be_of_a_part_and_ask_for_more():
    names = {"price": "part_cost"}
    rows = rows_of(Box, part="part", names=names, above_zero=("price",))
    kind = table_of(Rows, rows | rows_of(Box))
    assert list(kind.model_fields) == ["part_cost", "share", "spare", "size"]
    found = kind.model_validate({"part_cost": 3.0, "share": 1.0})
    assert numbers_of(Part, found, names)["price"].value == 3.0
    assert numbers_of(Box, found) == {}
    with pytest.raises(InputError, match="part_cost: must be above zero, not 0"):
        validated(kind, {"part_cost": 0, "share": 1}, "a.toml")
