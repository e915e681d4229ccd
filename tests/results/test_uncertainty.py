"""What is told of an answer whose numbers are drawn from their ranges."""

import pytest

from liminal_jax.results.page import Figure, Table, text_of
from liminal_jax.results.uncertainty import in_samples, page

DESIGN = {"memory": "hbm4", "chips": 8}


def spread(low, median, high):
    return {"low": low, "median": median, "high": high}


def trial(design, meets, breaches):
    broken = [{"constraint": name, "share": it, "typical": 0.25} for name, it in breaches]
    return {
        "design": design,
        "objective": spread(50.0, 60.0, 70.0),
        "meets": meets,
        "meets_fresh": meets,
        "breaches": broken,
        "regret": None,
    }


@pytest.fixture
def record():
    broken = [("utps", 1.0), ("capital_cost", 0.5), ("reticle", 0.25), ("thermal", 0.125)]
    robust = trial({**DESIGN, "chips": 4}, 0.96, [])
    categories = [
        {
            "category": "hbm4",
            "wins": 1.0,
            "feasible": 1.0,
            "objective": spread(20.0, 60.0, 90.0),
            "thought": 100.0,
        },
        {"category": "sram", "wins": 0.0, "feasible": 0.0, "objective": None, "thought": 5.0},
    ]
    influences = [
        {"number": "memory.hbm4.silicon_price", "optimum": -0.8, "wins": {"hbm4": None}},
        {"number": "network.switch_radix", "optimum": 0.2, "wins": {"hbm4": 0.1}},
    ]
    return {
        "name": "a study",
        "objective": {"maximise": "stps", "value": 100.0},
        "constraints": [
            {"quantity": "utps", "at_least": 50.0},
            {"quantity": "capital_cost", "at_most": 3e6},
        ],
        "feasible": True,
        "samples": 64,
        "fresh_samples": 256,
        "reliability": 0.95,
        "solvable": 1.0,
        "optimum": spread(20.0, 60.0, 90.0),
        "categories": categories,
        "nominal": trial(DESIGN, 0.0, broken),
        "robust": robust,
        "cautious": robust,
        "influences": influences,
        "chance": 0.25,
        "numbers": [{}, {}],
        "certificate": {"proven": 64, "lattice": 100, "candidates": 9},
        "seconds": 1.0,
        "stages": {},
    }


def lines(section):
    return [
        text_of(tuple(f"{text_of((it,))} " for it in line)).strip()
        if isinstance(part, Table)
        else text_of(line)
        for part in section.parts
        if not isinstance(part, Figure)
        for line in (part.rows if isinstance(part, Table) else part.lines)
    ]


def figures(section):
    return [it for it in section.parts if isinstance(it, Figure)]


def test_an_optimum_tells_how_often_its_design_meets_the_limits(record):
    told = lines(in_samples(record, "uncertainty."))
    assert told[1:3] == [
        "The design meets every limit in 0.0 % of the samples; it breaks the limit on UTPS in"
        " 100.0 %, that on capital cost in 50.0 %, that on die area (reticle limit) in 25.0 %,"
        " and 1 more.",
        "The design of least expected regret meets them in 96.0 %, with 60 tokens/s in half.",
    ]
    assert "best of all 20 tokens/s 60 tokens/s 90 tokens/s 100 tokens/s" in told
    assert "sram never never never 5 tokens/s" in told


@pytest.mark.parametrize(
    ("side", "value", "beyond"),
    [
        ("maximise", 100.0, True),
        ("maximise", 80.0, False),
        ("minimise", 10.0, True),
        ("minimise", 100.0, False),
    ],
)
def test_a_nominal_answer_beyond_nearly_all_samples_is_told(record, side, value, beyond):
    record["objective"] = {side: "stps", "value": value}
    warning = "The best with the nominal numbers is better than the best in 95 % of the samples."
    assert (warning in lines(in_samples(record, ""))) == beyond
    assert (warning in [it for part in page(record).sections for it in lines(part)]) == beyond


def test_intervals_of_the_samples_are_drawn_beside_the_nominal_numbers(record):
    for section in (in_samples(record, ""), page(record).sections[0]):
        bars, median, nominal = figures(section)[0].traces
        assert (bars["x"], bars["y"]) == ([20.0, 90.0, None], ["hbm4", "hbm4", None])
        assert (median["x"], median["y"]) == ([60.0], ["hbm4"])
        assert (nominal["x"], nominal["y"]) == ([100.0, 5.0], ["hbm4", "sram"])


def test_influences_that_may_be_chance_are_not_drawn(record):
    section = in_samples(record, "")
    (_, chart) = figures(section)
    assert chart.traces[0]["y"] == ["price of memory silicon, hbm4"]
    assert lines(section)[-2:] == [
        "price of memory silicon, hbm4 -0.80",
        "A rank correlation below 0.25 either way may be chance, and is not drawn.",
    ]
    decides = next(it for it in page(record).sections if it.title == "what decides")
    assert figures(decides)[0].traces == chart.traces
    assert "switch radix +0.20 +0.10 hbm4" in lines(decides)


def test_a_design_falls_short_of_what_it_has_to_reach(record):
    """Where 50 has to be reached and 40 is, a fifth is lacking, and the record has a quarter."""
    nominal = next(it for it in page(record).sections if it.title.startswith("nominal: "))
    assert lines(nominal)[-4:] == [
        "UTPS 100.0 % 20.0 %",
        "capital cost 50.0 % 25.0 %",
        "die area (reticle limit) 25.0 % 25.0 %",
        "power density under stacked memory 12.5 % 25.0 %",
    ]


def test_without_an_analysis_there_is_nothing_to_tell():
    assert in_samples(None, "").parts == ()
