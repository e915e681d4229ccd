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


@pytest.mark.slow
def test_every_cell_is_the_computed_number_rounded(results):
    summary = EXPERIMENT.summary(results)
    assert (summary["cells"], summary["matched"]) == (44, 44)


@pytest.mark.slow
def test_the_exact_halves_are_exact(results):
    assert results["rows"]["Llama3-8B"]["total"][1:] == [14.5 * GIB, 14.5 * GIB, 262.5 * GIB]


@pytest.mark.slow
def test_weights_and_cache_are_the_whole(results):
    for row in results["rows"].values():
        parts = [sum(pair) for pair in zip(row["weights"], row["cache"], strict=True)]
        assert parts == pytest.approx(row["total"])


@pytest.mark.slow
def test_the_paper_example_is_as_printed(results):
    assert f"{results['example']['total'] / GIB:.0f}" == "881"
    assert results["example"]["matched"]


@pytest.mark.slow
def test_where_cache_and_weights_are_equal_they_are(results):
    row = results["rows"]["Llama3-8B"]  # a slide's cell: 128K, one user
    assert row["even_at_talk"] == pytest.approx(row["weights"][2] / row["cache"][2])
    for name, row in results["rows"].items():
        for context, users in zip(results["even_contexts"], row["even"], strict=True):
            assert context * users == pytest.approx(131072 * row["even_at_talk"]), name


@pytest.mark.slow
def test_the_verdicts_follow_from_the_table(results):
    needs, many, dominates = results["verdicts"]
    assert {it["verdict"] for it in results["verdicts"]} == {"holds with these limits"}
    printed = {name: float(row["printed"][2]) for name, row in results["rows"].items()}
    assert needs["numbers"] == pytest.approx(printed, abs=0.51)
    for name, size in printed.items():
        assert (name in needs["sentence"]) == (size < 100)
    assert "GPT-OSS-120B 252 GiB" in many["sentence"]
    assert "Llama3-8B" not in many["numbers"]
    more = {name for name, row in results["rows"].items() if row["cache"][3] > row["weights"][3]}
    assert {name for name, users in dominates["numbers"].items() if users < 32} == more


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """The folder of a small run in a process of its own, and what it printed."""
    folder = tmp_path_factory.mktemp("smoke") / "run"
    command = ["-W", "error", "-m", "experiments.memory_capacity", "--smoke", "-o", str(folder)]
    answer = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder, answer.stdout.splitlines()


@pytest.mark.slow
def test_the_last_line_of_the_command_is_one_object(command):
    folder, lines = command
    summary = json.loads(lines[-1])
    assert (summary["cells"], summary["matched"]) == (12, 12)
    assert max(map(len, lines[:-1])) <= 100
    assert (folder / "memory_capacity.png").exists()


@pytest.mark.slow
def test_the_figure_is_drawn_from_the_saved_file(command, tmp_path):
    saved = load_record(command[0] / "results.json")
    saved["rows"]["Llama3-8B"]["weights"][3] = 500 * GIB
    (tmp_path / "results.json").write_text(json.dumps(saved))
    png, pdf = drawn(EXPERIMENT, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    widths = {round(bar.get_width()) for bar in EXPERIMENT.plot(saved).axes[3].patches}
    assert 500 in widths
