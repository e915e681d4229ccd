"""A short run of the speed of sweeps."""

import io
import json

import pytest
from rich.console import Console

from experiments.runner import drawn, recorded
from experiments.sweep_speed import EXPERIMENT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    return recorded(EXPERIMENT, EXPERIMENT.smoke, folder)


def test_the_summary_has_what_is_promised(results):
    summary = EXPERIMENT.summary(results)
    assert list(summary) == [
        "closed_form_ratio",
        "gradient_ratio",
        "disk_ratio",
        "memory_ratio",
        "float32_error",
        "points_per_second",
    ]
    assert all(it > 0 for it in summary.values())
    assert json.loads(json.dumps(summary)) == summary


def test_single_precision_is_near(results):
    assert results["precision"]["outputs"] < 1e-5
    assert results["precision"]["elasticities"] < 1e-4


def test_memory_does_not_grow_with_the_points(results):
    sweeps = results["sweeps"]
    assert sweeps["many"]["points"] == 4 * sweeps["few"]["points"]
    assert sweeps["many"]["memory"] < 1.1 * sweeps["few"]["memory"]


def test_the_program_is_short(results):
    operations = results["roofline"]["operations"]["outputs"]
    assert sum(operations.values()) < results["traced"] / 5


def test_it_is_told_and_drawn(results, folder):
    console = Console(file=io.StringIO(), width=120)
    for part in EXPERIMENT.report(results):
        console.print(part)
    text = console.file.getvalue()
    assert "ratio to the ten lines" in text
    assert "scaling" in text
    assert all(it.stat().st_size > 0 for it in drawn(EXPERIMENT, folder))
