"""The talk's tables again, and what its conclusions rest on."""

import json

import pytest

from experiments import talk_claims
from experiments.runner import main
from experiments.talk_revisited import EXPERIMENT

GIB = 2.0**30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def last_line(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return folder / "results.json"


@pytest.fixture(scope="module")
def results(last_line):
    return json.loads(last_line.read_text())


@pytest.mark.slow
def test_the_talk_is_as_printed(results):
    held = results["then"]["memory"]["GPT-OSS-120B"]["talk"]
    assert [round(value / GIB) for value in held] == [108, 112, 112, 252]
    scale = results["then"]["scale"]["GPT-OSS-120B"]["talk"]
    assert scale["utps"] == pytest.approx([3200, 5000], rel=0.02)
    assert scale["stps"] == pytest.approx([6300, 115e3], rel=0.02)


@pytest.mark.slow
def test_windows_keep_less(results):
    """18 of 36 layers keep 128 tokens; what a user adds to memory is cache alone."""
    ways = results["then"]["memory"]["GPT-OSS-120B"]
    for way, tokens in (("talk", 36 * 131072), ("recounted", 18 * (131072 + 128))):
        assert ways[way][3] - ways[way][2] == 31 * 2 * 8 * 64 * tokens


@pytest.mark.slow
def test_a_model_outside_the_system_table_has_no_throughput(results):
    assert "Llama3-8B" not in results["then"]["scale"]
    assert "Llama3-8B" in results["then"]["memory"]


@pytest.mark.slow
def test_each_population_has_each_verdict(results):
    assert len(results["verdicts"]) == 15
    assert all(verdict["sentence"] for verdict in results["verdicts"])


@pytest.mark.slow
def test_the_figure_is_there(last_line):
    assert (last_line.parent / "talk_revisited.png").stat().st_size > 0


def _table(memory, utps, stps):
    scale = {"utps": [None, utps], "stps": [None, stps]}
    return {
        "parameters": {"big": 2e11, "small": 1e10},
        "memory": {"big": {"model": memory}, "small": {"model": [1e9] * 4}},
        "scale": {"big": {"model": scale}},
    }


@pytest.mark.parametrize(
    ("memory", "utps", "stps", "holds"),
    [
        ([100e9, 0, 0, 482e9], 2000.0, 100.1e3, [True, True, False, True, True]),
        ([99e9, 0, 0, 481e9], 1900.0, 100e3, [False, False, False, False, False]),
        ([200e9, 0, 0, 1100e9], 5200.0, 1e6, [True, True, True, False, True]),
    ],
)
def test_verdicts_follow_from_the_numbers(memory, utps, stps, holds):
    found = talk_claims.verdicts("all", _table(memory, utps, stps), "model")
    assert [verdict["holds"] for verdict in found] == holds
