"""`liminal optimize` for several workloads: answers, run folders, and what bad input gets."""

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

from liminal_jax.cli import optimize as module
from liminal_jax.study.questions import load_question
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.cli.test_studies import assert_all_told, planted, told

pytestmark = pytest.mark.slow

KEYS = [
    "kind",
    "schema",
    "name",
    "about",
    "constraints",
    "feasible",
    "objective",
    "design",
    "chip",
    "share_of_own",
    "workloads",
    "cross",
    "certificate",
    "binding",
    "reasons",
    "seconds",
    "stages",
]
ROWS = {
    "name",
    "weight",
    "value",
    "own_value",
    "own_relative_gap",
    "share_of_own",
    "design",
    "prediction",
    "totals",
    "own_design",
}
TWO = """
name = "two"
[[workloads]]
model = "llama-3-8b"
context = 8192
[[workloads]]
model = "qwen3-30b-a3b"
name = "chat"
context = 16384
weight = 2
constraints = [{ quantity = "utps", at_least = 100 }]
[objective]
maximise = "stps"
[[constraints]]
quantity = "power"
at_most = "9 kW"
[design]
system = { choices = ["h100", "h200"] }
chips = { choices = [4, 8] }
tp = { choices = [1, 2, 4] }
batch = { choices = [1, 16, 64, 256] }
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def test_a_run_leaves_a_design_for_each_workload(capsys):
    Path("two.toml").write_text(TWO)
    assert exit_code(["optimize", "two.toml"]) == 0
    out, err = capsys.readouterr()
    assert max(map(len, (out + err).splitlines())) <= 100
    assert "\x1b" not in out + err
    assert "best chip for chat alone" in err
    assert "written to runs/two-1" in out
    assert "next: liminal predict -c runs/two-1/design-llama-3-8b.toml" in out
    files = sorted(it.name for it in Path("runs/two-1").iterdir())
    assert files == ["design-chat.toml", "design-llama-3-8b.toml", "provenance.json", "result.json"]

    assert exit_code(["optimize", "two.toml", "--json", "--seed", "3"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert answer == json.loads(Path("runs/two-2/result.json").read_text())
    assert list(answer) == KEYS
    assert json.loads(Path("runs/two-2/provenance.json").read_text())["seed"] == 3
    assert [it["name"] for it in answer["workloads"]] == ["llama-3-8b", "chat"]
    assert [it["weight"] for it in answer["workloads"]] == [1, 2]
    assert set(answer["design"]) == {"system", "chips", "clock"}
    for row in answer["workloads"]:
        assert set(row) == ROWS
        assert row["value"] == pytest.approx(row["totals"]["stps"], rel=1e-9)
        assert row["value"] <= row["own_value"]
        assert {**row["design"], **answer["design"]} == row["design"]
        name = f"runs/two-2/design-{row['name']}.toml"
        text = Path(name).read_text()
        assert f"liminal predict -c design-{row['name']}.toml" in text
        assert tomllib.loads(text)["design"] == row["design"]
        assert exit_code(["predict", "-c", name, "--json"]) == 0
        prediction = json.loads(capsys.readouterr().out, parse_constant=no_token)
        assert prediction["utps"] == pytest.approx(row["prediction"]["utps"], rel=1e-9)
        assert prediction["capital_cost"] == pytest.approx(row["prediction"]["capital_cost"])
    assert answer["workloads"][1]["prediction"]["utps"] >= 100


def test_what_cannot_be_shared_is_an_answer_with_its_own_code(capsys):
    Path("two.toml").write_text(planted(TWO, ("at_least = 100", "at_least = 1e6")))
    assert exit_code(["optimize", "two.toml", "-o", "out", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert list(answer) == KEYS
    assert answer["feasible"] is False
    assert answer["objective"] == {"maximise": "stps", "value": None}
    assert answer["design"] is None
    assert answer["certificate"]["complete"] is True
    assert answer["certificate"]["bound"] is None
    first, second = answer["workloads"]
    assert set(first) == set(second) == ROWS
    assert first["own_value"] > 0
    assert second["own_value"] is None
    assert answer["cross"] == {"llama-3-8b": {"llama-3-8b": 1, "chat": None}}
    assert answer["reasons"][0].startswith("chat cannot be served: none of the ")
    assert answer["reasons"][1].startswith("chat cannot be served: UTPS at least 1e+06 1/s")
    assert sorted(it.name for it in Path("out").iterdir()) == ["provenance.json", "result.json"]
    assert exit_code(["optimize", "two.toml", "-o", "again"]) == 1
    out = capsys.readouterr().out
    assert "no chip serves every workload" in out
    assert "chat cannot be served" in out


PORTFOLIO_MISTAKES = [
    (
        [
            ('"llama-3-8b"', '"lama-3-8b"'),
            ("weight = 2", "weight = 0\ncontxt = 3"),
            ('quantity = "utps"', 'quantity = "utp"'),
            ("at_least = 100", "at_least = 100, at_most = 3"),
            ('"9 kW"', '"9 kB"'),
        ],
        [
            ("workloads.0.model: lama-3-8b", "did you mean 'llama-3-8b'?"),
            ("workloads.1.weight: must be greater than 0, got 0",),
            ("workloads.1.contxt: unknown field; did you mean 'context'?",),
            ("workloads.1.constraints.0.quantity: ", "'utp'"),
            ("workloads.1.constraints.0: give either at_least or at_most, not both",),
            ("constraints.0.at_most: ", "'9 kB'"),
        ],
    ),
    (
        [
            ('name = "chat"', 'name = "llama-3-8b"'),
            ("[objective]", '[workload]\nmodel = "llama-3-8b"\ncontext = 3\n[objective]'),
        ],
        [
            ("workloads.1.name: 'llama-3-8b' is the name of workloads.0 already",),
            ("workload: give either [workload] or [[workloads]], not both",),
        ],
    ),
    (
        [('name = "chat"', 'name = "My chat"'), ("weight = 2", "weight = inf")],
        [
            ("workloads.1.name: ", "did you mean 'my-chat'?"),
            ("workloads.1.weight: must be a finite number",),
        ],
    ),
]


@pytest.mark.parametrize(("mistakes", "expected"), PORTFOLIO_MISTAKES)
def test_every_mistake_of_a_portfolio_is_told_at_once(capsys, mistakes, expected):
    Path("two.toml").write_text(planted(TWO, *mistakes))
    lines = told(capsys, ["optimize", "two.toml"], ["two.toml"])
    assert_all_told(lines, "two.toml", expected)


def test_a_portfolio_without_workloads(capsys):
    tables = {**tomllib.loads(TWO), "workloads": []}
    Path("two.toml").write_text(tomli_w.dumps(tables))
    (line,) = told(capsys, ["optimize", "two.toml"], ["two.toml"])
    assert line == "two.toml: workloads: must have at least 1 item, got 0"


EIGHT = "eight-models-one-chip"
COARSER = {
    "stacks": {"choices": [4, 8, 10, 12]},
    "dies": {"choices": [2, 4]},
    "compute_area": {"min": "200 mm2", "max": "500 mm2", "step": "100 mm2"},
    "sram": "0 MB",
    "link_bandwidth": {"choices": ["300 GB/s", "1500 GB/s"]},
    "chips": {"min": 16, "max": 64, "step": 8},
}


def test_the_eight_models_that_come_with_the_package(capsys):
    """On fewer chips than the study has, with all of its mappings and limits."""
    path = Path(module.__file__).parent.parent / "data" / "studies" / f"{EIGHT}.toml"
    tables = tomllib.loads(path.read_text())
    tables["design"].update(COARSER)
    Path("eight.toml").write_text(tomli_w.dumps(tables))
    assert exit_code(["optimize", "eight.toml", "--json", "-o", "out"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert answer["certificate"]["complete"] is True
    assert answer["certificate"]["relative_gap"] == 0
    assert len(answer["workloads"]) == 8
    assert 0 < answer["share_of_own"] < 1
    floors = {it.name: it.constraints[0].limit for it in load_question(EIGHT).workloads}
    for row in answer["workloads"]:
        assert 0 < row["share_of_own"] <= 1
        assert row["totals"]["utps"] >= floors[row["name"]] * (1 - 1e-9)
        assert row["totals"]["power"] <= 120e3 * (1 + 1e-9)
        assert row["totals"]["capital_cost"] <= 4e6 * (1 + 1e-9)
        assert row["totals"]["chip_power"] <= 1400 * (1 + 1e-9)
        for share in answer["cross"][row["name"]].values():
            assert share is None or share <= 1


THIRTY = "thirty-models-one-chip"


@pytest.mark.slow
def test_the_thirty_models_that_come_with_the_package(capsys):
    """On few chips, with all mappings and limits of the study."""
    path = Path(module.__file__).parent.parent / "data" / "studies" / f"{THIRTY}.toml"
    tables = tomllib.loads(path.read_text())
    fewer = {"memory": "3d-dram", "stacks": 2, "dies": 2, "chips": {"choices": [80, 88, 96]}}
    tables["design"].update(COARSER | fewer | {"link_bandwidth": "900 GB/s"})
    Path("thirty.toml").write_text(tomli_w.dumps(tables))
    assert exit_code(["optimize", "thirty.toml", "--json", "-o", "out"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert answer["certificate"]["complete"] is True
    assert answer["certificate"]["relative_gap"] == 0
    floors = {it.name: it.constraints[0].limit for it in load_question(THIRTY).workloads}
    assert len(answer["workloads"]) == len(floors) == 30
    for row in answer["workloads"]:
        assert row["totals"]["utps"] >= floors[row["name"]] * (1 - 1e-9)
        assert row["totals"]["power"] <= 120e3 * (1 + 1e-9)
