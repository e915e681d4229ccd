"""No measured row is quicker than the best way to use its chips allows."""

import dataclasses
from pathlib import Path

import jax
import pytest

from liminal_jax.data.measurements import MEASURED
from liminal_jax.fit.bound import above_bound, best_bound
from liminal_jax.fit.calibrate import load_measured
from liminal_jax.fit.rows import Case

MEASUREMENTS = Path(__file__).parents[3] / "shared" / "reference" / "measurements"
ALIKE = "llama-batched-bench"
"""A benchmark that decodes made-up tokens, which share experts: the bound takes tokens to choose
experts independently, and is up to a fifth too slow for mixtures there."""


def _beyond(cases: tuple[Case, ...]) -> list[dict[str, object]]:
    notes = {it.row.line: it.row.note for it in cases}
    beyond = above_bound(cases)
    for row in beyond:
        if ALIKE in notes[row["line"]]:
            assert row["measured"] > 0.8 * row["bound"]
    return [row for row in beyond if ALIKE not in notes[row["line"]]]


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
    assert _beyond(_cases(path)) == []


def test_the_bound_is_that_of_the_quickest_mapping():
    first = next(it for it in _cases(MEASURED) if it.tp > 1 and "deepseek" in it.model_name)
    quick = best_bound(first)
    assert 0 < quick < first.tpot
    (row,) = above_bound([dataclasses.replace(first, tpot=quick / 2)])
    assert (row["line"], row["measured"]) == (first.row.line, quick / 2)
    assert row["bound"] == pytest.approx(quick)
