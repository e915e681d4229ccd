"""What a search tells while it runs, where standard error is a pipe."""

import math
import time

import numpy as np
import pytest

from liminal_jax.cli.progress import ProgressBar
from liminal_jax.cli.waiting import waiting
from liminal_jax.fit.calibrate import _held_out
from liminal_jax.fit.solve import Fit, Fitter
from liminal_jax.optimization.search.branch_and_bound import Statistics


def statistics(boxes, margin):
    return Statistics(
        boxes=boxes, designs=boxes * 1e6, evaluated=3, open_margin=margin, open_score=margin
    )


def test_a_proof_writes_a_line_each_time_the_seconds_double(capsys):
    with ProgressBar() as progress:
        progress.stage("proving", 4_000_000_000)
        for second in range(1, 10):
            progress.proven(statistics(100 * second, math.log(1.5) / second), 123.4, float(second))
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "proving: 4,000,000,000 designs"
    assert [line.split(":")[0] for line in lines[1:]] == ["  2 s", "  4 s", "  8 s"]
    assert "200 boxes, best 123.4, gap 22.47%" in lines[1]


@pytest.mark.parametrize(
    ("margin", "best", "expected"),
    [
        (-math.inf, 5.0, "best 5, nothing left"),
        (1e6, None, "no design yet, gap open"),
        (math.inf, None, "no design yet, gap open"),
    ],
)
def test_what_is_not_known_is_said(margin, best, expected, capsys):
    with ProgressBar() as progress:
        progress.stage("proving", 10)
        progress.proven(statistics(1, margin), best, 60.0)
    assert expected in capsys.readouterr().err


def test_many_steps_write_ten_lines(capsys):
    with ProgressBar() as progress:
        progress.stage("samples")
        for done in range(1, 65):
            progress.step(done, 64, "hbm4, 5 tokens/s")
        progress.stage("numbers")
        for done in range(1, 4):
            progress.step(done, 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["samples", "  7 of 64: hbm4, 5 tokens/s"]
    assert lines[10:12] == ["  64 of 64: hbm4, 5 tokens/s", "numbers"]
    assert lines[12:] == [f"  {it} of 3" for it in (1, 2, 3)]


class Instant(Fitter):
    """Fits that take no time."""

    def __init__(self):
        """Without a batch."""

    def held_out(self, groups, _, fitted):
        for _ in set(groups):
            fitted()
        return np.zeros(len(groups))


def test_what_takes_longer_says_so_in_a_pipe(capsys, monkeypatch):
    monkeypatch.setattr("liminal_jax.cli.waiting.SOON", 0.01)
    with waiting("predicting [h200]"):
        time.sleep(0.2)
    assert capsys.readouterr() == ("", "predicting [h200]\n")


def test_fits_without_each_group_tell_how_many_are_done(capsys):
    ways = {"by_cell": np.array(["a", "b", "b"]), "by_chip": np.array(["h200"] * 3)}
    with ProgressBar() as progress:
        _held_out(Instant(), Fit.__new__(Fit), ways, progress)
    assert capsys.readouterr().err.splitlines() == [
        "fitting again without each cell, chip and model",
        *(f"  {it} of 3" for it in (1, 2, 3)),
    ]


def test_what_is_soon_over_says_nothing_in_a_pipe(capsys):
    with waiting("predicting"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_what_is_worked_on(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with waiting("predicting"):
        pass
    out, err = capsys.readouterr()
    assert out == ""
    assert "predicting" in err
