"""The time of a step: by hand, its bounds, and what one more second of each part costs."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.laws.step_time import step_time

shares = st.floats(0, 1)
times = st.floats(0, 1e3, allow_subnormal=False)
parts = st.lists(st.tuples(times, times), min_size=1, max_size=5)


def test_perfect_overlap_is_the_equation_of_the_paper() -> None:
    time = step_time(
        compute=[2.0, 1.0, 4.0], memory=[3.0, 1.0, 1.0], exposed=0.5, relaxation=Exact()
    )
    assert float(time) == max(2 + 1 + 4, 3 + 1 + 1) + 0.5


@pytest.mark.parametrize(
    ("between", "within", "time"),
    [
        (0.0, 1.0, 3 + 4 + 0.5),  # each operator takes the longer of its times
        (0.0, 0.0, 5 + 5 + 0.5),  # nothing overlaps: all times are added
        (0.0, 0.5, 4 + 4.5 + 0.5),
        (0.5, 0.0, 0.5 * 6 + 0.5 * 10 + 0.5),
    ],
)
def test_less_overlap_by_hand(between: float, within: float, time: float) -> None:
    got = step_time(
        compute=[2.0, 4.0],
        memory=[3.0, 1.0],
        exposed=0.5,
        relaxation=Exact(),
        overlap_between=between,
        overlap_within=within,
    )
    assert float(got) == time


@settings(max_examples=80, deadline=None)
@given(parts, times, shares, shares)
def test_a_step_is_between_perfect_overlap_and_none(
    operators: list[tuple[float, float]], exposed: float, between: float, within: float
) -> None:
    compute, memory = ([float(it) for it in of] for of in zip(*operators, strict=True))

    def of(**overlap: float) -> float:
        return float(
            step_time(
                compute=compute, memory=memory, exposed=exposed, relaxation=Exact(), **overlap
            )
        )

    time = of(overlap_between=between, overlap_within=within)
    rounding = 1e-12 * (1 + time)
    assert of() - rounding <= time <= sum(compute) + sum(memory) + exposed + rounding
    assert of() == max(sum(compute), sum(memory)) + exposed
    assert time >= of(overlap_between=(1 + between) / 2, overlap_within=within) - rounding
    assert time >= of(overlap_between=between, overlap_within=(1 + within) / 2) - rounding


def test_a_second_counts_where_it_is_the_longest_and_where_it_is_exposed() -> None:
    def time(compute, memory, exposed):
        return step_time(
            compute=[compute, 1.0], memory=[memory, 1.0], exposed=exposed, relaxation=Exact()
        )

    slopes = jax.grad(time, argnums=(0, 1, 2))
    assert [float(it) for it in slopes(2.0, 3.0, 1.0)] == [0, 1, 1]
    assert [float(it) for it in slopes(3.0, 2.0, 1.0)] == [1, 0, 1]


def test_a_soft_step_tends_to_the_exact_one() -> None:
    def time(relaxation):
        return float(
            step_time(compute=[2.0], memory=[jnp.asarray(1.9)], exposed=1.0, relaxation=relaxation)
        )

    off = [time(Soft(temperature)) - time(Exact()) for temperature in (0.3, 0.1, 0.003)]
    assert off[0] > off[1] > 0.01
    assert off[2] == pytest.approx(0, abs=1e-6)


def test_operators_need_both_times() -> None:
    with pytest.raises(ValueError, match="shorter"):
        step_time(compute=[1.0, 2.0], memory=[1.0], exposed=0.0, relaxation=Exact())
