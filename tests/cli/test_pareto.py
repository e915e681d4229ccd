"""`liminal pareto`: fronts, run folders, and everything that is wrong with a command at once."""

import json
import tomllib
from pathlib import Path

import pytest

from liminal_jax.optimization.search import existing_chips as existing
from liminal_jax.study.questions import load_study
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.optimization.brute import every_design, study

DESIGN = {"system": {"choices": ["h100", "h200"]}, "chips": 16, "cp": 1, "pp": 1, "ep": 1}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def limited(utps):
    limits = [{"quantity": "utps", "at_least": utps}]
    return str(study(Path(), "finished", design=DESIGN, constraints=limits))


def front_of(rows, *names):
    """Values of the designs that none dominates, more of each quantity being better."""
    values = {
        tuple(round(row.quantities[name], 6) for name in names) for row in rows if row.feasible
    }
    return {
        one
        for one in values
        if not any(
            other != one and all(a >= b for a, b in zip(other, one, strict=True))
            for other in values
        )
    }


@pytest.mark.slow
def test_a_front_leaves_designs_that_can_be_predicted(capsys):
    path = limited(30)
    assert exit_code(["pareto", path]) == 0
    out, err = capsys.readouterr()
    assert "whole Pareto front" in out
    assert "written to runs/finished-1" in out
    assert max(map(len, (out + err).splitlines())) <= 100
    run = Path("runs/finished-1")
    assert sorted(it.name for it in (run / "figures").iterdir()) == ["front.pdf", "front.png"]
    answer = json.loads((run / "result.json").read_text(), parse_constant=no_token)

    found = {
        tuple(round(it, 6) for it in point["objectives"].values()) for point in answer["points"]
    }
    assert found == front_of(every_design("finished", load_study(path)), "stps", "utps")
    assert answer["objectives"] == [{"maximise": "stps"}, {"maximise": "utps"}]
    assert answer["certificate"]["complete"] is True
    assert answer["certificate"]["largest_margin"] == 0
    assert sorted(answer["kinds"]) == ["h100", "h200"]
    assert answer["existing"] == {}

    for point in answer["points"]:
        design = tomllib.loads((run / point["file"]).read_text())
        assert design["design"] == point["design"]
        assert point["objectives"]["utps"] >= 30
    assert exit_code(["predict", "-c", str(run / answer["points"][0]["file"]), "--json"]) == 0
    prediction = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert prediction["utps"] == pytest.approx(answer["points"][0]["objectives"]["utps"], rel=1e-9)


@pytest.mark.slow
def test_three_objectives_and_a_thinner_front(capsys):
    path = limited(30)
    wanted = ["--maximise", "utps", "--maximise", "stps_per_usd", "--minimise", "power"]
    lengths = []
    for epsilon in ("0", "0.2"):
        assert exit_code(["pareto", path, *wanted, "--epsilon", epsilon, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
        assert answer["epsilon"] == answer["certificate"]["largest_margin"] == float(epsilon)
        assert list(answer["points"][0]["objectives"]) == ["utps", "stps_per_usd", "power"]
        lengths.append(len(answer["points"]))
    assert lengths[0] > lengths[1] > 1


def test_an_own_objective_that_is_utps_is_set_against_stps(capsys):
    path = str(study(Path(), "finished", design=DESIGN, objective={"maximise": "utps"}))
    assert exit_code(["pareto", path, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert answer["objectives"] == [{"maximise": "utps"}, {"maximise": "stps"}]


@pytest.mark.slow
def test_a_planned_study_is_set_beside_chips_that_exist(capsys, monkeypatch):
    monkeypatch.setattr(existing, "system_names", lambda: ("h100", "xpu-hbm3"))
    path = str(study(Path(), "planned"))
    assert exit_code(["pareto", path, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert list(answer["existing"]) == ["h100"]
    assert answer["points"]


def test_what_cannot_be_done_is_an_answer_with_its_own_code(capsys):
    assert exit_code(["pareto", limited(1e6), "-o", "out"]) == 1
    out, _ = capsys.readouterr()
    assert "no design meets every limit" in out
    assert "UTPS at least 1e+06 1/s cannot be met" in " ".join(out.split())
    answer = json.loads(Path("out/result.json").read_text(), parse_constant=no_token)
    assert answer["feasible"] is False
    assert answer["points"] == []
    assert answer["certificate"]["complete"] is True
    assert not Path("out/figures").exists()


def test_everything_that_is_wrong_is_told_at_once(capsys):
    wrong = [
        "--maximise",
        "utps",
        "--minimise",
        "utps",
        "--maximise",
        "stsp",
        "--maximise",
        "power",
    ]
    more = ["--maximise", "power", "--epsilon", "-1", "--seconds", "0"]
    assert exit_code(["pareto", limited(30), *wrong, *more]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    for line in (
        "--epsilon: must be a share of at least 0, got -1",
        "--seconds: must be greater than 0, got 0",
        "a front has two or three objectives, got 5",
        "there is no quantity 'stsp'; did you mean 'stps'?",
        "utps cannot be both maximised and minimised",
        "power is named twice",
    ):
        assert f"liminal pareto: {line}" in err
    assert not Path("runs").exists()


@pytest.mark.parametrize("names", [["utps"], ["utps", "stps", "power", "users"]])
def test_a_front_has_two_or_three_objectives(names, capsys):
    wanted = [part for name in names for part in ("--maximise", name)]
    assert exit_code(["pareto", limited(30), *wanted]) == 2
    assert f"two or three objectives, got {len(names)}" in capsys.readouterr().err


def test_what_is_missing_is_named(capsys, monkeypatch):
    from liminal_jax.view import figure

    monkeypatch.setattr(figure.importlib.util, "find_spec", lambda _: None)
    assert exit_code(["pareto", limited(30)]) == 2
    assert "pip install 'liminal-jax[plot]'" in capsys.readouterr().err
