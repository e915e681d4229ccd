"""What a chip costs to make by part, what it sells for, and what chips that exist cost."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import Exact
from liminal_jax.data.build import (
    chip_cost,
    estimated_cost,
    facility_of,
    load_system,
    system_at_margins,
    system_of,
    technology_of,
)
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.library import Library, library_of
from liminal_jax.data.parts import FacilityFile, load_facility_file, load_technology_file
from liminal_jax.data.ranges import with_values
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.chip import ChipCost
from liminal_jax.hardware.plan import manufacturing_cost
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Design
from tests.hardware.test_plan import MATERIAL

YEAR_OF_ESTIMATES = 15 / 2**30
"""Price of a byte of HBM in the analysts' estimates of 2024 and 2025 [USD/B]: 1,400 for the 80 GB
of an H100, 2,900 for the 192 of a B200 and of an MI300X."""

TWINS = ("h100", "h200", "b200", "gb200", "mi355x")
"""Off by -12, -8, -3, -2 and -2 % of the estimates."""

NO_TWINS = ("mi300x", "mi325x")
"""27 and 46 % above the estimates: their eight compute dies are stacked on four I/O dies of an
older process, which the laws take for 1,725 mm2 of N5 and sixteen bonds on an interposer. The
estimate of an MI325X also leaves less for 64 GiB of memory more than its price."""

NOT_PLANNED = ("cerebras-wse-3",)
"""A wafer: no dies, stacks and interposer whose cost the laws could say."""


def _library(name: str, **changes: float) -> Library:
    return with_values(library_of([name], load_facility_file()), changes)


def test_parts_of_a_cost_by_hand() -> None:
    # 6 bonds of 0.986 and an assembly of 0.95
    passed = 0.986**6 * 0.95
    cost = manufacturing_cost(
        dies=1.0, area=800e-6, stacks=5.0, memory=1000.0, material=MATERIAL, relaxation=Exact()
    )
    assert float(cost.memory) == pytest.approx(1000 / passed, rel=1e-6)
    free = manufacturing_cost(
        dies=1.0, area=800e-6, stacks=5.0, memory=0.0, material=MATERIAL, relaxation=Exact()
    )
    assert float(free.memory) == 0
    assert float(free.total()) == pytest.approx(float(cost.total()) - 1000 / passed, rel=1e-6)
    # an interposer of 800 + 5 x 180 mm2: about 31 on a wafer of 12,000 USD; 490 of substrate
    assert 300 / passed < float(cost.package) - 490 < 600 / passed
    assert float(cost.logic) == pytest.approx(
        17000 / (58 * 0.74) / passed, rel=0.05
    )  # 58 dies on a wafer, 74 % of them good


def test_a_worse_bond_makes_all_parts_dearer() -> None:
    worse = dataclasses.replace(
        MATERIAL, packaging=dataclasses.replace(MATERIAL.packaging, bond_yield=0.95)
    )
    costs = [
        manufacturing_cost(
            dies=2.0, area=800e-6, stacks=8.0, memory=1000.0, material=it, relaxation=Exact()
        )
        for it in (MATERIAL, worse)
    ]
    ratio = (0.986 / 0.95) ** 10
    assert float(costs[1].logic / costs[0].logic) == pytest.approx(ratio, rel=1e-6)
    assert float(costs[1].memory / costs[0].memory) == pytest.approx(ratio, rel=1e-6)
    assert 1 < float(costs[1].package / costs[0].package) < ratio


def _distance(name: str) -> float:
    """Cost of a twin over the analysts' estimate, less 1."""
    chip = load_system_file(name).chip
    technology = chip.memory.technology or ""
    memory = technology_of(load_technology_file(technology))
    factor = YEAR_OF_ESTIMATES * float(memory.stack_capacity() / memory.stack_price())
    price = factor * float(memory.silicon_price)
    library = _library(name, **{f"memory.{technology}.silicon_price": price})
    assert chip.cost.value is not None
    return float(estimated_cost(chip, library).total()) / chip.cost.value - 1


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_of_a_chip_costs_what_analysts_say(name: str) -> None:
    assert abs(_distance(name)) < 0.15


@pytest.mark.parametrize("name", NO_TWINS)
def test_chips_of_stacked_dies_cost_less_than_the_laws_say(name: str) -> None:
    assert _distance(name) > 0.15


def test_every_chip_of_known_cost_has_a_twin_or_a_reason() -> None:
    known = [name for name in system_names() if load_system_file(name).chip.cost.value is not None]
    assert set(known) == {*TWINS, *NO_TWINS, *NOT_PLANNED}
    assert all(np.isnan(_distance(name)) for name in NOT_PLANNED)


def test_an_estimate_of_a_chip_keeps_the_proportions_of_the_laws() -> None:
    chip = load_system_file("mi355x").chip
    library = _library("mi355x")
    stated, laws = chip_cost(chip, library), estimated_cost(chip, library)
    assert float(stated.total()) == pytest.approx(8000, rel=1e-6)
    assert float(stated.memory / stated.logic) == pytest.approx(
        float(laws.memory / laws.logic), rel=1e-6
    )


