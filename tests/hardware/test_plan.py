"""A planned chip: its area by hand, its cost growing with its dies, its power adding up."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft, SoftSizes
from liminal_jax.data.build import (
    capacity_technology_of,
    packaging_of,
    process_of,
    technology_of,
)
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.parts import (
    load_capacity_technology_file,
    load_facility_file,
    load_packaging_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.chip import ChipCost
from liminal_jax.hardware.plan import (
    ChipPlan,
    Material,
    buildability,
    manufacturing_cost,
    planned_chip,
    planned_die_area,
)
from liminal_jax.hardware.power import ActivityPower
from liminal_jax.hardware.tier import TierMaterial

MATERIAL = Material(
    memory=technology_of(load_technology_file("hbm3e")),
    process=process_of(load_process_file("n4p")),
    packaging=packaging_of(load_packaging_file(), load_facility_file()),
)
PLAN = ChipPlan(stacks=8, dies=2, compute_area=300e-6, sram=32e6, link_bandwidth=900e9)
chip_of = eqx.filter_jit(planned_chip)


@eqx.filter_jit
def _cost(area: float, stacks: float, dies: float) -> ChipCost:
    return manufacturing_cost(
        dies=dies, area=area, stacks=stacks, memory=100.0, material=MATERIAL, relaxation=Exact()
    )


def _cost_of(area: float, stacks: float = 4.0, dies: float = 1.0) -> float:
    return float(_cost(*(jnp.asarray(value) for value in (area, stacks, dies))).total())


@settings(max_examples=60, deadline=None)
@given(st.floats(20e-6, 800e-6), st.floats(1.001, 3.0), st.floats(0, 12))
def test_cost_grows_with_area(area: float, factor: float, stacks: float) -> None:
    assert _cost_of(area * factor, stacks) > _cost_of(area, stacks) > 0


@settings(max_examples=40, deadline=None)
@given(st.floats(20e-6, 800e-6), st.floats(1, 4), st.floats(0, 12))
def test_cost_grows_with_parts(area: float, dies: float, stacks: float) -> None:
    assert _cost_of(area, stacks, dies + 1) > _cost_of(area, stacks, dies)
    assert _cost_of(area, stacks + 1, dies) > _cost_of(area, stacks, dies)


def test_many_small_good_dies_cost_less_than_one_large() -> None:
    assert _cost_of(200e-6, dies=4.0) < _cost_of(800e-6, dies=1.0)


def test_die_area_is_the_sum_of_its_parts() -> None:
    process, memory = MATERIAL.process, MATERIAL.memory
    parts = (
        300e-6
        + (32e6 + float(process.buffer_capacity)) / float(process.sram_density)
        + 4 * (10.45e-6 + 552.7e6 / float(process.logic_density))
        + 450e9 * float(process.link_phy_area)
    )
    area = float(planned_die_area(PLAN, MATERIAL))
    assert area == pytest.approx(parts / (1 - float(process.overhead_fraction)), rel=1e-12)
    assert float(memory.phy_area) == pytest.approx(10.45e-6)


def test_a_planned_chip_has_what_was_planned() -> None:
    chip = chip_of(PLAN, MATERIAL, Exact())
    assert float(chip.memory.capacity) == pytest.approx(8 * 36 * 2**30, rel=1e-4)
    assert float(chip.memory.bandwidth) == pytest.approx(8e12, rel=1e-4)
    assert float(chip.sram.capacity) == 64e6
    assert float(chip.die_area) == pytest.approx(2 * float(planned_die_area(PLAN, MATERIAL)))
    rate = 600e-6 * float(MATERIAL.process.compute_density)
    assert float(chip.tensor.bits_16) == pytest.approx(rate)
    assert float(chip.tensor.bits_8) == pytest.approx(rate * float(MATERIAL.process.rate_8bit))


def test_idle_power_is_its_share_of_the_heavier_load() -> None:
    chip = chip_of(PLAN, MATERIAL, Exact())
    assert isinstance(chip.power, ActivityPower)
    process = MATERIAL.process
    reading = float(chip.memory.energy * chip.memory.bandwidth)
    arithmetic = float(chip.power.flop_energy * chip.tensor.bits_8)
    array = 64e6 * float(process.sram_bandwidth_per_capacity * process.sram_energy)
    products = arithmetic + float(MATERIAL.packaging.product_traffic) * reading
    assert products > reading + array
    idle = float(chip.power.idle)
    share = float(MATERIAL.packaging.idle_fraction)
    assert idle / (idle + products) == pytest.approx(share, rel=1e-12)
    reader = eqx.tree_at(lambda plan: plan.compute_area, PLAN, PLAN.compute_area / 10)
    reader_power = chip_of(reader, MATERIAL, Exact()).power
    assert isinstance(reader_power, ActivityPower)
    idle = float(reader_power.idle)
    assert idle / (idle + reading + array) == pytest.approx(share, rel=1e-12)


def planned(**changes: float) -> ChipPlan:
    """The plan with some of its numbers changed."""
    return eqx.tree_at(
        lambda it: [getattr(it, name) for name in changes],
        PLAN,
        [jnp.asarray(value) for value in changes.values()],
    )


def material_of(memory: str) -> Material:
    technology = technology_of(load_technology_file(memory))
    return eqx.tree_at(lambda it: it.memory, MATERIAL, technology)


def test_a_die_may_be_as_large_as_the_reticle() -> None:
    area = float(planned_die_area(PLAN, MATERIAL))
    limits = buildability(PLAN, MATERIAL, Exact())
    assert float(limits.reticle) == pytest.approx(area / (26e-3 * 33e-3))
    assert float(buildability(planned(compute_area=900e-6), MATERIAL, Exact()).reticle) > 1
    assert float(limits.stacked_area) == 0


def plan_of_area(area: float, **changes: float) -> ChipPlan:
    """A plan whose dies have an area [m^2], by the cores on them."""
    bare = planned(compute_area=0.0, **changes)
    rest = float(planned_die_area(bare, MATERIAL))
    share = 1 - float(MATERIAL.process.overhead_fraction)
    return planned(compute_area=(area - rest) * share, **changes)


@pytest.mark.parametrize(
    ("area", "stacks", "dies", "shoreline"),
    [
        # square, 20 mm by 20 mm: two edges of 20 mm for four stacks of 10.4 mm
        (400e-6, 8, 2, 41.6 / 40),
        # 26 mm by 26 mm, the width of the reticle: square to the last
        (676e-6, 4, 1, 41.6 / 52),
        # 26 mm by 30 mm: the longer edges hold the stacks
        (780e-6, 5, 1, 52 / 60),
        # the largest die, 26 mm by 33 mm
        (858e-6, 6, 1, 62.4 / 66),
        (858e-6, 24, 4, 62.4 / 66),
    ],
)
def test_stacks_stand_along_the_edges_of_their_own_die(
    area: float, stacks: float, dies: float, shoreline: float
) -> None:
    plan = plan_of_area(area, stacks=float(stacks), dies=float(dies))
    assert float(planned_die_area(plan, MATERIAL)) == pytest.approx(area)
    found = float(buildability(plan, MATERIAL, Exact()).shoreline)
    assert found == pytest.approx(shoreline, rel=1e-6)


def test_a_smaller_die_has_less_edge() -> None:
    areas = [300e-6, 500e-6, 700e-6, 850e-6]
    used = [
        float(buildability(plan_of_area(area, stacks=4.0), MATERIAL, Exact()).shoreline)
        for area in areas
    ]
    assert used == sorted(used, reverse=True)
    assert used[0] > used[-1]


@pytest.mark.parametrize(
    ("stacks", "dies", "whole"),
    [
        (8, 4, 1.0),
        (4, 4, 1.0),
        (7, 1, 1.0),
        # seven on four dies: two a die are eight
        (7, 4, 8 / 7),
        (5, 2, 6 / 5),
        # three dies for one stack lack two
        (1, 3, 3.0),
    ],
)
def test_every_die_has_as_many_stacks(stacks: float, dies: float, whole: float) -> None:
    plan = planned(stacks=float(stacks), dies=float(dies))
    assert float(buildability(plan, MATERIAL, Exact()).whole_stacks) == pytest.approx(whole)


def test_an_interposer_is_as_large_as_those_that_are_made() -> None:
    # two dies of 800 mm2 and eight stacks of 180 mm2, of 5.5 reticles
    plan = plan_of_area(800e-6, stacks=8.0, dies=2.0)
    found = float(buildability(plan, MATERIAL, Exact()).interposer)
    assert found == pytest.approx((2 * 800 + 8 * 180) / 4719, rel=1e-6)
    # Four such dies with sixteen stacks are for tomorrow's 9.5 reticles: 6080 of 8151 mm2.
    many = plan_of_area(800e-6, stacks=16.0, dies=4.0)
    assert float(buildability(many, MATERIAL, Exact()).interposer) > 1
    limit = load_packaging_file().interposer_limit
    assert limit.value == pytest.approx(5.5 * 26e-3 * 33e-3)
    assert limit.high == pytest.approx(9.5 * 26e-3 * 33e-3)
    later = eqx.tree_at(lambda it: it.packaging.interposer_limit, MATERIAL, limit.high)
    assert float(buildability(many, later, Exact()).interposer) == pytest.approx(6080 / 8151)


def test_bonded_memory_covers_its_die() -> None:
    material = material_of("3d-dram")
    plan = planned(stacks=2.0, dies=2.0)
    area = float(planned_die_area(plan, material))
    limits = buildability(plan, material, Exact())
    assert float(limits.stacked_area) == pytest.approx(584e-6 / area)
    assert float(limits.shoreline) == 0
    # it stands on the dies, and takes no interposer
    assert float(limits.interposer) == pytest.approx(2 * area / 4719e-6)


def test_memory_inside_a_die_is_part_of_its_area() -> None:
    material, without = material_of("sram"), planned(stacks=0.0)
    share = 1 - float(MATERIAL.process.overhead_fraction)
    bare = float(planned_die_area(without, material))
    one_each = float(planned_die_area(planned(stacks=2.0), material))
    assert one_each - bare == pytest.approx(333e-6 / share)
    # The area is that of the memory: a denser one holds more on it.
    dense = eqx.tree_at(lambda it: it.memory.areal_density, material, 3e12)
    capacity = planned_chip(planned(stacks=2.0), dense, Exact()).memory.capacity
    assert float(capacity) == pytest.approx(2 * 333 * 3e6)


def _shipping() -> list[str]:
    """Systems of large logic dies that carry the interfaces of their known stacks."""
    known = []
    for name in system_names():
        chip = load_system_file(name).chip
        area, dies, stacks = chip.die_area.value, chip.dies, chip.memory.stacks
        beside = (chip.memory.technology or "").startswith("hbm")
        if beside and area and dies and stacks and area / dies > 400e-6:
            known.append(name)
    return known


@pytest.mark.parametrize("name", _shipping())
def test_chips_that_ship_could_be_built(name: str) -> None:
    chip = load_system_file(name).chip
    memory = technology_of(load_technology_file(chip.memory.technology or ""))
    dies, stacks = float(chip.dies or 0), float(chip.memory.stacks or 0)
    plan = plan_of_area((chip.die_area.value or 0.0) / dies, stacks=stacks, dies=dies)
    material = eqx.tree_at(lambda it: it.memory, MATERIAL, memory)
    limits = buildability(plan, material, Exact())
    assert float(limits.reticle) <= 1
    assert float(limits.shoreline) <= 1
    assert float(limits.whole_stacks) == 1
    assert float(limits.interposer) <= 1


def test_known_chips_are_among_those_that_could_be_built() -> None:
    assert {"a100", "h100", "b200"} <= set(_shipping())


def test_the_edge_has_gradients_where_the_model_is_soft() -> None:
    def used(area: jax.Array) -> jax.Array:
        plan = eqx.tree_at(lambda it: it.compute_area, PLAN, area)
        limits = buildability(plan, MATERIAL, Soft(0.1))
        return limits.shoreline + limits.interposer + limits.whole_stacks

    for area in (250e-6, 450e-6, 600e-6):
        slope, step = float(jax.grad(used)(jnp.asarray(area))), 1e-9
        near = float(used(jnp.asarray(area + step))) - float(used(jnp.asarray(area - step)))
        assert slope == pytest.approx(near / (2 * step), rel=1e-4)


@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.05)])
def test_chip_has_finite_gradients_in_every_choice(relaxation: Exact | Soft) -> None:
    def outputs(plan: ChipPlan) -> jax.Array:
        chip = planned_chip(plan, MATERIAL, relaxation)
        return sum(jnp.log(leaf) for leaf in jax.tree.leaves(chip) if leaf.size)

    gradients = jax.tree.leaves(jax.jit(jax.grad(outputs))(PLAN))
    assert len(gradients) == 5
    assert all(bool(jnp.isfinite(gradient)) and float(gradient) != 0 for gradient in gradients)


def test_a_die_without_room_on_a_wafer_still_has_a_price() -> None:
    # larger than a wafer: half a die a wafer, priced and refused by its limits
    assert _cost_of(0.1) > _cost_of(0.05) > 0


def test_a_planned_chip_has_a_unit_where_its_process_states_one() -> None:
    assert MATERIAL.process.exponential_fraction is None
    plain = planned_chip(PLAN, MATERIAL, Exact())
    assert math.isinf(float(plain.exponential))
    process = dataclasses.replace(MATERIAL.process, exponential_fraction=0.002)
    stated = planned_chip(PLAN, dataclasses.replace(MATERIAL, process=process), Exact())
    assert float(stated.exponential) == pytest.approx(0.002 * float(plain.tensor.bits_16))


TIERS = ("lpddr5x", "hbf")


def with_tier(name: str) -> Material:
    technology = capacity_technology_of(load_capacity_technology_file(name))
    return dataclasses.replace(MATERIAL, tier=TierMaterial(technology))


def with_units(plan: ChipPlan, units: float) -> ChipPlan:
    return dataclasses.replace(plan, tier_units=units)


@pytest.mark.parametrize("name", TIERS)
def test_a_tier_takes_area_edge_and_interposer(name: str) -> None:
    material, plan = with_tier(name), with_units(PLAN, 4.0)
    assert material.tier is not None
    technology, process = material.tier.technology, MATERIAL.process
    share = 1 - float(process.overhead_fraction)
    controller = float(technology.controller_transistors) / float(process.logic_density)
    more = 2 * (float(technology.phy_area) + controller) / share
    area = float(planned_die_area(plan, material))
    assert area - float(planned_die_area(PLAN, MATERIAL)) == pytest.approx(more, rel=1e-9)
    limits = buildability(plan, material, Exact())
    # four stacks and two units along the two longer edges of each die, square or as wide as it may
    edge = max(math.sqrt(area), area / 26e-3)
    stands = 4 * 10.4e-3 + 2 * float(technology.shoreline)
    assert float(limits.shoreline) == pytest.approx(stands / (2 * edge), rel=1e-6)
    interposer = 2 * area + 8 * 180e-6 + 4 * {"lpddr5x": 0.0, "hbf": 180e-6}[name]
    assert float(limits.interposer) == pytest.approx(interposer / 4719e-6, rel=1e-6)


@pytest.mark.parametrize(("units", "whole"), [(4, 1.0), (3, 4 / 3), (1, 2.0)])
def test_every_die_has_as_many_units(units: float, whole: float) -> None:
    plan, material = with_units(PLAN, float(units)), with_tier("lpddr5x")
    assert float(buildability(plan, material, Exact()).whole_stacks) == pytest.approx(whole)
    # Where both are whole, no blur of kinks may exceed the limit.
    soft = float(buildability(with_units(PLAN, 4.0), material, SoftSizes(0.005)).whole_stacks)
    assert soft == 1


def test_modules_on_the_board_are_bought_and_stacks_are_bonded() -> None:
    board, inside = (chip_of(with_units(PLAN, 4.0), with_tier(it), Exact()) for it in TIERS)
    for chip, capacity, bandwidth in ((board, 768e9, 614.4e9), (inside, 2048 * 2**30, 6.144e12)):
        assert chip.capacity_tier is not None
        assert float(chip.capacity_tier.capacity) == pytest.approx(capacity)
        assert float(chip.capacity_tier.bandwidth) == pytest.approx(bandwidth)
    assert board.capacity_tier is not None
    assert inside.capacity_tier is not None
    assert float(board.capacity_tier.price) == pytest.approx(768 * 5.83)
    assert float(board.capacity_tier.standby_power) == pytest.approx(4 * 4)
    assert float(inside.capacity_tier.price) == 0
    bond, assembly = (
        float(it) for it in (MATERIAL.packaging.bond_yield, MATERIAL.packaging.assembly_yield)
    )
    stacks = 8 * float(MATERIAL.memory.stack_price())
    # dies and stacks of HBM are ten parts; four stacks of flash are bonded beside them
    assert float(board.cost.memory) == pytest.approx(stacks / bond**10 / assembly)
    flash = 2048 * 1.95
    assert float(inside.cost.memory) == pytest.approx((stacks + flash) / bond**14 / assembly)


def test_what_a_tier_draws_comes_on_top_of_the_chip() -> None:
    material = with_tier("lpddr5x")
    chip = chip_of(with_units(PLAN, 4.0), material, Exact())
    reading = 614.4e9 * 8 * 8.1e-12
    assert float(chip.full_power() - chip.power.full()) == pytest.approx(reading + 16)
    bare = chip_of(PLAN, MATERIAL, Exact())
    assert float(chip.power.full()) == float(bare.power.full()) == float(bare.full_power())


def test_units_without_a_technology_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tier_units of its material\.tier, or neither"):
        planned_chip(with_units(PLAN, 4.0), MATERIAL, Exact())
    with pytest.raises(ValueError, match=r"tier_units of its material\.tier, or neither"):
        planned_chip(PLAN, with_tier("hbf"), Exact())
