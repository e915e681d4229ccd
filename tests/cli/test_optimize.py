"""`liminal optimize`: answers, run folders, and the study that comes with the package."""

import json
import math
import os
import tomllib
from pathlib import Path

import pytest

from liminal_jax.cli import optimize as module
from liminal_jax.optimization import answer as search
from tests.cli.terminal import command, exit_code
from tests.cli.test_predict import no_token
from tests.optimization.brute import study

KEYS = [
    "relaxed",
    "gradients",
    "proof",
    "design",
    "prediction",
    "certificate",
    "sensitivities",
    "seconds",
    "feasible",
    "binding",
]
DESIGN = {"system": "h100", "chips": 8, "cp": 1, "pp": 1, "ep": 1, "tp": {"choices": [1, 8]}}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def quick(monkeypatch):
    """No explanation, which costs most of the compiling."""
    monkeypatch.setattr(search, "relaxation_of", lambda _: (None, []))


@pytest.fixture
def instant(monkeypatch):
    """No search at all: for what happens before one."""

    def never(*_):
        raise AssertionError("a search began")

    monkeypatch.setattr(search, "optimize", never)


def limited(utps):
    limits = [{"quantity": "utps", "at_least": utps}]
    return str(study(Path(), "finished", design=DESIGN, constraints=limits))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_each_method_says_what_it_found_and_what_it_proves(capsys):
    path = limited(50)
    found = {}
    for method in ("auto", "gradients", "bound"):
        arguments = ["optimize", path, "--method", method, "-o", method, "--starts", "4", "--json"]
        assert exit_code(arguments) == 0
        found[method] = json.loads(capsys.readouterr().out, parse_constant=no_token)
    value = found["bound"]["objective"]["value"]
    assert {it["objective"]["value"] for it in found.values()} == {value}
    assert found["bound"]["gradients"] is None
    assert set(found["bound"]["proof"]["seconds"]) == {"bound the model", "prove"}
    alone = found["gradients"]
    assert (alone["certificate"]["method"], alone["certificate"]["bound"]) == ("none", None)
    assert alone["gradients"]["polished"]["objective"] == value
    both = found["auto"]
    assert both["certificate"]["relative_gap"] == 0
    for name in ("relaxed", "snapped", "polished"):
        reached, away = both["gradients"][name], both["gradients"]["gap_to_answer"][name]
        assert away == pytest.approx(abs(reached["objective"] / value - 1))
    history = both["gradients"]["history"]
    lengths = [len(history[it]) for it in ("step", "temperature")]
    lengths += [len(history[it][key]) for it in ("best", "median") for key in history[it]]
    assert len(set(lengths)) == 1
    assert exit_code(["report", "auto"]) == 0
    assert "what gradients found" in Path("auto/report.html").read_text()