def test_an_estimate_of_a_chip_of_unknown_dies_is_all_logic() -> None:
    chip = load_system_file("tpu7x").chip
    row = load_system_file("h100").chip.cost
    library = _library("tpu7x")
    cost = chip_cost(chip.model_copy(update={"cost": row}), library)
    assert [float(cost.logic), float(cost.memory), float(cost.package)] == [3320, 0, 0]
    assert np.isnan(float(chip_cost(chip, library).total()))


def _designed(file: FacilityFile, cost: float, volume: float) -> FacilityFile:
    """A facility whose chips share the cost of a design."""
    rows = {"design_cost": cost, "volume": volume}
    return file.model_copy(
        update={
            name: file.logic_margin.model_copy(update={"value": value})
            for name, value in rows.items()
        }
    )


@pytest.mark.parametrize("name", ["h100", "gb300", "tpu7x", "xpu-hbm3"])
def test_a_traced_function_may_load_a_system(name: str) -> None:
    # cost and price known, cost from the laws, cost unknown, a chip of the talk
    def price() -> jax.Array:
        system = load_system(name)
        return jnp.asarray(system.facility.chip_price(system.chip.cost))

    np.testing.assert_allclose(jax.jit(price)(), price(), rtol=1e-12)


COST = ChipCost(logic=100.0, memory=200.0, package=50.0)


def test_margins_apply_to_parts_and_one_multiple_to_all() -> None:
    file = load_facility_file()
    rows = {"logic_margin": 10.0, "memory_margin": 2.0, "package_margin": 4.0}
    facility = facility_of(with_values(file, rows))
    assert float(facility.chip_price(COST)) == pytest.approx(1000 + 400 + 200)
    multiple = file.logic_margin.model_copy(update={"value": 3.0})
    one = facility_of(file.model_copy(update={"selling_multiple": multiple}))
    assert float(one.chip_price(COST)) == pytest.approx(3 * 350)


def test_a_design_cost_is_shared_by_a_volume() -> None:
    file = load_facility_file()
    margins = {"logic_margin": 1.0, "memory_margin": 1.0, "package_margin": 1.0}
    shared = _designed(with_values(file, margins), 542e6, 2e6)
    assert float(facility_of(shared).chip_price(COST)) == pytest.approx(621)
    assert float(facility_of(file).one_time_cost) == 0


def test_a_chip_of_known_price_keeps_it_unless_a_study_states_all() -> None:
    library = library_of(["h100"], _designed(load_facility_file(), 1e9, 1e6))
    own, all_alike = system_of(library, "h100"), system_at_margins(library, "h100")
    assert float(own.facility.chip_price(own.chip.cost)) == pytest.approx(28000, rel=1e-6)
    cost = all_alike.chip.cost
    wanted = 10 * float(cost.logic) + 2 * float(cost.memory) + 10 * float(cost.package) + 1000
    price = float(all_alike.facility.chip_price(cost))
    assert price == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", ["h100", "h200", "b200", "mi300x"])
def test_the_range_of_the_margin_of_logic_holds_what_chips_sell_for(name: str) -> None:
    chip, file = load_system_file(name).chip, load_facility_file()
    cost = chip_cost(chip, _library(name))
    assert chip.market_price.value is not None
    assert file.logic_margin.low is not None
    assert file.logic_margin.high is not None
    rest = chip.market_price.value - float(facility_of(file).memory_margin * cost.memory)
    margin = rest / float(cost.logic + cost.package)
    assert file.logic_margin.low <= margin <= file.logic_margin.high
    if name == "b200":
        assert margin == pytest.approx(float(facility_of(file).logic_margin), rel=0.05)


def test_more_memory_raises_a_price_less_than_one_multiple_would() -> None:
    # from H100 to H200: one multiple of 6.3 charges 1,180 x 6.3 USD; the market 1,000 less
    def price(name: str) -> float:
        system = system_at_margins(_library(name), name)
        return float(system.facility.chip_price(system.chip.cost))

    assert price("h200") - price("h100") < 0.7 * 6.3 * 1180


def test_a_building_is_paid_by_the_watt() -> None:
    system = load_system("h100")
    design = Design(system, Mapping(tp=4), Placement(), batch=1)
    without = capital_shares(design, jnp.asarray(5000.0), Exact())
    assert float(without.building) == 0
    dear = dataclasses.replace(system.facility, building_cost=12.0)
    dear_system = dataclasses.replace(system, facility=dear)
    shares = capital_shares(
        dataclasses.replace(design, system=dear_system), jnp.asarray(5000.0), Exact()
    )
    assert float(shares.building) == pytest.approx(60000)
    assert float(shares.total() - without.total()) == pytest.approx(60000, rel=1e-5)
    assert float(capital_shares(design, jnp.asarray(jnp.nan), Exact()).building) == 0
