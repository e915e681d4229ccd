"""What a slower answer buys, on designs small enough to see through."""

import json

import jax
import pytest
import xarray as xr

from experiments import responsiveness
from experiments.responsiveness import EXPERIMENT, MECHANISMS, bought
from experiments.runner import main
from tests.study.cases import case_with, seen


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


def _designs():
    """The fastest; one with twice the users; half the chips; another chip; all of it, and slow."""
    columns = {
        "chip": [0, 0, 0, 1, 1, 1],
        "ranks": [8, 8, 4, 8, 4, 4],
        "stages": [1] * 6,
        "users": [1, 2, 1, 1, 2, 64],
        "utps": [100.0, 96.0, 95.0, 91.0, 90.0, 80.0],
        "stps": [100.0, 192.0, 95.0, 91.0, 180.0, 5000.0],
        "power": [8.0, 8.0, 4.0, 2.0, 1.0, 1.0],
    }
    return xr.Dataset({name: ("design", it) for name, it in columns.items()})


def test_each_mechanism_by_hand():
    designs = _designs()
    found = bought(designs, (designs["stps"] / designs["power"]).values, ["one", "other"])
    assert found["fastest"]["utps"] == 100
    gains = {
        share: {mechanism: cell["gain"] for mechanism, cell in by.items()}
        for share, by in found["gains"].items()
    }
    assert gains["0.05"] == pytest.approx({"users": 1.92, "chips": 1.9, "chip": 1.0, "all": 1.92})
    assert gains["0.1"] == pytest.approx({"users": 1.92, "chips": 1.9, "chip": 3.64, "all": 14.4})


@pytest.mark.slow
def test_all_together_are_no_worse_than_any_alone(results):
    for cells in results["rows"].values():
        for cell in cells.values():
            for by in cell["gains"].values():
                assert by["all"]["gain"] >= max(by[it]["gain"] for it in MECHANISMS)
            assert all(by["users"]["gain"] >= 1 for by in cell["gains"].values())


@pytest.mark.slow
def test_fronts_fall_from_the_fastest(results):
    for cells in results["rows"].values():
        for cell in cells.values():
            front = cell["front"]
            assert front["utps"][0] == pytest.approx(cell["fastest"]["utps"])
            assert front["utps"] == sorted(front["utps"], reverse=True)
            assert front["efficiency"] == sorted(front["efficiency"])


def test_planned_chips_can_be_built():
    problem = responsiveness.ll.problem_of(responsiveness.load_study(responsiveness.PLAN))
    for name, stacks in responsiveness.STACKS.items():
        area, row = responsiveness.COMPUTE_AREA[name], problem.categories.index(name)
        with jax.enable_x64(True):
            case = case_with(problem, row, stacks=stacks, dies=2, compute_area=area, sram=0)
            _, used = seen(case, responsiveness.ll.Exact())
        for limit in ("reticle", "shoreline", "whole_stacks", "stacked_area", "interposer"):
            assert float(used[limit]) <= 1, (name, limit)


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(7.0, ["holds", "holds"]), (5.0, ["holds", "does not hold"]), (1.0, ["does not hold"] * 2)],
)
def test_verdicts_follow_from_the_numbers(gain, expected):
    by = {mechanism: {"gain": gain} for mechanism in MECHANISMS}
    found = responsiveness.verdicts({"so": {"one": {"gains": {"0.05": by, "0.1": by}}}})
    assert [it["verdict"] for it in found] == expected


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "responsiveness.png").stat().st_size > 0
