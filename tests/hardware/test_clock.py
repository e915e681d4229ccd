"""Chips at another clock: by hand, against measurements, and unmoved at the nominal one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import Exact
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.clock import clocked
from liminal_jax.hardware.power import ClockedPower, ProvisionedPower
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.request import Request
from tests.performance.toys import toy_system

H200 = load_system("h200")
MODEL = load_model("llama-3-8b")
REQUEST = Request(context=4096, weight_bits=16, kv_bits=16)


def predicted(system, batch: float = 1.0) -> Prediction:
    """Decode of an 8B model in 16 bits on one chip."""
    mapping = Mapping(tp=1, cp=1, pp=1, ep=1)
    return predict(filled_design(system, mapping, batch, MODEL, REQUEST), MODEL, REQUEST)


@eqx.filter_jit
def at(clock, batch=1.0):
    return predicted(clocked(H200, clock), batch)


def test_a_chip_at_half_its_clock_by_hand():
    # Threshold 0.5: v = 0.5 / (0.5 + 0.5 x 0.5) = 2/3, energy 4/9.
    half = clocked(toy_system(), 0.5)
    chip = half.chip
    rates = (chip.tensor.bits_16, chip.tensor.bits_8, chip.tensor.bits_4, chip.vector)
    assert [float(it) for it in rates] == [250, 500, 1000, 50]
    assert (float(chip.sram.bandwidth), float(chip.memory.bandwidth)) == (200, 100)
    assert float(chip.sram.energy) == pytest.approx(0.125 * 4 / 9)
    # The toy's memory states no device: all of its path is on the die.
    assert float(chip.memory.energy) == pytest.approx(0.5 * 4 / 9)
    assert isinstance(chip.power, ClockedPower)
    law = chip.power.actual
    assert float(law.idle) == pytest.approx(10 * 4 / 9)
    assert float(law.flop_energy) == pytest.approx(0.001 * 4 / 9)
    assert float(law.link_energy) == 0.25
    # Products: 90 x 0.5 x 4/9 = 20; memory: 100 x 0.5 x 4/9 = 22.2, now the heavier load.
    assert float(chip.power.full()) == pytest.approx((10 + 50) * 4 / 9)


def test_a_memory_device_keeps_its_voltage():
    system = eqx.tree_at(lambda it: it.chip.memory.device_energy, toy_system(), jnp.asarray(0.2))
    energy = float(clocked(system, 0.5).chip.memory.energy)
    assert energy == pytest.approx(0.2 + 0.3 * 4 / 9)


@pytest.mark.parametrize("name", ["h200", "b200", "tpu-v4", "xpu-hbm4"])
def test_the_nominal_clock_moves_nothing_to_the_last_bit(name):
    system = load_system(name)
    was, now = system.chip, clocked(system, 1.0).chip
    for one, other in zip(
        jax.tree.leaves((was.tensor, was.vector, was.memory, was.sram, was.cost)),
        jax.tree.leaves((now.tensor, now.vector, now.memory, now.sram, now.cost)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    if isinstance(was.power, ProvisionedPower):
        assert isinstance(now.power, ProvisionedPower)
        return
    assert isinstance(now.power, ClockedPower)
    for one, other in zip(
        jax.tree.leaves(was.power), jax.tree.leaves(now.power.actual), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_locking_the_clock_saves_what_was_measured_of_decode():
    # H200 decode: up to 32 % less energy at hardly any loss of throughput (arXiv:2605.11999).
    # H100 and A100 with LLaMA at 0.585 and 0.590 of their clock: 11.6 and 14.0 %, of a pipeline
    # that does not keep the memory busy (github.com/mertside/ai-inference-energy).
    nominal, slow, slowest = at(1.0), at(0.59), at(0.35)
    for it in (slow, slowest):
        assert float(it.step_time) == float(nominal.step_time)
    saved = [1 - float(it.chip_power / nominal.chip_power) for it in (slow, slowest)]
    assert 0.14 < saved[0] < 0.32
    assert 0.30 < saved[1] < 0.40


def test_prompts_slow_down_where_decode_does_not():
    fast, slow = at(1.0, 4096.0), at(0.5, 4096.0)
    assert float(slow.compute_time) == pytest.approx(2 * float(fast.compute_time))
    assert float(slow.memory_time) == float(fast.memory_time)


@pytest.mark.slow
def test_power_rises_with_the_clock_and_its_slope_is_that_of_differences():
    powers = [float(at(clock).chip_power) for clock in (0.35, 0.5, 0.7, 0.9, 1.0, 1.1)]
    assert (np.diff(powers) > 0).all()

    def power(clock):
        return predicted(clocked(H200, clock)).chip_power

    slope = float(jax.grad(power)(0.7))
    rise = float(at(0.7 + 1e-5).chip_power - at(0.7 - 1e-5).chip_power) / 2e-5
    assert slope == pytest.approx(rise, rel=1e-6)
    assert np.isfinite(slope)


def test_an_unpublished_vector_rate_has_a_slope_by_the_clock():
    system = load_system("xpu-hbm4")

    def time(clock):
        return predicted_xpu(clocked(system, clock)).step_time

    def predicted_xpu(it):
        mapping = Mapping(tp=8, cp=1, pp=1, ep=1)
        request = Request(context=4096, weight_bits=8, kv_bits=8)
        return predict(filled_design(it, mapping, 8.0, MODEL, request), MODEL, request)

    assert np.isfinite(float(jax.grad(time)(0.7)))


def test_what_is_provisioned_does_not_follow_the_clock():
    system = load_system("xpu-hbm4")
    assert float(clocked(system, 0.5).chip.power.full()) == float(system.chip.power.full())


def test_a_chip_is_clocked_once():
    with pytest.raises(TypeError, match="start from the nominal chip"):
        clocked(clocked(toy_system(), 0.5), 0.5)


def test_the_exact_reading_is_the_default():
    one, other = clocked(toy_system(), 0.7), clocked(toy_system(), 0.7, Exact())
    assert eqx.tree_equal(one, other)
