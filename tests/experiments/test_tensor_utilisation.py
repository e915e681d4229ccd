"""Utilisation of the tensor units against a count by hand, and where it passes the claim."""

import json

import pytest

from experiments import tensor_utilisation
from experiments.runner import main
from experiments.tensor_utilisation import EXPERIMENT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


def test_one_user_by_hand(results):
    """Llama3-70B, 8 chips, 4K: weights and cache at 32 TiB/s, and 160 collectives of 0.44 us."""
    weights = 80 * (8192 * 128 * (2 * 64 + 2 * 8) + 3 * 8192 * 28672)
    cache = 80 * 2 * 8 * 128 * 4096
    work = 2 * weights + 80 * 2 * 2 * 64 * 128 * 4096
    busy = work / (8 * 2.25e15)
    expected = busy / ((weights + cache) / (8 * 4 * 2**40) + 80 * 2 * 0.44e-6)
    cell = results["rows"]["4K"]["Llama3-70B"]["HBM3"]["8"]
    assert cell["utilisation"][0] == pytest.approx(expected, rel=1e-6)


def test_more_users_use_more(results):
    for by_model in results["rows"].values():
        curve = by_model["Llama3-70B"]["HBM3"]["8"]["utilisation"]
        assert curve == sorted(curve)
        assert curve[-1] <= 1


def test_the_crossing_lies_where_the_curve_passes(results):
    cell = results["rows"]["4K"]["Llama3-70B"]["HBM3"]["8"]
    below = [
        users
        for users, share in zip(results["users"], cell["utilisation"], strict=True)
        if share <= tensor_utilisation.CLAIMED
    ]
    above = [it for it in results["users"] if it not in below]
    assert max(below) <= cell["exceeded_from"] <= min(above)


@pytest.mark.parametrize(("share", "expected"), [(0.01, "holds"), (0.011, "does not hold")])
def test_verdicts_follow_from_the_numbers(share, expected):
    cells = {"4K": {"one": {"HBM3": {"8": {"utilisation": [share, 0.5]}}}}}
    (found,) = tensor_utilisation.verdicts(cells)
    assert found["verdict"] == expected


def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "tensor_utilisation.png").stat().st_size > 0
