"""Voltage and energy of logic by its clock."""

import jax
import numpy as np
import pytest

from liminal_jax.data.parts import load_facility_file
from liminal_jax.laws.clock import supply_voltage, switching_energy

# Clock over 1.7 GHz, voltage over 0.7 V, leakage over that at 0.7 V of a matrix unit: a tenth of
# the rows of NeuSim's table, its ends among them.
SIMULATED = [
    (0.60, 0.4500, 0.5884),
    (0.85, 0.4999, 0.7065),
    (1.10, 0.5497, 0.8362),
    (1.35, 0.5998, 0.9941),
    (1.60, 0.6490, 1.1612),
    (1.70, 0.7000, 1.3587),
]


def threshold() -> float:
    row = load_facility_file().threshold_voltage
    assert row.value is not None
    return row.value


@pytest.mark.parametrize(("clock", "volts", "leakage"), SIMULATED)
def test_the_law_follows_simulated_voltages_and_leakage(clock, volts, leakage):
    voltage = float(supply_voltage(clock=clock / 1.7, threshold=threshold()))
    assert voltage == pytest.approx(volts / 0.7, rel=0.035)
    assert float(switching_energy(voltage=volts / 0.7)) == pytest.approx(leakage / 1.3587, rel=0.05)


@pytest.mark.parametrize("value", [0.45, 0.5, 0.551, 0.57, 0.1 + 0.2])
def test_the_nominal_clock_takes_the_nominal_voltage_to_the_last_bit(value):
    assert float(supply_voltage(clock=1.0, threshold=value)) == 1.0


def test_the_voltage_tends_to_the_threshold_as_the_clock_stops():
    assert float(supply_voltage(clock=1e-12, threshold=0.4)) == pytest.approx(0.4, rel=1e-9)


def test_faster_takes_more_voltage_and_the_slope_is_that_of_differences():
    def voltage(clock):
        return supply_voltage(clock=clock, threshold=0.551)

    voltages = [voltage(clock) for clock in np.linspace(0.35, 1.1, 31).tolist()]
    assert (np.diff(voltages) > 0).all()

    rise = float(voltage(0.7 + 1e-6) - voltage(0.7 - 1e-6)) / 2e-6
    assert float(jax.grad(voltage)(0.7)) == pytest.approx(rise, rel=1e-7)
