"""Which limit binds: shares of the gradient against the times that they are of."""

import json

import jax
import numpy as np
import pytest

from experiments import limits
from experiments.limits import EXPERIMENT
from experiments.runner import main
from experiments.talk_setting import step, talk_chips, talk_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


def test_shares_add_up_to_one(results):
    for cell in results["maps"]["Llama3-70B"].values():
        assert np.sum(cell["shares"], axis=-1) == pytest.approx(np.ones((2, 3)))


def test_shares_are_those_of_the_times(results):
    (model,) = talk_models(["Llama3-70B"]).values()
    with jax.enable_x64(True):
        chip = talk_chips(["HBM3"])["HBM3"]
        whole = step(chip, model, ranks=128.0, batch=64.0, context=131072.0)
    bandwidth, compute, waiting = results["maps"]["Llama3-70B"]["HBM3"]["shares"][1][1]
    assert bandwidth == pytest.approx(float(whole.memory_time / whole.step_time))
    assert waiting == pytest.approx(float(whole.exposed_time / whole.step_time))
    assert compute == 0


def test_what_does_not_fit_is_bound_by_capacity(results):
    """20 GiB of cache a user at 128K: 4,096 of them overflow 12 TiB."""
    capacity = results["limits"].index("capacity")
    assert results["maps"]["Llama3-70B"]["HBM3"]["limit"][1][2] == capacity
    assert np.all(np.asarray(results["maps"]["Llama3-70B"]["SRAM"]["limit"]) == capacity)


def _maps(limit):
    return {"one": {"HBM3": {"limit": limit}}}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ([[0, 1], [2, 3]], ["holds", "holds"]),
        ([[1, 0], [0, 0]], ["holds with these limits", "holds with these limits"]),
        ([[1, 1], [1, 1]], ["does not hold", "does not hold"]),
    ],
)
def test_verdicts_follow_from_the_numbers(limit, expected):
    assert [it["verdict"] for it in limits.verdicts(_maps(limit))] == expected


def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "limits.png").stat().st_size > 0
