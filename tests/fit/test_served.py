"""Rows in whose time prompts have a part are held against serving, maxima against memory."""

import csv
from dataclasses import replace

import jax
import numpy as np
import pytest

from liminal_jax.data.calibrations import load_calibration
from liminal_jax.data.measurements import MAXIMUM, MEASURED
from liminal_jax.fit.calibrate import load_measured, validate
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.rows import cases_of
from liminal_jax.fit.served import served_scores, served_times
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.serving import serve
from liminal_jax.workload.lengths import Lengths


@pytest.fixture(scope="module")
def row():
    return next(it for it in read_rows(MEASURED)[0] if it.source_id == "gpt-fast" and it.tp == 1)


@pytest.fixture(scope="module")
def calibration():
    return load_calibration("measured")


def mixed(row, metric, value, **changes):
    asked = {"isl": 1024.0, "osl": 128.0, "batch_or_concurrency": 4.0, **changes}
    changed = replace(row, metric=metric, value=value, decode_purity="mixed", **asked)
    (case,), _ = cases_of([changed])
    return case


@pytest.mark.slow
def test_each_metric_is_held_against_what_it_is(row, calibration):
    cases = [
        mixed(row, "e2e_latency_s", 10.0),
        mixed(row, "tpot_ms", 20.0),
        mixed(row, "output_tps_total", 100.0),
    ]
    ideal, calibrated = served_times(cases, calibration)
    case = cases[0]
    with jax.enable_x64(True):
        given = (case.design, case.model, case.request, Lengths(1024, 128))
        serving = serve(*given)
    expected = [
        serving.static.e2e / 128,
        serving.continuous.tpot,
        4 / serving.continuous.tokens_per_second_per_chip,
    ]
    np.testing.assert_allclose(ideal, expected, rtol=1e-5)
    assert np.all(calibrated > ideal)
    np.testing.assert_allclose([it.tpot for it in cases], [10 / 128, 0.02, 4 / 100])


def test_what_is_beyond_the_bound_is_counted(row, calibration):
    ideal, calibrated = served_times([mixed(row, "tpot_ms", 1.0)], calibration)
    slow, fast, right = (
        mixed(row, "tpot_ms", 1e3 * float(it))
        for it in (ideal[0] * 1.2, ideal[0] / 2, calibrated[0])
    )
    found = served_scores([slow, fast, right], calibration)
    (scores,) = found["by_source"].values()
    assert scores["beyond_bound"] == 1
    assert scores["rows"] == found["rows"] == 3
    misses = [calibrated[0] / (ideal[0] * 1.2) - 1, calibrated[0] / (ideal[0] / 2) - 1, 0.0]
    assert scores["mape"] == pytest.approx(np.mean(np.abs(misses)))
    assert found["maxima"] is None


@pytest.mark.slow
def test_maxima_are_of_as_many_users_as_memory_holds(calibration):
    cases, skipped = cases_of(read_rows(MAXIMUM)[0])
    assert not skipped
    for case in cases:
        with jax.enable_x64(True):
            held = predict(case.design, case.model, case.request)
        assert case.batch == np.floor(case.batch) >= 1
        assert float(held.memory_required) <= float(held.memory_capacity) * 1.001
    found = served_scores(cases, calibration)
    assert found["macro_mape"] is None
    assert found["maxima"]["rows"] == len(cases)
    assert found["maxima"]["reached_of_bound"] > 0


@pytest.mark.slow
def test_a_file_of_both_is_told_apart(tmp_path, calibration):
    with MEASURED.open(encoding="utf-8", newline="") as file:
        rows = [it for it in csv.DictReader(file) if it["source_id"] == "rocm-vllm-latency"][:4]
    others = [{**rows[0], "decode_purity": "mixed"}, {**rows[0], "decode_purity": "strange"}]
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, *others])
    measured = load_measured(path)
    assert (len(measured.batch.cases), len(measured.served)) == (len(rows), 1)
    assert [reason for _, reason in measured.skipped] == ["unknown decode_purity 'strange'"]
    record = validate(path, calibration).record
    assert record["rows"] == len(rows)
    assert record["skipped"] == 1
    assert record["served"]["rows"] == 1
