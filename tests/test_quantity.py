"""What fields say of their numbers: units that exist, and those that docstrings tell."""

import inspect
import re
from typing import get_args

import equinox as eqx
import pytest

import liminal_jax.study.predicted  # noqa: F401  (all classes that state quantities)
from liminal_jax._quantity import part, quantities_of, quantity, quantity_at
from liminal_jax._units import parse_unit
from liminal_jax.data.hardware import (
    CapacityTechnologyFile,
    ExecutionFile,
    FacilityFile,
    NetworkFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
)
from liminal_jax.data.numbers import FRACTION
from liminal_jax.data.numbers import Quantity as Dimension
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.hardware.planned import PlannedChip
from liminal_jax.hardware.system import Facility
from liminal_jax.hardware.technology import (
    CapacityTechnology,
    MemoryTechnology,
    Packaging,
    Process,
)

_ATTRIBUTE = re.compile(r"^(\w+): (.*?)(?=^\w+: |\Z)", re.MULTILINE | re.DOTALL)
COUNTED_IN_YEARS = ("lifetime",)
"""Numbers of files with a unit that are counted where they are used."""

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


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        (TechnologyFile, [MemoryTechnology]),
        (CapacityTechnologyFile, [CapacityTechnology]),
        (ProcessFile, [Process]),
        (PackagingFile, [Packaging]),
        (FacilityFile, [Facility, Packaging]),
        (ExecutionFile, [Execution]),
        (NetworkFile, [AbstractNetwork]),
    ],
)
def test_files_ask_for_the_units_and_ranges_of_fields(file, kinds):
    """Files are read where JAX is not loaded, so that they cannot take units from fields."""
    same = 0
    for name, field in file.model_fields.items():
        markers = list(_stated_in_file(field.annotation, field.metadata))
        asked = [it.unit for it in markers if isinstance(it, Dimension)]
        stated = next((it for it in (quantity_at(kind, name) for kind in kinds) if it), None)
        if asked and stated is not None and name not in COUNTED_IN_YEARS:
            assert parse_unit(asked[0]) == parse_unit(stated.dimension), name
            assert (FRACTION in markers) == (stated.most == 1.0), name
            same += 1
    assert same
