"""On a narrow page figures and tables keep their words, on lines of their own."""

import json
import re
from html import unescape

import pytest

from liminal_jax.results.html import html
from liminal_jax.results.narrow import least_width, narrow
from liminal_jax.results.page import Figure, Page, section, table
from liminal_jax.results.pareto import drawn_front

LONG = "memory bandwidth per footprint, of a stack"
POINTS = [
    {
        "objectives": {"stps": 10.0**at, "utps": 100.0 - at},
        "totals": {"power": 1e3 * (at + 1), "capital_cost": 1e6 + at},
        "design": {"memory": "hbm4", "chips": 8 * (at + 1)},
    }
    for at in range(4)
]
FRONT = {
    "objectives": [{"maximise": "stps"}, {"maximise": "utps"}],
    "points": POINTS,
    "knees": [1],
    "existing": {name: [{"stps": 5.0, "utps": 50.0}] for name in ("a", "b", "c", "d", "e")},
}


def bars(names):
    trace = {"type": "bar", "orientation": "h", "y": names, "x": [1.0] * len(names), "name": "x"}
    return Figure((trace,), {"yaxis": {"autorange": "reversed"}}, "bars")


def test_long_labels_stand_above_their_bars_and_short_ones_beside_them():
    it = narrow(bars([LONG, "short"]))
    assert [(at["text"], at["xref"], at["x"]) for at in it["annotations"]] == [
        (LONG, "paper", 0),
        ("short", "paper", 0),
    ]
    assert [round(at["y"]) for at in it["annotations"]] == [0, 1]
    assert not it["yaxis"]["showticklabels"]
    assert "annotations" not in narrow(bars(["short"]))


def test_long_titles_are_folded_and_the_legend_stands_below():
    title = "the number of tokens that all users of a system get in a second"
    figure = Figure(
        ({"type": "scatter", "x": [1], "y": [1]},), {"xaxis": {"title": {"text": title}}}, ""
    )
    it = narrow(figure)
    assert it["xaxis"]["title"]["text"].replace("<br>", " ") == title
    assert max(map(len, it["xaxis"]["title"]["text"].split("<br>"))) < 50
    assert (it["legend"]["yref"], it["legend"]["orientation"]) == ("container", "h")


def test_what_a_figure_says_of_itself_goes_before():
    layout = {"xaxis": {"domain": [0.0, 0.4], "title": {"text": "across"}}}
    one = Figure(
        ({"type": "scatter", "x": [1], "y": [1]},), layout, "", narrow={"xaxis": {"domain": [0, 1]}}
    )
    text = html(Page("a", (), ("b",), (section("c", one),)), {}, {})
    (found,) = re.findall(r'data-narrow="(.*?)"', text)
    axis = json.loads(unescape(found))["xaxis"]
    assert (axis["domain"], axis["title"]["text"]) == ([0, 1], "across")


@pytest.mark.parametrize(("words", "stacked"), [("word " * 9, True), ("word", False)])
def test_rows_with_long_words_are_stacked_under_names_of_their_columns(words, stacked):
    shown = table([("one", words, "2")], ("", "why", "how many"))
    text = html(Page("a", (), ("b",), (section("c", shown),)), {}, {})
    assert ('class="wide stacked"' in text) == stacked
    assert re.findall('data-column="(.*?)"', text) == (["why", "how many"] if stacked else [])


def test_the_table_that_a_front_brushes_follows_it():
    first, second, *_ = drawn_front(FRONT)
    assert first.parts[0].brushes == second.parts[0].name != ""


def test_axes_of_a_front_have_units_and_ticks_apart_from_each_other():
    (axes,) = (it for at in drawn_front(FRONT) for it in at.parts if least_width_of(it))
    dimensions = axes.traces[0]["dimensions"]
    assert [it["label"] for it in dimensions] == [
        "STPS [1/s]",
        "UTPS [1/s]",
        "power [W]",
        "capital cost [USD]",
        "chips",
    ]
    for it in dimensions:
        low, *_, high = it["tickvals"]
        assert (low, high) == (min(it["values"]), max(it["values"]))
        steps = [b - a for a, b in zip(it["tickvals"], it["tickvals"][1:], strict=False)]
        assert min(steps) > 0.05 * (high - low)


def least_width_of(part):
    return isinstance(part, Figure) and least_width(part)


def test_chips_that_exist_are_told_apart():
    traces = drawn_front(FRONT)[0].parts[0].traces
    looks = [(it["line"]["dash"], it["marker"]["symbol"]) for it in traces if "line" in it]
    assert len(set(looks)) == len(FRONT["existing"])
