"""The shared runner, on an experiment small enough to see through."""

import importlib.util
import json

import numpy as np
import pytest

from experiments import record
from experiments.runner import Experiment, main


def _plot(results):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot(results["squares"])
    return figure


EXPERIMENT = Experiment(
    name="squares",
    question="What are the squares?",
    run=lambda numbers=3: {"squares": np.arange(numbers) ** 2},
    smoke={"numbers": 2},
    plot=_plot,
    report=lambda results: [f"squares [-]: {results['squares']}"],
    summary=lambda results: {"cells": len(results["squares"])},
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_leaves_settings_results_origin_and_figures(folder, capsys):
    assert main(EXPERIMENT, []) == 0
    run = folder / "runs" / "squares-1"
    assert {path.name for path in run.iterdir()} == {
        "config.json",
        "provenance.json",
        "results.json",
        "squares.pdf",
        "squares.png",
    }
    assert record.load_record(run / "config.json") == {"numbers": 3}
    assert record.load_record(run / "results.json") == {"squares": [0, 1, 4]}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "squares [-]: [0, 1, 4]"
    assert json.loads(lines[-1]) == {"cells": 3}


def test_provenance_says_with_what_it_was_computed(folder):
    main(EXPERIMENT, ["--smoke"])
    origin = record.load_record(folder / "runs" / "squares-1" / "provenance.json")
    assert set(origin) == {
        "version",
        "commit",
        "changed",
        "python",
        "jax",
        "device",
        "x64",
        "command",
        "utc",
        "seconds",
    }
    assert origin["x64"] is True


def test_runs_are_numbered(folder):
    main(EXPERIMENT, ["--smoke"])
    main(EXPERIMENT, ["--smoke"])
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["squares-1", "squares-2"]


def test_a_folder_in_use_is_left_alone(folder, capsys):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("keep")
    assert main(EXPERIMENT, ["-o", "mine"]) == 2
    assert "mine exists already" in capsys.readouterr().err
    assert [path.name for path in (folder / "mine").iterdir()] == ["notes.txt"]
    assert main(EXPERIMENT, ["-o", "mine", "--overwrite"]) == 0
    assert (folder / "mine" / "results.json").exists()


def test_measurements_are_refused_where_none_are_compared(folder, capsys):
    assert main(EXPERIMENT, ["--measured", "mine.csv"]) == 2
    assert "squares compares with no measurements" in capsys.readouterr().err
    assert not (folder / "runs").exists()


def test_a_design_is_refused_where_there_are_none(folder, capsys):
    assert main(EXPERIMENT, ["--design", "mine", "--measured", "mine.csv"]) == 2
    error = capsys.readouterr().err
    assert "--design: squares has no designs to choose from" in error
    assert "--measured: squares compares with no measurements" in error
    assert not (folder / "runs").exists()


def test_without_matplotlib_the_numbers_are_printed(folder, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", {"matplotlib": None}.get)
    assert main(EXPERIMENT, []) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out.splitlines()[-1]) == {"cells": 3}
    assert shown.err.count("\n") == 1
    assert "pip install -e '.[plot]'" in shown.err
    assert not list((folder / "runs" / "squares-1").glob("*.p*g"))


def test_a_number_that_is_not_finite_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        record.save(tmp_path / "record.json", {"value": float("nan")})


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "ROOT", tmp_path)
    origin = record.provenance(1.0)
    assert origin["commit"] is None
    assert origin["changed"] is None
