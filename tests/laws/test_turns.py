"""Turns of two machines: limits, and what derivatives say."""

from typing import Any

import jax
import pytest

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.turns import alternating_step_time

EACH: dict[str, Any] = {"attention": 3.0, "experts": 2.0, "crossing": 1.0}


def _time(micro_batches: float, relaxation: Any = None, **changes: Any) -> Any:
    relaxation = Exact() if relaxation is None else relaxation
    return alternating_step_time(
        **{**EACH, **changes}, micro_batches=micro_batches, relaxation=relaxation
    )


def test_one_micro_batch_waits_for_both_machines_and_the_network() -> None:
    assert float(_time(1.0)) == 3 + 2 + 1


def test_with_enough_of_them_the_slowest_machine_never_waits() -> None:
    assert [float(_time(n)) for n in (2.0, 3.0, 9.0)] == [6.0, 9.0, 27.0]


def test_a_slow_network_is_shared_by_both_directions() -> None:
    assert float(_time(4.0, crossing=20.0)) == 4 * 20 / 2


def test_the_crossing_is_hidden_under_the_condition_of_megascale() -> None:
    slowest, once = 3.0, 0.5
    for n in (2.0, 3.0, 4.0):
        hidden = n * slowest >= 2 * (slowest + once)
        time = float(_time(n, attention=slowest, experts=slowest, crossing=2 * once))
        assert (time == n * slowest) == hidden


@pytest.mark.parametrize("name", ["attention", "experts", "crossing"])
def test_no_time_grows_when_a_part_shrinks(name: str) -> None:
    soft = Soft(0.1)
    slope = jax.grad(lambda it: _time(2.0, soft, **{name: it}))(EACH[name])
    assert float(slope) >= 0
