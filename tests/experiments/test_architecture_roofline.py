"""One step of each architecture, by kind of byte."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

import liminal_jax as ll
from experiments import architecture_roofline
from experiments.architecture_roofline import EXPERIMENT
from experiments.record import load_record
from experiments.runner import main


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
    return load_record(folder / "results.json")


def test_models_of_one_architecture_share_a_row(results):
    assert results["rows"]["llama-3-70b"]["models"] == ["llama-3-70b", "llama-3.3-70b"]
    assert EXPERIMENT.summary(results)["architectures"] == 3
    assert EXPERIMENT.summary(results)["models"] == 4


@pytest.mark.slow
def test_bytes_are_those_of_the_predictor(results):
    system = ll.load_system("xpu-hbm4")
    for name, row in results["rows"].items():
        for cell in row["cells"]:
            design = ll.Design(system, ll.Mapping(), ll.Placement(), cell["batch"])
            step = ll.predict(design, ll.load_model(name), ll.Request(cell["context"]))
            moved = float(step.memory_time * system.chip.memory.bandwidth) / cell["batch"]
            assert cell["bytes"] == pytest.approx(moved, rel=1e-5)
            work = float(step.compute_time) * 2.25e15 / cell["batch"]
            assert cell["tensor"] == pytest.approx(work, rel=1e-5)


def test_a_cache_by_hand(results):
    cell = results["rows"]["llama-3-70b"]["cells"][0]
    assert cell["cache"] == 80 * 2 * 8 * 128 * 4096
    assert results["rows"]["llama-3-70b"]["kept"][0]["cache"] == cell["cache"]


def test_a_hybrid_keeps_the_same_state_at_any_context(results):
    kept = results["rows"]["qwen3.5-27b"]["kept"]
    assert len({held["state"] for held in kept}) == 1
    assert kept[0]["state"] == 48 * 4 * (48 * 128 * 128 + 3 * (2 * 16 * 128 + 48 * 128))
    assert kept[1]["cache"] == 16 * 2 * 4 * 256 * 128 * 1024


def test_a_sparse_model_reads_its_index_and_few_tokens(results):
    cell = results["rows"]["deepseek-v3.2"]["cells"][2]
    assert cell["index"] == pytest.approx(61 * 128 * 1024**2, rel=1e-3)
    assert cell["cache"] == pytest.approx(61 * 576 * 2048, rel=1e-2)


def test_the_ridge_by_hand(results):
    assert results["chips"]["h200"]["ridge"] == pytest.approx(1979e12 / 4.8e12)
    assert results["chips"]["xpu-hbm4"]["vector"] is None


def test_the_figure_has_a_panel_a_step(folder, results):
    assert all((folder / f"architecture_roofline.{it}").stat().st_size for it in ("png", "pdf"))
    assert len(architecture_roofline.plot(results).axes) == 6


def test_the_last_line_is_one_object(printed):
    assert json.loads(printed[-1])["steps"] == 18
    assert max(map(len, printed[:-1])) <= 100
