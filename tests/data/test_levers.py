"""Ranges of levers: whole, in SI, and named as the laws name them."""

import pytest
from pydantic import ValidationError

from liminal_jax._quantity import quantity_at
from liminal_jax._units import parse_unit
from liminal_jax.data.levers import LeverRange, lever_ranges
from liminal_jax.study.absent import absent_paths
from liminal_jax.study.case import Case
from liminal_jax.study.domain import least_of
from liminal_jax.study.file import design_of
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import paths_of
from liminal_jax.study.variables import stated_at

ROW = {
    "lever": "prefetch",
    "parameter": "space",
    "label": "memory for it",
    "low": 1,
    "value": 2,
    "high": 4,
    "unit": "MB",
    "quality": "lossless",
    "source": "somebody",
    "grade": "D",
}


def test_a_number_of_a_lever_has_one_range():
    named = [(it.lever, it.parameter) for it in lever_ranges()]
    assert len(named) == len(set(named)) > 20


def test_numbers_of_one_lever_all_cost_quality_or_none_does():
    for lever in {it.lever for it in lever_ranges()}:
        assert len({it.quality for it in lever_ranges() if it.lever == lever}) == 1


def test_ranges_are_turned_into_si():
    assert LeverRange(**ROW).si == (1e6, 2e6, 4e6)
    times = {it.parameter: it.si for it in lever_ranges() if it.unit == "us"}
    assert times["time"] == pytest.approx((60e-9, 2e-6, 7.8e-6))


def test_a_path_leads_to_a_number_of_finished_or_of_planned_hardware():
    tables = {
        "workload": {"model": "deepseek-v3", "context": 8192},
        "design": {"system": "h200", "tp": 8},
    }
    files = (design_of(tables, "design.toml"), load_study("deepseek-v3-128k"))
    cases = [problem_of(it).region.case for it in files]
    known = {path for it in cases for path in (*paths_of(it), *absent_paths(it))}
    paths = [it.path for it in lever_ranges() if it.path]
    assert len(paths) == len(set(paths)) > 20
    assert not set(paths) - known


def test_a_range_is_one_of_its_number():
    """In its unit, and within what makes sense."""
    for it in lever_ranges():
        if it.path:
            assert quantity_at(Case, it.path) is not None
            stated, (low, _, high) = stated_at(it.path), it.si
            if it.unit:
                assert parse_unit(it.unit).dimension == parse_unit(stated.unit).dimension, it.path
            assert least_of(stated) <= low <= high <= stated.most, it.path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"low": 3}, "2 must lie in a range, not in that from 3 to 4"),
        ({"high": 1.5}, "must lie in a range"),
        ({"low": 2, "high": 2}, "must lie in a range"),
        ({"unit": "MX"}, "unknown unit"),
        ({"quality": "free"}, "lossless"),
        ({"low": -1}, "greater than or equal to 0"),
    ],
)
def test_what_is_no_range(changes, told):
    with pytest.raises(ValidationError, match=told):
        LeverRange(**{**ROW, **changes})
