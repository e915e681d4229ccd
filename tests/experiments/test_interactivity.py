"""Throughput of a chip over interactivity: frontiers, and what they rest on."""

import doctest
import json

import jax
import pytest

import liminal_jax as ll
from experiments import (
    dram_or_sram,
    interactivity,
    lattices,
)
from experiments.interactivity import EXPERIMENT
from experiments.runner import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("module", [dram_or_sram, lattices])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_frontiers_rise_as_speed_falls_and_the_bound_is_above(results):
    for curves in results["fronts"].values():
        for front in (curves["bound"], curves["calibrated"]):
            assert front["speed"] == sorted(front["speed"], reverse=True)
            assert front["throughput"] == sorted(front["throughput"])
        assert curves["bound"]["speed"][0] > curves["calibrated"]["speed"][0]
        assert curves["bound"]["throughput"][-1] > curves["calibrated"]["throughput"][-1]


def test_a_point_of_a_frontier_is_what_the_model_says(results):
    front = results["fronts"]["H200"]["calibrated"]
    ranks, spread, users = (front[it][-1] for it in ("ranks", "spread", "users"))
    attention = ll.DataParallel() if spread > 1 else ll.CopiedHeads()
    mapping = ll.Mapping(tp=ranks, ep=spread, attention=attention)
    design = ll.Design(ll.load_system("h200"), mapping, ll.Placement(), users)
    lengths = ll.Lengths(isl=0.9 * 1024, osl=0.9 * 1024)
    request = ll.Request(lengths.mean_context(), weight_bits=4, kv_bits=8)
    with jax.enable_x64(True):
        laws = ll.Assumptions(
            calibration=ll.load_calibration("measured").fitted(None, "hopper"),
        )
        model = ll.load_model("gpt-oss-120b")
        found = ll.serve(design, model, request, lengths, laws).continuous
    assert float(1 / found.tpot) == pytest.approx(front["speed"][-1], rel=1e-5)
    assert float(found.tokens_per_second_per_chip) == pytest.approx(
        front["throughput"][-1], rel=1e-5
    )


def test_ranks_stay_within_the_domain(results):
    assert max(results["fronts"]["B200"]["calibrated"]["ranks"]) <= 8


def _front(top, bottom):
    curve = {"speed": [500.0, 25.0], "throughput": [bottom, top]}
    return {"bound": curve, "calibrated": curve, "points": []}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (_front(30.0, 2.0), ["holds", "holds"]),
        (_front(5.0, 0.6), ["holds with these limits", "does not hold"]),
    ],
)
def test_verdicts_follow_from_the_numbers(new, expected):
    found = interactivity.verdicts({"H200": _front(20.0, 1.0), "B200": new})
    assert [it["verdict"] for it in found] == expected


def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "interactivity.png").stat().st_size > 0
