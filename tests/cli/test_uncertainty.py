"""`liminal uncertainty`: run folders, what it prints, and what bad input gets."""

import csv
import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from liminal_jax.optimization.uncertainty import analysis as module
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import uncertain_numbers
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.optimization.brute import study
from tests.optimization.uncertainty.test_analysis import DESIGN, LIMITS
from tests.study.test_uncertain import stated

SAMPLES = 4
KEYS = {
    "kind",
    "schema",
    "workload",
    "name",
    "about",
    "constraints",
    "feasible",
    "objective",
    "samples",
    "fresh_samples",
    "seed",
    "reliability",
    "solvable",
    "optimum",
    "categories",
    "nominal",
    "robust",
    "cautious",
    "influences",
    "chance",
    "numbers",
    "certificate",
    "seconds",
    "stages",
}
FILES = [
    "designs/cautious.toml",
    "designs/nominal.toml",
    "designs/robust.toml",
    "figures/uncertainty.pdf",
    "figures/uncertainty.png",
    "provenance.json",
    "result.json",
    "samples.csv",
]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def instant(monkeypatch):
    """No search at all: for what happens before one."""

    def never(*_):
        raise AssertionError("a search began")

    monkeypatch.setattr(module, "uncertainty", never)


def limited(*more, **changes):
    limits = [*LIMITS, *more]
    return str(study(Path(), "planned", design=DESIGN, constraints=limits, **changes))


def written(folder):
    return sorted(str(it.relative_to(folder)) for it in folder.rglob("*") if it.is_file())


def test_a_run_prints_a_page_and_leaves_a_folder(capsys):
    arguments = ["uncertainty", limited(), "--samples", str(SAMPLES), "--reliability", "0.5"]
    assert exit_code(arguments) == 0
    out, err = capsys.readouterr()
    assert "written to runs/planned-1" in out
    assert "next: liminal predict -c runs/planned-1/designs/robust.toml" in out
    assert "best of all" in out
    assert "what decides" in out
    assert max(map(len, (out + err).splitlines())) <= 100
    assert re.search(rf"^  {SAMPLES} of {SAMPLES}: \S+, .*\d", err, re.MULTILINE)
    folder = Path("runs/planned-1")
    assert written(folder) == FILES
    assert (folder / "figures/uncertainty.png").read_bytes().startswith(b"\x89PNG")
    answer = json.loads((folder / "result.json").read_text(), parse_constant=no_token)
    assert set(answer) == KEYS
    assert answer["certificate"]["proven"] == answer["samples"] == SAMPLES
    assert answer["reliability"] == 0.5
    assert sum(it["wins"] for it in answer["categories"]) == answer["solvable"]
    assert max(abs(it["optimum"] or 0) for it in answer["influences"]) <= 1
    assert {it["number"] for it in answer["influences"]} == {it["path"] for it in answer["numbers"]}

    rows = list(csv.DictReader((folder / "samples.csv").read_text().splitlines()))
    assert [row["sample"] for row in rows] == [str(it + 1) for it in range(SAMPLES)]
    for number in answer["numbers"]:
        assert all(number["low"] <= float(row[number["path"]]) <= number["high"] for row in rows)
    wins = {it["category"]: it["wins"] for it in answer["categories"]}
    won = [row["winner"] for row in rows]
    assert {name: won.count(name) / SAMPLES for name in wins} == wins
    for name in ("nominal", "robust", "cautious"):
        losses = [float(row[f"regret of {name}"]) for row in rows if row[f"regret of {name}"]]
        assert len(losses) / SAMPLES == answer[name]["meets"]
        assert max(losses, default=None) == (answer[name]["regret"] or {"worst": None})["worst"]
    design = tomllib.loads((folder / "designs/nominal.toml").read_text())["design"]
    assert design == answer["nominal"]["design"]

    assert exit_code(["predict", "-c", "runs/planned-1/designs/nominal.toml", "--json"]) == 0
    prediction = json.loads(capsys.readouterr().out, parse_constant=no_token)
    instances = design["chips"] // prediction["chips"]
    assert instances * prediction["stps"] == pytest.approx(answer["objective"]["value"], rel=1e-9)

    assert exit_code([*arguments, "-o", "runs/planned-1"]) == 2
    assert "exists and is not empty" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_that_is_infeasible_as_thought_has_its_own_code(capsys):
    arguments = ["--samples", str(SAMPLES), "-o", "out", "--json"]
    hopeless = limited({"quantity": "stps", "at_least": 1e9})
    assert exit_code(["uncertainty", hopeless, *arguments]) == 1
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert (answer["feasible"], answer["solvable"]) == (False, 0)
    assert answer["nominal"] is answer["robust"] is answer["cautious"] is answer["optimum"] is None
    assert answer == json.loads(Path("out/result.json").read_text())
    assert written(Path("out")) == [it for it in FILES if not it.startswith("designs")]


@pytest.mark.usefixtures("instant")
def test_options_that_make_no_sense(capsys):
    wrong = ["--samples", "60", "--reliability", "1.5", "--seconds", "0"]
    assert exit_code(["uncertainty", limited(), *wrong]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "liminal uncertainty: --samples: must be a power of two, at least 4, got 60; try 64",
        "liminal uncertainty: --reliability: must be a share above 0 and at most 1, got 1.5",
        "liminal uncertainty: --seconds: must be greater than 0, got 0",
    ]
    for few in ("0", "-3", "1", "2"):
        assert exit_code(["uncertainty", limited(), "--samples", few]) == 2
        assert capsys.readouterr().err.endswith(f"got {few}; try 4\n")
    assert not Path("runs").exists()


@pytest.mark.usefixtures("instant")
def test_a_study_in_which_every_number_is_known(capsys):
    numbers = uncertain_numbers(problem_of(load_study(limited())))
    known = limited(assumptions=stated({it.path: it.value for it in numbers}))
    assert exit_code(["uncertainty", known]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{known}: no number that this study depends on has a range")
    assert "[assumptions]" in error
    assert not Path("runs").exists()


@pytest.mark.usefixtures("instant")
def test_without_matplotlib_the_remedy_is_told_first(capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", {"matplotlib": None}.get)
    assert exit_code(["uncertainty", limited()]) == 2
    assert capsys.readouterr().err == (
        "liminal uncertainty: draws figures with matplotlib, which is missing:"
        " pip install 'liminal-jax[plot]'\n"
    )
