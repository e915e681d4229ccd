"""Time of collectives: latency and bandwidth, crossing points, tables of latencies."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.laws.collective import (
    all_to_all_time,
    in_network_all_reduce_time,
    levels_time,
    logarithmic_latency,
    one_shot_all_reduce_time,
    reach_latency,
    torus_diameter,
    two_shot_all_reduce_time,
)
from tests.laws.differences import assert_slopes


@settings(max_examples=80, deadline=None)
@given(st.floats(2, 512), st.floats(0, 1e9), st.floats(1, 1e12), st.floats(0, 1e-3))
def test_collectives_need_their_latency_and_grow_with_the_message(
    chips: float, message: float, bandwidth: float, latency: float
) -> None:
    for law, shots in (
        (one_shot_all_reduce_time, 1),
        (two_shot_all_reduce_time, 2),
        (all_to_all_time, 1),
    ):
        rest = {"chips": chips, "bandwidth": bandwidth, "latency": latency}
        assert law(message=0.0, **rest) == shots * latency
        assert law(message=2 * message + 1, **rest) > law(message=message, **rest)


def test_two_shots_win_once_the_message_outweighs_a_latency() -> None:
    # (n - 1) m/W - 2 (n - 1)/n m/W = a at m = a W n / ((n - 1)(n - 2)): 8/6 for n = 4
    rest = {"chips": 4.0, "bandwidth": 2.0, "latency": 1.0}
    at = 2.0 * 4 / 6
    assert one_shot_all_reduce_time(message=at, **rest) == pytest.approx(
        two_shot_all_reduce_time(message=at, **rest)
    )
    assert one_shot_all_reduce_time(message=0.9 * at, **rest) < two_shot_all_reduce_time(
        message=0.9 * at, **rest
    )


def test_two_shots_carry_two_all_to_alls() -> None:
    rest = {"message": 12.0, "chips": 3.0, "bandwidth": 4.0, "latency": 0.5}
    assert two_shot_all_reduce_time(**rest) == 2 * all_to_all_time(**rest) == 5


def test_torus_of_a_cube() -> None:
    assert float(torus_diameter(chips=64.0, dimensions=3.0)) == pytest.approx(6)
    assert float(torus_diameter(chips=10.0, dimensions=1.0)) == pytest.approx(5)


@pytest.mark.parametrize(("chips", "time"), [(8, 0.44), (16, 0.58), (128, 1.0), (4, 0.30)])
def test_the_line_of_latencies(chips: float, time: float) -> None:
    got = logarithmic_latency(chips=float(chips), latency_at_8=0.44, latency_at_128=1.0)
    assert float(got) == pytest.approx(time, rel=1e-13)


@pytest.mark.parametrize(
    ("passed", "latency"), [([0, 0], 0.0), ([1, 0], 0.4), ([1, 1], 0.85), ([0.5, 0], 0.2)]
)
def test_each_reach_that_is_passed_adds_its_step(passed: list[float], latency: float) -> None:
    assert reach_latency(steps=[0.4, 0.45], passed=passed) == pytest.approx(latency)


def test_a_single_reach_adds_nothing() -> None:
    assert reach_latency(steps=[], passed=[]) == 0


@pytest.mark.parametrize(
    "law", [one_shot_all_reduce_time, two_shot_all_reduce_time, all_to_all_time]
)
def test_slopes_of_collectives(law) -> None:
    slopes = assert_slopes(law, message=8.0, chips=4.0, bandwidth=2.0, latency=1.0)
    assert slopes["bandwidth"] < 0 < min(slopes["message"], slopes["chips"], slopes["latency"])


def test_slopes_of_latencies() -> None:
    assert_slopes(torus_diameter, chips=64.0, dimensions=3.0)
    assert_slopes(logarithmic_latency, chips=32.0, latency_at_8=1.0, latency_at_128=3.0)


def test_switches_that_add_take_as_long_for_any_number_of_chips() -> None:
    rest = {"message": 12.0, "bandwidth": 4.0, "latency": 0.5}
    inside = in_network_all_reduce_time(**rest)
    assert inside == 3.5
    # Of two chips each sends its part and receives the other's: nothing is saved but the sum.
    assert one_shot_all_reduce_time(**rest, chips=2.0) == inside
    assert one_shot_all_reduce_time(**rest, chips=3.0) > inside
    of_many = two_shot_all_reduce_time(**rest, chips=1e9)
    assert of_many == pytest.approx(2 * inside)


def test_levels_add_up_and_those_of_one_member_do_not_count() -> None:
    assert levels_time(latencies=[], transfers=[]) == 0.0
    two = levels_time(latencies=[0.1, 0.4], transfers=[0.3, 0.2])
    assert two == pytest.approx(1.0)
    assert levels_time(latencies=[0.1, 0.4, 0.0], transfers=[0.3, 0.2, 0.0]) == two


def test_slopes_of_switches_that_add() -> None:
    at = {"message": 12.0, "bandwidth": 4.0, "latency": 0.5}
    slopes = assert_slopes(in_network_all_reduce_time, **at)
    assert slopes["bandwidth"] < 0 < min(slopes["message"], slopes["latency"])
