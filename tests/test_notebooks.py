"""Every notebook runs from top to bottom, and shows what it shows now."""

import re

import nbformat
import pytest

from notebooks.execute import executed, sources

pytestmark = pytest.mark.slow


_TAKEN = re.compile(r"(time taken|of it: [\w ]+?|seconds to [\w ]+?) +[\d.]+ (us|ms|s|min)\b *")
"""Wall time, which differs from run to run."""


_ON_THE_WAY = re.compile(r"\bstarts\b|snapped to the grid")
"""What descents pass through, which depends on how a machine rounds; where they arrive does not."""

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def _lines(text):
    """Its lines, but for widths, colours, how long it took, and what was passed on the way."""
    lines = [" ".join(it.split()) for it in _COLOUR.sub("", _TAKEN.sub(r"\1", text)).splitlines()]
    return [it for it in lines if it.strip("─") and not _ON_THE_WAY.search(it)]


def _text(output):
    """What is printed, or what stands for an object that is shown."""
    return output.get("text") or output.get("data", {}).get("text/plain", "") + "\n"


def _told(notebook):
    """Words that the cells print or show, by cell, and the numbers among them."""
    printed = [[_text(it) for it in cell.get("outputs", [])] for cell in notebook.cells]
    lines = [_lines("".join(it)) for it in printed]
    words = [[_NUMBER.sub("0", it) for it in cell] for cell in lines]
    found = [_NUMBER.findall(it) for cell in lines for it in cell]
    return words, [float(it.replace(",", "")) for line in found for it in line]


def test_wall_times_and_ways_alone_are_left_out():
    text = "  time taken   94 s\n  one \x1b[1mstep\x1b[0m  3.1 ms\n───\n  of 6 starts 2 stopped"
    assert _lines(text) == ["time taken", "one step 3.1 ms"]


def test_there_are_notebooks():
    assert sources()


@pytest.mark.parametrize("name", ["01_first_prediction", "03_design_a_chip"])
def test_a_notebook_shows_a_package(name):
    (source,) = (it for it in sources() if it.stem == name)
    cells = nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
    drawn = [
        it.get("data", {}).get("text/html", "") for at in cells for it in at.get("outputs", [])
    ]
    assert any('data-figure="package"' in it for it in drawn)


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_no_notebook_shows_what_a_plot_returns(source):
    cells = nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
    shown = [_text(it) for at in cells for it in at.get("outputs", [])]
    assert not [it for it in shown if "Text(" in it]


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_a_notebook_runs_and_its_twin_is_current(source):
    fresh = executed(source)
    outputs = [output for cell in fresh.cells for output in cell.get("outputs", [])]
    assert any("image/png" in it.get("data", {}) for it in outputs), "no picture is shown"
    assert [it["text"] for it in outputs if it.get("name") == "stderr"] == []
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    remedy = "run python -m notebooks.execute"
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in fresh.cells
    ], remedy
    (words, numbers), (shown, found) = _told(kept), _told(fresh)
    assert words == shown, remedy
    assert numbers == pytest.approx(found, rel=0.02), remedy
