"""The published tables hold what the slides print, and cells match by the stated rules."""

import doctest
import json
from pathlib import Path

import pytest

from experiments import published

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "talk" / "tables.json"


@pytest.fixture
def reference():
    if not REFERENCE.exists():
        pytest.skip("the reference tables are not beside this checkout")
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(published).failed == 0


def test_the_memory_table_is_as_printed(reference):
    rows = reference["memory_capacity_gb"]["rows"]
    ours = published.load_published().memory.rows
    assert {name: [float(cell) for cell in row.printed] for name, row in ours.items()} == {
        name: cells[2:] for name, cells in rows.items()
    }


def test_the_system_table_is_as_printed(reference):
    rows = reference["system_scale"]["rows"]
    ours = published.load_published().scale.rows
    value = published.printed_value
    assert {
        name: [
            value(row.utps[0]),
            value(row.utps[1]),
            value(row.stps[0]),
            value(row.bracket[0]),
            value(row.stps[1]),
            value(row.bracket[1]),
        ]
        for name, row in ours.items()
    } == rows


def test_the_paper_is_as_printed(reference):
    ours = published.load_published()
    rows = reference["paper_llama3_405b_utps_batch1"]["rows"]
    assert [[float(cell) for cell in row.printed] for row in ours.paper_scale.rows] == list(
        rows.values()
    )
    assert float(ours.paper_memory.printed) == reference["paper_capacity_example"]["gib"]


@pytest.mark.parametrize(
    ("computed", "printed", "matches"),
    [
        (262.5, "262", True),
        (262.51, "262", False),
        (None, "-", True),
        (1.0, "-", False),
        (None, "1", False),
        (2149.0, "2.1K", True),
        (2151.0, "2.1K", False),
    ],
)
def test_a_cell_may_be_off_by_half_its_last_digit(computed, printed, matches):
    assert published.matches_rounded(computed, printed) is matches
