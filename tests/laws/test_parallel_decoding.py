"""Decoding on a canvas: its limits and gradients."""

import pytest

from liminal_jax.laws.parallel_decoding import canvas_passes, canvas_token_time
from tests.laws.differences import assert_slopes


def test_one_token_a_pass_is_one_pass_a_token() -> None:
    assert canvas_token_time(canvas=64.0, settled=1.0, time=3.0, commit=0.0) == 3.0


def test_a_canvas_settled_at_once_takes_one_pass() -> None:
    assert canvas_passes(canvas=64.0, settled=64.0) == 1.0
    assert canvas_token_time(canvas=64.0, settled=64.0, time=3.0, commit=3.0) == 6 / 64


def test_the_last_pass_weighs_less_on_a_long_canvas() -> None:
    times = [
        canvas_token_time(canvas=it, settled=4.0, time=2.0, commit=2.0) for it in (4.0, 64.0, 1e9)
    ]
    assert times == pytest.approx([1.0, 0.5 + 2 / 64, 0.5])


def test_slopes() -> None:
    assert_slopes(canvas_passes, canvas=256.0, settled=4.0)
    at = {"canvas": 256.0, "settled": 4.0, "time": 2.0, "commit": 1.5}
    slopes = assert_slopes(canvas_token_time, **at)
    assert max(slopes["settled"], slopes["canvas"]) < 0 < min(slopes["time"], slopes["commit"])
