"""Speed over bandwidth, its elasticity, and where it stops paying."""

import json

import jax
import jax.numpy as jnp
import pytest

from experiments import bandwidth
from experiments.bandwidth import EXPERIMENT
from experiments.runner import main
from experiments.talk_setting import step, talk_chips, talk_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_the_base_is_the_talks_table(results):
    row = results["rows"]["Llama3-70B"]
    assert row["8"]["at"]["HBM3"] == pytest.approx(381, rel=0.02)
    assert row["128"]["at"]["HBM3"] == pytest.approx(2100, rel=0.02)


@pytest.mark.slow
def test_without_bounds_only_collectives_are_left(results):
    """A dense model of 80 layers on 128 chips: two collectives, and two for a split sequence."""
    row = results["rows"]["Llama3-70B"]["128"]
    assert row["waiting"]["unbounded"] > 0.9
    assert row["at"]["unbounded"] < 1 / (80 * 4 * 1e-6)


@pytest.mark.slow
def test_elasticity_falls_from_one_to_nothing(results):
    for by_ranks in results["rows"].values():
        for row in by_ranks.values():
            assert row["elasticity"] == sorted(row["elasticity"], reverse=True)
            assert row["elasticity"][0] > 0.5
            assert row["elasticity"][-1] < bandwidth.PAYING


def test_the_knee_has_the_stated_elasticity():
    """Memory time over the whole: t/(t + e) = share, so that bandwidth follows by hand."""
    (model,) = talk_models(["Llama3-70B"]).values()
    system, ranks = talk_chips(["HBM3"])["HBM3"], jnp.asarray(128.0)
    with jax.enable_x64(True):
        whole = step(system, model, ranks=ranks)
        share = bandwidth.PAYING
        busy = whole.exposed_time * share / (1 - share)
        expected = system.chip.memory.bandwidth * whole.memory_time / busy
        _, _, knee = bandwidth.curve(jnp.ones(1), system, model, ranks)
        assert float(knee) == pytest.approx(float(expected))


def _rows(gain, at_large):
    row = {
        "gain": {"8x": gain, "3D-DRAM": gain},
        "waiting": {"SRAM": at_large},
        "knee": 1e13,
    }
    return {"one": {"128": row}}


@pytest.mark.parametrize(
    ("gain", "waiting", "expected"),
    [
        (4.5, 0.6, ["holds", "holds", "holds"]),
        (4.6, 0.4, ["holds", "does not hold", "does not hold"]),
        (1.0, 0.6, ["does not hold", "holds", "does not hold"]),
    ],
)
def test_verdicts_follow_from_the_numbers(gain, waiting, expected):
    found = bandwidth.verdicts(_rows(gain, waiting))
    assert [it["verdict"] for it in found] == expected


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "bandwidth.png").stat().st_size > 0
