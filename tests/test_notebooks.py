"""Every notebook runs from top to bottom, and shows what it shows now."""

import re

import nbformat
import pytest

from notebooks.execute import executed, sources

pytestmark = pytest.mark.slow


_TAKEN = re.compile(r"(time taken|of it: [\w ]+?|seconds to [\w ]+?) +[\d.]+ (us|ms|s|min)\b *")
"""Wall time, which differs from run to run."""


def _texts(notebook):
    """What the cells print, by cell, but for how long they took."""
    return [
        [
            _TAKEN.sub(r"\1", output["text"])
            for output in cell.get("outputs", [])
            if output["output_type"] == "stream"
        ]
        for cell in notebook.cells
    ]


def test_wall_times_alone_are_left_out():
    text = "  time taken   94.8 s   \n  of it: less overlap  18 ms\n  one step  3.1 ms"
    assert _TAKEN.sub(r"\1", text) == "  time taken\n  of it: less overlap\n  one step  3.1 ms"


def test_there_are_notebooks():
    assert sources()


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
    assert _texts(kept) == _texts(fresh), remedy
