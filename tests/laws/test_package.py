"""Waiting inside a chip: operators that depend on each other, and sums over dies."""

import pytest

from liminal_jax.laws.package import dependent_time, die_exchange_bytes, mesh_sum_time
from tests.laws.differences import assert_slopes


def test_starts_of_a_published_model() -> None:
    # 97 dependent instructions of Llama-1B at 2 us each
    assert dependent_time(operations=97, time=2e-6) == pytest.approx(194e-6)
    assert dependent_time(operations=97, time=0.0) == 0


def test_a_sum_crosses_a_wafer_and_returns() -> None:
    # 920 cores at a hop a cycle of 1.1 GHz; six such operations a layer of Llama-3-8B
    operation = mesh_sum_time(side=920, hop=1 / 1.1e9)
    assert operation == pytest.approx(1.67e-6, rel=2e-3)
    assert dependent_time(operations=6, time=operation) == pytest.approx(10e-6, rel=5e-3)


@pytest.mark.parametrize("dies", [1, 2, 4])
def test_dies_send_what_a_ring_does_step_by_step(dies: int) -> None:
    # dies - 1 steps of reduce-scatter and as many of all-gather; each die passes on one part
    message, sent = 8.0, 0.0
    for _ in range(2 * (dies - 1)):
        sent += dies * (message / dies)
    assert die_exchange_bytes(message=message, dies=dies) == sent


def test_slopes() -> None:
    slopes = assert_slopes(die_exchange_bytes, message=8.0, dies=4.0)
    assert slopes == pytest.approx({"message": 6, "dies": 16})
    slopes = assert_slopes(dependent_time, operations=97.0, time=2.0)
    assert slopes == pytest.approx({"operations": 2, "time": 97})
    assert assert_slopes(mesh_sum_time, side=9.0, hop=0.5) == pytest.approx({"side": 1, "hop": 18})
