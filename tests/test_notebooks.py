"""Every notebook runs from top to bottom, and shows what it shows now."""

import nbformat
import pytest

from notebooks.execute import executed, sources

pytestmark = pytest.mark.slow


def _texts(notebook):
    """What the cells print, by cell."""
    return [
        [output["text"] for output in cell.get("outputs", []) if output["output_type"] == "stream"]
        for cell in notebook.cells
    ]


def test_there_are_notebooks():
    assert sources()


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_a_notebook_runs_and_its_twin_if_any_is_current(source):
    fresh = executed(source)
    shown = [output.get("data", {}) for cell in fresh.cells for output in cell.get("outputs", [])]
    assert any("image/png" in it for it in shown), "no picture is shown"
    if not source.with_suffix(".ipynb").exists():
        return
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    remedy = "run python -m notebooks.execute"
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in fresh.cells
    ], remedy
    assert _texts(kept) == _texts(fresh), remedy
