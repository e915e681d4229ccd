"""What numbers are worth in words, on a screen and in a figure."""

import dataclasses
import json
import re

import pytest
from rich.console import Console

from liminal_jax.optimization.sensitivity.analysis import (
    SensitivityAnalysis,
    sensitivity_analysis,
)
from liminal_jax.optimization.sensitivity.result import sensitivity_record
from liminal_jax.optimization.sensitivity.shadow_prices import ShadowPrice
from liminal_jax.optimization.sensitivity.words import (
    amount,
    label,
    limit_amount,
    price_sentence,
)
from liminal_jax.results.sensitivity import page
from liminal_jax.results.sensitivity_figure import LESS, MORE, tornado_figure
from liminal_jax.results.terminal import terminal
from liminal_jax.results.words import step
from liminal_jax.view.figure import drawn
from tests.optimization.small import CAPITAL, small

pytestmark = pytest.mark.slow

NOT_MET = ("no point meets every limit",)


@pytest.fixture(scope="module")
def found() -> SensitivityAnalysis:
    """With a number first of which no design can do with less."""
    solved = sensitivity_analysis(small("planned"), 0.1)
    capital = next(it for it in solved.bars if it.parameter == "limit.capital_cost")
    none = dataclasses.replace(capital.low, objective=None, active_set_changes=NOT_MET)
    first = dataclasses.replace(capital, parameter="limit.power", low=none)
    others = [it for it in solved.bars if it is not capital]
    return dataclasses.replace(solved, bars=[first, capital, *others])


@pytest.fixture(scope="module")
def planned():
    return small("planned")


@pytest.fixture(scope="module")
def finished():
    return small("finished")


def text_of(view):
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


def price(constraint, limit, unit, value):
    return ShadowPrice(constraint, limit, unit, value, "", value * limit)


def test_prices_in_the_words_of_what_is_asked(planned, finished):
    more, less = price("capital_cost", CAPITAL, "USD", 0.32), price("utps", 100.0, "1/s", -34.8)
    assert price_sentence(planned, more) == (
        "capital cost at most 1.65 M USD: 1,000 USD more is worth 320 tokens/s"
    )
    assert price_sentence(planned, less) == (
        "UTPS at least 100 tokens/s: 1 token/s more costs 34.8 tokens/s"
    )
    slack = price("capital_cost", CAPITAL, "USD", 0.0)
    assert price_sentence(planned, slack) == "capital cost at most 1.65 M USD: does not bind"
    held = price("range.compute_area", 1e-4, "m2", -3.4e7)
    assert price_sentence(planned, held) == (
        "compute area of a die held at the least allowed, 100 mm2: 1 mm2 more costs 34 tokens/s"
    )
    room = ShadowPrice("reticle", 1.0, "", 40.0, "1/s", 0.263)
    assert price_sentence(planned, room) == (
        "die area (reticle limit): 1 % more room is worth 0.26 % of STPS"
    )
    floor = price("utps", 150.0, "1/s", 0.02)
    assert price_sentence(finished, floor) == (
        "UTPS at least 150 tokens/s: 1 token/s more costs 0.02 USD"
    )
    assert price_sentence(finished, price("utps", 150.0, "1/s", -0.02)).endswith("saves 0.02 USD")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1.5e-11, "J/B", "1.88 pJ/bit"),
        (2.2222222e-8, "USD/J", "0.08 USD/kWh"),
        (2.4e18, "FLOP/s/m2", "2.4 TFLOP/s/mm2"),
        (3e-6, "s", "3 us"),
        (417.0, "W", "417 W"),
        (6.3, "", "6.3"),
        (131072.0, "tokens", "131,072 tokens"),
    ],
)
def test_numbers_in_the_units_of_people(value, unit, expected):
    assert amount(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1400.0, "W", 1.0),
        (8e-4, "m2", 1e-6),
        (0.02, "s", 1e-3),
        (0.002, "s", 1e-6),
        (1e12, "B/s", 1e9),
        (0.0, "B", 1e6),
        (1.0, "", 1.0),
    ],
)
def test_steps_that_people_think_in(value, unit, expected):
    assert step(value, unit) == pytest.approx(expected)


def test_labels(planned, finished):
    assert (
        label(planned, "material.memory.silicon_price", "hbm4") == "price of memory silicon, hbm4"
    )
    assert label(planned, "facility.pue", "hbm4") == "PUE"
    assert label(finished, "chip.cost.logic", "h200") == "cost of the logic of a chip, h200"
    assert label(planned, "limit.capital_cost", "hbm4") == "limit on capital cost"
    assert limit_amount("limit.utps", 50.0, "1/s") == "50 tokens/s"


