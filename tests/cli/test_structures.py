"""Studies that choose between systems of different structure, on the command line and in Python."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

import liminal_jax as ll
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.optimization.test_optimum import answered

pytestmark = pytest.mark.slow

STUDY = """
name = "mixed"

[workload]
model = "llama-3-8b"
context = 8192

[objective]
minimise = "usd_per_million_tokens"

[[constraints]]
quantity = "utps"
at_least = 20

[design]
system = { choices = ["h200", "mi355x", "h100", "tpu-v5p"] }
tp = { choices = [1, 2, 4] }
batch = { choices = [1, 8, 32, 128] }
"""
LACKING = "tpu-v5p"
KNOWN = {"h200", "mi355x", "h100"}


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch, tmp_path_factory):
    """The study, read in Python, beside its file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    Path("mixed.toml").write_text(STUDY)
    found = ll.load_study("mixed.toml")
    assert [set(it.categories) for it in found.space.regions] == [
        {"h200", "h100"},
        {"mi355x"},
        {LACKING},
    ]
    return found


def printed(capsys, command, *options):
    """What the command prints as JSON about the study."""
    assert exit_code([command, "mixed.toml", "-o", "run", *options, "--json"]) == 0
    return answered(json.loads(capsys.readouterr().out, parse_constant=no_token))


def fast(it):
    """The limit of the study."""
    return 20 - it.utps


def every_design(space, outputs, limits):
    """Outputs of all designs that meet the limits, an array for each alternative, and its name."""
    with jax.enable_x64(True):
        swept = ll.sweep(space, [*outputs, *limits])
    values, names = [], []
    for region, found, built in zip(swept.regions, swept.values, swept.feasible, strict=True):
        holds = built & np.all(found[..., len(outputs) :] <= 0, axis=-1)
        holds &= ~np.isnan(found).any(axis=-1)
        values += [it[met][:, : len(outputs)] for it, met in zip(found, holds, strict=True)]
        names += region.categories
    return values, names


def test_a_front_is_that_of_python_and_of_all_designs(study, capsys):
    asked = ("--maximise", "utps", "--minimise", "usd_per_million_tokens")
    record = printed(capsys, "pareto", *asked)
    objectives = {"maximise": ["utps"], "minimise": ["usd_per_million_tokens"]}
    front = ll.pareto(study.space, **objectives, limits=study.limits)
    assert answered(front.to_dict()) == record
    assert {*record["kinds"]} == KNOWN
    assert any(f"{LACKING} cannot be evaluated" in it for it in record["reasons"])
    assert record["certificate"]["complete"]
    assert record["certificate"]["lattice"] == study.space.size

    values, _ = every_design(study.space, ["utps", "usd_per_million_tokens"], [fast])
    gains = np.concatenate(values) * [1, -1]
    best = [it for it in gains if not np.any(np.all(gains >= it, 1) & np.any(gains > it, 1))]
    rows = [tuple(it["objectives"].values()) for it in record["points"]]
    expected = np.unique(np.round(best, 9), axis=0) * [1, -1]
    np.testing.assert_allclose(rows, expected, rtol=1e-8)

    assert len({it["design"]["system"] for it in record["points"]}) > 1
    for it in record["points"]:
        assert exit_code(["predict", "-c", f"run/{it['file']}", "--json"]) == 0
        prediction = json.loads(capsys.readouterr().out)
        assert prediction["utps"] == pytest.approx(it["objectives"]["utps"], rel=1e-9)
    assert Path("run/figures/front.png").exists()


def test_sensitivities_are_those_of_python_within_the_structure_of_the_best(study, capsys):
    record = printed(capsys, "sensitivity", "--top", "99")
    best = ll.optimize(study.space, study.objective, limits=study.limits)
    assert answered(ll.sensitivity(best).to_dict()) == record
    assert record["best"]["design"]["system"] == best.name
    (own,) = (it.categories for it in study.space.regions if best.name in it.categories)
    assert record["reasons"][0].startswith(f"{best.name} has the best design of h200, ")
    assert record["reasons"][0].endswith(f"that of {', '.join(own)}")
    assert any(f"{LACKING} cannot be evaluated" in it for it in record["reasons"])
    assert record["best"]["certificate"]["lattice"] == study.space.size

    alone = ll.sensitivity(
        ll.optimize(study.space.only(*own), study.objective, limits=study.limits)
    ).to_dict()
    for name in ("elasticities", "shadow_prices", "tornado", "moves", "relaxed"):
        assert record[name] == answered(alone[name])
    assert record["elasticities"]
    assert Path("run/figures/tornado.png").exists()


def test_a_study_that_no_structure_can_meet_has_the_reasons_of_each(capsys):
    hard = STUDY.replace("at_least = 20", "at_least = 1e9")
    Path("mixed.toml").write_text(hard)
    assert exit_code(["sensitivity", "mixed.toml", "-o", "run", "--json"]) == 1
    record = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert record["feasible"] is False
    for names in ("h200, h100", "mi355x"):
        assert any(it.startswith(f"{names}: ") for it in record["reasons"])
