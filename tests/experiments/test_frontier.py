"""Throughput over interactivity against measured runs: what is read, drawn and said."""

import csv
import doctest
import json

import jax
import pytest

from experiments import frontier_verdicts, interactivity, lattices, measured, served, served_curves
from experiments.frontier import EXPERIMENT
from experiments.runner import main
from liminal_jax.data.measurements import MAXIMUM, MEASURED

pytestmark = pytest.mark.slow

COLUMNS = {
    "model": "DeepSeek-R1",
    "gpu": "H200",
    "num_gpus": "8",
    "tp": "8",
    "ep": "1",
    "weight_bits": "8",
    "isl": "1024",
    "osl": "1024",
    "batch_or_concurrency": "16",
    "engine": "SGLang",
    "source_id": "mine",
    "decode_purity": "mixed",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


def written(path, *rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "metric", "value", "note"])
        writer.writeheader()
        writer.writerows({**COLUMNS, "note": "", **row} for row in rows)
    return str(path)


def points(path, *rows):
    return measured.load_points(written(path, *rows), ["deepseek-r1"], ["h200"])


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(served_curves).failed == 0


def test_a_run_of_two_rows_is_one_point(tmp_path):
    speed = {"metric": "tpot_ms", "value": "20"}
    total = {"metric": "output_tps_per_gpu", "value": "90"}
    (point,) = points(tmp_path / "rows.csv", speed, total).points
    assert (point.kind, point.speed, point.throughput) == ("served", 50, 90)
    assert (point.ranks, point.spread, point.users) == (8, 1, 16)


@pytest.mark.parametrize(
    ("note", "apart"), [("", False), ("attention data-parallel over all ranks", True)]
)
def test_spread_experts_alone_do_not_set_users_apart(tmp_path, note, apart):
    row = {"metric": "tpot_ms", "value": "20", "decode_purity": "pure", "ep": "8", "note": note}
    (point,) = points(tmp_path / "rows.csv", row).points
    assert (point.spread, point.apart) == (8, apart)


def test_decode_alone_follows_from_users_and_says_where_some_wait(tmp_path):
    row = {"metric": "tpot_ms", "value": "20", "decode_purity": "pure", "num_gpus": "16",
           "note": "concurrency is system-wide incl. requests queued"}  # fmt: skip
    (point,) = points(tmp_path / "rows.csv", row).points
    assert (point.kind, point.speed, point.throughput) == ("pool", 50, 50)
    assert point.at_most
    assert point.users == 8


def test_a_maximum_has_no_speed_and_what_says_too_little_is_counted(tmp_path):
    most = {"metric": "output_tps_total", "value": "800", "batch_or_concurrency": ""}
    alone = {"metric": "tpot_ms", "value": "20"}
    odd = {"metric": "output_tps_total", "value": "800", "tp": "3"}
    found = points(tmp_path / "rows.csv", most, alone, odd)
    assert [(it.kind, it.speed, it.throughput) for it in found.points] == [("maximum", None, 100)]
    assert sorted(found.unused.values()) == [1, 1]


def test_rows_that_come_along_say_their_licence():
    for path in (MEASURED, MAXIMUM):
        with path.open(encoding="utf-8", newline="") as file:
            assert {it["licence"] for it in csv.DictReader(file)} <= {
                "Apache-2.0",
                "BSD-3-Clause",
                "MIT",
            }


def test_the_curves_are_ordered_and_the_bound_is_above(results):
    for entry in results["entries"]:
        for name in ("bound", "calibrated", "tried"):
            speeds, throughputs = entry[name]["speed"], entry[name]["throughput"]
            assert speeds == sorted(speeds, reverse=True)
            assert throughputs == sorted(throughputs)
        for name in ("calibrated", "tried"):
            for speed, throughput in zip(
                entry[name]["speed"], entry[name]["throughput"], strict=True
            ):
                assert throughput < lattices.throughput_at(entry["bound"], speed)


def test_a_point_of_a_calibrated_curve_is_what_the_model_says(results):
    (entry,) = (it for it in results["entries"] if (it["title"], it["osl"]) == ("H200", 1))
    front = entry["calibrated"]
    ranks, spread, users = (front[it][0] for it in ("ranks", "spread", "users"))
    with jax.enable_x64(True):
        way = (ranks, spread, users)
        workload = served.Workload("deepseek-r1", 1, 1, 8)
        speed = served.engine_speed(
            "h200", workload, "served", way, "a typical one", apart=spread > 1
        )
    assert speed == pytest.approx(front["speed"][0], rel=1e-6)


def test_measured_points_are_scored(results):
    found = [it for entry in results["entries"] for it in entry["points"]]
    assert found
    assert all(0 < it["of_bound"] < 1 for it in found)
    assert results["scores"]["H200 served"]["points"] == 1
    assert len(results["files"]) == 2


def _entry(title, ratio, slope=1.0, **others):
    front = {"speed": [100.0, 10.0], "throughput": [slope, 10 * slope]}
    point = {"kind": "served", "speed": 20.0, "throughput": ratio, "ratio": ratio, "own": ratio,
             "speed_ratio": ratio, "over_low": 2.0, "over_high": 0.5, "of_bound": 0.5,
             "at_most": False, "fitted": False, **others}  # fmt: skip
    points = [{**point, "speed": speed} for speed in (20.0, 10.0)]
    return {"title": title, "model": "m", "isl": 1, "osl": 1, "kind": "served", "weight_bits": 8,
            "tried": front, "points": points}  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([_entry("A", 1.1), _entry("B", 0.9, slope=0.5)], ["holds"] * 5),
        (
            [_entry("A", 0.5, of_bound=2.0), _entry("B", 1.1, slope=0.5)],
            ["holds with these limits"] * 4 + ["does not hold"],
        ),
        ([{**_entry("A", 1.0), "points": []}], []),
    ],
)
def test_verdicts_follow_from_the_numbers(entries, expected):
    assert [it["verdict"] for it in frontier_verdicts.verdicts(entries)] == expected


def test_a_file_that_is_not_there_is_an_answer(tmp_path, capsys):
    arguments = ["--smoke", "-o", str(tmp_path / "run"), "--measured", str(tmp_path / "no.csv")]
    assert main(interactivity.EXPERIMENT, arguments) == 2
    assert "no.csv: cannot be read" in capsys.readouterr().err


def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "frontier.png").stat().st_size > 0