def test_the_screen_fits_and_tells_prices_numbers_and_moves(found):
    text = text_of(terminal(page(sensitivity_record(found, 7))))
    assert max(map(len, text.splitlines())) <= 100
    answer = r"^most STPS: [\d,.]+ tokens/s, and [\d,.]+ tokens/s with its sizes free *$"
    assert re.search(answer, text, re.MULTILINE)
    assert re.search(r"memory technology +hbm4 +hbm4", text)
    assert f"none of the {found.problem.lattice:,} designs of the lattice is better" in text
    assert "converged at a bound of the range of compute area of a die" in text
    assert "capital cost at most 1.65 M USD: 1,000 USD more is worth " in text
    assert "solved again with 10 % less and more" in text
    assert "limit on capital cost" in text
    assert "less: no point meets every limit" in " ".join(text.split())
    moves = text.partition("how the sizes move")[2]
    assert "chips +1.00 %" in moves
    assert "limit on capital cost" in moves


def test_the_record_is_json_without_infinities_and_follows_the_tornado(found):
    record = json.loads(json.dumps(sensitivity_record(found, 7), allow_nan=False))
    assert len(record["tornado"]) == 7
    first, second = record["tornado"][:2]
    assert (first["parameter"], first["low"]) == ("limit.power", None)
    assert first["active_set_changes"]["low"] == list(NOT_MET)
    assert second["parameter"] == "limit.capital_cost"
    assert second["low"] < record["relaxed"]["value"] < second["high"]
    assert second["first_order"]["low"] == pytest.approx(second["low"], rel=0.02)
    assert record["moves"]["limit.capital_cost"]["chips"] == pytest.approx(1.0, abs=0.01)
    assert set(record["moves"]["limit.capital_cost"]) == {"chips", "compute_area", "batch"}
    assert record["best"]["certificate"]["relative_gap"] == 0
    assert record["best"]["design"]["stacks"] == record["relaxed"]["design"]["stacks"]
    assert all(it["sentence"] for it in record["shadow_prices"])
    assert sum(record["stages"].values()) == pytest.approx(record["seconds"])


def test_the_figure_shows_the_ends_and_what_the_slopes_predict(found, tmp_path):
    record = sensitivity_record(found, 7)
    seen = []
    files = drawn(lambda: seen.append(tornado_figure(record)) or seen[0], tmp_path, "tornado")
    assert [it.name for it in files] == ["tornado.png", "tornado.pdf"]
    assert all(it.stat().st_size > 5000 for it in files)
    (axes,) = seen[0].axes
    base = record["relaxed"]["value"]
    ends = [(bar, side) for bar in record["tornado"] for side in ("low", "high")]
    ends = [(bar, side) for bar, side in ends if bar[side] is not None]
    rectangles = [it for it in axes.patches if it.get_height() < 0.5]
    assert [it.get_width() for it in rectangles] == pytest.approx(
        [100 * (bar[side] / base - 1) for bar, side in ends]
    )
    ticks = [it.get_xdata()[0] for it in axes.lines if it.get_xdata()[0] != 0.0]
    assert ticks == pytest.approx(
        [100 * (bar["first_order"][side] / base - 1) for bar, side in ends]
    )
    colours = {it.get_facecolor() for it in rectangles}
    assert len(colours) == len({LESS, MORE})
    labels = [it.get_text() for it in axes.get_yticklabels()]
    assert labels[1] == "limit on capital cost  (1.65 M USD)"
    texts = [it.get_text() for it in axes.texts]
    assert "no design meets the limits" in texts
    assert any(it.endswith("(at most 1)") for it in texts) == any(
        bar["factors"]["high"] < 1.1 - 1e-9 for bar, _ in ends
    )


def test_a_study_that_cannot_be_met_is_told_in_a_sentence(found):
    nothing = {"shadow_prices": [], "elasticities": [], "moves": {}, "bars": []}
    failed = dataclasses.replace(found, relaxed=None, reasons=["too slow"], **nothing)
    text = text_of(terminal(page(sensitivity_record(failed, 7))))
    assert "nothing can be told of what numbers are worth" in text
    assert "too slow" in text
    assert "what limits are worth" not in text
