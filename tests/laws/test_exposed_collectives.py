"""Exposed collectives: one form passes into the next, hiding has an end, and gradients."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.exposed_collectives import (
    delayed_collectives_time,
    fused_collective_time,
    hiding_delay,
    operations_with_fused_norms,
    reread_bytes,
    two_batches_time,
    waited_collectives_time,
)
from liminal_jax.laws.feedforward import expected_distinct_experts
from tests.laws.differences import assert_slopes

shortly = settings(max_examples=60, deadline=None)
times = st.floats(1e-3, 100)


@pytest.mark.parametrize(("dropped", "time"), [(0.0, 6.0), (0.5, 4.5), (1.0, 3.0), (2.0, 0.0)])
def test_sums_that_are_waited_for(dropped: float, time: float) -> None:
    assert waited_collectives_time(collective=3.0, dropped=dropped) == time


@shortly
@given(times, times, st.floats(0, 5))
def test_a_delay_hides_up_to_all_and_never_more(
    collective: float, module: float, delay: float
) -> None:
    layer = {"collective": collective, "module": module, "relaxation": Exact()}
    exposed = float(delayed_collectives_time(**layer, delay=delay))
    by_hand = 2 * max(0.0, collective - 2 * delay * module)
    assert exposed == pytest.approx(by_hand, rel=1e-9, abs=1e-12 * collective)
    assert 0 <= exposed <= waited_collectives_time(collective=collective, dropped=0.0)
    assert float(delayed_collectives_time(**layer, delay=delay + 0.5)) <= exposed


def test_without_delay_each_sum_is_waited_for() -> None:
    now = delayed_collectives_time(collective=3.1, module=0.7, delay=0.0, relaxation=Exact())
    assert float(now) == waited_collectives_time(collective=3.1, dropped=0.0)


def test_the_delay_that_hides_all() -> None:
    layer = {"collective": 3.0, "module": 0.5}
    delay = hiding_delay(**layer)
    assert delay == 3.0
    exposed = [
        float(delayed_collectives_time(**layer, delay=it, relaxation=Exact()))
        for it in (delay, 0.9 * delay)
    ]
    assert exposed == pytest.approx([0.0, 0.6])


def test_fast_modules_leave_a_ladder_little_to_hide_behind() -> None:
    hidden = [
        2 * 0.35
        - float(delayed_collectives_time(collective=0.35, module=it, delay=0.5, relaxation=Exact()))
        for it in (0.3, 0.1, 0.01)
    ]
    assert hidden == pytest.approx([0.6, 0.2, 0.02])


@pytest.mark.parametrize(
    ("own", "collectives", "time"), [(3.0, 2.0, 6.0), (2.0, 3.0, 6.0), (3.0, 0.0, 6.0)]
)
def test_two_halves_take_turns(own: float, collectives: float, time: float) -> None:
    assert float(two_batches_time(own=own, collectives=collectives, relaxation=Exact())) == time


def test_halves_of_a_dense_model_read_all_weights_twice() -> None:
    assert reread_bytes(shared=10.0, half=0.0, whole=0.0) == 10.0


@pytest.mark.parametrize("batch", [2.0, 64.0, 1e5])
def test_halves_read_experts_that_both_are_sent_to_twice(batch: float) -> None:
    half, whole = (
        float(expected_distinct_experts(experts=64.0, top_k=4.0, tokens=it))
        for it in (batch / 2, batch)
    )
    again = reread_bytes(shared=0.0, half=half, whole=whole)
    assert 0 < again <= 64
    if batch == 2:
        assert again == pytest.approx(4 * 4 / 64)
    if batch > 1e4:
        assert again == pytest.approx(64)


def test_splitting_pays_only_where_communication_exceeds_what_is_read_again() -> None:
    # One batch: 4 own, of which 3 are weights, then the collectives. Halves: 3 and 0.5 each.
    for collectives, pays in ((1.0, False), (2.9, False), (3.1, True), (8.0, True)):
        together = 4.0 + collectives
        halves = two_batches_time(own=3.5, collectives=collectives / 2, relaxation=Exact())
        assert (float(halves) < together) == pays


def test_a_fused_collective_keeps_its_latency_and_its_last_tile() -> None:
    tiles = {"latency": 1.0, "transfer": 4.0, "relaxation": Exact()}
    assert float(fused_collective_time(**tiles, module=0.0, ceiling=0.96)) == 5.0
    assert float(fused_collective_time(**tiles, module=1e9, ceiling=0.96)) == pytest.approx(1.16)
    assert float(fused_collective_time(**tiles, module=1e9, ceiling=0.0)) == 5.0


def test_slopes() -> None:
    slopes = assert_slopes(waited_collectives_time, collective=3.0, dropped=0.4)
    assert slopes == pytest.approx({"collective": 1.6, "dropped": -3.0})

    def delayed(**at):
        return delayed_collectives_time(**at, relaxation=Soft(0.2))

    slopes = assert_slopes(delayed, collective=3.0, module=0.9, delay=1.4)
    assert slopes["module"] < 0 < slopes["collective"]
    assert slopes["delay"] < 0
    assert_slopes(hiding_delay, collective=3.0, module=0.9)

    def two(**at):
        return two_batches_time(**at, relaxation=Soft(0.2))

    assert min(assert_slopes(two, own=3.0, collectives=2.6).values()) > 0
    assert_slopes(reread_bytes, shared=3.0, half=2.0, whole=2.5)

    def fused(**at):
        return fused_collective_time(**at, relaxation=Soft(0.2))

    slopes = assert_slopes(fused, latency=1.0, transfer=4.0, module=3.5, ceiling=0.9)
    assert slopes["module"] < 0 < slopes["transfer"]


def test_norms_in_an_exchange_are_no_operations_of_their_own():
    def left(operations, fused):
        return float(
            operations_with_fused_norms(
                operations=operations, sums=2.0, fused=fused, relaxation=Exact()
            )
        )

    assert [left(6.0, it) for it in (0.0, 0.25, 1.0)] == [6.0, 5.5, 4.0]
    assert left(1.0, 1.0) == 0.0
