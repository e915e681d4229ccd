"""From dies to cost rates: points by hand, and capital that is recovered."""

import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.cost import (
    YEAR,
    capital_recovery,
    chip_price,
    cost_rate,
    known_good_cost,
    one_time_share,
    package_yield,
)
from tests.laws.differences import assert_slopes


def test_a_bond_that_fails_wastes_all_parts() -> None:
    passed = package_yield(bond_yield=0.5, parts=3.0, assembly_yield=0.8)
    assert passed == pytest.approx(0.1)
    assert known_good_cost(price=7.0, package_yield=passed) == pytest.approx(70)
    perfect = package_yield(bond_yield=1.0, parts=30.0, assembly_yield=1.0)
    assert known_good_cost(price=7.0, package_yield=perfect) == 7.0


def test_one_margin_on_all_parts_is_a_multiple_of_their_cost() -> None:
    parts = {"logic": 1.0, "memory": 2.0, "package": 4.0}
    alike = {"logic_margin": 3.0, "memory_margin": 3.0, "package_margin": 3.0}
    assert chip_price(**parts, **alike) == 21.0
    assert chip_price(**parts, **{**alike, "memory_margin": 1.0}) == 17.0
    assert one_time_share(design_cost=542e6, volume=1e6) == 542


@settings(max_examples=80, deadline=None)
@given(st.floats(1e-4, 1), st.floats(0.5, 20))
def test_capital_is_recovered_with_interest(rate: float, years: float) -> None:
    share = capital_recovery(discount_rate=rate, lifetime=years)
    assert share > max(rate, 1 / years)
    # what is earned each year, discounted, is worth the capital
    if years == int(years):
        assert sum(share / (1 + rate) ** n for n in range(1, int(years) + 1)) == pytest.approx(1)


def test_capital_without_interest_is_recovered_in_equal_parts() -> None:
    def share(rate: float) -> jax.Array:
        return capital_recovery(discount_rate=rate, lifetime=5.0)

    assert float(share(0.0)) == 0.2
    assert float(share(1e-6)) == pytest.approx(0.2 + 1e-6 * 3 / 5, rel=1e-9)
    assert float(jax.grad(share)(0.0)) == pytest.approx(3 / 5, rel=1e-12)
    assert float(jax.grad(share)(1e-4)) == pytest.approx(3 / 5, rel=1e-3)


def test_four_payments_repay_a_capital() -> None:
    share = capital_recovery(discount_rate=0.1, lifetime=4.0)
    assert sum(share / 1.1**year for year in (1, 2, 3, 4)) == pytest.approx(1, rel=1e-12)


def test_a_megawatt_year() -> None:
    # 1 MW at 0.08 USD/kWh for a year of 8766 hours, and a fifth of 10 million USD
    rate = cost_rate(
        capital=10e6, yearly_share=0.2, year=YEAR, power=1e6, energy_price=0.08 / 3.6e6
    )
    assert rate * YEAR == pytest.approx(2e6 + 8766 * 80)


def test_slopes() -> None:
    slopes = assert_slopes(package_yield, bond_yield=0.9, parts=4.0, assembly_yield=0.95)
    assert slopes["parts"] < 0 < slopes["bond_yield"]
    assert_slopes(known_good_cost, price=7.0, package_yield=0.7)
    assert_slopes(one_time_share, design_cost=6.0, volume=2.0)
    slopes = assert_slopes(capital_recovery, discount_rate=0.1, lifetime=4.0)
    assert slopes["lifetime"] < 0 < slopes["discount_rate"]
    assert_slopes(cost_rate, capital=8.0, yearly_share=0.5, year=4.0, power=2.0, energy_price=0.5)
