"""DRAM against SRAM at equal speed: proofs, ranges at their ends, and the paper's chips."""

import json

import jax
import jax.numpy as jnp
import pytest

import liminal_jax as ll
from experiments import dram_or_sram
from experiments.dram_or_sram import EXPERIMENT, sram_over_dram
from experiments.runner import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_the_best_designs_are_what_the_model_says_of_them(results):
    cell = results["planned"]["dollar"]["speeds"]["300"]
    assert cell["proven"]
    problem = dram_or_sram.study_at("stps_per_usd", 640, 300.0)
    for row, name in enumerate(problem.categories):
        found = cell["memories"][name]
        point = dram_or_sram._point(problem, found["design"])
        with jax.enable_x64(True):
            case = problem.region.at(point, jnp.asarray(row))
            fleet, outcome = case.fleet(ll.Exact()), problem.outcome_of(case, ll.Exact())
        assert bool(outcome.feasible())
        assert float(fleet.instance.utps) >= 300
        assert float(fleet.stps / fleet.capital) == pytest.approx(found["best"], rel=1e-6)


@pytest.mark.slow
def test_ranges_at_their_ends_move_the_answer_their_way(results):
    cells = results["planned"]["dollar"]
    nominal = sram_over_dram(cells["speeds"]["300"])
    ends = {whom: sram_over_dram(it) for whom, it in cells["favouring"].items()}
    assert ends["DRAM"] < nominal < ends["SRAM"]


@pytest.mark.slow
def test_cheaper_memory_does_not_favour_sram(results):
    cells = results["planned"]["dollar"]["favouring"]
    for price in ("memory.hbm4.silicon_price", "memory.3d-dram.silicon_price"):
        assert cells["SRAM"]["numbers"][price] > cells["DRAM"]["numbers"][price]


@pytest.mark.parametrize(
    ("best", "ratio"),
    [
        ({"hbm4": {"best": 2.0}, "3d-dram": {"best": 4.0}, "sram": {"best": 1.0}}, 0.25),
        ({"hbm4": {"best": 2.0}, "3d-dram": {}, "sram": {}}, 0.0),
        ({"hbm4": {}, "3d-dram": {}, "sram": {"best": 1.0}}, None),
    ],
)
def test_sram_over_the_better_dram(best, ratio):
    assert sram_over_dram({"memories": best}) == ratio


def _cells(sram):
    cell = {"memories": {"hbm4": {"best": 1.0}, "sram": {"best": sram}}}
    return {"watt": {"speeds": {"300": cell}, "favouring": {"SRAM": cell, "DRAM": cell}}}


@pytest.mark.parametrize(("sram", "expected"), [(0.5, "holds"), (2.0, "does not hold")])
def test_verdicts_follow_from_the_numbers(sram, expected):
    fronts = {
        "one": {
            "HBM3": {"utps": [400.0], "per_watt": [1.0]},
            "wafer": {"utps": [900.0], "per_watt": [sram]},
        }
    }
    found = dram_or_sram.verdicts(_cells(sram), fronts)
    assert [it["verdict"] for it in found] == [expected, expected]


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "dram_or_sram.png").stat().st_size > 0
