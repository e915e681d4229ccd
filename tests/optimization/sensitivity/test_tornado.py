"""A number changed and the relaxed study solved again: what is told of it."""

import math

import pytest

from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.sensitivity.tornado import active_set_changes, solved_again, tornado
from tests.optimization.small import STUDIES, solved


class Told(Progress):
    """Steps that were told of."""

    def __init__(self):
        self.steps = []

    def step(self, done, total, found=""):
        assert not found
        self.steps.append((done, total))


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_bars_are_ordered_by_width_and_begin_where_the_study_is(name):
    problem, gradients, optima = solved(name)
    told = Told()
    bars = tornado(gradients, optima, 0.1, told)
    base = problem.objective(optima[0].score)
    widths = [it.width(base) for it in bars]
    assert widths == sorted(widths, reverse=True)
    steps, totals = zip(*told.steps, strict=True)
    assert len(steps) >= len(bars) > 15
    assert list(steps) == list(range(1, len(steps) + 1))
    assert set(totals) == {len(steps)}
    for bar in bars:
        assert bar.low.factor == pytest.approx(0.9)
        assert 1.0 <= bar.high.factor <= 1.1 + 1e-12
        assert bar.low.objective != base or bar.high.objective != base or bar.width(base) == 0


@pytest.mark.slow
def test_what_changes_in_the_active_set_is_told():
    _, gradients, optima = solved("planned")
    bars = {it.parameter: it for it in tornado(gradients, optima, 0.6)}
    capital = bars["limit.capital_cost"].high
    assert any("no longer bind" in it for it in capital.active_set_changes)
    assert any("the range of chips begin" in it for it in capital.active_set_changes)
    bars = {it.parameter: it for it in tornado(gradients, optima[:1], 0.95)}
    poor = bars["limit.capital_cost"]
    assert poor.low.objective is None
    assert poor.low.active_set_changes == ("no point meets every limit",)
    assert math.isinf(poor.width(1.0))


def test_another_category_may_become_the_best():
    """The price of one memory changes that memory alone, so the other one wins."""
    _, gradients, optima = solved("planned")
    row = gradients.parameters.paths.index("material.memory.silicon_price")
    assert gradients.parameters.own("material.memory.silicon_price")
    found = solved_again(gradients, optima, row, math.log(4.0))
    assert found.category != optima[0].category
    (first, *_) = active_set_changes(gradients, optima[0], found)
    assert first == "hbm3e is best instead of hbm4"
    assert not active_set_changes(gradients, optima[0], optima[0])


@pytest.mark.slow
def test_shares_grow_to_one_at_most():
    _, gradients, optima = solved("planned")
    bars = {it.parameter: it for it in tornado(gradients, optima[:1], 0.1)}
    bar = bars["material.packaging.bond_yield"]
    assert bar.value * bar.high.factor == pytest.approx(1.0)


@pytest.mark.slow
def test_a_step_of_the_model_is_told():
    """Weights of more than 8.25 bits, scales included, are multiplied at the rate of 16."""
    _, gradients, optima = solved("finished")
    bars = {it.parameter: it for it in tornado(gradients, optima[:1], 0.04)}
    assert bars["weight_bits"].high.active_set_changes
    assert not bars["weight_bits"].low.active_set_changes
