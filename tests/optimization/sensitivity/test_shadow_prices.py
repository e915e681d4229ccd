"""Elasticities and prices against the relaxed study solved again with a number changed."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.optimization.sensitivity.shadow_prices import (
    elasticities,
    sensitivities,
    shadow_prices,
)
from liminal_jax.optimization.sensitivity.tornado import tornado
from liminal_jax.study.parameters import STANDARDS
from tests.optimization.small import CAPITAL, STUDIES, UTPS, solved

NAMES = list(STUDIES)
CHANGE = 0.005


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_elasticities_are_what_solving_again_gives(name):
    """To 5 % where the active set stays; where it does not, the record says so."""
    _, gradients, optima = solved(name)
    notes = {it.parameter: it.elasticity for it in sensitivities(gradients, optima[0], least=0.01)}
    bars = {it.parameter: it for it in tornado(gradients, optima[:1], CHANGE)}
    compared = 0
    for parameter, elasticity in notes.items():
        low, high = bars[parameter].low, bars[parameter].high
        if low.active_set_changes or high.active_set_changes:
            continue
        gained = math.log(high.objective / low.objective) / math.log(high.factor / low.factor)
        assert elasticity == pytest.approx(gained, rel=0.05), parameter
        compared += 1
    assert compared >= 15
    assert compared >= 0.8 * len(notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_list_leaves_out_what_weighs_nothing_and_what_nobody_can_choose(name):
    _, gradients, optima = solved(name)
    worth = elasticities(gradients, optima[0])
    listed = sensitivities(gradients, optima[0], least=0.05)
    weights = [abs(it.elasticity) for it in listed]
    assert weights == sorted(weights, reverse=True)
    expected = {
        path
        for path, elasticity in zip(gradients.parameters.paths, worth, strict=True)
        if abs(elasticity) >= 0.05 and path.rpartition(".")[2] not in STANDARDS
    }
    assert {it.parameter for it in listed} == expected
    values = dict(
        zip(
            gradients.parameters.paths, gradients.parameters.values(optima[0].category), strict=True
        )
    )
    assert all(it.value == values[it.parameter] for it in listed)


@pytest.mark.slow
def test_a_price_is_the_objective_of_one_unit_more():
    _, gradients, optima = solved("planned")
    found = {it.constraint: it for it in shadow_prices(gradients, optima[0])}
    assert set(found) == {"capital_cost", "utps", "range.compute_area"}
    capital, speed = found["capital_cost"], found["utps"]
    assert (capital.limit, capital.unit, capital.price_unit) == (CAPITAL, "USD", "1/s/(USD)")
    assert (speed.limit, speed.unit, speed.price_unit) == (UTPS, "1/s", "1/s/(1/s)")
    bars = {it.parameter: it for it in tornado(gradients, optima[:1], 1e-3)}
    for price in (capital, speed):
        bar = bars[f"limit.{price.constraint}"]
        gained = (bar.high.objective - bar.low.objective) / (2e-3 * price.limit)
        assert price.price == pytest.approx(gained, rel=1e-3)
    assert capital.price > 0 > speed.price


def test_the_price_of_a_range_is_what_a_wider_one_gives():
    """Against the slope of the objective along the variable that the range holds."""
    _, gradients, optima = solved("planned")
    problem, best = gradients.problem, optima[0]
    (price,) = [it for it in shadow_prices(gradients, best) if it.constraint.startswith("range.")]
    axis = [it.name for it in problem.variables].index("compute_area")
    low = problem.variables[axis].grid.values[0]
    assert (price.limit, price.unit) == (low, "m2")
    # Inwards by a little, the other variables following their limits.
    inwards = best.unit.copy()
    inwards[axis] = 1e-3
    limits = np.flatnonzero(best.multipliers.limits)
    rows = best.local.along_box[1 + limits]
    others = [it for it in range(len(inwards)) if it != axis]
    inwards[others] -= np.linalg.solve(rows[:, others], rows[:, axis] * 1e-3)
    there = gradients.at(inwards, best.category, gradients.unchanged())
    area = float(gradients.box.values(jnp.asarray(inwards))[axis])
    gained = math.exp(there.score) - math.exp(best.score)
    assert price.price == pytest.approx(gained / (area - low), rel=0.02)
    assert price.elasticity == pytest.approx(price.price * low / math.exp(best.score))


def test_what_is_minimised_costs_less_where_a_floor_is_lower():
    _, gradients, optima = solved("finished")
    (floor,) = shadow_prices(gradients, optima[0])
    assert floor.constraint == "utps"
    assert floor.price > 0
    assert floor.price_unit == "USD/(1/s)"
    notes = {it.parameter: it.elasticity for it in sensitivities(gradients, optima[0])}
    assert notes["limit.utps"] == pytest.approx(floor.elasticity)
    parts = notes["chip.cost.logic"] + notes["chip.cost.memory"] + notes["chip.cost.package"]
    assert parts == pytest.approx(notes["facility.selling_multiple"], rel=1e-9)
    assert notes["chip.memory.bandwidth"] < 0 < notes["context"]


def test_the_prices_of_numbers_are_those_of_the_limits_they_enter():
    """Capital is sold at a multiple, so the multiple is worth at most what capital is."""
    _, gradients, optima = solved("planned")
    notes = {it.parameter: it.elasticity for it in sensitivities(gradients, optima[0])}
    assert -notes["limit.capital_cost"] < notes["facility.selling_multiple"] < 0
    assert notes["context"] < 0
