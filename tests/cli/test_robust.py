"""`liminal optimize --robust`: run folders, what it prints, and what bad input gets."""

import json
from functools import partial
from pathlib import Path

import pytest

from liminal_jax.optimization.robust.search import robust_design
from liminal_jax.results.report import report
from tests.cli.terminal import exit_code
from tests.cli.test_uncertainty import limited
from tests.optimization.robust.test_search import SCHEDULE

FILES = ["designs/nominal.toml", "designs/robust.toml", "provenance.json", "result.json"]
TRIED = {
    "design",
    "thought",
    "meets_thought",
    "measure",
    "mean",
    "low",
    "high",
    "worst",
    "meets",
    "measure_fresh",
    "meets_fresh",
    "breaches",
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def test_a_run_leaves_designs_a_record_and_a_page(capsys, monkeypatch):
    quick = partial(robust_design, schedule=SCHEDULE)
    monkeypatch.setattr("liminal_jax.cli.robust.robust_design", quick)
    arguments = ["--robust", "quantile:0.25", "--samples", "8", "--reliability", "0.5"]
    assert exit_code(["optimize", limited(), *arguments, "-o", "run", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert sorted(str(it.relative_to("run")) for it in Path("run").rglob("*.*")) == FILES
    assert (record["kind"], record["measure"], record["samples"]) == ("robust", "quantile:0.25", 8)
    assert set(record["robust"]) == set(record["nominal"]) == TRIED
    assert record["objective"]["value"] == record["robust"]["measure"]
    assert record["certificate"]["method"] == "none"
    assert record["feasible"]
    assert record["robust"]["meets"] >= 0.5
    assert exit_code(["predict", "-c", "run/designs/robust.toml", "--json"]) == 0
    page = report("run")
    assert "the price of robustness" in page
    assert "none: a local optimum" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--robust", "median"], "--robust: must be mean, worst or quantile:SHARE"),
        (["--robust", "quantile:1.5"], "--robust: must be mean, worst or quantile:SHARE"),
        (["--robust", "mean", "--samples", "100"], "--samples: must be a power of two"),
        (["--robust", "mean", "--reliability", "0"], "--reliability: must be a share above 0"),
    ],
)
def test_options_that_make_no_sense(options, message, capsys):
    assert exit_code(["optimize", limited(), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("study", ["eight-models-one-chip", "which-layers-at-four-bits"])
def test_several_workloads_and_layers_have_no_robust_design(study, capsys):
    assert exit_code(["optimize", study, "--robust", "mean"]) == 2
    assert "--robust is for studies of one workload" in " ".join(capsys.readouterr().err.split())
