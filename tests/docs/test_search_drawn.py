"""The picture of a search has its stages, words that stand apart, and a proof that closes."""

import sys
from itertools import pairwise
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs" / "_site"))

from search_drawn import BOUND, DESCENTS, INCUMBENT, POLISH, STAGES, search_sheet
from tests.drawing.test_figures import assert_words_stand_apart, elements


def test_all_stages_are_named_and_no_words_touch():
    sheet = search_sheet()
    assert_words_stand_apart(sheet)
    written = [it.text for it in elements(sheet, "text")]
    assert {name for name, *_ in STAGES} <= set(written)
    assert not [it for it in written if it and "…" in it]


def test_the_bound_falls_to_what_polish_reaches():
    # Heights grow downwards.
    assert all(above < below for (_, above), (_, below) in pairwise(BOUND))
    assert all(below > above for (_, below), (_, above) in pairwise(POLISH))
    assert BOUND[-1][1] == POLISH[-1][1] == INCUMBENT


def test_a_design_is_never_better_than_the_relaxed_optimum_it_comes_from():
    assert all(relaxed < snapped for _, relaxed, snapped in DESCENTS)
    assert POLISH[0][1] == min(snapped for *_, snapped in DESCENTS)
