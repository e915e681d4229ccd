"""The tornado on a page: rows that have bars first, in words."""

from liminal_jax.results.page import Figure, Table, text_of
from liminal_jax.results.sensitivity import solved_again


def bar(label, less, more, **changes):
    return {
        "parameter": label,
        "label": label,
        "value": "4",
        "low": less,
        "high": more,
        "active_set_changes": {"low": [], "high": [], **changes},
    }


NONE = ["no point meets every limit"]
RECORD = {
    "change": 0.1,
    "objective": {"maximise": "stps"},
    "relaxed": {"value": 100.0},
    "elasticities": [{"parameter": "price", "elasticity": -0.5}],
    "tornado": [
        bar("stacks", None, None, low=NONE, high=NONE),
        bar("money", None, 120.0, low=NONE, high=["UTPS no longer binds", "thermal begins"]),
        bar("price", 105.0, 95.0),
    ],
}


def parts():
    figure, table = solved_again(RECORD, "sensitivity.").parts
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    return figure, table


def test_a_number_without_a_bar_is_not_drawn_and_stands_last():
    figure, table = parts()
    assert [it["y"] for it in figure.traces] == [["money (4)", "price (4)"]] * 2
    assert [row[0] for row in table.rows] == ["money", "price", "stacks"]
    assert [text_of((it,)) for it in table.rows[1][2:5]] == ["-0.50 %", "+5.0 %", "-5.0 %"]


def test_paths_are_those_of_the_record_whatever_the_order_of_rows():
    _, table = parts()
    assert table.rows[0][4].path == "sensitivity.tornado.1.high"
    assert table.rows[1][3].path == "sensitivity.tornado.2.low"


def test_what_happens_on_the_way_is_told_by_side():
    figure, table = parts()
    told = "less: no point meets every limit; more: UTPS no longer binds, thermal begins"
    assert table.rows[0][-1] == told
    assert figure.layout["xaxis"]["title"]["text"] == "change of STPS [%]"
