"""SRAM is filled with what is read most often, and never beyond its capacity."""

import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._smooth import Exact, Soft
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement, filled_placement

placed_exactly = jax.jit(
    lambda capacity, weights, cache, experts: filled_placement(
        capacity=capacity, weights=weights, cache=cache, experts=experts, relaxation=Exact()
    )
)
placed_softly = jax.jit(
    lambda capacity, weights, cache, experts, t: filled_placement(
        capacity=capacity, weights=weights, cache=cache, experts=experts, relaxation=Soft(t)
    )
)
sizes = st.floats(1.0, 1e13)


def _occupied(placement: Placement, weights: float, cache: float, experts: float) -> float:
    return float(
        placement.weights * weights + placement.cache * cache + placement.experts * experts
    )


@pytest.mark.parametrize(
    ("capacity", "wanted"),
    [
        (0, (0, 0, 0)),
        (4, (0.5, 0, 0)),
        (8, (1, 0, 0)),
        (9, (1, 0.25, 0)),
        (20, (1, 1, 0.5)),
        (99, (1, 1, 1)),
    ],
)
def test_weights_come_first_and_experts_last(capacity: int, wanted: tuple[float, ...]) -> None:
    got = placed_exactly(float(capacity), 8.0, 4.0, 16.0)
    assert (float(got.weights), float(got.cache), float(got.experts)) == pytest.approx(wanted)


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 1e13), sizes, sizes, st.one_of(st.just(0.0), sizes))
def test_never_beyond_capacity(
    capacity: float, weights: float, cache: float, experts: float
) -> None:
    got = placed_exactly(capacity, weights, cache, experts)
    occupied = _occupied(got, weights, cache, experts)
    assert occupied <= capacity * (1 + 1e-12)
    assert occupied == pytest.approx(min(capacity, weights + cache + experts), rel=1e-9)


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 1e13), sizes, sizes, st.one_of(st.just(0.0), sizes), st.floats(1e-3, 0.5))
def test_never_beyond_capacity_softly(
    capacity: float, weights: float, cache: float, experts: float, t: float
) -> None:
    got = placed_softly(capacity, weights, cache, experts, t)
    assert _occupied(got, weights, cache, experts) <= capacity * (1 + 1e-9)
    for share in (got.weights, got.cache, got.experts):
        assert -1e-12 <= float(share) <= 1 + 1e-12


def test_chips_of_an_instance() -> None:
    mapping = Mapping(tp=4, cp=2, pp=3, ep=8)
    assert float(mapping.stage_chips()) == 8
    assert float(mapping.chips()) == 24
