"""Predictions of 50 fixed cases, so that a change of the model is always a decision."""

import csv
from pathlib import Path

import numpy as np
import pytest

from liminal_jax.data.calibrations import load_calibration
from liminal_jax.data.measurements import MEASURED
from liminal_jax.fit.batch import batch_of
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.rows import cases_of
from liminal_jax.fit.solve import predicted_times

PINNED = Path(__file__).with_name("pinned.csv")


@pytest.fixture(scope="module")
def pinned():
    with PINNED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def batch(pinned):
    lines = {int(it["line"]) for it in pinned}
    cases, _ = cases_of([row for row in read_rows(MEASURED)[0] if row.line in lines])
    return batch_of(cases)


@pytest.mark.slow
def test_the_cases_are_fifty_and_those_pinned(pinned, batch):
    assert [str(it.row.line) for it in batch.cases] == [it["line"] for it in pinned]
    assert len(pinned) == 50


@pytest.mark.slow
def test_ideal_predictions_are_as_pinned(pinned, batch):
    np.testing.assert_allclose(batch.ideal, [float(it["ideal_s"]) for it in pinned], rtol=1e-6)


@pytest.mark.slow
def test_calibrated_predictions_are_as_pinned(pinned, batch):
    times = predicted_times(load_calibration("measured"), batch)
    np.testing.assert_allclose(times, [float(it["calibrated_s"]) for it in pinned], rtol=1e-6)
