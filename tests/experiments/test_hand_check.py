"""Predictions worked out by hand come to the same, and would not if a number were another one."""

import ast
import doctest
import importlib
import json
import sys
from pathlib import Path

import pytest

from experiments import hand, hand_check
from experiments.hand import datasheets
from experiments.hand.configs import CONFIGS
from experiments.hand.designs import DESIGNS
from experiments.hand_check import EXPERIMENT, TOLERANCE, compared
from experiments.record import load_record
from experiments.runner import drawn, main, recorded

HAND = sorted(Path(hand.__file__).parent.glob("*.py"))
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "models"
FILES = {
    "llama-3-70b": "meta-llama__Meta-Llama-3-70B",
    "llama-3-405b": "meta-llama__Meta-Llama-3.1-405B",
    "qwen3-8b": "Qwen__Qwen3-8B",
    "qwen3-235b-a22b": "Qwen__Qwen3-235B-A22B",
    "qwen3.5-397b-a17b": "Qwen__Qwen3.5-397B-A17B",
    "gemma-3-27b": "google__gemma-3-27b-it",
    "mixtral-8x7b": "mistralai__Mixtral-8x7B-v0.1",
    "glm-4.5": "zai-org__GLM-4.5-FP8",
    "llama-4-maverick": "meta-llama__Llama-4-Maverick-17B-128E-Instruct-FP8",
    "gpt-oss-120b": "openai__gpt-oss-120b",
    "deepseek-v3": "deepseek-ai__DeepSeek-V3",
    "kimi-k2": "moonshotai__Kimi-K2-Instruct",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("full")


@pytest.fixture(scope="module")
def results(folder):
    return recorded(EXPERIMENT, EXPERIMENT.full, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_every_quantity_of_every_design_agrees(results, name):
    case = results["cases"][name]
    assert case["agrees"], (case["worst"], case["quantities"][case["worst"]])
    assert case["quantities"]["step_time"]["hand"] > 0


@pytest.mark.slow
def test_the_verdict_counts_them(results):
    summary = EXPERIMENT.summary(results)
    assert summary["designs"] == summary["agreed"] == len(DESIGNS) >= 30
    assert list(summary.values())[2:] == ["holds"]


@pytest.mark.slow
def test_power_and_price_are_known_of_most(results):
    unknown = {
        name
        for name, case in results["cases"].items()
        if case["quantities"]["usd_per_million_tokens"]["hand"] is None
    }
    talk = {name for name in DESIGNS if "xpu" in str(DESIGNS[name]["design"].get("system"))}
    assert unknown == {"windows-torus", "sram-chip", *talk}


def test_designs_are_of_all_classes():
    designs = [it["design"] for it in DESIGNS.values()]
    workloads = [it["workload"] for it in DESIGNS.values()]
    assert {it.get("attention", "split-sequence") for it in designs} == {
        "split-sequence",
        "copied-heads",
        "padded-heads",
        "data-parallel",
    }
    assert {it.get("accounting", "model") for it in workloads} == {"model", "talk", "paper"}
    assert {it["model"] for it in workloads} == set(CONFIGS)
    for degree in ("tp", "cp", "pp", "ep", "attention_ranks", "shared_expert_ranks", "clock"):
        assert any(it.get(degree, 1) != 1 for it in designs), degree
    assert {it["memory"] for it in designs if "memory" in it} >= {"sram", "hbm4", "3d-dram"}


@pytest.mark.parametrize("path", HAND, ids=lambda it: it.stem)
def test_the_calculation_reads_no_code_but_its_own(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [it.name for it in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            own = module.startswith("experiments.hand.")
            assert own or module.split(".")[0] in sys.stdlib_module_names, module
            assert module != "importlib"


@pytest.mark.parametrize(
    ("unit", "quantity", "untouched"),
    [
        ("us", "exposed_time", "memory_time"),
        ("TB/s", "memory_time", "exposed_time"),
        ("TFLOP/s", "compute_time", "memory_required"),
        ("GiB", "memory_capacity", "step_time"),
        ("W", "power", "capital_cost"),
        ("USD", "capital_cost", "power"),
    ],
)
def test_a_changed_number_is_found(monkeypatch, unit, quantity, untouched):
    monkeypatch.setitem(datasheets.UNITS, unit, datasheets.UNITS[unit] * 1.001)
    case = compared("dense-tp")
    assert not case["agrees"]
    assert case["quantities"][quantity]["deviation"] > TOLERANCE
    assert case["quantities"][untouched]["deviation"] <= TOLERANCE


def test_a_changed_dimension_is_found(monkeypatch):
    config = CONFIGS["llama-3-70b"]
    monkeypatch.setitem(CONFIGS, "llama-3-70b", {**config, "intermediate_size": 28688})
    case = compared("dense-tp")
    assert not case["agrees"]
    assert case["quantities"]["memory_required"]["deviation"] > TOLERANCE


@pytest.mark.slow
def test_every_term_of_one_design_is_printed(tmp_path, capsys):
    asked = ["--design", "planned-3d-dram", "-o", str(tmp_path)]
    assert main(EXPERIMENT, asked) == 0
    told = capsys.readouterr().out
    assert json.loads(told.splitlines()[-1])["designs"] == 1
    for term in load_record(tmp_path / "results.json")["cases"]["planned-3d-dram"]["terms"]:
        assert term["name"] in told, term
    for section in ("chip", "model", "memory", "waits", "power", "capital", "dollars", "answer"):
        assert f"\n{section}\n" in f"\n{told}", section


def test_a_design_that_there_is_not(tmp_path, capsys):
    assert main(EXPERIMENT, ["--design", "dense-pt", "-o", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "experiments: --design: there is no design 'dense-pt'; did you mean 'dense-tp'?" in error


@pytest.mark.slow
@pytest.mark.usefixtures("results")
def test_the_figure_is_drawn_from_what_was_saved(folder):
    assert all(file.stat().st_size > 0 for file in drawn(EXPERIMENT, folder))


@pytest.mark.parametrize("name", FILES)
def test_configs_are_those_of_the_models(name):
    path = REFERENCE / f"{FILES[name]}.json"
    if not path.exists():
        pytest.skip("the configs are not at hand")
    outer = json.loads(path.read_text(encoding="utf-8"))
    outer = outer.get("config", outer)
    file = {**outer, **outer.get("text_config", {})}
    stated = {key: value for key, value in CONFIGS[name].items() if key in file}
    assert len(stated) >= 7
    assert stated == {key: file[key] for key in stated}


@pytest.mark.parametrize("path", HAND, ids=lambda it: it.stem)
def test_the_examples_of_the_calculation_hold(path):
    module = importlib.import_module(f"experiments.hand.{path.stem}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("module", [hand_check])
def test_the_examples_of_the_comparison_hold(module):
    assert doctest.testmod(module).failed == 0
