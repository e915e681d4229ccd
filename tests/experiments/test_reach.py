"""What speeds take: verdicts from numbers, and a small run from start to end."""

import json

import pytest

from experiments import reach
from experiments.reach import EXPERIMENT, GROUPS
from experiments.runner import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_a_speed_within_reach_and_one_beyond(results):
    (row,) = results["rows"].values()
    assert row["from"] < 5000
    for group in GROUPS:
        near, far = (row["groups"][group][target] for target in results["targets"])
        assert near["reachable"]
        assert near["utps"] >= 5000 * (1 - 1e-9)
        assert not far["reachable"]
        assert far["utps"] <= far["bound"] < 1e6
    everything, lossless = (row["groups"][group]["5000"]["distance"] for group in GROUPS)
    assert 0 < everything <= lossless + 1e-9


@pytest.mark.slow
def test_lossless_levers_are_all_that_move_where_no_other_may(results):
    (row,) = results["rows"].values()
    for found in row["groups"]["lossless levers"].values():
        assert {it["quality"] for it in found["moves"].values()} == {"lossless"}


def _answer(*, reachable, moves=("system.network.latency", "algorithm.speculation.drafts")):
    return {
        "reachable": reachable,
        "utps": 10000.0 if reachable else 7000.0,
        "distance": 2.0,
        "bound": 20000.0 if reachable else 9000.0,
        "alone": dict.fromkeys(moves, 3000.0),
        "moves": {path: {} for path in moves},
    }


def _rows(answer, before=1000.0):
    return {"one": {"from": before, "groups": {group: {"10000": answer} for group in GROUPS}}}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (_rows(_answer(reachable=True)), ["holds"] * 5),
        (
            _rows(_answer(reachable=False), before=6000.0),
            ["does not hold", "does not hold", "does not hold", "holds", "does not hold"],
        ),
        (
            _rows(_answer(reachable=True, moves=("system.network.latency",))),
            ["holds", "holds", "holds", "holds", "does not hold"],
        ),
    ],
)
def test_verdicts_follow_from_the_numbers(rows, expected):
    found = reach.verdicts(rows, ("10000",))
    assert [it["verdict"] for it in found] == expected


def test_what_is_proven_is_said():
    found = reach.verdicts(_rows(_answer(reachable=False)), ("10000",))
    assert found[1]["numbers"]["proven"] == ["one"]
    assert "proven out of reach from there: one" in found[1]["sentence"]


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "reach.png").stat().st_size > 0
