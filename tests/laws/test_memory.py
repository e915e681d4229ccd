"""Stacks of memory: what follows from layers and area, for every technology of the package."""

import math
import tomllib
from pathlib import Path

import jax
import pytest

import liminal_jax.data
from liminal_jax._files import InputError
from liminal_jax._units import parse_unit
from liminal_jax.data.build import technology_of
from liminal_jax.data.catalogue import technology_names
from liminal_jax.data.parts import load_technology_file
from liminal_jax.laws.memory import stack_bandwidth, stack_capacity, stack_price

GIB = 2**30
TECHNOLOGIES = Path(liminal_jax.data.__file__).parent / "technologies"

# What is printed for stacks that ship, or that one design study describes: layers, capacity [GiB],
# bandwidth [GB/s], price [USD], all of one stack.
STACKS = {
    "hbm2e": (8, 16, 461, 16 * 12.0),
    "hbm3": (12, 24, 819, 24 * 16.0),
    "hbm3e": (12, 36, 1000, 36 * 12.0),
    "hbm4": (12, 36, 2000, 560.0),
    "3d-dram": (8, 64, 26200, None),
    "3d-dram-raptor": (1, 4, 11700, None),
    "sram": (1, 0.5e9 / GIB, 150000, 0.0),
}

# Published densities of a layer [Gbit/mm2]: HBM of 16 Gbit dies, of 24 Gbit dies, of HBM4 (24 and
# 32 Gbit), LaMoSys (64 GB or GiB in eight layers of 584 mm2), Raptor (11.4 MB or MiB a mm2), SRAM.
DENSITIES = {
    "hbm2e": (0.13, 0.16),
    "hbm3": (0.13, 0.16),
    "hbm3e": (0.19, 0.22),
    "hbm4": (0.17, 0.22),
    "3d-dram": (0.109, 0.119),
    "3d-dram-raptor": (0.091, 0.096),
    "sram": (0.004, 0.034),
}


def stack(name):
    return technology_of(load_technology_file(name))


def test_every_technology_is_checked():
    assert set(STACKS) == set(DENSITIES) == set(technology_names())


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_is_what_its_source_prints(name):
    layers, capacity, bandwidth, price = STACKS[name]
    technology = stack(name)
    assert float(technology.layers) == layers
    assert float(technology.stack_capacity()) == pytest.approx(capacity * GIB, rel=2e-3)
    assert float(technology.stack_bandwidth()) == pytest.approx(bandwidth * 1e9, rel=2e-3)
    if price is not None:
        assert float(technology.stack_price()) == pytest.approx(price, rel=5e-3)


@pytest.mark.parametrize("name", DENSITIES)
def test_the_density_of_a_layer_is_one_that_is_published(name):
    """A record that joins the capacity of one design to the footprint of another falls outside."""
    low, high = DENSITIES[name]
    technology, file = stack(name), load_technology_file(name)
    area = float(technology.layers * technology.footprint)
    density = float(technology.stack_capacity()) / area * 8 / 1e9 * 1e-6
    assert low <= density <= high
    assert file.areal_density.low is not None
    assert file.areal_density.high is not None
    assert file.areal_density.low <= float(technology.areal_density) <= file.areal_density.high


@pytest.mark.parametrize("name", [it for it in STACKS if it.startswith("3d-dram")])
def test_a_stacked_memory_is_of_one_design(name):
    rows = tomllib.loads((TECHNOLOGIES / f"{name}.toml").read_text())
    shape = {rows[it]["source"] for it in ("layers", "footprint", "areal_density")}
    assert len(shape | {rows["bandwidth_per_area"]["source"]}) == 1
    # Nobody prints a price, and the record says so.
    assert rows["silicon_price"]["kind"] == "assumed"
    assert "no price is published" in rows["silicon_price"]["note"]


def test_a_stack_by_hand():
    # twelve layers of 24 Gibit on 11 mm by 11 mm at 0.25 USD/mm2
    area, density = 121e-6, 24 * GIB / 8 / 121e-6
    capacity = stack_capacity(layers=12.0, areal_density=density, footprint=area)
    assert capacity == pytest.approx(36 * GIB)
    assert stack_bandwidth(bandwidth_per_area=1e16, footprint=area) == pytest.approx(1.21e12)
    price = stack_price(silicon_price=0.25e6, layers=12.0, footprint=area)
    assert price == pytest.approx(0.25 * 12 * 121)


def test_layers_are_capacity_and_price_but_no_bandwidth():
    technology = stack("hbm3e")

    def shares(layers):
        changed = jax.tree.map(lambda it: it, technology)
        object.__setattr__(changed, "layers", layers)
        given = changed.stack_capacity(), changed.stack_bandwidth(), changed.stack_price()
        return jax.numpy.log(jax.numpy.stack(given))

    slopes = jax.jacfwd(shares)(jax.numpy.asarray(12.0))
    assert slopes.tolist() == pytest.approx([1 / 12, 0.0, 1 / 12])


def test_a_denser_layer_makes_a_byte_cheaper():
    """A lower density may not make memory cheaper, as it did while a byte had a price."""
    thin, dense = stack("3d-dram-raptor"), stack("hbm4")
    price = [float(it.stack_price() / it.stack_capacity()) * GIB for it in (thin, dense)]
    assert price[0] > 1.5 * price[1]


@pytest.fixture
def own_file(tmp_path):
    """Writes HBM3E with further rows as a user's file."""

    def written(*rows):
        text = (TECHNOLOGIES / "hbm3e.toml").read_text()
        path = tmp_path / "mine.toml"
        path.write_text("\n".join([text, *rows]))
        return str(path)

    return written


def test_printed_totals_that_follow_are_taken(own_file):
    file = load_technology_file(
        own_file('stack_capacity = "36 GiB"', 'stack_bandwidth = "1.0 TB/s"')
    )
    assert file.stack_capacity is not None
    assert file.stack_capacity.value == 36 * GIB


def test_rows_that_contradict_each_other_are_refused_with_the_path(own_file):
    path = own_file(
        'stack_capacity = { value = 48, unit = "GiB", source = "a", kind = "paper" }',
        'stack_bandwidth = { value = 6, unit = "TB/s", source = "b", kind = "paper" }',
    )
    with pytest.raises(InputError) as caught:
        load_technology_file(path)
    problems = {it.path: it.message for it in caught.value.problems}
    assert set(problems) == {"stack_capacity", "stack_bandwidth"}
    assert problems["stack_capacity"].startswith("48 GiB contradicts the 36 GiB that follow from")
    assert "layers 12, areal_density 0.19835 Gibit/mm2" in problems["stack_capacity"]
    assert "correct one of these rows, or leave stack_capacity out" in problems["stack_capacity"]
    assert "6 TB/s contradicts the 1 TB/s that follow" in problems["stack_bandwidth"]


def test_a_total_is_not_judged_by_rows_that_are_wrong_themselves(tmp_path):
    text = (TECHNOLOGIES / "hbm3e.toml").read_text().replace("value = 121", "value = -121")
    path = tmp_path / "mine.toml"
    path.write_text(text + 'stack_capacity = "48 GiB"\n')
    with pytest.raises(InputError) as caught:
        load_technology_file(str(path))
    assert [it.path for it in caught.value.problems] == ["footprint"]


def test_the_units_of_densities_are_read():
    assert parse_unit("Gibit/mm2").scale == pytest.approx(GIB / 8 * 1e6)
    assert math.isclose(parse_unit("GB/s/mm2").scale, 1e15)
