"""`liminal sensitivity`: run folders, what it prints, and what bad input gets."""

import importlib.util
import json
from pathlib import Path

import pytest

from liminal_jax.optimization.sensitivity import analysis as module
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.optimization.brute import study
from tests.optimization.small import FINISHED

KEYS = {
    "kind",
    "schema",
    "workload",
    "name",
    "about",
    "constraints",
    "feasible",
    "objective",
    "best",
    "relaxed",
    "shadow_prices",
    "elasticities",
    "moves",
    "change",
    "tornado",
    "residual",
    "reasons",
    "seconds",
    "stages",
}
FILES = [
    "design.toml",
    "figures/tornado.pdf",
    "figures/tornado.png",
    "provenance.json",
    "result.json",
]
DESIGN = {**FINISHED["design"], "system": "h200"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def instant(monkeypatch):
    """No search at all: for what happens before one."""

    def never(*_, **__):
        raise AssertionError("a search began")

    monkeypatch.setattr(module, "find", never)


def written(**changes):
    return str(study(Path(), "finished", **{**FINISHED, "design": DESIGN, **changes}))


def files_in(folder):
    return sorted(str(it.relative_to(folder)) for it in Path(folder).rglob("*") if it.is_file())


@pytest.mark.slow
def test_a_run_tells_what_numbers_are_worth_and_leaves_a_folder(capsys):
    path = written()
    assert exit_code(["sensitivity", path, "--json", "--top", "4", "--change", "0.05"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out, parse_constant=no_token)
    assert "written to runs/finished-1" in err
    assert set(found) == KEYS
    assert files_in("runs/finished-1") == FILES
    assert json.loads(Path("runs/finished-1/result.json").read_text()) == found
    assert found["objective"] == {"minimise": "usd_per_million_tokens"}
    assert found["feasible"] is True
    assert found["residual"] < 1e-4
    assert [it["constraint"] for it in found["shadow_prices"]] == ["utps"]
    assert "1 token/s more costs" in found["shadow_prices"][0]["sentence"]
    weights = [abs(it["elasticity"]) for it in found["elasticities"]]
    assert weights == sorted(weights, reverse=True)
    # What is sustained of the bandwidth is worth as much as the bandwidth.
    bandwidth, share = sorted(found["elasticities"][:2], key=lambda it: it["parameter"])
    assert (bandwidth["parameter"], bandwidth["unit"]) == ("chip.memory.bandwidth", "B/s")
    assert (share["parameter"], share["unit"]) == ("execution.bandwidth_share", "")
    assert bandwidth["elasticity"] == pytest.approx(share["elasticity"], rel=1e-6)
    assert len(found["tornado"]) == 4
    for bar in found["tornado"]:
        assert bar["factors"]["low"] == pytest.approx(0.95)
        assert (bar["low"] - found["relaxed"]["value"]) * (
            bar["high"] - found["relaxed"]["value"]
        ) < 0
    assert found["relaxed"]["design"]["system"] == found["best"]["design"]["system"] == "h200"
    assert found["relaxed"]["design"]["tp"] == found["best"]["design"]["tp"]
    assert found["best"]["certificate"]["relative_gap"] == 0
    assert set(found["moves"]["context"]) == {"batch"}

    before = files_in("runs/finished-1")
    assert exit_code(["sensitivity", path, "-o", "runs/finished-1"]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    assert files_in("runs/finished-1") == before


@pytest.mark.slow
def test_whole_numbers_alone_are_worth_something_and_do_not_move(capsys):
    path = written(design={**DESIGN, "tp": {"choices": [1, 2]}, "batch": 16})
    assert exit_code(["sensitivity", path, "--json", "--top", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["elasticities"]
    assert len(found["tornado"]) == 2
    assert not any(found["moves"].values())


def test_what_cannot_be_done_is_an_answer_with_its_own_code(capsys):
    path = written(constraints=[{"quantity": "utps", "at_least": 1e6}])
    assert exit_code(["sensitivity", path, "--json", "-o", "out"]) == 1
    found = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert set(found) == KEYS
    assert found["feasible"] is False
    assert found["tornado"] == found["elasticities"] == found["shadow_prices"] == []
    assert any("UTPS: " in it and "against a limit of 1e+06" in it for it in found["reasons"])
    assert files_in("out") == ["provenance.json", "result.json"]


def refused(capsys, arguments):
    """The lines of a refusal, which leaves nothing behind but the study."""
    assert exit_code(["sensitivity", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert {it.name for it in Path().iterdir()} <= {"study.toml", "runs"}
    assert files_in("runs") == []
    return err.splitlines()


def test_an_objective_that_no_choice_changes(capsys):
    path = written(
        design={**DESIGN, "chips": 8, "tp": 1}, objective={"minimise": "chips"}, constraints=[]
    )
    assert refused(capsys, [path])[-1] == (
        "study.toml: objective: chips is the same for every design, so nothing can change it"
    )
    assert not any(Path("runs").iterdir())


@pytest.mark.usefixtures("instant")
def test_a_study_with_nothing_free(capsys):
    path = written(design={**DESIGN, "tp": 1, "batch": 16})
    (line,) = refused(capsys, [path])
    assert line.startswith("study.toml: design: no number is free, so there is no optimum")


@pytest.mark.usefixtures("instant")
def test_a_study_that_is_not_there(capsys):
    (line,) = refused(capsys, ["deepseek-v3-128"])
    assert line == "there is no study 'deepseek-v3-128'; did you mean 'deepseek-v3-128k'?"


@pytest.mark.usefixtures("instant")
def test_numbers_that_make_no_sense_are_told_at_once(capsys):
    lines = refused(capsys, [written(), "--top", "0", "--change", "1.0"])
    assert lines == [
        "liminal sensitivity: --top: must be at least 1, got 0",
        "liminal sensitivity: --change: must lie between 0 and 1, such as 0.1, got 1",
    ]
    (line,) = refused(capsys, [written(), "--change", "nan"])
    assert line.endswith("got nan")


@pytest.mark.usefixtures("instant")
def test_without_matplotlib_the_extra_is_named(capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    (line,) = refused(capsys, [written()])
    assert line.startswith("liminal sensitivity: draws figures with matplotlib")
    assert "[plot]" in line
