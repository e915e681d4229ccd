"""`liminal experiments`: the list, a run, and what is said where there are none."""

import json

import pytest

from liminal_jax.cli import experiments
from tests.cli.terminal import ROOT, exit_code


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_experiment_of_the_folder_is_listed(capsys):
    names = {
        path.stem
        for path in (ROOT / "experiments").glob("*.py")
        if "EXPERIMENT = Experiment(" in path.read_text()
    }
    assert exit_code(["experiments", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {*names, "kind", "schema"}
    assert all(question for question in found.values())
    assert exit_code(["experiments"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in names)
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.slow
def test_one_is_run_and_saved(tmp_path, capsys):
    assert exit_code(["experiments", "run", "memory_capacity", "--smoke", "-o", "mine"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["cells"], answer["matched"]) == (12, 12)
    assert (tmp_path / "mine" / "results.json").exists()
    assert exit_code(["experiments", "run", "memory_capacity", "--smoke", "-o", "mine"]) == 2
    assert "add --overwrite" in capsys.readouterr().err
    again = ["experiments", "run", "memory_capacity", "--smoke", "-o", "mine", "--overwrite"]
    assert exit_code(again) == 0


def test_measurements_are_handed_on(capsys):
    words = ["experiments", "run", "memory_capacity", "--smoke", "--measured", "mine.csv"]
    assert exit_code(words) == 2
    assert "memory_capacity compares with no measurements" in capsys.readouterr().err


def test_a_design_is_handed_on(capsys):
    assert exit_code(["experiments", "run", "memory_capacity", "--design", "mine"]) == 2
    assert "memory_capacity has no designs to choose from" in capsys.readouterr().err


def test_a_name_that_is_none_of_them(capsys):
    assert exit_code(["experiments", "run", "memory_capacty"]) == 2
    assert "did you mean 'memory_capacity'?" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["experiments"], ["experiments", "run", "bandwidth"]])
def test_an_installed_package_has_none_and_says_so(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(experiments, "__file__", str(tmp_path / "a" / "b" / "experiments.py"))
    assert exit_code(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "not part of the installed package: clone the repository" in err


def test_only_modules_that_answer_a_question_are_experiments(tmp_path):
    (tmp_path / "one.py").write_text('"""Why?\n\nBecause."""\n\nEXPERIMENT = 1\n')
    (tmp_path / "view.py").write_text('"""A view."""\n\nOTHER = 1\n')
    assert experiments.questions(tmp_path) == {"one": "Why?"}
