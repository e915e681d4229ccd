"""A short run of the comparison of searches."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

import liminal_jax as ll
from experiments.runner import drawn, main
from liminal_jax.study.questions import load_study

pytestmark = pytest.mark.slow

optimisers = pytest.importorskip("experiments.optimisers", reason="needs the extra compare")
EXPERIMENT = optimisers.EXPERIMENT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def printed(folder):
    with redirect_stdout(StringIO()) as said:
        assert main(EXPERIMENT, ["--smoke", "-o", str(folder)]) == 0
    return said.getvalue().splitlines()


@pytest.fixture(scope="module")
def results(folder, printed):
    assert printed
    return json.loads((folder / "results.json").read_text())


def test_every_method_races_on_every_study_from_every_seed(results):
    asked = EXPERIMENT.smoke
    assert set(results["races"]) == set(asked["studies"])
    for entries in results["races"].values():
        assert list(entries) == list(asked["entries"])
        for name, entry in entries.items():
            assert len(entry["races"]) == asked["entries"][name].races


def test_no_race_beats_the_proof(results):
    for study, entries in results["races"].items():
        proof = entries["proof alone"]["races"]
        assert all(race["gap"] == 0 and race["proof"] >= race["there"]["seconds"] for race in proof)
        for entry in entries.values():
            assert all(race["gap"] is None or race["gap"] >= 0 for race in entry["races"])
        assert results["studies"][study]["designs"] == ll.problem_of(load_study(study)).lattice


def test_races_end_when_their_seconds_are_spent(results):
    seconds = EXPERIMENT.smoke["entries"]["Optuna TPE"].caps.seconds
    for entries in results["races"].values():
        races = entries["Optuna TPE"]["races"]
        assert all(seconds <= race["seconds"] < 10 for race in races)


def test_a_study_without_a_design_cannot_be_raced():
    with pytest.raises(ValueError, match="ten-thousand-utps: no design is proven to be the best"):
        optimisers.run(**{**EXPERIMENT.smoke, "studies": ("ten-thousand-utps",)})


def test_the_figure_has_a_panel_a_study_and_a_row_a_method(folder, results):
    png, pdf = drawn(EXPERIMENT, folder)
    assert png.stat().st_size > 0
    assert pdf.stat().st_size > 0
    panels = optimisers.plot(results).axes
    assert [it.get_title() for it in panels] == list(results["studies"])
    for axes, entries in zip(panels, results["races"].values(), strict=True):
        names = [it.get_text() for it in panels[0].get_yticklabels()]
        assert set(names) == set(results["methods"])
        assert names[0] == "proof alone"
        words = [it.get_text() for it in axes.texts]
        for entry in entries.values():
            near = sum(it["near"] is not None for it in entry["races"])
            assert f"{near} of {len(entry['races'])}" in words


def test_the_last_line_is_one_object(printed):
    counts = json.loads(printed[-1])
    assert counts["proof alone"] == {"races": 4, "near": 4, "there": 4, "proven": 4}
    assert max(map(len, printed[:-1])) <= 100


def _hand_made():
    """Optimize comes near in 2 s, cold in 9 s; another in 1 s and 3 s, after a setup of 5 s."""

    def race(seconds):
        reached = None if seconds is None else {"evaluations": 10, "seconds": seconds}
        return {"near": reached, "there": None, "proof": None, "gap": 0.005}

    def entry(setup, first, *seconds):
        races = [race(it) for it in seconds]
        return {"setup": setup, "first": race(first), "races": races}

    return {
        "studies": {"small": {}},
        "methods": {
            "optimize": {"about": "", "ours": True, "prepared": False},
            "random": {"about": "", "ours": False, "prepared": True},
        },
        "races": {"small": {"optimize": entry(0, 9, 2, 2, 2), "random": entry(5, 1, 1, 3, None)}},
    }


def test_it_says_who_is_quicker():
    warm, cold = optimisers.compared(_hand_made(), "small")
    assert warm == "sooner within 1 % than optimize, warm (2 s): random 1 of 3"
    assert cold == "sooner within 1 % than optimize, cold (9 s): random 2 of 3"


def test_it_says_so_when_nobody_is():
    results = _hand_made()
    results["races"]["small"]["random"]["races"][0]["near"] = None
    warm, _ = optimisers.compared(results, "small")
    assert warm.endswith("none")


def test_most_races_that_never_came_near_have_no_median():
    results = _hand_made()
    assert optimisers.summary(results)["random"]["near"] == 2
    races = results["races"]["small"]["random"]["races"]
    races[1]["near"] = None
    assert optimisers.median(races, "near", "seconds") == float("inf")
