"""Costs of quality: published numbers only, as their sources print them."""

import math

import pytest
from pydantic import ValidationError

from liminal_jax._files import InputError
from liminal_jax.data.levers import lever_ranges
from liminal_jax.data.quality import PublishedCost, costs_of, published_costs

ROW = {
    "lever": "shape",
    "setting": "half as deep",
    "test": "loss",
    "change": 0.1,
    "unit": "nat/token",
    "source": "somebody",
    "grade": "B",
}


def test_a_cost_is_said_once():
    said = [(it.lever, it.setting, it.model, it.test) for it in published_costs()]
    assert len(said) == len(set(said))


def test_only_levers_that_cost_something_have_costs():
    costly = {it.lever for it in lever_ranges() if it.quality == "costs"}
    # Relaxed acceptance is a way to speculate, without a number of its own.
    assert {it.lever for it in published_costs()} - costly == {"relaxed acceptance"}


def test_perplexities_are_turned_into_nats():
    rows = [it for it in published_costs() if "perplexity " in it.source and " to " in it.source]
    assert len(rows) >= 18
    for row in rows:
        before, after = row.source.rpartition("perplexity ")[2].split(" to ")
        assert row.change == pytest.approx(math.log(float(after) / float(before)), abs=6e-4)


def test_a_loss_is_above_zero_where_quality_is_lost():
    score = PublishedCost(**{**ROW, "change": -2.0, "unit": "points"})
    assert score.loss == 2.0
    assert PublishedCost(**ROW).loss == 0.1
    assert math.copysign(1, PublishedCost(**{**ROW, "change": 0.0, "unit": "points"}).loss) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("unit", "percent"), ("grade", "E"), ("change", "nan"), ("source", ""), ("size", 0)],
)
def test_what_is_no_published_cost(field, value):
    with pytest.raises(ValidationError):
        PublishedCost(**{**ROW, field: value})


def test_costs_of_one_lever_and_model():
    costs = costs_of("weight precision", model="Llama-3-70B")
    assert {it.test for it in costs} == {"WikiText-2", "mean of zero-shot tests"}
    losses = [it.loss for it in costs if it.test == "WikiText-2"]
    assert losses == sorted(losses)
    assert costs_of("weight precision", model="a model of nobody") == ()


def test_a_lever_without_published_costs_is_told():
    with pytest.raises(InputError, match=r"quality\.csv: lever: no cost .* 'weight precision'\?"):
        costs_of("weights precision")
