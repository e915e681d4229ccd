"""Studies of a trace on the command line: answers, and exit codes of what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from liminal_jax.results.report import report
from tests.cli.terminal import exit_code
from tests.study.requests.cases import TABLES, written

NEAR = {"quantity": "utps", "percentile": 70, "at_least": 600}
FAR = {"quantity": "utps", "percentile": 70, "at_least": 1e6}
DESIGN = {**TABLES["design"], "system": "h200"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_study_of_a_trace_is_answered(tmp_path: Path, capsys: Any) -> None:
    study = written(tmp_path, {"constraints": [NEAR], "design": DESIGN})
    assert exit_code(["optimize", str(study), "--json", "-o", "run"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["feasible"]
    assert [it["name"] for it in record["members"]] == [
        "1: 200+100",
        "2: 480+120",
        "3: 1780+78",
        "4: 2940+250",
    ]
    assert record["totals"]["share of utps below 600 1/s"] <= 0.3
    assert record["certificate"]["relative_gap"] < 1e-6
    assert record["basis"][0].startswith("10 requests in 4 classes")
    used = {it["name"]: it["used"] for it in record["limits"]}
    share = record["totals"]["share of utps below 600 1/s"]
    assert used["share of utps below 600 1/s"] == pytest.approx(share / 0.3)
    drawn = report("run")
    assert drawn.count('data-figure="package"') == 1
    assert drawn.count('data-figure="limits"') == 1


@pytest.mark.slow
def test_a_speed_that_nothing_reaches_is_an_answer(tmp_path: Path, capsys: Any) -> None:
    study = written(tmp_path, {"constraints": [FAR], "design": DESIGN})
    assert exit_code(["optimize", str(study), "-o", "run"]) == 1
    assert "no design meets every limit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("trace", "changes", "message"),
    [
        ("a,b\n1,2\n3,4\n", {}, "no column of tokens of the prompt: it has a, b"),
        ("isl,osl\n5,5\n-1,5\n", {}, "isl: a prompt must have one token at least"),
        ("isl,osl\n5,5\n", {}, "a trace needs two requests at least"),
        (
            "isl,osl\n5,5\n6,6\n",
            {"constraints": [{**NEAR, "percentile": 101}]},
            "constraints.0.percentile: must be above 0 and at most 100",
        ),
        ("isl,osl\n5,5\n6,6\n", {"design": {**DESIGN, "chips": 8}}, "design.chips: how many"),
    ],
)
def test_what_is_wrong_ends_with_2(
    tmp_path: Path, capsys: Any, trace: str, changes: dict[str, Any], message: str
) -> None:
    assert exit_code(["optimize", str(written(tmp_path, changes, trace))]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
