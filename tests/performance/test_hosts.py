"""Hosts draw by what their chips do; power at full use stands beside power at work."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from liminal_jax.data.build import load_system
from liminal_jax.laws.power import host_power
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.host import ConstantHost
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from tests.performance.toys import TWO_LAYERS, toy_system

REQUEST = Request(context=10, weight_bits=8, kv_bits=8)


def toy(idle_fraction: float, **assumed):
    system = eqx.tree_at(
        lambda it: it.facility.host_idle_fraction, toy_system(), jnp.asarray(idle_fraction)
    )
    design = Design(
        system=system,
        mapping=Mapping(tp=2, cp=1, pp=1, ep=1),
        placement=Placement(weights=0.0, cache=0.0, experts=0.0),
        batch=4,
    )
    return predict(design, model_of(TWO_LAYERS), REQUEST, Assumptions(**assumed))


def test_a_host_by_hand():
    # Dynamic power over the 90 W of the toy's heaviest load; two hosts of 6 W, a quarter idle.
    got = toy(0.25)
    share = (float(got.chip_power) - 10) / 90
    assert 0 < share < 1
    assert float(got.power.host) == pytest.approx(2 * 6 * (0.25 + 0.75 * share))


def test_a_host_without_idling_or_held_constant_draws_all():
    assert float(toy(1.0).power.host) == 12
    assert float(toy(0.25, host=ConstantHost()).power.host) == 12


def test_a_host_draws_no_more_than_at_full_use():
    quick = eqx.tree_at(lambda it: it.chip.power.dynamic, toy_system(), jnp.asarray(1e-3))
    assert float(host_power(full=6.0, idle_fraction=0.26, activity=1.0)) == 6.0
    design = Design(
        system=eqx.tree_at(lambda it: it.facility.host_idle_fraction, quick, jnp.asarray(0.25)),
        mapping=Mapping(tp=2, cp=1, pp=1, ep=1),
        placement=Placement(weights=0.0, cache=0.0, experts=0.0),
        batch=4,
    )
    assert float(predict(design, model_of(TWO_LAYERS), REQUEST).power.host) == 12


def test_power_at_full_use_by_hand():
    # A chip 10 + 90, a host 6, switches 0.125 x 32 W/chip; two chips.
    got = toy(0.25)
    assert float(got.chip_tdp) == 100
    assert float(got.power_provisioned) == pytest.approx(2 * (100 + 6 + 0.125 * 32))


@pytest.mark.slow
def test_more_idling_costs_more_and_the_slope_is_that_of_differences():
    def power(idle_fraction):
        return toy(idle_fraction).power.total()

    assert float(power(0.6)) > float(power(0.3))
    rise = float(power(0.3 + 1e-6) - power(0.3 - 1e-6)) / 2e-6
    assert float(jax.grad(power)(0.3)) == pytest.approx(rise, rel=1e-6)


@pytest.mark.parametrize(("name", "tdp"), [("h200", 700), ("b200", 1000), ("gb300", 1400)])
def test_finished_chips_state_their_design_power(name, tdp):
    assert float(load_system(name).chip.power.full()) == pytest.approx(tdp, rel=1e-12)


def test_a_system_states_its_own_host_and_the_facility_the_share_at_idle():
    h200, gb200 = load_system("h200").facility, load_system("gb200").facility
    assert (float(h200.host_power), float(gb200.host_power)) == (779, 417)
    assert float(h200.host_idle_fraction) == float(gb200.host_idle_fraction) == 0.26
    assert float(load_system("xpu-hbm4").facility.host_idle_fraction) == 1
