"""A page says the same on a terminal and in HTML, and nothing in it is taken for HTML."""

import re

import pytest
from rich.console import Console

from liminal_jax.results.html import html
from liminal_jax.results.page import (
    Figure,
    Page,
    Sentences,
    Value,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.terminal import terminal
from tests.results.rows import html_lines, terminal_lines

FIGURE = Figure(({"type": "bar", "x": [1], "y": ["only drawn"]},), {}, "a bar & a label")
PAGE = Page(
    "a <b> study",
    ("Most & best.",),
    ("power ", known("50 W", "totals.power", 50.0)),
    (
        section(
            "rows & columns",
            FIGURE,
            table(
                [("one", known("1,000 m", "a.b", 1e3), "x < y"), ("two", "unknown", "")],
                ("", "length", "why"),
            ),
        ),
        section("nothing", table([]), sentences([])),
        section("one sentence", sentences(["[bold]as it is[/bold]"])),
        section("several", Sentences((("first ", known("7 s", "t", 7.0)), ("second",)))),
        section("drawn alone", FIGURE),
    ),
)


def test_terminal_and_html_show_the_same_lines():
    told = [it for it in html_lines(PAGE) if it != "drawn alone"]
    assert terminal_lines(PAGE) == told
    assert told == [
        "rows & columns",
        "length why",
        "one 1,000 m x < y",
        "two unknown",
        "one sentence",
        "[bold]as it is[/bold]",
        "several",
        "first 7 s",
        "second",
    ]


def test_nothing_is_taken_for_html():
    text = html(PAGE, {"text": "</script><b>"}, {"command": ["a/liminal", "<x>"], "commit": "<y>"})
    body = text[text.index("<body>") :]
    assert "<h1>a &lt;b&gt; study</h1>" in body
    assert '<data value="1000.0" data-path="a.b">1,000 m</data>' in body
    assert "liminal &#39;&lt;x&gt;&#39;" in body
    assert "&lt;y&gt;" in body
    assert 'aria-label="a bar &amp; a label"' in body
    assert body.count("</script><b>") == 0
    assert re.search(r'id="record">\{"text": "<\\/script><b>"\}</script>', body)


def test_a_terminal_leaves_rows_out_of_long_tables_and_says_so():
    rows = [(f"row {it}", "x") for it in range(1000)]
    page = Page("a", (), ("b",), (section("c", table(rows)),))
    lines = terminal_lines(page)
    assert lines[0] == "c"
    assert (lines[1], lines[-2]) == ("row 0 x", "row 999 x")
    assert lines[-1] == "30 of 1,000 rows; the JSON holds all"
    assert len(lines) == 32
    assert len(html_lines(page)) == 1001


def told(rows, heading, width):
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(terminal(Page("a", (), ("b",), (section("c", table(rows, heading)),))))
    lines = [" ".join(it.split()) for it in captured.get().splitlines() if it.strip("─ ")]
    return lines[lines.index("c") + 1 :]


def test_a_table_that_is_too_wide_goes_on_below_and_tells_what_is_the_same_once():
    heading = ("", "kind", "first", "second", "")
    rows = [
        (
            f"{it}",
            "sram",
            Value(f"{it},000,000 tokens", "", 1e6 * it),
            Value(f"{it},000,000 W", "", 1e6 * it),
            mark,
        )
        for it, mark in enumerate(["", "knee A", ""], start=1)
    ]
    assert told(rows, heading, 60)[-1] == "3 sram 3,000,000 tokens 3,000,000 W"
    assert told(rows, heading, 40) == [
        "first second",
        "1 1,000,000 tokens 1,000,000 W",
        "2 2,000,000 tokens 2,000,000 W",
        "3 3,000,000 tokens 3,000,000 W",
        "2 knee A",
        "the same in all: kind sram",
    ]


def test_marked_rows_stay_in_a_long_table():
    rows = [(f"{it}", "x", "knee" if it == 500 else "") for it in range(1000)]
    lines = terminal_lines(Page("a", (), ("b",), (section("c", table(rows, ("", "what", ""))),)))
    assert "500 x knee" in lines
    assert lines[-1] == "31 of 1,000 rows; the JSON holds all"


@pytest.mark.parametrize("width", [60, 100])
def test_rows_are_folded_to_the_width_of_the_terminal(width):
    long = table([("a name", "word " * 60), ("other", "word")], ("", "what"))
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(terminal(Page("a", (), ("b",), (section("c", long),))))
    assert max(map(len, captured.get().splitlines())) <= width
    assert captured.get().count("word") == 61
