"""What the experiments on the talk share."""

import doctest

import jax
import numpy as np
import pytest

from experiments import (
    claims,
    drawing,
    limits,
    nested,
    roots,
    synchronisation,
    tables,
    talk_setting,
    tensor_utilisation,
)
from experiments.claims import Claim
from experiments.roots import crossing, or_none
from experiments.tables import Column, Table


@pytest.mark.parametrize(
    "module", [claims, drawing, limits, nested, roots, synchronisation, tables, tensor_utilisation]
)
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_a_jump_is_found_where_it_is():
    with jax.enable_x64(True):
        root = crossing(lambda it: jax.numpy.where(it < 7.0, 1.0, -1.0), 1e-3, 1e6)
        assert float(root) == pytest.approx(7.0, rel=1e-12)


def test_without_a_change_of_sign_there_is_no_root():
    assert or_none(crossing(lambda it: it + 1.0, 1e-3, 1e3)) is None
    assert or_none(crossing(lambda it: -it, 1e-3, 1e3)) is None


def test_names_keep_their_order_and_their_distance():
    places = np.array([5.0, 1.0, 1.5, 1.2, 30.0])
    moved = np.array(drawing.spread(places.tolist(), 2.0))
    assert np.array_equal(np.argsort(moved), np.argsort(places))
    assert np.diff(np.sort(moved)).min() == pytest.approx(2.0)
    assert moved.mean() == pytest.approx(places.mean())


FAST = Claim(
    "{chips} chips are fast",
    lambda speed: speed is not None and speed >= 5,
    "{yes} of {count}: {held}; not {others:names}; all {all:; }; {least} ({least_of}) to {most}"
    " ({most_of}), {why}",
    "{:.1f}",
)


def test_a_claim_counts_and_lists_its_cases():
    found = FAST.of({"a": 7, "b": 2.25, "c": None}, also={"d": 1}, chips=8, why="so")
    assert found == {
        "claim": "8 chips are fast",
        "verdict": "holds with these limits",
        "numbers": {"a": 7, "b": 2.25, "c": None, "d": 1},
        "sentence": "1 of 3: a 7.0; not b, c; all a 7.0; b 2.2; c -; 2.2 (b) to 7.0 (a), so",
    }


def test_of_equal_numbers_the_first_is_named_and_of_verdicts_the_population():
    found = FAST.of({"b": 7, "a": 7}, chips=8, why="so")
    assert "7.0 (b) to 7.0 (b)" in found["sentence"]
    (text,) = claims.told({"verdicts": [{**found, "population": "some"}]})
    assert str(text).startswith("8 chips are fast, some: holds.\n")


def test_a_claim_without_cases_does_not_hold():
    found = FAST.of({}, chips=8, why="so")
    assert found["verdict"] == "does not hold"
    assert found["sentence"].startswith("0 of 0: none; not none")


TABLE = Table(
    "name", (Column("a", ("x", "y"), "{:.1f}", "s"), Column("b", lambda row: len(row), str))
)
ROWS = {"one": {"x": {"y": 1.26}}, "two": {"z": 0}}


def test_a_table_is_the_same_on_a_terminal_and_as_markdown():
    grid = TABLE.of(ROWS)
    assert [it.header for it in grid.columns] == ["name", "a\ns", "b"]
    assert [list(it.cells) for it in grid.columns] == [["one", "two"], ["1.3", "-"], ["1", "1"]]
    assert TABLE.markdown(ROWS).splitlines()[2:] == ["| one | 1.3 | 1 |", "| two | - | 1 |"]


def test_a_table_for_each_group_has_a_title():
    title, grid = TABLE.each("of {group}", {"all": ROWS})
    assert title == "of all"
    assert grid.row_count == 2


def test_all_combinations_are_tried_in_the_order_of_the_axes():
    found = talk_setting.over_all(lambda a, b: 10 * a + b, np.array([1, 2]), np.array([3, 4, 5]))
    assert found.tolist() == [[13, 14, 15], [23, 24, 25]]
