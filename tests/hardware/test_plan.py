"""A planned chip: its area by hand, its cost growing with its dies, its power adding up."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.data.build import packaging_of, process_of, technology_of
from liminal_jax.data.hardware import (
    load_facility_file,
    load_packaging_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.hardware.plan import (
    ChipPlan,
    Material,
    buildability,
    manufacturing_cost,
    planned_chip,
    planned_die_area,
)
from liminal_jax.hardware.power import ActivityPower

MATERIAL = Material(
    memory=technology_of(load_technology_file("hbm3e")),
    process=process_of(load_process_file("n4p")),
    packaging=packaging_of(load_packaging_file(), load_facility_file()),
)
PLAN = ChipPlan(stacks=8, dies=2, compute_area=300e-6, sram=32e6, link_bandwidth=900e9)
chip_of = eqx.filter_jit(planned_chip)


@eqx.filter_jit
def _cost(area: float, stacks: float, dies: float) -> jax.Array:
    return manufacturing_cost(
        dies=dies, area=area, stacks=stacks, memory=100.0, material=MATERIAL, relaxation=Exact()
    )


def _cost_of(area: float, stacks: float = 4.0, dies: float = 1.0) -> float:
    return float(_cost(*(jnp.asarray(value) for value in (area, stacks, dies))))


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


def test_limits_of_building() -> None:
    limits = buildability(PLAN, MATERIAL)
    # 8 stacks of 11 mm on two 33 mm edges of each of two dies
    assert float(limits.shoreline) == pytest.approx(8 * 11 / (2 * 2 * 33))
    area = float(planned_die_area(PLAN, MATERIAL))
    assert float(limits.reticle) == pytest.approx(area / (26e-3 * 33e-3))
    huge = eqx.tree_at(lambda plan: plan.compute_area, PLAN, PLAN.compute_area * 3)
    assert float(buildability(huge, MATERIAL).reticle) > 1
    assert float(limits.stacked_area) == 0


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
