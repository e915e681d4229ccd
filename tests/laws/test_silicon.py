"""Area, yield and number of dies: points by hand, limits and monotonicity."""

import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.silicon import die_area, die_yield, dies_per_wafer
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=80, deadline=None)
on_wafer = jax.jit(lambda area: dies_per_wafer(area=area, diameter=0.3, edge=0.003, scribe=0.0001))


@shortly
@given(st.floats(1e-5, 2e-3), st.floats(1.0, 3.0), st.floats(0, 1e4), st.floats(0.5, 20))
def test_yield_is_a_share_that_falls_with_area(
    area: float, factor: float, defects: float, clustering: float
) -> None:
    rest = {"defect_density": defects, "critical_fraction": 0.7, "clustering": clustering}
    small, large = die_yield(area=area, **rest), die_yield(area=area * factor, **rest)
    assert 0 < large <= small <= 1


def test_yield_without_defects_is_one_and_tends_to_poisson() -> None:
    rest = {"critical_fraction": 1.0, "clustering": 1e9}
    assert die_yield(area=1.0, defect_density=0.0, **rest) == 1
    assert die_yield(area=2.0, defect_density=0.5, **rest) == pytest.approx(0.36787944, rel=1e-7)


@shortly
@given(st.floats(1e-5, 2e-3), st.floats(1.01, 4.0))
def test_fewer_large_dies_fit_on_a_wafer_and_cover_less_of_it(area: float, factor: float) -> None:
    small, large = float(on_wafer(area)), float(on_wafer(area * factor))
    assert large < small
    assert small * area < 3.14160 * 0.147**2


def test_dies_of_a_round_number() -> None:
    # without rims: pi 15^2 / 1 - pi 30 / sqrt(2)
    got = dies_per_wafer(area=1.0, diameter=30.0, edge=0.0, scribe=0.0)
    assert float(got) == pytest.approx(640.2153, rel=1e-6)


def test_a_rim_and_scribe_lines_cost_dies() -> None:
    bare = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.0, scribe=0.0))
    rim = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.003, scribe=0.0))
    lines = float(dies_per_wafer(area=1e-4, diameter=0.3, edge=0.0, scribe=1e-4))
    assert max(rim, lines) < bare


def test_a_die_has_room_for_its_parts_and_its_overhead() -> None:
    parts = {"compute": 300.0, "sram": 100.0, "memory_interface": 60.0, "links": 40.0}
    assert die_area(**parts, overhead=0.0) == 500
    assert die_area(**parts, overhead=0.2) == pytest.approx(625)


def test_slopes() -> None:
    assert_slopes(
        die_yield, area=5e-4, defect_density=1000.0, critical_fraction=0.7, clustering=4.0
    )
    assert_slopes(dies_per_wafer, area=5e-4, diameter=0.3, edge=0.003, scribe=1e-4)
    slopes = assert_slopes(
        die_area, compute=2.0, sram=0.5, memory_interface=0.25, links=0.25, overhead=0.25
    )
    assert slopes["sram"] == slopes["links"] == pytest.approx(4 / 3)
    assert slopes["overhead"] == pytest.approx(3 / 0.75**2)
