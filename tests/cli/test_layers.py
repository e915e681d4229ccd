"""Studies in which each layer chooses: answers, and every mistake with its place."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import exit_code
from tests.cli.test_studies import planted, told

STUDY = """
name = "mine"
[workload]
model = "tinyllama-1.1b"
context = 8192
[objective]
maximise = "utps"
[[constraints]]
quantity = "quality_loss"
at_most = 2
[design]
system = "h200"
batch = { choices = [1, 4] }
[per_layer]
weight_bits = { choices = ["int4-g128", "fp8"] }
window = { choices = [1024, "full"] }
[per_layer.quality]
unit = "points"
source = "made up"
table = "losses.csv"
"""
TABLE = """layer,bits,kv_bits,window,loss
0,fp8,,,0.1
0,int4-g128,,,1
1-21,fp8,,,0.01
1-21,int4-g128,,,0.1
all,,,1024,0.5
all,,,full,0
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(study=STUDY, table=TABLE):
    Path("mine.toml").write_text(study)
    Path("losses.csv").write_text(table)
    return ["optimize", "mine.toml"]


MISTAKES = {
    "a format": (
        [('"int4-g128", "fp8"', '"int4-g129", "fp8"')],
        [],
        ["per_layer.weight_bits: there is no number format 'int4-g129'; did you mean 'int4-g128'?"],
    ),
    "a width": (
        [('"int4-g128", "fp8"', '"int4-g128", "fp8", "int3-g128"')],
        [],
        ["per_layer.quality.table.loss: is missing for any layer at bits 3.14844"],
    ),
    "a layer": (
        [],
        [("1-21,fp8", "1-20,fp8")],
        ["per_layer.quality.table.loss: is missing for layer 21 at bits 8"],
    ),
    "a layer too many": (
        [],
        [("1-21,fp8", "1-22,fp8")],
        [
            "per_layer.quality.table.layer: row 3 names layer 1-22, and the model has layers 0 to"
            " 21",
            "per_layer.quality.table.loss: is missing for layers 1-21 at bits 8",
        ],
    ),
    "a number": (
        [],
        [("0,fp8,,,0.1", "0,fp8,,,nan")],
        [
            'per_layer.quality.table: losses.csv: line 2: loss: must be a finite number, got "nan"',
        ],
    ),
    "no table": (
        [('table = "losses.csv"\n', "")],
        [],
        ["per_layer.quality: give either rows or table, one is required"],
    ),
    "no losses at all": (
        [
            (
                '[per_layer.quality]\nunit = "points"\nsource = "made up"\ntable = "losses.csv"\n',
                "",
            )
        ],
        [],
        [
            "constraints.0.quantity: quality_loss: is limited, and nothing says what layers lose:"
            " give a table of losses or a function; none is assumed"
        ],
    ),
    "power at work": (
        [('quantity = "quality_loss"\nat_most = 2', 'quantity = "power"\nat_most = 2')],
        [],
        [
            "constraints.0.quantity: power at work falls as layers take longer, so that no bound"
            " would hold; limit power_provisioned or chip_tdp, power at full use"
        ],
    ),
    "levers": (
        [("[per_layer]\n", '[algorithm]\n"prefetch.buffer" = "32 MB"\n[per_layer]\n')],
        [],
        ["algorithm: levers of software are not counted layer by layer; leave them out"],
    ),
    "a typing error": (
        [("window = {", "windows = {")],
        [],
        ["per_layer.windows: unknown field; did you mean 'window'?"],
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_are_told_with_their_places(capsys, kind):
    of_study, of_table, expected = MISTAKES[kind]
    arguments = written(planted(STUDY, *of_study), planted(TABLE, *of_table))
    lines = told(capsys, arguments, ["losses.csv", "mine.toml"])
    assert lines == [f"mine.toml: {it}" for it in expected]


def test_a_table_that_is_not_there_is_named_where_it_would_lie(capsys):
    arguments = written()
    Path("losses.csv").unlink()
    (line,) = told(capsys, arguments, ["mine.toml"])
    place = Path("losses.csv").resolve()
    assert line.startswith(f"mine.toml: per_layer.quality.table: {place}: cannot be read")


@pytest.mark.slow
def test_each_layer_chooses_and_the_losses_stay_within_the_limit(capsys):
    assert exit_code([*written(), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    lost = {8.0: 0.01, 4.15625: 0.1}
    layers = record["members"]
    assert len(layers) == 22
    assert layers[0]["weight_bits"] == 8  # the layer that loses ten times as much
    assert sum(it["weight_bits"] < 8 for it in layers) == 18
    total = 0.1 + sum(lost[it["weight_bits"]] for it in layers[1:])
    assert record["totals"]["quality_loss"] == pytest.approx(total)
    assert total <= 2
    assert {it["window"] for it in layers} == {8192}
    assert record["certificate"]["relative_gap"] < 0.01


@pytest.mark.slow
def test_a_budget_that_no_layer_can_meet_is_an_answer(capsys):
    arguments = written(planted(STUDY, ("at_most = 2", "at_most = 0.2")))
    assert exit_code([*arguments, "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["feasible"] is False
    # The least that layers can lose: 0.1 of the first and 21 times 0.01.
    told = "quality_loss: at most 0.2 is asked, and nothing comes nearer than 0.31"
    assert any(it.startswith(told) for it in record["reasons"])
