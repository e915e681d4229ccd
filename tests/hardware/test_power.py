"""Known chips draw their design power at full use; provisioned ones always draw the same."""

import pytest

from liminal_jax._arrays import as_leaf
from liminal_jax.data.build import load_system
from liminal_jax.hardware.power import Activity, ActivityPower, ProvisionedPower


@pytest.mark.parametrize(("name", "tdp"), [("b200", 1000), ("h200", 700), ("h100", 700)])
def test_full_use_draws_the_design_power(name: str, tdp: float) -> None:
    chip = load_system(name).chip
    busy = Activity(
        time=as_leaf(2.0),
        memory_energy=2 * chip.memory.energy * chip.memory.bandwidth,
        arithmetic=2 * chip.tensor.bits_8,
        messages=as_leaf(0.0),
    )
    assert float(chip.power.power(busy)) == pytest.approx(tdp, rel=1e-12)


def test_an_idle_b200_draws_its_idle_share() -> None:
    chip = load_system("b200").chip
    nothing = as_leaf(0.0)
    rest = Activity(time=as_leaf(1.0), memory_energy=nothing, arithmetic=nothing, messages=nothing)
    assert float(chip.power.power(rest)) == pytest.approx(120)


def test_memory_path_of_a_b200_draws_448_watts() -> None:
    # 7 pJ/bit at 8 TB/s; what is left of 1000 W after idling drives 4500 TFLOP/s
    chip = load_system("b200").chip
    assert float(chip.memory.energy * chip.memory.bandwidth) == pytest.approx(448)
    assert isinstance(chip.power, ActivityPower)
    assert float(chip.power.flop_energy) == pytest.approx((1000 - 120 - 448) / 4.5e15)


def test_each_activity_is_charged() -> None:
    power = ActivityPower(idle=5, flop_energy=0.5, link_energy=0.25)
    activity = Activity(
        time=as_leaf(2.0),
        memory_energy=as_leaf(6.0),
        arithmetic=as_leaf(8.0),
        messages=as_leaf(4.0),
    )
    assert float(power.power(activity)) == 5 + (6 + 4 + 1) / 2
    assert float(ProvisionedPower(800).power(activity)) == 800


def test_the_paper_provisions_by_area_and_bandwidth() -> None:
    # 800 mm2 at 1 W/mm2; HBM4 adds 30 W per TB/s of 18 TiB/s
    for name, watts in (("xpu-hbm3", 800.0), ("xpu-hbm4", 800 + 30 * 18 * 2**40 / 1e12)):
        power = load_system(name).chip.power
        assert isinstance(power, ProvisionedPower)
        assert float(power.provisioned) == pytest.approx(watts)
