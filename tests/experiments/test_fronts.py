"""A short run of the comparison of fronts, and what it measures them by."""

import io

import numpy as np
import pytest
from rich.console import Console

from experiments.runner import drawn, recorded

pytestmark = pytest.mark.slow

fronts = pytest.importorskip("experiments.fronts", reason="needs the extra compare")
EXPERIMENT = fronts.EXPERIMENT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    return recorded(EXPERIMENT, EXPERIMENT.smoke, folder)


def test_every_search_is_looked_at_at_every_moment(results):
    asked = EXPERIMENT.smoke
    assert results["multiples"] == list(asked["multiples"])
    assert len(results["trades"]) == len(asked["trades"])
    for trade in results["trades"]:
        assert trade["points"] == len(trade["gains"]) > 1
        assert len(trade["searches"]) == asked["seeds"]
        for search in trade["searches"]:
            assert len(search) == len(asked["multiples"])
            evaluations = [it["evaluations"] for it in search]
            assert evaluations == sorted(evaluations)
            assert evaluations[-1] > evaluations[0] > 0


def test_what_is_missed_only_shrinks_and_no_search_beats_the_proof(results):
    for trade in results["trades"]:
        for search in trade["searches"]:
            missed = [it["missed"] for it in search]
            assert missed == sorted(missed, reverse=True)
            assert all(0 <= it["found"] <= trade["points"] for it in search)
            assert all(0 <= it <= 1 for it in missed)


def test_fronts_are_measured_by_what_they_lack():
    exact = np.asarray([[0.0, 1.0], [0.5, 0.6], [1.0, 0.0]])
    assert fronts._compared(exact, exact) == {"missed": 0.0, "off": 0.0, "found": 3}
    assert fronts._compared(np.empty((0, 2)), exact)["missed"] == 1.0
    ends = fronts._compared(exact[[0, 2]], exact)
    # By hand, from the reference (-0.1, -0.1): 1.1 x 0.1 + 0.1 x 1 for the ends alone.
    assert ends["missed"] == pytest.approx(1 - 0.21 / (0.21 + 0.5 * 0.6))
    assert ends["off"] == pytest.approx(np.expm1(0.5))
    assert ends["found"] == 2


def test_the_smoke_setting_is_told_and_drawn(results, folder):
    console = Console(file=io.StringIO(), width=100)
    for part in EXPERIMENT.report(results):
        console.print(part)
    assert "None can say how much it misses" in " ".join(console.file.getvalue().split())
    summary = EXPERIMENT.summary(results)
    assert summary["searches"] == EXPERIMENT.smoke["seeds"]
    assert all(path.stat().st_size > 0 for path in drawn(EXPERIMENT, folder))
