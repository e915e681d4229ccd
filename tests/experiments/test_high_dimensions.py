"""Races in many dimensions: what is judged, what is summed up, and what is not run again."""

import json
import math

import numpy as np
import pytest

from experiments.runner import main
from liminal_jax._smooth import Exact
from liminal_jax.optimization.coupled.assignment import Places, assignment_at, outcome_of, shape_of

high_dimensions = pytest.importorskip(
    "experiments.high_dimensions", reason="needs the extra compare"
)
from experiments.high_dimensions_race import METHODS, Entry, problem_at  # noqa: E402
from experiments.rivals.judge import Judge  # noqa: E402
from experiments.rivals.race import Caps, Race  # noqa: E402


@pytest.fixture(scope="module")
def problem():
    return problem_at(2)


def test_sizes_are_of_12_to_300_variables():
    classes = high_dimensions.EXPERIMENT.full["classes"]
    assert [problem_at(it).count for it in classes] == [12, 30, 99, 300]


@pytest.mark.slow
def test_designs_of_many_members_are_judged_by_the_exact_model(problem):
    """Indices of this problem are those of what is shared, then of each class but its category."""
    (group,) = problem.groups
    draws = np.random.default_rng(0)
    judge, race = Judge(problem, 4), Race(math.inf, Caps())
    assert judge.shape == (*shape_of(problem), *shape_of(group)[1:] * 2)
    rows = draws.integers(0, judge.shape, (4, len(judge.shape)))
    judged = judge(race, rows)
    shared = len(shape_of(problem))
    for row, score, violation in zip(rows, judged.score, judged.violation, strict=True):
        own = np.pad(row[shared:].reshape(2, -1), ((0, 0), (1, 0)))
        outcome = outcome_of(problem, assignment_at(problem, Places(row[:shared], (own,))), Exact())
        assert score == pytest.approx(float(outcome.score), rel=1e-9)
        assert violation == pytest.approx(np.asarray(outcome.violation), rel=1e-9)


def made_up():
    """Two seeds at one size; the first is won by 0.05 %, the second lost to another by 1 %."""

    def race(method, seed, *steps):
        known = {"bound": None, "proof": None, "evaluations": 10, "spent": 5.0}
        return {
            "classes": 3,
            "method": method,
            "seed": seed,
            "seconds": 5.0,
            "steps": steps,
        } | known

    size = {"classes": 3, "log10_designs": 9.0, "quantity": "price", "objective": 1.0}
    return {
        "seconds": 5.0,
        "sizes": {"12": {**size, "best": 0.0, "bound": 0.02}},
        "methods": {"ours": "gradients", "random": "guesses", "SciPy DE": "evolution"},
        "races": [
            race("ours", 0, [1.0, -0.5], [2.0, -math.log(1.0005)]),
            race("random", 0),
            race("SciPy DE", 0, [1.0, -math.log(1.03)]),
            race("ours", 1, [2.0, -math.log(1.01)]),
            race("random", 1, [4.0, -1.0]),
            race("SciPy DE", 1, [1.0, 0.0]),
        ],
    }


def test_problems_are_won_within_a_tenth_of_a_per_cent():
    summed = high_dimensions.summary(made_up())
    assert (summed["problems"], summed["won"]) == (2, 1)
    assert summed["median_gap_ours"] == pytest.approx((0.0005 + 0.01) / 2)
    assert summed["median_gap_best_other"] == pytest.approx(0.015)


def test_a_search_without_a_design_has_no_gap():
    results = made_up()
    for it in results["races"]:
        if it["method"] == "ours":
            it["steps"] = []
    summed = high_dimensions.summary(results)
    assert (summed["won"], summed["median_gap_ours"]) == (0, None)
    assert json.dumps(summed)


def test_longer_races_are_told_apart():
    results = made_up()
    results["races"].append({**results["races"][0], "seconds": 300.0})
    assert high_dimensions.summary(results) == high_dimensions.summary(made_up())
    assert "12 variables, 300 s, seed 0: ours 0.05 %" in high_dimensions.report(results)


def test_the_figure_has_a_panel_a_size_and_the_bound():
    (axes,) = high_dimensions.plot(made_up()).axes
    assert "bound" in axes.get_legend_handles_labels()[1]
    assert set(high_dimensions.LOOKS) == set(METHODS)


def test_what_is_slow_is_raced_and_shown_only_where_variables_are_few(monkeypatch):
    def raced(entries, *_):
        known = {"bound": None, "proof": None, "evaluations": 1, "spent": 5.0}
        return [{**vars(it), "steps": [[1.0, -1.0]], **known} for it in entries]

    monkeypatch.setattr(high_dimensions, "MOST_CLASSES", {"random": 2})
    monkeypatch.setattr(high_dimensions, "races", raced)
    results = high_dimensions.run((2, 3), ("ours", "random"), seeds=1, longer=())
    entries = {(it["classes"], it["method"]) for it in results["races"]}
    assert entries == {(2, "ours"), (2, "random"), (3, "ours")}
    _, few, _, many, *_ = high_dimensions.report(results)
    assert (few.row_count, many.row_count) == (2, 1)
    labels = [it.get_legend_handles_labels()[1] for it in high_dimensions.plot(results).axes]
    assert labels == [["ours", "random"], ["ours"]]


def test_races_that_are_over_are_not_run_again(tmp_path, monkeypatch):
    """All races have a file but one."""
    entries = [Entry(3, "random", seed, 1.0) for seed in range(3)]
    folder = tmp_path / "races"
    folder.mkdir()
    for it in entries[:2]:
        (folder / it.file).write_text(json.dumps({"seed": it.seed}))
    asked = []

    def stopped(command, **_):
        asked.append(json.loads(command[-2])["seed"])
        return high_dimensions.subprocess.CompletedProcess(command, -high_dimensions.signal.SIGXCPU)

    monkeypatch.setattr(high_dimensions.subprocess, "run", stopped)
    records = high_dimensions.races(entries, folder, 2)
    assert asked == [2]
    assert [it["seed"] for it in records] == [0, 1, 2]
    assert records[2]["steps"] == []


def test_what_keeps_no_parts_cannot_be_resumed(tmp_path, capsys):
    from experiments import bandwidth

    assert main(bandwidth.EXPERIMENT, ["--smoke", "--resume", "-o", str(tmp_path)]) == 2
    assert "--resume: bandwidth is computed in one go" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", "CatCMAwM", "SciPy DE", "pymoo GA", "local search"])
def test_each_finds_a_design_of_many_members(problem, name):
    race = Race(math.inf, Caps(seconds=60.0, evaluations=500))
    METHODS[name].prepare(problem)(0, race)
    assert race.steps


@pytest.mark.slow
def test_ours_replays_its_search_and_its_bound(problem):
    race = Race(math.inf, Caps(seconds=600.0))
    METHODS["ours"].prepare(problem)(0, race)
    moments = [it.seconds for it in race.steps]
    assert moments == sorted(moments)
    assert race.bound >= race.best - 1e-9
    assert race.proof is not None
