"""Power of chips and hosts, and the energy that a known chip spends on an operation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.power import activity_power, arithmetic_energy, host_power, idle_power
from tests.laws.differences import assert_slopes


@settings(max_examples=80, deadline=None)
@given(st.floats(100, 2000), st.floats(0.05, 0.3), st.floats(10, 50), st.floats(1e14, 1e16))
def test_a_known_chip_draws_its_design_power_on_products(
    tdp: float, idle: float, memory: float, rate: float
) -> None:
    energy = arithmetic_energy(tdp=tdp, idle=idle * tdp, memory_power=memory, throughput=rate)
    full = activity_power(idle=idle * tdp, energy=memory + energy * rate, time=1.0)
    assert full == pytest.approx(tdp, rel=1e-12)
    assert idle_power(dynamic=full - idle * tdp, idle_fraction=idle) == pytest.approx(
        idle * tdp, rel=1e-12
    )


def test_a_chip_of_round_numbers() -> None:
    # 700 W, of which 100 W idle and 100 W memory, leave 500 W for 1000 TFLOP/s
    energy = arithmetic_energy(tdp=700.0, idle=100.0, memory_power=100.0, throughput=1e15)
    assert energy == pytest.approx(0.5e-12)


def test_power_tends_to_that_of_idling_as_steps_get_long() -> None:
    assert activity_power(idle=90.0, energy=1.0, time=1e12) == pytest.approx(90, rel=1e-12)


def test_a_host_idles_at_its_share_and_is_full_exactly() -> None:
    given = {"full": 300.0, "idle_fraction": 0.4}
    assert host_power(**given, activity=0.0) == pytest.approx(120)
    assert host_power(**given, activity=1.0) == 300.0
    assert host_power(**given, activity=0.5) == pytest.approx(210)


def test_slopes() -> None:
    slopes = assert_slopes(activity_power, idle=1.0, energy=6.0, time=2.0)
    assert slopes == pytest.approx({"idle": 1, "energy": 0.5, "time": -1.5})
    slopes = assert_slopes(host_power, full=8.0, idle_fraction=0.5, activity=0.25)
    assert slopes == pytest.approx({"full": 0.625, "idle_fraction": 6, "activity": 4})
    slopes = assert_slopes(idle_power, dynamic=3.0, idle_fraction=0.25)
    assert slopes["idle_fraction"] == pytest.approx(3 / 0.75**2)
    slopes = assert_slopes(arithmetic_energy, tdp=10.0, idle=1.0, memory_power=5.0, throughput=2.0)
    assert slopes["throughput"] == pytest.approx(-1)