def test_gradients_alone_are_not_for_several_workloads(capsys):
    assert exit_code(["optimize", "eight-models-one-chip", "--method", "gradients"]) == 2
    assert "--method" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_run_leaves_a_folder_and_never_touches_another(capsys):
    path = limited(50)
    arguments = ["optimize", path, "--starts", "2"]
    assert exit_code(arguments) == 0
    out, err = capsys.readouterr()
    assert "written to runs/finished-1" in out
    assert "next: liminal predict -c runs/finished-1/design.toml" in out
    assert max(map(len, (out + err).splitlines())) <= 100
    assert "\x1b" not in out + err
    files = sorted(it.name for it in Path("runs/finished-1").iterdir())
    assert files == ["design.toml", "provenance.json", "result.json"]
    before = Path("runs/finished-1/result.json").read_text()

    assert exit_code([*arguments, "--json", "--seed", "3"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out, parse_constant=no_token)
    assert answer == json.loads(Path("runs/finished-2/result.json").read_text())
    assert set(KEYS) <= set(answer)
    assert json.loads(Path("runs/finished-2/provenance.json").read_text())["seed"] == 3
    assert Path("runs/finished-1/result.json").read_text() == before

    assert exit_code([*arguments, "-o", "runs/finished-1"]) == 2
    assert capsys.readouterr().err == (
        "runs/finished-1: exists and is not empty; choose another, or give --overwrite\n"
    )
    Path("runs/finished-1/left-over").touch()
    assert exit_code([*arguments, "-o", "runs/finished-1", "--overwrite"]) == 0
    assert sorted(it.name for it in Path("runs/finished-1").iterdir()) == files


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_what_cannot_be_done_is_an_answer_with_its_own_code(capsys):
    assert exit_code(["optimize", limited(1e6), "-o", "out", "--starts", "2", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert answer["feasible"] is False
    assert answer["certificate"]["method"] == "bound"
    assert answer["certificate"]["complete"] is True
    assert answer["certificate"]["bound"] is None
    assert answer["certificate"]["relative_gap"] is None
    assert answer["reasons"][1].startswith("UTPS at least 1e+06 1/s cannot be met")
    assert [it["constraint"] for it in answer["binding"]] == ["utps"]
    assert answer["binding"][0]["slack"] < 0
    assert Path("out/design.toml").exists()


@pytest.mark.usefixtures("instant")
def test_folders_that_cannot_be_written(capsys):
    path = limited(50)
    Path("file").write_text("precious")
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("precious")
    for folder, flags, message in (
        ("file/run", [], "file/run: cannot be written: "),
        ("file", [], "file: exists and is not empty"),
        ("file", ["--overwrite"], "file: cannot be written: "),
        ("mine", [], "mine: exists and is not empty"),
        ("mine", ["--overwrite"], "mine: holds no run"),
    ):
        assert exit_code(["optimize", path, "-o", folder, *flags]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(message)
    assert Path("file").read_text() == "precious"
    assert Path("mine/thesis.tex").read_text() == "precious"


@pytest.mark.slow
def test_the_study_that_comes_with_the_package(tmp_path):
    """The whole of it, as a user runs it, in a process without a cache."""
    done = command(["optimize", "--json", "-o", "run"], tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout, parse_constant=no_token)
    assert set(KEYS) <= set(answer)
    assert answer["name"] == module.BUILT_IN
    assert answer["feasible"] is True
    # Proven in a minute on two idle cores; a crowded machine takes longer by as much as it is so.
    proven = answer["stages"]["search"]
    assert proven < 60 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))

    value = answer["objective"]["value"]
    certificate = answer["certificate"]
    assert certificate["method"] == "bound"
    assert certificate["complete"] is True
    assert certificate["lattice"] > 1_000_000_000
    assert (certificate["bound"], certificate["relative_gap"]) == (value, 0)
    assert value == pytest.approx(max(it["value"] for it in answer["alternatives"]))
    existing = [it["value"] for it in answer["existing"] if it["value"] is not None]
    assert existing == sorted(existing, reverse=True)
    assert value > existing[0]
    assert answer["relaxed"]["feasible"]
    gradients, gaps = answer["gradients"], answer["gradients"]["gap_to_answer"]
    assert gradients["starts"] == 96
    assert sum(gradients["terminations"].values()) == 96
    assert gradients["converged"] > 10
    assert gradients["relaxed"]["feasible"]
    assert gaps["relaxed"] < 0.1
    assert gradients["polished"]["objective"] == pytest.approx(value)
    assert gaps["polished"] == pytest.approx(0, abs=1e-9)
    assert answer["proof"]["history"]["bound"][-1] == pytest.approx(value)
    assert answer["binding"]
    assert all(it["slack"] >= 0 for it in answer["binding"])
    assert answer["sensitivities"]

    limits = {"utps": (50, math.inf), "power": (0, 120e3), "capital_cost": (0, 4e6)}
    for name, (low, high) in {**limits, "chip_power": (0, 1400)}.items():
        assert low * (1 - 1e-9) <= answer["totals"][name] <= high * (1 + 1e-9)

    design = tomllib.loads((tmp_path / "run/design.toml").read_text())
    assert design["design"] == answer["design"]
    again = command(["predict", "-c", "run/design.toml", "--json"], tmp_path)
    assert again.returncode == 0, again.stderr
    prediction = json.loads(again.stdout, parse_constant=no_token)
    for name, expected in answer["prediction"].items():
        if isinstance(expected, float):
            assert prediction[name] == pytest.approx(expected, rel=1e-9), name
        elif not isinstance(expected, dict):
            assert prediction[name] == expected, name
    instances = answer["totals"]["stps"] / prediction["stps"]
    assert instances == pytest.approx(round(instances), rel=1e-9)
    spare = design["design"]["chips"] / prediction["chips"]
    assert prediction["utps"] >= 50 * (1 - 1e-9)
    assert prediction["chip_power"] <= 1400 * (1 + 1e-9)
    assert prediction["power"] * spare <= 120e3 * (1 + 1e-9)
    assert prediction["capital_cost"] * spare <= 4e6 * (1 + 1e-9)
