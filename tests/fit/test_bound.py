"""No measured row is quicker than the best way to use its chips allows."""

import dataclasses
from pathlib import Path

import jax
import pytest

from liminal_jax.data.measurements import MEASURED
from liminal_jax.fit.bound import above_bound, best_bound
from liminal_jax.fit.calibrate import load_measured
from liminal_jax.fit.rows import Case

pytestmark = pytest.mark.slow

MEASUREMENTS = Path(__file__).parents[3] / "shared" / "reference" / "measurements"


def _cases(path: Path) -> tuple[Case, ...]:
    with jax.enable_x64(True):
        return load_measured(path).batch.cases


@pytest.mark.parametrize(
    "path",
    [
        MEASURED,
        pytest.param(
            MEASUREMENTS / "core.csv",
            marks=pytest.mark.skipif(
                not MEASUREMENTS.exists(), reason="the reference measurements are not there"
            ),
        ),
    ],
)
def test_no_row_beats_the_best_mapping(path):
    assert above_bound(_cases(path)) == []


def test_the_bound_is_that_of_the_quickest_mapping():
    first = next(it for it in _cases(MEASURED) if it.tp > 1 and "deepseek" in it.model_name)
    quick = best_bound(first)
    assert 0 < quick < first.tpot
    (row,) = above_bound([dataclasses.replace(first, tpot=quick / 2)])
    assert (row["line"], row["measured"]) == (first.row.line, quick / 2)
    assert row["bound"] == pytest.approx(quick)


def test_the_bound_of_a_mixture_is_that_of_uneven_routing():
    """Even routing reads more experts than the quickest of these rows has time for."""
    rows = [it for it in _cases(MEASURED) if "llama-batched-bench" in it.row.note]
    (row,) = [
        it
        for it in rows
        if it.model_name == "qwen3-30b-a3b" and (it.batch, it.row.isl) == (32, 512)
    ]
    # 128 experts of 3 x 768 x 2048 in 48 layers, read at the 273 GB/s of the chip
    expert = 48 * 3 * 768 * 2048 * row.weight_bits / 8
    even, uneven = 128 * (1 - (1 - 8 / 128) ** 32), 58 * (1 - (1 - 7.2 / 58) ** 32)
    uneven += 70 * (1 - (1 - 0.8 / 70) ** 32)
    assert expert * uneven / 273e9 < best_bound(row) < row.tpot < expert * even / 273e9
