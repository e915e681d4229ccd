"""The talk's system table comes out as printed, but for one cell."""

import io

import pytest
from rich.console import Console

from experiments.record import load_record
from experiments.runner import drawn, recorded
from experiments.system_scale import EXPERIMENT


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return recorded(EXPERIMENT, EXPERIMENT.full, tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def told(results):
    console = Console(file=io.StringIO(), width=100, markup=False)
    for part in EXPERIMENT.report(results):
        console.print(part, soft_wrap=isinstance(part, str))
    return console.file.getvalue()


@pytest.mark.slow
def test_all_cells_but_one_are_within_two_per_cent(results, told):
    summary = EXPERIMENT.summary(results)
    assert summary["cells"] == 30
    assert summary["matched"] >= 29
    assert "Not matched: Llama4-Maverick UTPS TP8, 1,179 against the printed 1.3K" in told


@pytest.mark.slow
def test_a_model_that_does_not_fit_is_a_dash(results):
    kimi = results["table"]["rows"]["Kimi-K2"]
    for kind in ("utps", "stps", "bracket"):
        assert kimi[kind]["computed"][0] is None
        assert kimi[kind]["computed"][1] is not None


@pytest.mark.slow
def test_brackets_are_told_apart(told):
    assert "15 of 15 UTPS in brackets are the computed number, rounded." in told


@pytest.mark.slow
def test_the_fit_is_said_in_words(told):
    assert "latencies were fitted to this very table" in told


@pytest.mark.slow
def test_the_hypothesis_matches_every_cell(results, told):
    assert "30 of 30 throughputs match, 0.5% off on the mean, 1.7% at most" in told
    rows = results["table"]["rows"]
    assert rows["Llama4-Maverick"]["supposed"]["utps"]["computed"][0] == pytest.approx(1312, abs=1)
    assert rows["DeepSeekV3"]["supposed"]["utps"]["computed"][0] == pytest.approx(522, abs=1)


@pytest.mark.slow
def test_the_hypothesis_leaves_dense_models_alone(results):
    dense = results["table"]["rows"]["Llama3-70B"]
    assert dense["supposed"]["utps"]["computed"] == dense["utps"]["computed"]


@pytest.mark.slow
def test_the_paper_cells_are_as_printed(results):
    cells = results["paper"]["cells"]
    assert [f"{cell['utps']:.0f}" for cell in cells] == [cell["printed"] for cell in cells]
    assert len(cells) == 6


@pytest.mark.slow
def test_curves_run_from_one_user_to_the_largest_batch(results):
    row = results["table"]["rows"]["Llama3-70B"]
    assert list(row["curves"]) == ["8", "16", "32", "64", "128"]
    for column, ranks in enumerate(("8", "128")):
        curve = row["curves"][ranks]
        assert curve["batch"][0] == 1
        assert curve["batch"][-1] == row["users"][column]
        assert curve["utps"][0] == row["utps"]["computed"][column]
        assert curve["stps"][-1] == row["stps"]["computed"][column]


@pytest.mark.slow
def test_more_chips_serve_more_and_quicker_to_all_users(results):
    for row in results["table"]["rows"].values():
        curves = [it for it in row["curves"].values() if it]
        most = [it["stps"][-1] for it in curves]
        assert most == sorted(most)


@pytest.mark.slow
def test_the_verdicts_are_those_of_the_printed_table(results):
    fastest, most = results["verdicts"]
    assert fastest["verdict"] == most["verdict"] == "holds with these limits"
    assert "outside: Llama3-405B 7" in fastest["sentence"]
    assert "Llama3-405B more than 128" in fastest["sentence"]
    assert [name for name, it in most["numbers"].items() if it > 100e3] == [
        "DeepSeekV3",
        "Kimi-K2",
        "GPT-OSS-120B",
    ]


@pytest.mark.slow
def test_the_smoke_setting_runs_and_is_drawn(tmp_path):
    results = recorded(EXPERIMENT, EXPERIMENT.smoke, tmp_path)
    assert results == load_record(tmp_path / "results.json")
    summary = EXPERIMENT.summary(results)
    assert (summary["cells"], summary["matched"]) == (6, 6)
    assert all(path.stat().st_size > 0 for path in drawn(EXPERIMENT, tmp_path))
