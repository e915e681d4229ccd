"""Each load of a known chip keeps its design power; provisioned ones always draw the same."""

import numpy as np
import pytest

from liminal_jax._arrays import as_leaf
from liminal_jax.data.build import load_model, load_system
from liminal_jax.data.catalogue import measured_system_names, system_names
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.power import Activity, ActivityPower, ProvisionedPower
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Design
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.request import Request


@pytest.mark.parametrize(
    ("name", "tdp", "rate"), [("b200", 1000, 3432.5e12), ("h200", 700, 1453.4e12)]
)
def test_products_at_the_rate_they_sustain_draw_the_design_power(
    name: str, tdp: float, rate: float
) -> None:
    chip = load_system(name).chip
    busy = Activity(
        time=as_leaf(2.0),
        memory_energy=0.3 * 2 * chip.memory.energy * chip.memory.bandwidth,
        arithmetic=as_leaf(2 * rate),
        messages=as_leaf(0.0),
    )
    assert float(chip.power.power(busy)) == pytest.approx(tdp, rel=1e-12)


def _load(name: str, *, memory: float, rate: float) -> float:
    """Power of a chip that reads a part of its bandwidth and computes at a rate [W]."""
    chip = load_system(name).chip
    activity = Activity(
        time=as_leaf(1.0),
        memory_energy=memory * chip.memory.energy * chip.memory.bandwidth,
        arithmetic=as_leaf(rate),
        messages=as_leaf(0.0),
    )
    return float(chip.power.power(activity))


KNOWN_POWER = [
    name
    for name in (*system_names(), *measured_system_names())
    if load_system_file(name).chip.power is None and load_system_file(name).chip.tdp.value
]


@pytest.mark.parametrize("name", KNOWN_POWER)
def test_each_of_the_two_loads_stays_within_the_design_power(name: str) -> None:
    file = load_system_file(name).chip
    tdp, measured = file.tdp.value, file.sustained_8bit
    chip = load_system(name).chip
    rate = float(chip.tensor.bits_8) if measured is None else measured.value
    assert tdp is not None
    assert rate is not None
    assert isinstance(chip.power, ActivityPower)
    streaming = float(chip.power.idle + chip.memory.energy * chip.memory.bandwidth)
    if np.isfinite(streaming):
        assert 0 < streaming <= tdp * (1 + 1e-9)
    products = _load(name, memory=0.0, rate=rate)
    if np.isfinite(products):
        assert 0.6 * tdp < products < tdp


def test_two_calibrations_by_hand() -> None:
    # (TDP - 12 % idle - 30 % of the reading at 7 pJ/bit = 56 W for each TB/s) / sustained rate
    for name, tdp, rate, energy in (("b200", 1000, 3432.5, 0.217), ("gb300", 1400, 4300, 0.255)):
        chip = load_system(name).chip
        reading = 56 * float(chip.memory.bandwidth) / 1e12
        by_hand = (0.88 * tdp - 0.3 * reading) / rate
        assert isinstance(chip.power, ActivityPower)
        assert float(chip.power.flop_energy) * 1e12 == pytest.approx(by_hand, rel=1e-9)
        assert by_hand == pytest.approx(energy, abs=2e-3)
    # a GB300 that is held at 500 W does 617 TFLOP/s of 16-bit products, twice that of 8-bit ones
    assert 0.24 < by_hand < (500 - 0.12 * 1400) / (2 * 617)


@pytest.mark.slow
def test_decode_that_waits_for_memory_draws_about_what_was_measured() -> None:
    # H200 in decode was measured at 137 to 300 W a chip; one user of DeepSeek-V3 on eight of them
    design = Design(load_system("h200"), Mapping(tp=8), Placement(), batch=1)
    request = Request(context=4096)
    step = predict(design, load_model("deepseek-v3"), request)
    assert float(step.memory_time) > 20 * float(step.compute_time)
    assert 137 < float(step.chip_power) < 300


def test_streaming_from_a_wafer_draws_its_design_power_and_no_more() -> None:
    # 2 pJ/B at 21 PB/s are 42 kW; a CS-3 draws 23 kW, of which 12 % idling
    chip = load_system("cerebras-wse-3").chip
    assert float(chip.memory.energy) == pytest.approx(0.88 * 23e3 / 21e15)


def test_an_idle_b200_draws_its_idle_share() -> None:
    chip = load_system("b200").chip
    nothing = as_leaf(0.0)
    rest = Activity(time=as_leaf(1.0), memory_energy=nothing, arithmetic=nothing, messages=nothing)
    assert float(chip.power.power(rest)) == pytest.approx(120)


def test_each_activity_is_charged() -> None:
    power = ActivityPower(idle=5, dynamic=15, flop_energy=0.5, link_energy=0.25)
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
