"""The talk's memory table comes out as printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.memory_capacity import EXPERIMENT, GIB
from experiments.record import load_record
from experiments.runner import drawn, recorded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return recorded(EXPERIMENT, EXPERIMENT.full, tmp_path_factory.mktemp("full"))


def test_every_cell_is_the_computed_number_rounded(results):
    assert EXPERIMENT.summary(results) == {"cells": 44, "matched": 44}


def test_the_exact_halves_are_exact(results):
    assert results["rows"]["Llama3-8B"]["total"][1:] == [14.5 * GIB, 14.5 * GIB, 262.5 * GIB]


def test_weights_and_cache_are_the_whole(results):
    for row in results["rows"].values():
        parts = [sum(pair) for pair in zip(row["weights"], row["cache"], strict=True)]
        assert parts == pytest.approx(row["total"])


def test_the_paper_example_is_as_printed(results):
    assert f"{results['example']['total'] / GIB:.0f}" == "881"
    assert results["example"]["matched"]


def test_the_figure_is_drawn_from_the_saved_file(tmp_path):
    recorded(EXPERIMENT, EXPERIMENT.smoke, tmp_path)
    saved = load_record(tmp_path / "results.json")
    saved["rows"]["Llama3-8B"]["weights"][3] = 500 * GIB
    (tmp_path / "results.json").write_text(json.dumps(saved))
    png, pdf = drawn(EXPERIMENT, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    widths = {round(bar.get_width()) for bar in EXPERIMENT.plot(saved).axes[3].patches}
    assert 500 in widths


def test_the_last_line_of_the_command_is_one_object(tmp_path):
    command = ["-W", "error", "-m", "experiments.memory_capacity", "--smoke", "-o", str(tmp_path)]
    answer = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = answer.stdout.splitlines()
    assert json.loads(lines[-1]) == {"cells": 12, "matched": 12}
    assert max(map(len, lines[:-1])) <= 100
    assert (tmp_path / "memory_capacity.png").exists()
